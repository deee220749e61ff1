import inspect
import re

import pytest

from depthsearch import errors
from depthsearch.errors import (
    BuildFailed,
    ClaimLost,
    DepthsearchError,
    InvalidValue,
    NewerStore,
    OutOfMemory,
    RunFailed,
    StoreError,
    StoreUnavailable,
    StudyBusy,
    StudyConflict,
    StudyDamaged,
    StudyNotFound,
    TrainingFailed,
    UnknownName,
    UnreadableStudyFile,
)

CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, DepthsearchError) and kind.__module__ == errors.__name__
]


def drawn_parents() -> dict[str, str | None]:
    """Each class in the module docstring's tree with the class above it."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ((?:\|   )*)(\+-- )?([A-Z]\w+)", line)
        if found:
            level = len(found[1]) // 4 + (1 if found[2] else 0)
            path = [*path[:level], found[3]]
            parents[found[3]] = path[-2] if level else None
    return parents


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    assert drawn_parents() == {
        kind.__name__: None if kind is DepthsearchError else kind.__bases__[0].__name__ for kind in CLASSES
    }


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (DepthsearchError, 1),
        (InvalidValue, 2),
        (UnknownName, 2),
        (UnreadableStudyFile, 2),
        (StoreError, 2),
        (StoreUnavailable, 2),
        (StudyDamaged, 2),
        (NewerStore, 2),
        (StudyNotFound, 2),
        (StudyConflict, 2),
        (ClaimLost, 4),
        (StudyBusy, 2),
        (TrainingFailed, 1),
        (BuildFailed, 1),
        (RunFailed, 1),
        (OutOfMemory, 1),
    ],
)
def test_an_error_exits_with_its_code(kind: type[DepthsearchError], code: int) -> None:
    assert kind.exit_code == code


@pytest.mark.parametrize("kind", CLASSES)
def test_no_error_is_a_value_error(kind: type[DepthsearchError]) -> None:
    assert not issubclass(kind, ValueError)


def test_a_missing_study_is_also_a_lookup_error() -> None:
    assert issubclass(StudyNotFound, LookupError)


def test_an_unknown_name_offers_the_nearest_whatever_its_case() -> None:
    error = UnknownName("activation", "TANH", ("tanh", "relu"))

    assert str(error) == "unknown activation 'TANH': did you mean 'tanh'? accepted: tanh, relu"
    assert (error.kind, error.name, error.valid) == ("activation", "TANH", ("tanh", "relu"))


def test_an_unreadable_file_names_its_line() -> None:
    assert str(UnreadableStudyFile("a.toml", 3, "why")) == "a.toml, line 3: why"


def test_an_unreadable_file_without_a_line_to_blame_names_none() -> None:
    assert str(UnreadableStudyFile("a.toml", None, "why")) == "a.toml: why"
