"""The contract that every engine keeps."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args

from depthsearch.problem.problem import Problem
from depthsearch.training.trace import Trace

EngineName = Literal["auto", "dense", "torch", "module"]


DeviceName = Literal["auto", "cpu", "cuda"]


ENGINES: tuple[str, ...] = get_args(EngineName)


DEVICES: tuple[str, ...] = get_args(DeviceName)

Record: TypeAlias = Literal["summary", "full"]

Watch: TypeAlias = Callable[[Trace], int | None]
"""Pure: from the trace so far to the entry at which its verdict was settled, or None to go on."""


@dataclass(frozen=True)
class Job:
    """One network to train: a depth in the family's units, and the seed of its weights and batches."""

    depth: int
    seed: int


class Engine(Protocol):
    """Trains networks. A run is a pure function of (problem, job).

    - The initial weights and the order of the batches come only from NumPy streams of the job's seed.
    - A run's trace does not depend on the other jobs of the call: to the last bit for the dense engine, within
      rounding for torch, whose products of small matrices round by where they lie in memory.
    - Global state (random generators, number of threads, default types) is as before when the call returns.
    - The watcher may be asked late, but the trace ends at the entry that it names.
    """

    @property
    def name(self) -> str:
        """Its name: "dense", "torch" or "module"."""

    @property
    def first_use(self) -> str | None:
        """What to tell somebody who waits, where the first training takes longer than those after it."""

    def train(
        self, problem: Problem, jobs: Iterable[Job], *, watch: Watch | None = None, record: Record = "summary"
    ) -> Iterator[tuple[Job, Trace]]:
        """Train every job, and yield each with its trace as soon as its run is finished.

        Where Ctrl-C arrives, the runs that are finished by then are yielded first, and KeyboardInterrupt is raised
        after them. Closing the iterator ends what is under way.

        Args:
            problem: What is trained.
            jobs: Which networks.
            watch: Asked as a run goes on; where it names an entry, the run ends there. None trains every run for
                the whole budget.
            record: "full" fills Trace.detail, trains every run for the whole budget and asks no watcher; what a
                summary records is an exact prefix of it.

        Raises:
            BuildFailed: A network cannot be built.
            RunFailed: An exception ended a run.
            OutOfMemory: Memory ran out. All three name the depth, and the seed where the engine knows it; the other
                runs of the call that are not yielded yet are lost, and may be trained in another call.
        """


def train_all(
    engine: Engine, problem: Problem, jobs: Iterable[Job], *, watch: Watch | None = None, record: Record = "summary"
) -> list[Trace]:
    """Train every job (see Engine.train) and return the traces in the jobs' order."""
    jobs = tuple(jobs)
    found = dict(engine.train(problem, jobs, watch=watch, record=record))
    return [found[job] for job in jobs]


def cores() -> int:
    """Cores that this process may use; not every system says which of all cores these are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
