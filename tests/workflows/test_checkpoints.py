"""A search that is killed within a run goes on from the run's checkpoint, and ends in the same answer."""

import math
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from depthsearch.problem.problem import Problem
from depthsearch.search.settings import SearchSettings
from depthsearch.store import checkpoint_folder, open_store
from depthsearch.training.modules import checkpoint, engine
from depthsearch.training.modules.run import ModuleRun
from depthsearch.workflows import find
from tests.workflows.searches import essence, history

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["depthsearch.workflows", "depthsearch.training.modules.engine"])

PROBLEM = Problem.model_validate({"activation": "relu", "width": 4, "recipe": {"epochs": 12, "batch_size": 200}})
SETTINGS = SearchSettings(sampler="grid", depths=(1, 3), reliability=0.5, runs_per_trial=2)


def _search_and_die(url: str, written: int) -> None:
    """A sitting that writes a checkpoint after every entry, and is killed after so many of them."""
    checkpoint.SECONDS, engine.WORTH_PROCESSES = 0.0, math.inf
    write = checkpoint.Checkpoint.write

    def write_and_die(kept: checkpoint.Checkpoint, state: dict[str, object]) -> None:
        nonlocal written
        write(kept, state)
        written -= 1
        if not written:
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoint.Checkpoint.write = write_and_die  # type: ignore[method-assign,assignment]
    find(PROBLEM, SETTINGS, storage=url, engine="module")


def test_a_search_that_is_killed_within_a_run_continues_within_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, undisturbed = (f"sqlite:///{tmp_path}/{name}.db" for name in ("killed", "whole"))
    process = CONTEXT.Process(target=_search_and_die, args=(url, 30))
    process.start()
    process.join(timeout=120)
    assert process.exitcode == -signal.SIGKILL
    (kept,) = checkpoint_folder(url).iterdir()
    assert kept.parent == tmp_path / "killed.db-checkpoints"
    (kept.parent / f"{kept.stem}.1.part").write_bytes(b"of a process that was killed as it wrote")

    resume, entries = ModuleRun._resume, list[int]()

    def resumed(run: ModuleRun, state: dict[str, object]) -> int:
        entries.append(resume(run, state))
        return entries[-1]

    monkeypatch.setattr(ModuleRun, "_resume", resumed)
    monkeypatch.setattr(engine, "WORTH_PROCESSES", math.inf)
    answer = find(PROBLEM, SETTINGS, storage=url, engine="module")
    assert entries == [6]  # after two whole runs of 12 epochs
    assert not kept.parent.exists()

    monkeypatch.setattr(ModuleRun, "_resume", resume)
    whole = find(PROBLEM, SETTINGS, storage=undisturbed, engine="module")
    assert essence(answer) == essence(whole)
    assert history(url, answer.study) == history(undisturbed, whole.study)


def test_the_folder_lies_next_to_the_database_or_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEPTHSEARCH_STORAGE", raising=False)
    assert checkpoint_folder(None) == tmp_path / "depthsearch.db-checkpoints"
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    assert checkpoint_folder("sqlite:///link.db") == tmp_path / "real.db-checkpoints"
    assert checkpoint_folder("postgresql://me@there/studies") == tmp_path / "depthsearch-checkpoints"
    with open_store("sqlite:///real.db"):
        pass
    assert not list(tmp_path.glob("*checkpoints"))


def test_a_run_that_fails_leaves_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    monkeypatch.setattr(engine, "WORTH_PROCESSES", math.inf)
    update = ModuleRun._update

    def fail(run: ModuleRun, step: int) -> None:
        update(run, step)
        if step > 6:
            raise ArithmeticError("too far")

    monkeypatch.setattr(ModuleRun, "_update", fail)
    url = f"sqlite:///{tmp_path}/studies.db"
    answer = find(PROBLEM, SETTINGS, storage=url, engine="module")
    assert answer.exclusions
    assert not checkpoint_folder(url).exists()
