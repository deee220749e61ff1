"""Studies are found again, made, held, listed and deleted."""

import multiprocessing
import sqlite3
from contextlib import closing, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from depthsearch.detection.verdict import VerdictKind
from depthsearch.errors import StoreUnavailable, StudyBusy, StudyConflict, StudyDamaged, StudyNotFound
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.search.settings import ResolvedSettings
from depthsearch.store import StoredStudy, open_store
from tests.sameness import assert_same
from tests.store.old_stores import HELD, execute, restore
from tests.store.values import trace, verdict

PROBLEM, SETTINGS = Problem(), ResolvedSettings()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/studies.db"


def add_run(study: StoredStudy, trial: int, run: int, kind: VerdictKind, *, depth: int = 3) -> None:
    recorded = trace(study.problem, depth=depth, seed=run + 1)
    study.write_run(trial, run, recorded, verdict(kind), engine="dense", score=0.75 - run / 4, seconds=0.5)


def add_trial(study: StoredStudy, *, depth: int = 3, told: bool = True) -> int:
    """A trial of two runs, one of which trained."""
    trial = study.optuna_study.ask()
    trial.suggest_int("depth", 1, 100)
    for run, kind in enumerate((VerdictKind.TRAINED, VerdictKind.VANISHED)):
        add_run(study, trial.number, run, kind, depth=depth)
    trial.set_user_attr("runs", 2)
    trial.set_user_attr("trained", 1)
    if told:
        study.optuna_study.tell(trial, depth)
    return trial.number


def test_the_same_question_finds_the_same_study(url: str) -> None:
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        name = study.name
        add_trial(study)
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        assert study.name == name
        assert len(study.optuna_study.trials) == 1


@pytest.mark.parametrize(
    ("problem", "settings"),
    [
        (Problem(width=6), SETTINGS),
        (PROBLEM, ResolvedSettings(seed=1)),
        (PROBLEM, ResolvedSettings(reliability=0.9)),
    ],
    ids=["problem", "seed", "reliability"],
)
def test_another_question_is_another_study(url: str, problem: Problem, settings: ResolvedSettings) -> None:
    store = open_store(url)
    with store.open_study(PROBLEM, SETTINGS) as first, store.open_study(problem, settings) as second:
        assert first.name != second.name
    assert len(store.studies()) == 2


def test_other_settings_resume_and_are_remembered(url: str) -> None:
    changed = ResolvedSettings(cap=77, tolerance=0.1, runs_per_trial=9, max_runs=100, max_seconds=5.0)
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        name = study.name
    with open_store(url).open_study(PROBLEM, changed) as study:
        assert study.name == name
    assert open_store(url).summary(name).settings == changed


def test_fresh_starts_a_new_study_and_the_newest_is_resumed(url: str) -> None:
    store = open_store(url)
    names = []
    for fresh in (False, True, True, False):
        with store.open_study(PROBLEM, SETTINGS, fresh=fresh) as study:
            names.append(study.name)
    assert names == [names[0], f"{names[0]}-2", f"{names[0]}-3", f"{names[0]}-3"]


def test_a_name_of_ones_own_is_kept(url: str) -> None:
    store = open_store(url)
    with store.open_study(PROBLEM, SETTINGS, name="mine") as study:
        assert study.name == "mine"
    with store.open_study(PROBLEM, SETTINGS) as study:
        assert study.name == "mine"


def test_a_name_that_asks_something_else_is_refused(url: str) -> None:
    store = open_store(url)
    with store.open_study(PROBLEM, SETTINGS, name="mine"):
        pass
    with (
        pytest.raises(StudyConflict, match=r"study 'mine' asks something else .its width is 5, not 6.: give another"),
        store.open_study(Problem(width=6), SETTINGS, name="mine"),
    ):
        pass
    assert store.summary("mine").problem == PROBLEM


def test_a_fresh_study_of_a_taken_name_is_refused(url: str) -> None:
    store = open_store(url)
    with store.open_study(PROBLEM, SETTINGS, name="mine"):
        pass
    with (
        pytest.raises(StudyConflict, match="'mine' exists already"),
        store.open_study(PROBLEM, SETTINGS, name="mine", fresh=True),
    ):
        pass


