"""Every private name of Optuna that depthsearch uses, each behind a function with a test.

Optuna's public calls copy every trial when they read, make one transaction for each attribute that they write, and give
no key by which other tables could refer to a trial. Written for Optuna 5.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from optuna import Study, Trial
from optuna import logging as optuna_logging
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import (
    StudyModel,
    StudySystemAttributeModel,
    TrialModel,
    TrialUserAttributeModel,
    VersionInfoModel,
)
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import FrozenTrial
from sqlalchemy import Connection, delete, select

READING_METHODS = (
    "get_study_id_from_name",
    "get_study_name_from_id",
    "get_study_directions",
    "get_study_user_attrs",
    "get_study_system_attrs",
    "get_all_studies",
    "get_trial_user_attrs",
    "get_trial_system_attrs",
    "get_trial_param",
    "get_trial_id_from_study_id_trial_number",
    "get_trial",
    "get_all_trials",
    "_get_trials",
    "get_best_trial",
    "_get_best_trial_id",
)
"""The methods of RDBStorage that write nothing."""

CONSTRAINTS = "constraints"
"""The system attribute in which Optuna's samplers and its dashboard look for a trial's constraints."""

OPTUNA_TABLE: str = VersionInfoModel.__tablename__
"""A table that every database of Optuna has."""


def all_trials(study: Study) -> list[FrozenTrial]:
    """Every trial by number, without the deep copy that `study.trials` makes."""
    trials = study._storage.get_all_trials(study._study_id, deepcopy=False)
    return sorted(trials, key=lambda trial: trial.number)


def study_key(study: Study) -> int:
    """The study's number in the database, which other tables refer to."""
    return study._study_id


def trial_key(trial: Trial | FrozenTrial) -> int:
    """The trial's number in the database, which is not its number in the study."""
    return trial._trial_id


def write_constraint(study: Study, trial: FrozenTrial, value: float) -> None:
    """Mark a trial as feasible (at most 0) or not, in the form that samplers and the dashboard read."""
    study._storage.set_trial_system_attr(trial._trial_id, CONSTRAINTS, [value])


def write_user_attributes(storage: RDBStorage, trial: int, attributes: Mapping[str, object]) -> None:
    """Set user attributes of a running trial, all in one transaction.

    Args:
        storage: Over the database.
        trial: The trial's key.
        attributes: What is set; JSON holds the values.
    """
    with _create_scoped_session(storage.scoped_session, True) as session:
        for name, value in attributes.items():
            storage._set_trial_attr_without_commit(session, TrialUserAttributeModel, trial, name, value)


def change_system_attributes(
    storage: RDBStorage, study: int, change: Callable[[Mapping[str, str]], Mapping[str, object]]
) -> None:
    """Read the system attributes of a study and write some of them, in one transaction.

    Args:
        storage: Over the database.
        study: The study's key.
        change: From all attributes, as the JSON that is stored, to the values that are written.
    """
    with _create_scoped_session(storage.scoped_session) as session:
        rows = {str(row.key): row for row in StudySystemAttributeModel.where_study_id(study, session)}
        for key, value in change({key: str(row.value_json) for key, row in rows.items()}).items():
            if key in rows:
                rows[key].value_json = json.dumps(value)
            else:
                session.add(StudySystemAttributeModel(study_id=study, key=key, value_json=json.dumps(value)))


def study_names(connection: Connection) -> dict[int, str]:
    """The name of every study in the database by its key; nothing else of them is read."""
    rows = connection.execute(select(StudyModel.study_id, StudyModel.study_name))
    return {int(row.study_id): str(row.study_name) for row in rows}


def delete_study_rows(connection: Connection, study: int) -> None:
    """Delete all that Optuna's tables hold of a study, without reading it."""
    trials = select(TrialModel.trial_id).where(TrialModel.study_id == study)
    for table in reversed(StudyModel.metadata.sorted_tables):
        if "study_id" in table.c:
            connection.execute(delete(table).where(table.c.study_id == study))
        elif "trial_id" in table.c:
            connection.execute(delete(table).where(table.c.trial_id.in_(trials)))


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from reporting that it creates a study, as it does on standard error."""
    before = optuna_logging.get_verbosity()
    optuna_logging.set_verbosity(optuna_logging.WARNING)
    try:
        yield
    finally:
        optuna_logging.set_verbosity(before)
