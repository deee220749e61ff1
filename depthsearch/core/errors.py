"""Every error that depthsearch raises on purpose, and the exit code that each one means.

    DepthsearchError
    +-- InvalidValue                 a value that cannot be used                      exit 2
    |   +-- UnknownName              a name outside a closed list
    |   +-- UnreadableStudyFile      a study file that cannot be read, with its line
    +-- StoreError                   the store cannot be used as asked                exit 2
    |   +-- StoreUnavailable         it is missing, unwritable, or not a store at all
    |   |   +-- StudyDamaged         what it holds of one study cannot be read
    |   +-- NewerStore               it was written by a newer depthsearch
    |   +-- StudyNotFound            it holds no such study (also a LookupError)
    |   +-- StudyConflict            the study of that name asks something else
    |   +-- StudyBusy                another process is searching that study
    +-- TrainingFailed               a training could not be carried out              exit 1

A message is one line: it quotes the offending value and says what would be accepted.

None of these is a ValueError: pydantic turns ValueErrors that arise inside a model into a report of
several lines, and lets every other exception through as it is.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class DepthsearchError(Exception):
    """The root of the tree; `exit_code` is what the command line exits with."""

    exit_code = 1


class InvalidValue(DepthsearchError):
    """A value cannot be used; the message quotes it and says what would be accepted."""

    exit_code = 2


class UnknownName(InvalidValue):
    """A name is not on its closed list; the message names the nearest one that is.

    Args:
        kind: What the name was meant to name, e.g. "activation".
        name: What was given.
        valid: Every accepted name.
    """

    def __init__(self, kind: str, name: object, valid: Iterable[str]) -> None:
        self.kind, self.name, self.valid = kind, name, tuple(valid)
        near = get_close_matches(str(name).lower(), self.valid, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        super().__init__(f"unknown {kind} {name!r}: {hint}accepted: {', '.join(self.valid)}")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.kind, self.name, self.valid)


class UnreadableStudyFile(InvalidValue):
    """A study file cannot be read.

    Args:
        path: The file as the user named it.
        line: The offending line, counted from 1; None where no single line is to blame.
        reason: What is wrong, quoting the value.
    """

    def __init__(self, path: object, line: int | None, reason: str) -> None:
        self.path, self.line, self.reason = path, line, reason
        name = str(path) or repr("")
        where = f"{name}, line {line}" if line is not None else name
        super().__init__(f"{where}: {reason}")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.path, self.line, self.reason)


class StoreError(DepthsearchError):
    """The store cannot be used as asked. Nothing in it was changed."""

    exit_code = 2


class StoreUnavailable(StoreError):
    """The database is missing, cannot be opened or written, or is not a database."""


class StudyDamaged(StoreUnavailable):
    """What the database holds of one study cannot be read; it keeps nobody from the others."""


class NewerStore(StoreError):
    """The database was written by a newer depthsearch or Optuna than this one."""


class StudyNotFound(StoreError, LookupError):
    """The store holds no study of that name."""


class StudyConflict(StoreError):
    """A study of that name exists and asks a different question."""


class StudyBusy(StoreError):
    """Another process is searching that study at this moment."""


class TrainingFailed(DepthsearchError):
    """A training could not be carried out, for example for want of memory."""
