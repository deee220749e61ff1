"""Trains the jobs of a round; what fails among others is trained by itself before its depth is given up."""

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from depthsearch.errors import BuildFailed, DepthsearchError, OutOfMemory, RunFailed, TrainingFailed, is_out_of_memory
from depthsearch.problem.problem import Problem
from depthsearch.search.trial import ExclusionKind
from depthsearch.training.engine import Engine, Job, Watch
from depthsearch.training.failures import out_of_memory, run_failed
from depthsearch.training.trace import Trace

ATTEMPTS = 2
"""An exception in a run is retried once, with its seed."""


@dataclass
class Attempts:
    """The jobs of a round on their way through an engine.

    A network that cannot be built is given up at once. Where memory runs out in a call of several jobs, those of that
    depth are trained one by one, and the depth is given up with everything deeper if it runs out again. A run that
    raises an exception is retried once by itself, and its depth is given up if it raises again.

    Args:
        engine: What trains.
        problem: What is trained.
        jobs: Each once for each place where its trace is wanted.
        watch: Asked as a run goes on.
        one_by_one: Whether every job is trained by itself, the shallowest first: the last process to train them died.
    """

    engine: Engine
    problem: Problem
    jobs: Sequence[Job]
    watch: Watch
    one_by_one: bool = False
    _together: list[Job] = field(init=False, default_factory=list)
    _single: list[Job] = field(init=False, default_factory=list)
    _failures: Counter[Job] = field(init=False, default_factory=Counter)
    _by_watch: list[BaseException] = field(init=False, default_factory=list)

    def __iter__(self) -> Iterator[tuple[Job, Trace] | TrainingFailed]:
        """Each job with its trace as soon as it is finished; for each depth that is given up, the failure."""
        if self.one_by_one:
            self._single = sorted(self.jobs, key=lambda job: job.depth)
        else:
            self._together = list(self.jobs)
        while self._single or self._together:
            called = [self._single[0]] if self._single else list(self._together)
            waiting, finished = self._single or self._together, 0
            try:
                for job, trace in self.engine.train(self.problem, called, watch=self._asked):
                    waiting.remove(job)
                    finished += 1
                    yield job, trace
            except Exception as error:
                failed = self._failure(error, called)
            else:
                if finished < len(called):
                    raise RuntimeError(f"the engine {self.engine.name!r} left out {len(called) - finished} jobs")
                continue
            # Outside of the handler, so that nothing holds the memory of the networks that failed.
            gc.collect()
            if self._gives_up(failed, called):
                yield failed

    def _asked(self, trace: Trace) -> int | None:
        """What the watcher answers; what it raises is no failure of the run."""
        try:
            return self.watch(trace)
        except Exception as error:
            self._by_watch.append(error)
            raise

    def _failure(self, error: Exception, called: Sequence[Job]) -> TrainingFailed:
        """The failure, which holds no frame of what failed.

        Raises:
            Exception: It is no failure of a run: a value that cannot be used, or an error of the watcher.
        """
        if any(error is raised for raised in self._by_watch):
            raise error
        if isinstance(error, BuildFailed | RunFailed | OutOfMemory):
            failed: TrainingFailed = error
        elif isinstance(error, DepthsearchError):
            raise error
        else:  # of an engine that does not say whose it is
            depths = {job.depth for job in called}
            translate = out_of_memory if is_out_of_memory(error) else run_failed
            failed = translate(self.problem, max(depths), error=error, seed=_only(job.seed for job in called))
            failed.depth = _only(depths)
        failed.__traceback__ = failed.__cause__ = failed.__context__ = None
        return failed

    def _gives_up(self, failed: TrainingFailed, called: Sequence[Job]) -> bool:
        """Whether the depth is given up, and its jobs are dropped; otherwise they are tried again, one by one."""
        by_itself = len(called) == 1
        if by_itself:
            failed.depth = called[0].depth
        there = [job for job in called if failed.depth in (None, job.depth)]
        match failed:
            case BuildFailed():
                final = by_itself or bool(failed.depth is not None and there)
            case OutOfMemory():
                final = by_itself
            case _:
                there = [job for job in there if failed.seed in (None, job.seed)] or list(called)
                self._failures.update(set(there))
                final = by_itself and self._failures[called[0]] >= ATTEMPTS
        if not final:
            self._try_singly(there or called)
            return False
        for jobs in (self._single, self._together):
            jobs[:] = [job for job in jobs if not excludes(failed, job.depth)]
        return True

    def _try_singly(self, jobs: Sequence[Job]) -> None:
        """Train these by themselves before all others, the shallowest first."""
        moved = [job for job in self._together if job in jobs]
        self._together = [job for job in self._together if job not in jobs]
        self._single = sorted([*self._single, *moved], key=lambda job: job.depth)


def excludes(failed: TrainingFailed, depth: int) -> bool:
    """Whether a failure that remains excludes that depth: the same and, where memory ran out, everything deeper."""
    assert failed.depth is not None
    return depth == failed.depth or (isinstance(failed, OutOfMemory) and depth > failed.depth)


def kind_of(failed: TrainingFailed) -> ExclusionKind:
    """Why a failure excludes its depth."""
    match failed:
        case BuildFailed():
            return ExclusionKind.BUILD
        case OutOfMemory():
            return ExclusionKind.MEMORY
        case _:
            return ExclusionKind.ERROR


def _only(values: Iterable[int]) -> int | None:
    """The value, where there is only one."""
    different = set(values)
    return different.pop() if len(different) == 1 else None
