"""What depthsearch uses of Optuna's private names does what Optuna's public calls show."""

from pathlib import Path

import optuna
import pytest
from optuna import Study
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from depthsearch.search import optuna_internals as internals


@pytest.fixture
def storage(tmp_path: Path) -> RDBStorage:
    return RDBStorage(f"sqlite:///{tmp_path}/studies.db")


@pytest.fixture
def study(storage: RDBStorage) -> Study:
    return optuna.create_study(storage=storage, study_name="mine", direction="maximize")


def test_all_trials_are_those_of_the_public_call_by_number(study: Study) -> None:
    for depth in (3, 1, 2):
        study.enqueue_trial({"depth": depth})
    for _ in range(3):
        trial = study.ask()
        study.tell(trial, trial.suggest_int("depth", 1, 9))
    assert internals.all_trials(study) == study.trials
    assert [trial.number for trial in internals.all_trials(study)] == [0, 1, 2]


def test_keys_are_those_of_the_storage(study: Study, storage: RDBStorage) -> None:
    other = optuna.create_study(storage=storage, study_name="yours")
    other.ask()
    trial = study.ask()
    assert internals.study_key(study) == storage.get_study_id_from_name("mine")
    key = storage.get_trial_id_from_study_id_trial_number(internals.study_key(study), trial.number)
    assert internals.trial_key(trial) == key != trial.number
    assert internals.trial_key(study.trials[0]) == key


def test_optuna_is_quiet_for_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.INFO)
    try:
        with internals.quiet_optuna():
            optuna.create_study()
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
    finally:
        optuna.logging.set_verbosity(before)
    assert capsys.readouterr().err == ""


def test_user_attributes_are_read_back_and_overwritten(study: Study, storage: RDBStorage) -> None:
    trial = study.ask()
    internals.write_user_attributes(storage, internals.trial_key(trial), {"runs": 8, "seeds": [1, 2], "trained": 3})
    internals.write_user_attributes(storage, internals.trial_key(trial), {"trained": 4})
    assert study.trials[0].user_attrs == {"runs": 8, "seeds": [1, 2], "trained": 4}


def test_attributes_of_a_finished_trial_are_refused(study: Study, storage: RDBStorage) -> None:
    trial = study.ask()
    study.tell(trial, state=TrialState.FAIL)
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        internals.write_user_attributes(storage, internals.trial_key(trial), {"runs": 8})


def test_the_best_trial_of_optuna_is_the_deepest_feasible_one(storage: RDBStorage) -> None:
    study = optuna.create_study(storage=storage, direction="maximize", sampler=TPESampler(seed=0))
    for depth, excess in ((3, -0.1), (9, 0.4), (5, 0.0)):
        trial = study.ask()
        trial.suggest_int("depth", 1, 9)
        internals.write_constraint(study, study.trials[trial.number], excess)
        study.tell(trial, depth)
    assert study.best_trial.value == 5


def test_system_attributes_are_read_as_json_and_written(study: Study, storage: RDBStorage) -> None:
    key = internals.study_key(study)
    storage.set_study_system_attr(key, "kept", 1)
    storage.set_study_system_attr(key, "changed", "old")
    seen: list[dict[str, str]] = []

    def change(stored: object) -> dict[str, object]:
        seen.append(dict(stored))  # type: ignore[call-overload]
        return {"changed": "new", "added": [1]}

    internals.change_system_attributes(storage, key, change)
    assert seen == [{"kept": "1", "changed": '"old"'}]
    assert storage.get_study_system_attrs(key) == {"kept": 1, "changed": "new", "added": [1]}


def test_names_are_those_of_all_studies(study: Study, storage: RDBStorage) -> None:
    optuna.create_study(storage=storage, study_name="yours")
    with storage.engine.connect() as connection:
        names = internals.study_names(connection)
    assert names == {storage.get_study_id_from_name(name): name for name in ("mine", "yours")}


def test_deleting_takes_every_row_of_one_study_and_none_of_another(study: Study, storage: RDBStorage) -> None:
    other = optuna.create_study(storage=storage, study_name="yours", direction="maximize")
    for each in (study, other):
        trial = each.ask()
        trial.suggest_int("depth", 1, 9)
        trial.set_user_attr("runs", 8)
        each.tell(trial, 3)
    with storage.engine.begin() as connection:
        internals.delete_study_rows(connection, internals.study_key(study))
    assert optuna.get_all_study_names(storage) == ["yours"]
    assert [trial.user_attrs for trial in other.trials] == [{"runs": 8}]
    with storage.engine.connect() as connection:
        for table in ("trials", "trial_params", "trial_values", "trial_user_attributes", "study_directions"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 1, table


def test_the_reading_methods_are_there(storage: RDBStorage) -> None:
    for name in internals.READING_METHODS:
        assert callable(getattr(storage, name)), name
