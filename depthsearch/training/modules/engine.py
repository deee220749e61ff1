"""The engine of any torch module: one network at a time or, on several cores, one in each of as many processes."""

import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from depthsearch.errors import DepthsearchError, TrainingFailed
from depthsearch.generators import seeded
from depthsearch.problem.problem import Problem
from depthsearch.schema import canonical_json, sha256
from depthsearch.training.engine import Job, Record, Watch, cores
from depthsearch.training.failures import translate_run_errors
from depthsearch.training.modules.batches import seeded_loaders
from depthsearch.training.modules.checkpoint import Checkpoint
from depthsearch.training.modules.device import check_precision, threads, torch_device
from depthsearch.training.modules.pool import WorkerPool, can_travel
from depthsearch.training.modules.run import ModuleRun
from depthsearch.training.trace import Trace

WORTH_PROCESSES = 10.0
"""Seconds that the jobs of a call would take in this process, from which on other processes are started for them:
each imports torch first.
"""


class ModuleEngine:
    """Trains whatever a network's `build` returns, as a plain loop over its batches would.

    On the CPU a run takes one thread: the same bits come out whatever the number of cores and of processes.

    Args:
        device: "cpu", "cuda", or "auto" for the GPU where torch sees one.
        checkpoints: Folder for the checkpoints of runs of more than a minute; None for none.
        workers: Processes that train side by side on the CPU; by default one for each core.

    Raises:
        InvalidValue: "cuda" was asked for and torch sees no GPU.
    """

    name = "module"

    def __init__(self, device: str = "auto", *, checkpoints: Path | None = None, workers: int | None = None) -> None:
        self.device, self._checkpoints = torch_device(device), checkpoints
        self._workers = 1 if self.device.type == "cuda" else workers or cores()
        self._pool: WorkerPool | None = None

    @property
    def first_use(self) -> str | None:
        """Nothing: its first training takes as long as any."""
        return None

    def train(
        self, problem: Problem, jobs: Iterable[Job], *, watch: Watch | None = None, record: Record = "summary"
    ) -> Iterator[tuple[Job, Trace]]:
        """Train every job (see Engine.train)."""
        check_precision(problem.recipe, self.device)
        waiting, watch = list(jobs), watch if record == "summary" else None
        several = self._workers > 1 and can_travel(problem)
        while waiting and not (several and self._pool):
            job = waiting[0]
            try:
                asked = _Stopwatch(len(waiting), watch) if several and len(waiting) > 1 else watch
                trace = self._trained(problem, job, asked, record)
            except _Slow:
                self._pool = WorkerPool(self._workers, self._checkpoints)
                break
            del waiting[0]
            yield job, trace
        if waiting and self._pool:
            yield from self._pool.train(problem, waiting, watch=watch, record=record)

    def _trained(self, problem: Problem, job: Job, watch: Watch | None, record: Record) -> Trace:
        checkpoint = self._checkpoint(problem, job) if record == "summary" else None
        data, doing = problem.data.contents(), f"training {problem.network.depth_words(job.depth)}"
        asked = None if watch is None else _Asked(watch)
        try:
            with (
                translate_run_errors(problem, job.depth, seed=job.seed),
                threads(1),
                seeded(job.seed),
                seeded_loaders(data, job.seed),
                problem.data.running(doing),
                problem.network.running(doing),
            ):
                run = ModuleRun(problem, data, job, self.device, full=record == "full")
                trace = run.train(asked, checkpoint)
        except _OfWatcher as carried:
            raise carried.error from None
        except TrainingFailed:
            if checkpoint is not None:
                checkpoint.remove()  # it is retried from its beginning
            raise
        if checkpoint is not None:
            checkpoint.remove()
        return trace

    def _checkpoint(self, problem: Problem, job: Job) -> Checkpoint | None:
        """Where the run's state is kept; no other run, and no other software, has the same name."""
        if self._checkpoints is None:
            return None
        versions = {name: version(name) for name in ("depthsearch", "torch", "numpy")}
        run = {"question": problem.question(), "code": problem.code(), "depth": job.depth, "seed": job.seed}
        identity = sha256(canonical_json(run | {"versions": versions, "device": self.device.type}))
        return Checkpoint(self._checkpoints / f"{identity[:32]}.pt", identity)


class _Slow(Exception):
    """The jobs of a call would take long in one process."""


class _OfWatcher(DepthsearchError):
    """What a watcher raised is no failure of the run: it is carried past those who translate these."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        super().__init__(str(error))


class _Asked:
    """A watcher whose exceptions are carried."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def __call__(self, trace: Trace) -> int | None:
        """What the watcher answers."""
        try:
            return self._watch(trace)
        except Exception as error:
            raise _OfWatcher(error) from error


class _Stopwatch:
    """A watcher that ends the first run of a call where the rest would take long in one process.

    It counts from the first entry on: before it, torch loads what the first step needs.

    Args:
        jobs: Of the call.
        watch: Asked as well.
    """

    def __init__(self, jobs: int, watch: Watch | None) -> None:
        self._jobs, self._watch = jobs, watch
        self._since, self._first = 0.0, 0

    def __call__(self, trace: Trace) -> int | None:
        """What the watcher answers."""
        if not self._first:
            self._since, self._first = time.monotonic(), trace.epochs
        elif trace.epochs > self._first:
            spent = time.monotonic() - self._since
            if spent / (trace.epochs - self._first) * trace.budget_epochs * self._jobs > WORTH_PROCESSES:
                raise _Slow
        return None if self._watch is None else self._watch(trace)
