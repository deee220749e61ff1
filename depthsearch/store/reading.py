"""Reading beside a writer: a transaction that only reads does not take SQLite's write lock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from optuna.storages import RDBStorage

from depthsearch.search.optuna_internals import READING_METHODS

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


for _name in READING_METHODS:
    setattr(SharedStorage, _name, _read(getattr(RDBStorage, _name)))
