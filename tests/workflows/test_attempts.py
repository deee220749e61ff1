"""The jobs of a round, over engines that fail: nothing is trained here."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

import pytest

from depthsearch.errors import BuildFailed, OutOfMemory, RunFailed, TrainingFailed
from depthsearch.problem.problem import Problem
from depthsearch.training.engine import Job
from depthsearch.training.trace import Trace
from depthsearch.workflows.attempts import Attempts

PROBLEM = Problem()
TRACE = cast("Trace", object())
JOBS = [Job(8, 1), Job(2, 2), Job(8, 3), Job(9, 4)]


class Scripted:
    """An engine that asks `fail` before each job, and records the calls."""

    name, first_use = "scripted", None

    def __init__(self, fail: Callable[[Job, int], None]) -> None:
        self._fail, self.calls = fail, list[list[Job]]()

    def train(self, problem: Problem, jobs: Iterable[Job], **_: Any) -> Iterator[tuple[Job, Trace]]:
        jobs = list(jobs)
        self.calls.append(jobs)
        for job in jobs:
            self._fail(job, len(jobs))
            yield job, TRACE


def outcome(fail: Callable[[Job, int], None], jobs: list[Job] = JOBS, **more: Any) -> tuple[list[Any], list[list[Job]]]:
    """The seeds of the jobs that were trained, and the failures that remain, in order; and the calls."""
    engine = Scripted(fail)
    found = list(Attempts(engine, PROBLEM, jobs, lambda _: None, **more))
    return [one if isinstance(one, TrainingFailed) else one[0].seed for one in found], engine.calls


def raising(error: Callable[[Job], Exception], depth: int) -> Callable[[Job, int], None]:
    def fail(job: Job, _of: int) -> None:
        if job.depth == depth:
            raise error(job)

    return fail


def test_without_failures_there_is_one_call() -> None:
    assert outcome(lambda *_: None) == ([1, 2, 3, 4], [JOBS])


def test_one_by_one_the_shallowest_is_first() -> None:
    seeds, calls = outcome(lambda *_: None, one_by_one=True)
    assert seeds == [2, 1, 3, 4]
    assert [len(call) for call in calls] == [1, 1, 1, 1]


def test_a_network_that_cannot_be_built_is_given_up_at_once() -> None:
    failed = BuildFailed("no", depth=8)
    found, calls = outcome(raising(lambda _: failed, 8))
    assert found == [failed, 2, 4]
    assert calls == [JOBS, [JOBS[1], JOBS[3]]]


def test_memory_that_runs_out_by_itself_gives_up_everything_deeper() -> None:
    found, calls = outcome(raising(lambda job: OutOfMemory("no", depth=job.depth), 8))
    failed, seed = found
    assert isinstance(failed, OutOfMemory)
    assert (failed.depth, seed) == (8, 2)
    assert calls == [JOBS, [JOBS[0]], [JOBS[1]]]


@pytest.mark.parametrize("depth", [None, 77])
def test_a_failure_that_names_no_job_of_the_call_is_traced_to_one(depth: int | None) -> None:
    """Engines should name the depth and the seed; where one does not, or a wrong one, every job is tried by itself."""
    for kind in (OutOfMemory, RunFailed, BuildFailed):
        found, _ = outcome(raising(lambda _, kind=kind: kind("no", depth=depth, seed=5), 9))  # type: ignore[misc]
        failed = found.pop()
        assert isinstance(failed, kind)
        assert (failed.depth, sorted(found)) == (9, [1, 2, 3])


def test_an_assertion_in_a_networks_code_is_a_failure_like_any() -> None:
    def fail(job: Job, _of: int) -> None:
        assert job.depth != 2, "two is too few"

    found, calls = outcome(fail)
    (failed,) = [one for one in found if isinstance(one, TrainingFailed)]
    assert (failed.depth, failed.seed, failed.reason.split("\n")[0][:30]) == (2, 2, "AssertionError: two is too few")
    assert calls.count([JOBS[1]]) == 1


def test_no_frame_of_what_failed_is_held() -> None:
    found, _ = outcome(raising(lambda _: ValueError("no"), 2))
    (failed,) = [one for one in found if isinstance(one, TrainingFailed)]
    assert (failed.__traceback__, failed.__cause__, failed.__context__) == (None, None, None)
    assert "in fail" in failed.traceback


def test_an_engine_that_leaves_out_jobs_is_no_endless_loop() -> None:
    class Idle(Scripted):
        def train(self, *_: Any, **__: Any) -> Iterator[tuple[Job, Trace]]:
            return iter(())

    with pytest.raises(RuntimeError, match="the engine 'scripted' left out 4 jobs"):
        list(Attempts(Idle(lambda *_: None), PROBLEM, JOBS, lambda _: None))
