"""Modules in worker processes, and the checkpoints of long runs: the same bits come out."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from depthsearch.errors import BuildFailed, OutOfMemory, RunFailed
from depthsearch.networks.user import UserNetwork
from depthsearch.problem.problem import Problem
from depthsearch.problem.recipe import Recipe
from depthsearch.training.engine import Job, train_all
from depthsearch.training.modules import checkpoint, engine
from depthsearch.training.modules.engine import ModuleEngine
from depthsearch.training.modules.pool import WorkerPool, can_travel
from depthsearch.training.trace import Trace
from depthsearch.user_code.loading import named
from tests.interrupting import handlers_installed, lose_interrupt
from tests.sameness import assert_same
from tests.training.modules import Code, Coded, noisy, problem_of

CNN = Problem.model_validate(
    {
        "network": {"family": "cnn", "filters": 4, "normalization": "batch"},
        "data": "digits",
        "recipe": {"steps": 40, "batch_size": 50},
    }
)
JOBS = [Job(1, 7), Job(2, 8), Job(1, 9)]

BROKEN = """
from torch import nn


def build(depth):
    if depth > 3:
        raise KeyboardInterrupt("by the code itself")
    if depth > 2:
        raise ValueError("no input is left")
    return nn.Linear(64, 10)
"""


HELD = """
from depthsearch.training.modules.pool import WorkerPool

pool = WorkerPool(1, None)
pool.itself = pool
pool._idle.append(pool._started())
"""


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are started whatever a run takes."""
    monkeypatch.setattr(engine, "WORTH_PROCESSES", -1.0)


@pytest.mark.usefixtures("at_once")
def test_runs_in_processes_have_the_bits_of_runs_in_one() -> None:
    single, several = ModuleEngine("cpu", workers=1), ModuleEngine("cpu", workers=2)
    asked: set[int] = set()

    def watch(trace: Trace) -> int | None:
        asked.add(trace.seed)
        return 3 if trace.seed == 8 and trace.epochs == 3 else None

    for first, second in zip(
        train_all(single, CNN, JOBS, watch=watch), train_all(several, CNN, JOBS, watch=watch), strict=True
    ):
        assert_same(first, second)
        assert first.facts == second.facts
    assert several._pool is not None
    assert asked == {7, 8, 9}


def test_an_interrupt_that_was_lost_is_not_waited_out() -> None:
    pool = WorkerPool(1, None)
    with handlers_installed():
        lose_interrupt()
        with pytest.raises(KeyboardInterrupt):
            list(pool.train(CNN, JOBS, watch=None, record="summary"))


def test_short_runs_start_no_process() -> None:
    several = ModuleEngine("cpu", workers=2)
    train_all(several, problem_of("short", Code(noisy)), JOBS)

    assert several._pool is None


def test_code_of_the_running_process_is_trained_in_it() -> None:
    live = UserNetwork(source=named(lambda depth: noisy(depth + 0)))
    problem = problem_of("live", Code(noisy)).model_copy(update={"network": live})

    assert can_travel(CNN)
    assert not can_travel(problem)


def test_a_failure_in_a_process_arrives_with_its_traceback(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    problem = Problem.model_validate(
        {"network": {"family": "model", "source": f"{tmp_path}/broken.py:build"}, "data": "digits"}
    )
    pool = WorkerPool(1, None)

    with pytest.raises(BuildFailed, match="no input is left") as caught:
        list(pool.train(problem, [Job(3, 1)], watch=None, record="summary"))
    assert caught.value.depth == 3
    assert "raise ValueError" in caught.value.traceback
    with pytest.raises(RunFailed, match="KeyboardInterrupt: by the code itself"):
        list(pool.train(problem, [Job(4, 1)], watch=None, record="summary"))
    pool.close()


def test_a_process_that_the_system_kills_is_out_of_memory() -> None:
    pool = WorkerPool(1, None)

    def kill(trace: Trace) -> int | None:
        (worker,) = busy
        os.kill(worker, signal.SIGKILL)
        return None

    busy: list[int] = []
    runs = pool.train(CNN, [Job(1, 7)], watch=kill, record="summary")
    original = pool._started

    def started() -> object:
        worker = original()
        busy.append(worker._process.pid)
        return worker

    pool._started = started  # type: ignore[method-assign, assignment]
    with pytest.raises(OutOfMemory) as caught:
        list(runs)
    assert (caught.value.depth, caught.value.seed) == (1, 7)


class _Killed(Exception):
    pass


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adagrad"])
def test_a_killed_run_goes_on_from_its_checkpoint(
    optimizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    recipe = {"steps": 40, "batch_size": 50, "optimizer": optimizer}
    problem = CNN.model_copy(update={"recipe": Recipe.model_validate(recipe)})
    (whole,) = train_all(ModuleEngine("cpu"), problem, [Job(2, 5)])

    def kill(trace: Trace) -> int | None:
        if trace.epochs == 12:
            raise _Killed
        return None

    with pytest.raises(_Killed):
        train_all(ModuleEngine("cpu", checkpoints=tmp_path / "kept"), problem, [Job(2, 5)], watch=kill)
    assert len(list((tmp_path / "kept").iterdir())) == 1

    entries = []
    again = ModuleEngine("cpu", checkpoints=tmp_path / "kept")
    (resumed,) = train_all(again, problem, [Job(2, 5)], watch=lambda trace: entries.append(trace.epochs))
    assert_same(whole, resumed)
    assert whole.facts == resumed.facts
    assert entries == list(range(12, 21))
    assert not (tmp_path / "kept").exists()


def test_a_checkpoint_that_is_damaged_or_of_another_run_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    kept = checkpoint.Checkpoint(tmp_path / "run.pt", "one")
    kept.write({"entry": 3})
    assert kept.read() is not None
    assert checkpoint.Checkpoint(tmp_path / "run.pt", "another").read() is None
    kept.path.write_bytes(kept.path.read_bytes()[:100])
    assert kept.read() is None


def test_a_process_whose_pool_is_never_closed_ends_and_its_workers_with_it() -> None:
    ended = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=False, timeout=60)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_problem_that_a_process_cannot_read_fails_and_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere(Coded):
        """Of a module that no other process can import."""

    nowhere = ModuleType("nowhere")
    nowhere.__dict__["Elsewhere"] = Elsewhere
    Elsewhere.__module__, Elsewhere.__qualname__ = "nowhere", "Elsewhere"
    monkeypatch.setitem(sys.modules, "nowhere", nowhere)
    problem = problem_of("unread", Code(noisy)).model_copy(update={"network": Elsewhere(family="unread")})

    with pytest.raises(RunFailed, match="another process cannot read what is trained: ModuleNotFoundError: No module"):
        list(WorkerPool(1, None).train(problem, [Job(1, 0)], watch=None, record="summary"))