def test_another_sampler_is_refused(url: str) -> None:
    store = open_store(url)
    with store.open_study(PROBLEM, SETTINGS, name="mine"):
        pass
    with (
        pytest.raises(StudyConflict, match="searched with the sampler 'threshold' and cannot go on with 'other'"),
        store.open_study(PROBLEM, SETTINGS.model_copy(update={"sampler": "other"}), name="mine"),
    ):
        pass


def test_a_study_of_somebody_elses_is_left_alone(url: str) -> None:
    open_store(url)
    theirs = optuna.create_study(storage=url, study_name="theirs")
    theirs.tell(theirs.ask(), 1.0)
    store = open_store(url)
    with (
        pytest.raises(StudyConflict, match="'theirs' was not written by depthsearch"),
        store.open_study(PROBLEM, SETTINGS, name="theirs"),
    ):
        pass
    assert store.studies() == []


def test_a_study_whose_maker_died_before_describing_it_is_taken_up(url: str) -> None:
    open_store(url)
    optuna.create_study(storage=url, study_name="mine", direction="maximize")
    with open_store(url).open_study(PROBLEM, SETTINGS, name="mine"):
        pass
    assert [study.name for study in open_store(url).studies()] == ["mine"]


def test_a_study_is_searched_by_one_at_a_time(url: str) -> None:
    store = open_store(url)
    with store.open_study(PROBLEM, SETTINGS) as study:
        name = study.name
        with (
            pytest.raises(StudyBusy, match=f"{name!r} is being searched by another process"),
            open_store(url).open_study(PROBLEM, SETTINGS),
        ):
            pass
        with pytest.raises(StudyBusy):
            store.delete_study(name)
    with store.open_study(PROBLEM, SETTINGS):
        pass


def test_a_study_is_searched_by_one_at_a_time_by_whatever_path_its_database_is_reached(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "studies.db")
    store, linked = (open_store(f"sqlite:///{tmp_path}/{name}.db") for name in ("studies", "link"))
    with store.open_study(PROBLEM, SETTINGS), pytest.raises(StudyBusy), linked.open_study(PROBLEM, SETTINGS):
        pass


def test_reading_somebody_elses_database_writes_nothing_to_it(tmp_path: Path) -> None:
    file = tmp_path / "theirs.db"
    optuna.create_study(storage=f"sqlite:///{file}", study_name="theirs")
    before = file.read_bytes()
    with pytest.raises(StoreUnavailable, match="holds no studies of depthsearch"):
        open_store(f"sqlite:///{file}", create=False)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.db"]


@pytest.mark.parametrize("directions", [["minimize"], ["maximize", "maximize"]])
def test_an_empty_study_of_somebody_elses_is_not_taken_up(
    url: str, directions: list[Literal["minimize", "maximize"]]
) -> None:
    open_store(url)
    optuna.create_study(storage=url, study_name="theirs", directions=directions)
    with (
        pytest.raises(StudyConflict, match="'theirs' was not written by depthsearch"),
        open_store(url).open_study(PROBLEM, SETTINGS, name="theirs"),
    ):
        pass


