"""One process at a time writes to a study: a claim that was taken over writes nothing more."""

import multiprocessing
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import optuna
import pytest
from optuna.trial import Trial

from depthsearch.detection.verdict import VerdictKind
from depthsearch.errors import ClaimLost, StudyBusy
from depthsearch.problem.problem import Problem
from depthsearch.results.events import StudyOpened, TrialFinished
from depthsearch.search.optuna_internals import trial_key
from depthsearch.search.settings import ResolvedSettings
from depthsearch.store import StoredStudy, open_store
from depthsearch.workflows import find
from tests.store.values import trace, verdict
from tests.workflows import searches

PROBLEM, SETTINGS = Problem(), ResolvedSettings()

Write = Callable[[StoredStudy, Trial], object]

WRITES: dict[str, Write] = {
    "tell": lambda study, trial: study.optuna_study.tell(trial, 3),
    "attribute": lambda study, trial: trial.set_user_attr("runs", 2),
    "ask": lambda study, trial: study.optuna_study.ask(),
    "enqueue": lambda study, trial: study.optuna_study.enqueue_trial({"depth": 5}),
    "attributes": lambda study, trial: study.write_attributes(trial_key(trial), {"runs": 2}),
    "parameter": lambda study, trial: trial.suggest_int("width", 1, 100),
    "run": lambda study, trial: study.write_run(
        0, 0, trace(study.problem), verdict(VerdictKind.TRAINED), engine="dense", score=0.75, seconds=0.5
    ),
    "page": lambda study, trial: study.write_page("a note", "{}"),
    "fail": lambda study, trial: study.fail_unseeded(),
}
"""Every way in which a search writes: Optuna's transactions and ours."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "studies.db"


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite:///{file}"


def delete_locks(file: Path) -> None:
    """Lose every lock, as where somebody deletes the files."""
    for lock in (file.parent / f".{file.name}.locks").glob("*.lock"):
        lock.unlink()


def content(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [line for line in connection.iterdump() if "ds_claims" not in line]


def token(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT token FROM ds_claims").fetchone()[0])


@pytest.mark.parametrize("name", WRITES)
def test_after_another_claim_no_write_goes_through(name: str, url: str, file: Path) -> None:
    with open_store(url) as store, store.open_study(PROBLEM, SETTINGS) as study:
        trial = study.optuna_study.ask()
        trial.suggest_int("depth", 1, 100)
        trial.set_user_attr("seeds", [1])
        delete_locks(file)
        with open_store(url).open_study(PROBLEM, SETTINGS) as taken:
            taken.optuna_study.ask()
            before = content(file)
            message = f"study '{study.name}' was taken over by another process: this one has stopped"
            with pytest.raises(ClaimLost, match=message) as caught:
                WRITES[name](study, trial)
            assert caught.value.exit_code == 4
            assert "\n" not in str(caught.value)
            assert content(file) == before
            # The transaction that was refused holds no lock, and the other claim goes on.
            taken.optuna_study.tell(trial.number, 4)


def test_after_another_claim_reading_goes_on(url: str, file: Path) -> None:
    with open_store(url) as store, store.open_study(PROBLEM, SETTINGS) as study:
        study.optuna_study.ask()
        delete_locks(file)
        with open_store(url).open_study(PROBLEM, SETTINGS):
            pass
        assert len(study.optuna_study.trials) == 1
        assert study.runs() == []
        assert [found.name for found in store.studies()] == [study.name]


def test_every_claim_increments_the_token(url: str, file: Path) -> None:
    for number in (1, 2, 3):
        with open_store(url).open_study(PROBLEM, SETTINGS):
            assert token(file) == number


def test_a_lock_that_was_lost_is_acquired_again(url: str, file: Path) -> None:
    with open_store(url) as store, store.open_study(PROBLEM, SETTINGS) as study:
        delete_locks(file)
        study.optuna_study.ask()
        with pytest.raises(StudyBusy), open_store(url).open_study(PROBLEM, SETTINGS):
            pass
        assert token(file) == 1
        study.optuna_study.ask()
    with open_store(url).open_study(PROBLEM, SETTINGS):
        pass


def test_a_folder_of_locks_that_was_deleted_is_created_again(url: str, file: Path) -> None:
    with open_store(url) as store, store.open_study(PROBLEM, SETTINGS) as study:
        delete_locks(file)
        (file.parent / f".{file.name}.locks").rmdir()
        study.optuna_study.ask()
        with pytest.raises(StudyBusy), open_store(url).open_study(PROBLEM, SETTINGS):
            pass


def test_once_a_claim_has_ended_nothing_is_checked(url: str) -> None:
    store = open_store(url)
    with store.open_study(PROBLEM, SETTINGS) as study:
        pass
    with open_store(url).open_study(PROBLEM, SETTINGS):
        pass

    assert study.optuna_study.ask().number == 0  # a handle that claims nothing, as a reader has one


def test_two_claims_of_one_store_are_both_checked(url: str, file: Path) -> None:
    store = open_store(url)
    with (
        store.open_study(PROBLEM, SETTINGS) as first,
        store.open_study(Problem(width=6), SETTINGS) as second,
    ):
        for study in (first, second):
            study.optuna_study.ask()
        delete_locks(file)
        with open_store(url).open_study(Problem(width=6), SETTINGS), pytest.raises(ClaimLost, match=second.name):
            second.optuna_study.ask()


def test_a_search_whose_study_is_deleted_writes_nothing_to_the_next_of_its_number(url: str, file: Path) -> None:
    with open_store(url) as store, store.open_study(PROBLEM, SETTINGS) as study:
        delete_locks(file)
        other = open_store(url)
        other.delete_study(study.name)
        with other.open_study(Problem(width=6), SETTINGS) as next_study:
            assert next_study.study_id == study.study_id
            with pytest.raises(ClaimLost):
                study.write_page("a note", "{}")
            with pytest.raises(ClaimLost):
                study.optuna_study.enqueue_trial({"depth": 5})
            assert next_study.optuna_study.trials == []


def test_a_study_that_optuna_deleted_is_not_written_to(url: str) -> None:
    with open_store(url) as store, store.open_study(PROBLEM, SETTINGS) as study:
        optuna.delete_study(study_name=study.name, storage=url)
        with pytest.raises(KeyError):
            study.optuna_study.ask()


def test_a_search_that_was_taken_over_stops_and_what_it_finished_is_kept(url: str, file: Path) -> None:
    started: list[str] = []

    def take_over(event: object) -> None:
        match event:
            case StudyOpened():
                started.append(event.study)
            case TrialFinished() if len(started) == 1:
                started.append("taken over")
                delete_locks(file)
                with open_store(url).open_study(searches.PROBLEM, searches.SETTINGS.resolved(), name=started[0]):
                    pass

    with pytest.raises(ClaimLost):
        find(searches.PROBLEM, searches.SETTINGS, storage=url, on_event=take_over)
    with open_store(url) as store:
        assert store.read_study(started[0]).runs()
    resumed = find(searches.PROBLEM, searches.SETTINGS, storage=url)
    whole = find(searches.PROBLEM, searches.SETTINGS, storage=f"sqlite:///{file.parent}/whole.db")
    assert (resumed.study, resumed.curve, resumed.max_depth) == (whole.study, whole.curve, whole.max_depth)


def _search(url: str, claimed: "multiprocessing.Queue[str]", go_on: "multiprocessing.Queue[str]") -> None:
    with open_store(url) as store, store.open_study(PROBLEM, SETTINGS) as study:
        claimed.put(study.name)
        go_on.get(timeout=120)
        try:
            study.optuna_study.ask()
        except ClaimLost as error:
            claimed.put(str(error))
        else:
            claimed.put("written")


@pytest.mark.parametrize("lost", [True, False])
def test_another_process_takes_over_only_where_the_lock_was_lost(lost: bool, url: str, file: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    claimed, go_on = context.Queue(), context.Queue()
    process = context.Process(target=_search, args=(url, claimed, go_on))
    process.start()
    name = claimed.get(timeout=120)
    if lost:
        delete_locks(file)
        with open_store(url).open_study(PROBLEM, SETTINGS) as study:
            assert study.name == name
    else:
        with pytest.raises(StudyBusy), open_store(url).open_study(PROBLEM, SETTINGS):
            pass
    go_on.put("go on")
    assert ("taken over" in claimed.get(timeout=120)) == lost
    process.join()
    assert process.exitcode == 0
