"""What a user's `load()` returned, as data to train on: checked, and described from the data themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsearch.data.base import NO_TARGET, Dataset, DataSpec, Task, TorchData
from depthsearch.data.user_batches import Pass, as_array, batches_of, generator_kept, length_of
from depthsearch.errors import one_line
from depthsearch.generators import seeded
from depthsearch.user_code.loading import UserCode

EXPECTED = "(train, test), each a pair of arrays or tensors, a torch Dataset, or a DataLoader"
PAIR, PIXELS = 2, 3
SHAPES: dict[int, Task] = {1: "classification", 2: "sequence"}
"""The task, by the dimensions of whole-number targets."""

MANY_CLASSES, LABELS_PER_POINT = 1_000_000, 10
"""Labels are taken for classes from 0 up to here, or to so many times the number of targets."""


@dataclass(frozen=True, eq=False)
class Given:
    """A user's data.

    Attributes:
        data: Arrays, or torch data.
        spec: What they show.
    """

    data: Dataset | TorchData
    spec: DataSpec


def given_data(found: Any, code: UserCode) -> Given:
    """The data that a user's code returned.

    Raises:
        UserCodeFailed: They are something else than (train, test), empty, or do not fit each other.
    """
    if not isinstance(found, Sequence) or isinstance(found, str) or len(found) != PAIR:
        raise code.refused(f"{code.called}() must return {EXPECTED}, but returned {_described(found)}")
    if all(_is_pair(part) for part in found):
        return _of_arrays(found, code)
    for name, part in zip(("train", "test"), found, strict=True):
        if any(map(_is_pair, found)) and not _is_pair(part):
            other = "one part of it is a pair of arrays"
            raise code.refused(f"{name} of {code.called}() must be another, since {other}, but is {_described(part)}")
        if not _is_torch_data(part):
            raise code.refused(f"{name} of {code.called}() must be one of {EXPECTED}, but is {_described(part)}")
        if length_of(part, code, name=name) == 0:
            raise code.refused(f"{name} of {code.called}() holds nothing")
    return _of_torch(found[0], found[1], code)


def _is_pair(part: Any) -> bool:
    return isinstance(part, tuple | list) and len(part) == PAIR and all(hasattr(one, "shape") for one in part)


def _is_torch_data(part: Any) -> bool:
    if isinstance(part, str | bytes | Mapping) or hasattr(part, "shape"):
        return False
    return hasattr(part, "__len__") and (hasattr(part, "__getitem__") or hasattr(part, "__iter__"))


def _described(value: Any) -> str:
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"an array of shape {tuple(shape)}"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    return one_line(f"{type(value).__name__} {value!r}")


def _of_arrays(found: Sequence[Sequence[Any]], code: UserCode) -> Given:
    """Arrays or tensors: [N, ...] inputs and [N, ...] targets, twice."""
    (x_train, y_train), (x_test, y_test) = (
        [
            as_array(one, code, what=f"the {what} of {name} of {code.called}()")
            for what, one in zip(("inputs", "targets"), part, strict=True)
        ]
        for name, part in zip(("train", "test"), found, strict=True)
    )
    named = {"train": (x_train, y_train), "test": (x_test, y_test)}
    for name, (x, y) in named.items():
        if not x.ndim or not y.ndim or len(x) != len(y):
            shapes = f"{x.shape} and {y.shape}"
            raise code.refused(
                f"{name} of {code.called}() must hold as many inputs as targets, but has shapes {shapes}"
            )
        if not len(x):
            raise code.refused(f"{name} of {code.called}() is empty")
        for what, array in (("inputs", x), ("targets", y)):
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise code.refused(f"the {what} of {name} of {code.called}() hold a value that is not finite")
            if array.dtype.kind not in "fiub":
                raise code.refused(f"the {what} of {name} of {code.called}() must be numbers, but are {array.dtype}")
    if x_train.shape[1:] != x_test.shape[1:] or y_train.shape[1:] != y_test.shape[1:]:
        raise code.refused(f"train and test of {code.called}() differ in the shape of their items")
    task, classes = _task(y_train, y_test, code)
    whole = x_train.dtype.kind in "iu" and x_train.dtype != np.uint8
    if whole and min(int(x_train.min()), int(x_test.min())) < 0:
        raise code.refused(f"inputs of {code.called}() that are whole numbers are tokens from 0, but one is negative")
    inputs = [_kept(x.astype(np.int64 if whole else np.float32)) for x in (x_train, x_test)]
    targets = [_kept(_targets(y, task)) for y in (y_train, y_test)]
    spec = _spec(
        x_train.shape[1:],
        task,
        classes,
        targets=targets[0].shape[1] if task == "regression" else 1,
        vocabulary=max(int(x.max()) for x in inputs) + 1 if whole else None,
    )
    return Given(Dataset(inputs[0], targets[0], inputs[1], targets[1], classes), spec)


def _spec(
    shape: tuple[int, ...], task: Task, classes: int | None, *, targets: int = 1, vocabulary: int | None = None
) -> DataSpec:
    image = tuple(shape) if len(shape) == PIXELS and vocabulary is None else None
    return DataSpec(shape=shape, task=task, classes=classes, targets=targets, image=image, vocabulary=vocabulary)


def _kept(array: NDArray[Any]) -> NDArray[Any]:
    """An array that is shared by all who ask for it."""
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _targets(y: NDArray[Any], task: Task) -> NDArray[Any]:
    if task == "regression":
        return np.asarray(y.reshape(len(y), -1).astype(np.float32))
    return np.asarray(y.astype(np.int64))


def _task(y_train: NDArray[Any], y_test: NDArray[Any], code: UserCode) -> tuple[Task, int | None]:
    """What is learned, and the number of classes, from the targets only."""
    if y_train.dtype.kind == "f":
        return "regression", None
    task = SHAPES.get(y_train.ndim)
    if task is None:
        shape = f"targets of shape {list(y_train.shape)}"
        raise code.refused(f"{code.called}() gives {shape}: whole numbers are a class for each input or each position")
    if task == "sequence" and _one_hot(y_train):
        reason = "gives targets that are one-hot: give the class of each input as one whole number"
        raise code.refused(f"{code.called}() {reason}")
    return task, _classes([y_train, y_test], task, code)


def _one_hot(y: NDArray[Any]) -> bool:
    return bool(y.shape[1] == 1 or (((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all()))


def _classes(targets: Sequence[NDArray[Any]], task: Task, code: UserCode) -> int:
    held = [y[y != NO_TARGET] if task == "sequence" else y.ravel() for y in targets]
    if not len(held[0]):
        raise code.refused(f"{code.called}() gives no target that counts: all of them are {NO_TARGET}")
    lowest, largest = (int(bound([bound(one) for one in held if len(one)])) for bound in (np.min, np.max))
    if lowest < 0:
        raise code.refused(f"{code.called}() gives the class {lowest}: classes are whole numbers from 0")
    if largest >= max(MANY_CLASSES, LABELS_PER_POINT * len(held[0])):
        reason = f"gives the class {largest} among {len(held[0])} targets: number the classes from 0"
        raise code.refused(f"{code.called}() {reason}")
    if len(np.unique(held[0])) < PAIR:
        raise code.refused(f"{code.called}() gives a single class, {largest}, so there is nothing to learn")
    return largest + 1


def _of_torch(train: Any, test: Any, code: UserCode) -> Given:
    """Torch Datasets or DataLoaders: what they hold shows in one pass over the training set."""
    name = f"train of {code.called}()"
    seen = Pass(code, name=name)
    with seeded(0), code.calling(f"reading {name}"), generator_kept(train):
        for batch in batches_of(train, name=name):
            seen.add(batch)
    if not seen.points:
        raise code.refused(f"{name} holds nothing")
    targets = seen.targets()
    task: Task = "custom"
    classes: int | None = None
    baseline, width = 0.0, 1
    if targets is not None:
        task, classes = _task(targets, targets[:0], code)
        baseline = _share(targets, task)
        width = 1 if targets.ndim == 1 or task != "regression" else targets.shape[1]
    spec = _spec(seen.shape, task, classes, targets=width, vocabulary=seen.vocabulary)
    return Given(TorchData(train, test, seen.points, baseline), spec)


def _share(targets: NDArray[Any], task: Task) -> float:
    """Of the commonest class; 0, the explained variance of the mean, in regression."""
    if task == "regression":
        return 0.0
    counted = targets[targets != NO_TARGET].ravel()
    return float(np.unique(counted, return_counts=True)[1].max() / len(counted))