def test_a_damaged_description_is_said(url: str, tmp_path: Path) -> None:
    store = open_store(url)
    with store.open_study(PROBLEM, SETTINGS, name="mine"):
        pass
    with store.open_study(PROBLEM, SETTINGS, name="other"):
        pass
    with closing(sqlite3.connect(tmp_path / "studies.db")) as connection, connection:
        connection.execute("UPDATE ds_studies SET problem = '{' WHERE study_id = 1")
    for attempt in (
        lambda: store.summary("mine"),
        lambda: store.read_study("mine"),
        lambda: store.open_study(PROBLEM, SETTINGS, name="mine").__enter__(),
    ):
        with pytest.raises(StoreUnavailable, match="study 'mine' is damaged in the store"):
            attempt()
    assert list(store.damaged()) == ["mine"]
    # It keeps nobody from the others.
    assert [study.name for study in store.studies()] == ["other"]
    assert store.read_study("other").name == "other"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ds_studies SET problem = '{' WHERE study_id = 1",
        "UPDATE ds_studies SET created = 'x' WHERE study_id = 1",
        "UPDATE trials SET state = 'BOGUS' WHERE study_id = 1",
        "UPDATE trials SET datetime_start = 'x' WHERE study_id = 1",
        "INSERT INTO study_system_attributes (study_id, key, value_json) VALUES (1, 'a', '{')",
    ],
)
def test_a_damaged_study_can_be_deleted(statement: str, url: str, tmp_path: Path) -> None:
    store = open_store(url)
    for name in ("mine", "other"):
        with store.open_study(PROBLEM, SETTINGS, name=name) as study:
            add_trial(study)
    with closing(sqlite3.connect(tmp_path / "studies.db")) as connection, connection:
        connection.execute(statement)
    store.delete_study("mine")
    assert [study.name for study in store.studies()] == ["other"]
    assert len(store.read_study("other").runs()) == 2
    with closing(sqlite3.connect(tmp_path / "studies.db")) as connection:
        for table in ("studies", "trials", "trial_params", "trial_values", "trial_user_attributes", "ds_runs"):
            ((left,),) = connection.execute(f"SELECT count(*) FROM {table}")
            assert left == {"trial_user_attributes": 2, "ds_runs": 2}.get(table, 1)


def test_a_study_knows_the_version_that_began_it_and_its_runs_the_engine(url: str, tmp_path: Path) -> None:
    with open_store(url).open_study(PROBLEM, SETTINGS, name="mine") as study:
        add_trial(study)
        assert study.version == version("depthsearch")
    with closing(sqlite3.connect(tmp_path / "studies.db")) as connection, connection:
        connection.execute("UPDATE ds_studies SET version = '0.0.7'")
    with open_store(url).open_study(PROBLEM, SETTINGS.model_copy(update={"cap": 50}), name="mine") as study:
        assert study.version == "0.0.7"
    study = open_store(url).read_study("mine")
    assert study.version == "0.0.7"
    assert [run.engine for run in study.runs()] == ["dense", "dense"]


def test_runs_of_a_told_trial_are_read_back(url: str) -> None:
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        number = add_trial(study)
        first, second = study.runs()
        assert (first.trial_number, first.run, first.depth, first.seed) == (number, 0, 3, 1)
        assert first.verdict.sentence == "trained: as it was"
        assert second.verdict.kind is VerdictKind.VANISHED
        assert second.verdict.evidence.figures == {"loss": "nan", "epoch": 3}
        assert_same(study.trace(number, 1), trace(PROBLEM, seed=2))


def test_a_trace_that_is_not_there_is_said(url: str) -> None:
    with (
        open_store(url).open_study(PROBLEM, SETTINGS) as study,
        pytest.raises(LookupError, match="no run 5 in trial 0"),
    ):
        study.trace(0, 5)


def test_runs_of_a_trial_that_was_never_told_do_not_count(url: str) -> None:
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        add_trial(study, told=False)
        assert study.runs() == []


def test_trials_that_a_dead_process_left_without_seeds_fail_at_the_next_opening(url: str) -> None:
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        add_trial(study, told=False)
        study.optuna_study.ask().set_user_attr("seeds", [7])  # and this one without a depth
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        assert [trial.state for trial in study.optuna_study.trials] == [TrialState.FAIL] * 2
        assert study.interrupted_trials() == []


def test_trials_with_depth_and_seeds_stay_running_with_the_runs_that_finished(url: str) -> None:
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        trial = study.optuna_study.ask()
        trial.suggest_int("depth", 1, 100)
        trial.set_user_attr("seeds", [1, 2])
        add_run(study, trial.number, 1, VerdictKind.VANISHED)
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        (left,) = study.interrupted_trials()
        (run,) = study.runs_of(left.number)
        assert (left.number, run.run, run.seed, run.final_score, run.seconds) == (trial.number, 1, 2, 0.5, 0.5)
        assert study.runs() == []


