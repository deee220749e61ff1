"""What every data set is: the options that name it, the facts that networks need, and the points."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from math import prod
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from depthsearch.data.files import exists
from depthsearch.errors import InvalidValue, UnknownName
from depthsearch.schema import FrozenModel, Registered
from depthsearch.user_code.files import check_text, is_code, is_found

BINARY = 2

USER = "user"
"""The data set whose field `source` names a function of a user's code."""

NO_TARGET = -100
"""The label of a position that counts for nothing, as in torch's cross-entropy."""

Task: TypeAlias = Literal["classification", "sequence", "regression", "custom"]
"""What is learned: one class for each input, one for each position of it, numbers, or what a user's loss measures."""

Count = Annotated[int, Field(strict=True, ge=1)]


class DataSpec(FrozenModel):
    """What a network has to know of its data.

    Attributes:
        shape: Of one input, such as (2,) for a point in the plane; (positions,) for tokens. Empty where a user's data
            do not show it.
        task: What is learned. `classification`: one class for each input. `sequence`: one class for each position.
            `regression`: `targets` numbers for each input. `custom`: whatever a user's loss measures.
        classes: How many there are; null for regression and for a custom task.
        targets: Numbers to predict for each input, in regression.
        image: (channels, height, width) of an input that is an image, whose numbers `shape` may give in a row, channel
            by channel and line by line; null for others.
        vocabulary: Of inputs that are tokens: they are whole numbers below it; null for others.
    """

    shape: tuple[Count, ...]
    task: Task = "classification"
    classes: Annotated[int, Field(strict=True, ge=2)] | None = None
    targets: Count = 1
    image: tuple[Count, Count, Count] | None = None
    vocabulary: Count | None = None

    @property
    def features(self) -> int:
        """Numbers in one input."""
        return prod(self.shape)

    @property
    def counts_right(self) -> bool:
        """Whether the score is a share of right predictions, which has a binomial error."""
        return self.task in {"classification", "sequence"}

    @property
    def outputs(self) -> int:
        """Output units, of each position in a sequence: one for each class, or for each number that is predicted.

        Two classes for each input take one logit.
        """
        if self.classes is None:
            return self.targets
        return 1 if self.classes == BINARY and self.task == "classification" else self.classes


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and targets, already split.

    Attributes:
        x_train: [N, *shape] float32, or int64 for tokens.
        y_train: [N] labels from 0, int64; [N, positions] for a sequence, NO_TARGET where a position does not count;
            [N, targets] float32 for regression.
        x_test: [M, *shape], as x_train.
        y_test: [M], [M, positions] or [M, targets], as y_train.
        classes: Number of classes; None for regression.
    """

    x_train: NDArray[Any]
    y_train: NDArray[Any]
    x_test: NDArray[Any]
    y_test: NDArray[Any]
    classes: int | None

    @property
    def points(self) -> int:
        """Inputs in the training set."""
        return len(self.x_train)

    def flattened(self) -> Self:
        """The same, each input as one row of numbers, which share their memory with these."""
        x_train, x_test = (x.reshape(len(x), -1) for x in (self.x_train, self.x_test))
        return replace(self, x_train=x_train, x_test=x_test)

    @property
    def baseline(self) -> float:
        """The score of the best constant prediction on the training set.

        The share of the commonest class, over the positions that count; for regression 0, the explained variance of
        the mean.
        """
        if self.classes is None:
            return 0.0
        labels = self.y_train[self.y_train != NO_TARGET]
        return float(np.bincount(labels).max() / len(labels))


TARGET_KEYS = ("labels", "label", "targets", "target", "y")
"""Of a batch that is a dict: the keys by which its target is found, the first that is there."""


def target_key(batch: Mapping[str, object]) -> str | None:
    """The key of a batch's target; None where it has none."""
    return next((key for key in TARGET_KEYS if key in batch), None)


@dataclass(frozen=True, eq=False)
class TorchData:
    """Data as a user's code gives them: torch Datasets, whose items the engine batches, or DataLoaders.

    A batch is a tuple (inputs, targets) or (input, input, ..., targets), or a dict whose entries are passed to the
    module as keyword arguments.

    Attributes:
        train: A torch Dataset or DataLoader.
        test: Another of the same kind.
        points: Items in the training set.
        baseline: The score of the best constant prediction; 0 where the score is no accuracy.
    """

    train: Any
    test: Any
    points: int
    baseline: float


