"""The contract that every engine keeps, and the choice of one. No engine is imported until it is chosen."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from depthsearch.core.errors import InvalidValue, TrainingFailed, UnknownName
from depthsearch.core.interrupts import interrupts_deferred
from depthsearch.core.names import DEVICES, ENGINES
from depthsearch.core.problem import DataSpec, Problem
from depthsearch.core.trace import Trace
from depthsearch.families import family_of
from depthsearch.training.dense_program import claims

WIDEST_DENSE = 128
"""The widest network for which the dense engine is the faster one (benchmarks/engine.py)."""

GPU_LANES = 128
"""Narrow networks that a GPU trains side by side at little more than the time of one."""

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

    - The initial weights and the order of the batches come from NumPy streams of the job's seed alone.
    - A run's trace does not depend on the other jobs of the call: to the last bit for the dense engine, within
      rounding for torch, whose products of small matrices round by where they lie in memory.
    - Global state (random generators, number of threads, default types) is as before when the call returns.
    - The watcher may be asked late, but the trace ends at the entry that it names.
    """

    @property
    def name(self) -> str:
        """By which it is asked for: "dense" or "torch"."""

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
            TrainingFailed: A network could not be trained, for example for want of memory.
        """


def train_all(
    engine: Engine, problem: Problem, jobs: Iterable[Job], *, watch: Watch | None = None, record: Record = "summary"
) -> list[Trace]:
    """Train every job (see Engine.train) and return the traces in the jobs' order."""
    jobs = tuple(jobs)
    found = dict(engine.train(problem, jobs, watch=watch, record=record))
    return [found[job] for job in jobs]


def check_engine(problem: Problem, *, engine: str, device: str) -> None:
    """Refuse what cannot train this problem, before anything is imported or written.

    Raises:
        UnknownName: The engine or the device is not on its list.
        InvalidValue: The dense engine was asked for on a GPU, or does not train this problem.
    """
    if engine not in ENGINES:
        raise UnknownName("engine", engine, ENGINES)
    if device not in DEVICES:
        raise UnknownName("device", device, DEVICES)
    if (engine, device) == ("dense", "cuda"):
        raise InvalidValue("engine 'dense' trains on the CPU alone, but got device 'cuda': give --engine torch")
    if engine == "dense" and not dense_trains(problem):
        raise InvalidValue(f"engine 'dense' does not train the family {problem.family!r}: give --engine torch")


def choose_engine(problem: Problem, *, engine: str = "auto", device: str = "auto") -> Engine:
    """The engine for a problem.

    Args:
        problem: What is trained.
        engine: "dense", "torch", or "auto": dense where it trains the problem and its width is small enough that it
            wins (see WIDEST_DENSE), unless a GPU is insisted on.
        device: "cpu", "cuda", or "auto": for torch, the GPU where it sees one.

    Raises:
        UnknownName: The engine or the device is not on its list.
        InvalidValue: The engine does not train this problem, or "cuda" was asked for and torch sees no GPU.
    """
    check_engine(problem, engine=engine, device=device)
    engine = _resolved(problem, engine, device)
    # Each engine's own imports take a second: only the one that is used is imported.
    with interrupts_deferred():
        if engine == "dense":
            from depthsearch.training.dense_engine import DenseEngine  # noqa: PLC0415

            return DenseEngine()
        from depthsearch.training.torch_engine import TorchEngine  # noqa: PLC0415

        return TorchEngine(device)


def _resolved(problem: Problem, engine: str, device: str) -> str:
    if engine != "auto":
        return engine
    return "dense" if device != "cuda" and problem.width <= WIDEST_DENSE and dense_trains(problem) else "torch"


def out_of_memory(problem: Problem, depth: int) -> TrainingFailed:
    """Want of memory in one line that says what asked for it, and what would ask for less."""
    units = family_of(problem.family).units(depth)
    return TrainingFailed(
        f"out of memory while training {units} of width {problem.width}: give a smaller width, or a smaller depth "
        "(in a search, a lower cap)"
    )


def lanes_of(problem: Problem, *, engine: str = "auto", device: str = "auto") -> int:
    """How many runs train side by side at little more than the time of one; known without importing an engine."""
    if device == "cuda":
        return GPU_LANES
    return cores() if _resolved(problem, engine, device) == "dense" else 1


def cores() -> int:
    """Cores that this process may use; not every system tells a process's own share of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def dense_trains(problem: Problem) -> bool:
    """Whether the dense engine claims the problem's networks."""
    family = family_of(problem.family)
    return claims(family.plan(problem, DataSpec(features=2, classes=2), family.shallowest + 1))