@pytest.mark.parametrize("score", ["'abc'", "x'00ff'", "9e999"])
def test_a_final_score_that_is_no_finite_number_is_damage(score: str, url: str, tmp_path: Path) -> None:
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        add_trial(study)
    with closing(sqlite3.connect(tmp_path / "studies.db")) as connection, connection:
        connection.execute(f"UPDATE ds_runs SET final_score = {score}")
    with pytest.raises(StudyDamaged, match="run 0 of trial 0"):
        open_store(url).read_study(study.name).runs()


@pytest.mark.parametrize("seeds", [[-5, 3], [2**63], [1.5], "7", []])
def test_seeds_that_no_run_can_have_are_as_good_as_none(seeds: object, url: str) -> None:
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        trial = study.optuna_study.ask()
        trial.suggest_int("depth", 1, 100)
        trial.set_user_attr("seeds", seeds)
        assert study.interrupted_trials() == []
        assert study.fail_unseeded() == 1


def test_a_run_that_is_written_again_replaces_itself_and_no_other(url: str) -> None:
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        number = add_trial(study)
        add_run(study, number, 1, VerdictKind.DIED)
        assert [run.verdict.kind for run in study.runs()] == [VerdictKind.TRAINED, VerdictKind.DIED]


@pytest.mark.parametrize("revision", HELD)
def test_a_study_of_an_earlier_rule_is_read_and_never_resumed(revision: str, tmp_path: Path) -> None:
    store = open_store(restore(revision, tmp_path / "old.db"))
    (old,) = store.studies()
    before = store.read_study(old.name).runs()
    assert old.problem.criterion.kind == "held"
    today = old.problem.model_copy(update={"criterion": Criterion()})
    with (
        pytest.raises(StudyConflict, match="was judged by the rule of an earlier version and can be read, not resumed"),
        store.open_study(today, old.settings, name=old.name),
    ):
        raise AssertionError("it was opened")
    with store.open_study(today, old.settings) as study:
        assert study.name != old.name
    assert store.read_study(old.name).runs() == before
    assert all(run.final_score is None for run in before)


def test_a_run_replaces_that_of_a_failed_trial_with_its_depth_and_seed(url: str) -> None:
    with open_store(url).open_study(PROBLEM, SETTINGS) as study:
        failed = study.optuna_study.ask()
        add_run(study, failed.number, 0, VerdictKind.TRAINED)
        study.optuna_study.tell(failed, state=TrialState.FAIL)
        number = add_trial(study)
        assert study.runs_of(failed.number) == []
        assert [run.run for run in study.runs_of(number)] == [0, 1]


@pytest.mark.parametrize("name", [None, "mine"])
def test_a_study_of_other_code_or_data_is_another_study(name: str | None, url: str, tmp_path: Path) -> None:
    store = open_store(url)
    with store.open_study(PROBLEM, SETTINGS, name="mine") as study:
        assert (study.question, study.code) == (PROBLEM.question(), "")
    for column, what in (("code", "its code"), ("question", "the content of its data")):
        execute(tmp_path / "studies.db", f"UPDATE ds_studies SET identity = 'another', {column} = 'another'")
        with (
            pytest.raises(StudyConflict, match=f"asks something else .{what} has changed.: give another name")
            if name
            else nullcontext(),
            store.open_study(PROBLEM, SETTINGS, name=name) as study,
        ):
            assert study.name != "mine"
        assert getattr(store.read_study("mine"), column) == "another"
        execute(tmp_path / "studies.db", f"UPDATE ds_studies SET {column} = '' WHERE study_id = 1")


def test_a_study_that_gets_the_number_of_a_deleted_one_has_nothing_of_it(url: str) -> None:
    store = open_store(url)
    with store.open_study(PROBLEM, SETTINGS, name="mine") as study:
        add_trial(study)
        number = study.study_id
    optuna.delete_study(study_name="mine", storage=store.optuna_storage)
    with store.open_study(Problem(width=6), SETTINGS, name="other") as study:
        add_trial(study, told=False)
        assert (study.study_id, store.summary("other").problem) == (number, Problem(width=6))
        assert [run.trial_number for run in study.runs_of(0)] == [0, 0]


