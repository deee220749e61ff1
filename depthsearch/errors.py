"""Every error that depthsearch raises on purpose, and the exit code that each one means.

    DepthsearchError
    +-- InvalidValue                 a value that cannot be used                      exit 2
    |   +-- UnknownName              a name that is not on its list
    |   +-- UnreadableStudyFile      a study file that cannot be read, with its line
    |   +-- UnreadableData           a data file that is missing, damaged, or not of its format
    |   +-- UserCodeFailed           a user's code raised an exception, with its line, or returned what has no use
    +-- TrainingFailed               a network could not be trained                  exit 1
    |   +-- BuildFailed              a network of that depth cannot be built
    |   +-- RunFailed                an exception ended a run
    |   +-- OutOfMemory              a network of that depth needs more memory than there is
    +-- StoreError                   the store cannot be used as asked                exit 2
    |   +-- StoreUnavailable         it is missing, unwritable, or not a store at all
    |   |   +-- StudyDamaged         what it holds of one study cannot be read
    |   +-- NewerStore               it was written by a newer depthsearch
    |   +-- StudyNotFound            it holds no such study (also a LookupError)
    |   +-- StudyConflict            the study of that name asks something else
    |   +-- StudyBusy                another process is searching that study
    |   +-- ClaimLost                another process took the study over               exit 4

A message is one line: it quotes the offending value and says what would be accepted.

None of these is a ValueError: pydantic turns ValueErrors that arise inside a model into a report of
several lines, and lets every other exception through as it is.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Self


class DepthsearchError(Exception):
    """The root of the tree; `exit_code` is what the command line exits with."""

    exit_code = 1


class InvalidValue(DepthsearchError):
    """A value cannot be used; the message quotes it and says what would be accepted.

    Args:
        reason: The message without the name of the value, such as "must be at least 3, but got 2".
        path: Where the value belongs, such as "recipe.epochs"; empty where it has no place in a problem or in settings.
            The message names its last part.
        value: What was given.
        expected: What would be accepted, in the form that follows "must be".
    """

    exit_code = 2

    def __init__(self, reason: str = "", *, path: str = "", value: object = None, expected: str = "") -> None:
        self.reason = reason or f"must be {expected}, but got {value!r}"
        self.path, self.value, self.expected = path, value, expected
        super().__init__(self.reason)

    def __str__(self) -> str:
        return self.with_name(self.field.rpartition(".")[2])

    @property
    def field(self) -> str:
        """The path without a place in a list: "settings.depths" of "settings.depths.0"."""
        return self.path.removesuffix(f".{self.path.rpartition('.')[2]}") if self._in_list else self.path

    @property
    def _in_list(self) -> bool:
        return self.path.rpartition(".")[2].isdigit()

    def with_name(self, name: str) -> str:
        """The message, with another name for the field: what the command line calls it, for example."""
        each = "each of " if self._in_list else ""
        return f"{each}{name} {self.reason}" if name else self.reason

    def within(self, outer: str) -> Self:
        """The same error for a value that belongs to `outer`; a path with a table stays as it is."""
        if self.path and "." not in self.field:
            self.path = f"{outer}.{self.path}"
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.__dict__)


def _restored(kind: type[InvalidValue], fields: dict[str, Any]) -> InvalidValue:
    error = kind.__new__(kind)
    error.__dict__.update(fields)
    return error


class UnknownName(InvalidValue):
    """A name is not on its list; the message names the nearest one that is.

    Args:
        kind: What the name was meant to name, e.g. "activation".
        name: What was given.
        valid: Every accepted name.
        path: Where the name belongs.
    """

    def __init__(self, kind: str, name: object, valid: Iterable[str], *, path: str = "") -> None:
        self.kind, self.name, self.valid = kind, name, tuple(valid)
        near = get_close_matches(str(name).lower(), self.valid, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        super().__init__(
            f"unknown {kind} {name!r}: {hint}accepted: {', '.join(self.valid)}",
            path=path,
            value=name,
            expected=f"one of {', '.join(self.valid)}",
        )

    def with_name(self, _name: str) -> str:
        """The message, which names the kind of name and needs no other."""
        return self.reason


class UnreadableStudyFile(InvalidValue):
    """A study file cannot be read.

    Args:
        file: The file as the user named it.
        line: The offending line, counted from 1; None where no single line is to blame.
        reason: What is wrong, quoting the value.
    """

    def __init__(self, file: object, line: int | None, reason: str) -> None:
        self.file, self.line = file, line
        name = str(file) or repr("")
        where = f"{name}, line {line}" if line is not None else name
        super().__init__(f"{where}: {reason}")


class UnreadableData(InvalidValue):
    """A data file is missing, damaged, or not of its format; the message begins with its name.

    Args:
        file: The file or folder.
        reason: What is wrong with it, in the form that follows its name.
    """

    def __init__(self, file: object, reason: str) -> None:
        self.file = str(file) if str(file).isprintable() else repr(str(file))
        super().__init__(f"{self.file} {reason}", value=self.file)


class UserCodeFailed(InvalidValue):
    """A user's code raised an exception, or returned something that has no use.

    The exception is the `__cause__`; its traceback as text is kept too, since errors are sent between processes.

    Args:
        reason: One line, with the file and the line of the user's code.
        file: Where the exception was raised, or the code was read from; None where it is in no file.
        line: The line of it, counted from 1; None where no single line is to blame.
        trace: The traceback; empty where nothing was raised.
    """

    def __init__(self, reason: str, *, file: str | None = None, line: int | None = None, trace: str = "") -> None:
        self.file, self.line, self.trace = file, line, trace
        super().__init__(reason)

    def with_name(self, _name: str) -> str:
        """The message, which names the code."""
        return self.reason


class StoreError(DepthsearchError):
    """The store cannot be used as asked. Nothing in it was changed."""

    exit_code = 2


class StoreUnavailable(StoreError):
    """The database is missing, cannot be opened or written, or is not a database."""


class StudyDamaged(StoreUnavailable):
    """What the database holds of one study cannot be read; the other studies can."""


class NewerStore(StoreError):
    """The database was written by a newer depthsearch or Optuna than this one."""


class StudyNotFound(StoreError, LookupError):
    """The store holds no study of that name."""


class StudyConflict(StoreError):
    """A study of that name exists and asks a different question."""


class StudyBusy(StoreError):
    """Another process is searching that study at this moment."""


class ClaimLost(StoreError):
    """Another process took the study over while this one searched it.

    This process writes nothing more to it; what it finished before is kept. It concludes nothing, hence the exit code.
    """

    exit_code = 4


class TrainingFailed(DepthsearchError):
    """A network could not be trained: an engine raises one of the subclasses for one job of its call.

    Args:
        message: One line.
        depth: Of the network, in the family's units; None where it is not known.
        seed: Of the run; None where the engine cannot tell which run of that depth is to blame.
        reason: What the network's code raised, in one line: "ValueError: no input is left".
        traceback: The whole traceback of that, as Python prints it; empty where there is none.
    """

    def __init__(
        self, message: str, *, depth: int | None = None, seed: int | None = None, reason: str = "", traceback: str = ""
    ) -> None:
        self.depth, self.seed, self.reason, self.traceback = depth, seed, reason or message, traceback
        super().__init__(message)


class BuildFailed(TrainingFailed):
    """A network of that depth cannot be built, whatever the seed."""


class RunFailed(TrainingFailed):
    """An exception ended one run; its seed may be to blame, or chance."""


class OutOfMemory(TrainingFailed):
    """A network of that depth needs more memory than there is, with all that is trained at the same time."""


_NO_MEMORY = ("not enough memory", "can't allocate memory", "out of memory")
"""What torch's CPU allocator and CUDA say, in a RuntimeError."""

LONGEST_LINE = 300
"""Characters of what a user's code raised or returned, in a message."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, as Python, torch and this package say it."""
    if isinstance(error, MemoryError | OutOfMemory):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)


def one_line(text: str) -> str:
    """A text in one line, cut off where it is very long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 3]}..."


def error_words(error: BaseException) -> str:
    """ "ValueError: no input is left", in one line; of this package's errors the message only."""
    if isinstance(error, DepthsearchError):
        return one_line(str(error))
    kind = type(error).__qualname__
    return one_line(f"{kind}: {error}" if str(error) else kind)
