"""Reading beside a writer: a transaction that only reads does not take SQLite's write lock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from optuna.storages import RDBStorage

READ, WRITE = "BEGIN", "BEGIN IMMEDIATE"

_READS: ContextVar[bool] = ContextVar("reads", default=False)


@contextmanager
def reading() -> Iterator[None]:
    """A block whose transactions only read; they see what was committed when they began, and wait for nobody."""
    before = _READS.set(True)
    try:
        yield
    finally:
        _READS.reset(before)


def begin_statement() -> str:
    """How a transaction begins on SQLite: one that writes takes the lock at once, lest it fail half-way."""
    return READ if _READS.get() else WRITE


class SharedStorage(RDBStorage):
    """Optuna's own, of which the calls that only read are said to."""


def _read(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def read(*args: Any, **kwargs: Any) -> Any:
        with reading():
            return method(*args, **kwargs)

    return read


for _name in (
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
):
    setattr(SharedStorage, _name, _read(getattr(RDBStorage, _name)))
