"""What is stored of a study and cannot be understood, said in one line."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from zipfile import BadZipFile

from depthsearch.errors import InvalidValue, StudyDamaged

_UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BadZipFile,
    EOFError,
    InvalidValue,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What readers raise of JSON, of enumerations, of archives, that other hands have changed."""


@contextmanager
def damage_said(study: str, where: str = "") -> Iterator[None]:
    """A block that reads what was stored of a study, and does nothing else: its errors mean that this is damaged.

    Args:
        study: Its name.
        where: In what part of it; empty where the error says so itself.

    Raises:
        StudyDamaged: It cannot be read.
    """
    try:
        yield
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StudyDamaged(
            f"study {study!r} is damaged in the store ({where}{': ' if where else ''}{reason}): "
            "restore it from a copy, or delete it"
        ) from error