class DataSource(Registered):
    """Which data set, and how it is drawn: the open registry of data sets, by name.

    A data set is a subclass with a default `name`, its options as fields, and the methods `spec` and `draw`.

    Attributes:
        name: Data set; for one that reads files NAME:PATH, as in csv:FILE.
        test_share: Share of the points that is kept for test.
        seed: Seed of the points, of the noise and of the split. By default 0.
    """

    called: ClassVar[str] = "data"
    kind: ClassVar[str] = "data set"
    key: ClassVar[str] = "name"
    package: ClassVar[str] = "depthsearch.data"
    default: ClassVar[str] = "moons"

    endings: ClassVar[tuple[str, ...]] = ()
    """Of the names of files that it reads."""

    name: str
    test_share: Annotated[float, Field(strict=True, ge=0.05, le=0.95)] = 0.5
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = 0

    @property
    def label(self) -> str:
        """The name in tables and sentences."""
        return self.name

    @property
    def spec(self) -> DataSpec:
        """What a network has to know of the data set; no point is drawn for it."""
        raise NotImplementedError

    @abstractmethod
    def draw(self) -> Dataset | TorchData:
        """The points, a pure function of the options."""

    @property
    def augmentation(self) -> str | None:
        """How each batch is changed in training (see `data.augment.augmented`), which the module engine does."""
        return None

    def stamp(self) -> str:
        """A short text that changes with the files that the points come from; empty without files."""
        return ""

    @classmethod
    def read_key(cls, text: str) -> dict[str, Any]:
        """A name; `mnist:DIR` is a name and a path; `FILE.py:load` and `package.module:load` name a user's code.

        Raises:
            InvalidValue: The part before the first colon names no data set that reads files, or there is no colon and
                the text names a file.
        """
        head, colon, rest = text.partition(":")
        if text.endswith(".py"):
            check_text(text, path="data.name")
        if text in cls.names():
            return {cls.key: text}
        if not colon:
            cls._check_no_path(text)
            return {cls.key: text}
        if head in cls.names():
            if "path" not in cls.entry(head).model_fields:
                raise InvalidValue(f"{head!r} reads no file, but got {text!r}", path="data.name", value=text)
            return {cls.key: head, "path": rest} if rest else {cls.key: head}
        misspelled = get_close_matches(head, cls.names(), n=1, cutoff=0.8) and ".py:" not in text
        if not misspelled and is_code(text) and (".py:" in text or "." in head or is_found(text)):
            return {cls.key: USER, "source": text}
        if len(head) == 1:  # the drive of a Windows path
            raise InvalidValue(path="data.name", value=text, expected="a name before the path, as in csv:PATH")
        raise UnknownName(cls.kind, head, cls.offered(), path="data.name")

    @classmethod
    def _check_no_path(cls, text: str) -> None:
        """Refuse the path of a file or folder without the name of a data set before it."""
        readers = {name: cls.entry(name) for name in cls.offered() if "path" in cls.entry(name).model_fields}
        found = next((name for name, reader in readers.items() if text.lower().endswith(reader.endings)), None)
        if found is not None:
            raise InvalidValue(path="data.name", value=text, expected=f"a name before the path, as in {found}:{text}")
        if exists(text) and not get_close_matches(text, cls.names(), n=1, cutoff=0.8):
            expected = f"a name before the path, as in NAME:{text}, where NAME is one of {', '.join(readers)}"
            raise InvalidValue(path="data.name", value=text, expected=expected)

    def contents(self) -> Dataset | TorchData:
        """The points, drawn once and shared by all who ask for them; again if files that they come from changed.

        Raises:
            InvalidValue: They are not what the data set's `spec` promises; UnreadableData if a file cannot be read.
        """
        return _drawn(self, self.stamp())

    def load(self) -> Dataset:
        """The points as arrays (see `contents`).

        Raises:
            InvalidValue: A user's code gives them as torch Datasets or DataLoaders.
        """
        found = self.contents()
        if isinstance(found, TorchData):
            raise InvalidValue(f"data set {self.name!r} gives torch data, which only a module is trained on")
        return found


@lru_cache(maxsize=2)  # data sets may fill much of the memory
def _drawn(source: DataSource, _stamp: str) -> Dataset | TorchData:
    found, spec = source.draw(), source.spec
    if isinstance(found, TorchData):
        return found
    shape = found.x_train.shape[1:]
    if shape != spec.shape or (found.classes or 0) > (spec.classes or 0):
        raise InvalidValue(
            f"data set {source.name!r} drew inputs of shape {shape} in {found.classes} classes, but its spec is shape "
            f"{spec.shape} in {spec.classes} classes"
        )
    return found


def training_points(points: int, test_share: float) -> int:
    """How many of them are for training, when that share is for test."""
    return int(points * (1 - test_share) + 1e-9)


def split(x: NDArray[np.floating], y: NDArray[np.integer], *, test_share: float) -> Dataset:
    """The first of the (already shuffled) points for training, the rest for test."""
    points, labels = x.astype(np.float32), y.astype(np.int64)
    return split_arrays(points, labels, test_share=test_share, classes=int(labels.max()) + 1)


def split_arrays(x: NDArray[Any], y: NDArray[Any], *, test_share: float, classes: int | None) -> Dataset:
    """The same for inputs and targets that have their types already, such as tokens."""
    first = training_points(len(x), test_share)
    for array in (x, y):
        array.flags.writeable = False  # a data set is loaded once and shared by all who ask for it
    return Dataset(x[:first], y[:first], x[first:], y[first:], classes)