def test_deleting_takes_everything_of_one_study_and_nothing_of_another(url: str, tmp_path: Path) -> None:
    store = open_store(url)
    for name in ("mine", "yours"):
        with store.open_study(PROBLEM, SETTINGS, name=name) as study:
            add_trial(study)
    store.delete_study("mine")
    with sqlite3.connect(tmp_path / "studies.db") as connection:
        rows = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("studies", "trials", "trial_params", "trial_user_attributes", "ds_studies", "ds_runs")
        }
    connection.close()
    assert rows == {
        "studies": 1,
        "trials": 1,
        "trial_params": 1,
        "trial_user_attributes": 2,
        "ds_studies": 1,
        "ds_runs": 2,
    }


def test_a_study_that_is_not_there_is_said_with_those_that_are(url: str) -> None:
    store = open_store(url)
    with store.open_study(PROBLEM, SETTINGS, name="mine"):
        pass
    with pytest.raises(StudyNotFound, match=r"no study 'yours' in sqlite:.*it holds mine"):
        store.read_study("yours")


def test_reading_does_not_create_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="does not exist yet: `depthsearch find` creates it"):
        open_store(f"sqlite:///{tmp_path}/none.db", create=False)
    assert list(tmp_path.iterdir()) == []


def _pop(url: str, name: str, queue: "multiprocessing.Queue[list[int]]") -> None:
    with open_store(url).translate_database_errors():
        study = open_store(url).read_study(name).optuna_study
        popped = []
        for _ in range(10):
            trial = study.ask()
            popped.append(trial.suggest_int("depth", 1, 1000))
            study.tell(trial, 1)
    queue.put(popped)


def test_four_processes_share_one_file_and_lose_no_trial(url: str) -> None:
    with open_store(url).open_study(PROBLEM, SETTINGS, name="shared") as study:
        for depth in range(1, 41):
            study.optuna_study.enqueue_trial({"depth": depth})
    context = multiprocessing.get_context("forkserver")
    queue = context.Queue()
    workers = [context.Process(target=_pop, args=(url, "shared", queue)) for _ in range(4)]
    for worker in workers:
        worker.start()
    popped = [depth for _ in workers for depth in queue.get(timeout=120)]
    for worker in workers:
        worker.join()
    assert sorted(popped) == list(range(1, 41))


def _open_first(url: str, queue: "multiprocessing.Queue[int]") -> None:
    queue.put(len(open_store(url).studies()))


def test_four_processes_may_open_a_new_store_at_once(url: str) -> None:
    context = multiprocessing.get_context("forkserver")
    queue = context.Queue()
    workers = [context.Process(target=_open_first, args=(url, queue)) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert [queue.get(timeout=120) for _ in workers] == [0, 0, 0, 0]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0


def test_a_store_opened_for_reading_refuses_every_write(url: str) -> None:
    with open_store(url) as store, store.open_study(PROBLEM, SETTINGS) as study:
        add_trial(study)
    with open_store(url, create=False, writes=False) as store:
        (summary,) = store.studies()
        assert len(store.optuna_storage.get_all_trials(summary.study_id)) == 1
        with pytest.raises(StorageInternalError):
            store.optuna_storage.set_study_user_attr(summary.study_id, "a", 1)
        with pytest.raises(StoreUnavailable, match="cannot be written"):
            store.delete_study(summary.name)


def test_a_reader_does_not_wait_for_a_writer(url: str) -> None:
    with open_store(url) as store, store.open_study(PROBLEM, SETTINGS) as study:
        add_trial(study)
    with (
        open_store(url, create=False, writes=False) as store,
        closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as writer,
    ):
        writer.execute("BEGIN IMMEDIATE")
        assert len(store.optuna_storage.get_all_trials(study.study_id)) == 1
        writer.execute("ROLLBACK")


def test_a_process_that_moves_to_another_folder_keeps_its_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    monkeypatch.chdir(here)
    with open_store("sqlite:///studies.db") as store:
        monkeypatch.chdir(elsewhere)
        with store.open_study(PROBLEM, SETTINGS, name="mine"):
            store.check_kept()
        assert [study.name for study in store.studies()] == ["mine"]
        assert store.url == "sqlite:///studies.db"
    assert not list(elsewhere.iterdir())
