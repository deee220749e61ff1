"""What the data sets that read files share: subsets, the test part, the scale, and identity by content."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from depthsearch.data.augment import AUGMENTATIONS
from depthsearch.data.base import Dataset, DataSource, DataSpec, training_points
from depthsearch.data.files import check_memory, content_hash, stamp_of, translate_lack_of_memory
from depthsearch.errors import InvalidValue
from depthsearch.schema import one_of

Chunks: TypeAlias = list[NDArray[Any]]
"""Arrays [n, *shape] that follow one another. A chunk that is moved to another place is removed here."""

SLICE = 1 << 20
"""Numbers that are scaled or moved at a time, so that no copy of the whole data set is made."""


@dataclass(frozen=True, eq=False)
class Part:
    """Points as files hold them.

    Attributes:
        x: Chunks of inputs.
        y: [N] labels, or [N, targets] numbers.
    """

    x: Chunks
    y: NDArray[Any]


@dataclass(frozen=True, eq=False)
class FileContents:
    """All that the files of a data set hold.

    Attributes:
        points: Of the training part, or of both parts where the files do not separate them.
        test: The test part, if the files hold one.
        classes: How many there are; None for regression.
        image: Whether an input is an image, [channels, height, width].
    """

    points: Part
    test: Part | None
    classes: int | None
    image: bool = False


class PathSource(DataSource):
    """A data set that is read from a path, and identified by what lies there.

    Attributes:
        path: Folder or file that the data set is read from.
    """

    path: Annotated[str, Field(strict=True, min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _path_is_given(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("path") is None:
            name = cls.model_fields["name"].default
            raise InvalidValue(f"is missing: it says where the data are, as in {name}:PATH", path="path")
        return data

    @abstractmethod
    def files(self) -> Mapping[str, Path]:
        """The files that are read, by the name that each has in the format.

        Raises:
            UnreadableData: One of them is missing.
        """

    def identity(self) -> dict[str, Any]:
        """The options, with the content of the files in the place of their path."""
        fields = super().identity()
        del fields["path"]
        return fields | {"content": content_hash(self.files())}

    def stamp(self) -> str:
        """Changes with the size of a file and the time of its last change."""
        return stamp_of(self.files())


class FileSource(PathSource):
    """A data set of inputs and targets in files.

    Inputs are standardized with the mean and the deviation of the training part: of each channel of an image, of each
    column of a table. What never changes in the training part is left at zero. Numbers to predict are standardized as
    well.

    Attributes:
        points: How many points there are, or are drawn from files. By default 1000, of files all.
        test_share: Share of the points that is kept for test; files with a test part keep to that.
    """

    points: Annotated[int, Field(strict=True, ge=2)] | None = None

    @abstractmethod
    def read(self) -> FileContents:
        """What the files hold.

        Raises:
            UnreadableData: They are damaged, or not of this format.
        """

    @property
    def spec(self) -> DataSpec:
        """As the files show it, which are read for it."""
        return _prepared(self, self.stamp())[1]

    def draw(self) -> Dataset:
        """The points, standardized."""
        return _prepared(self, self.stamp())[0]


class ImageSource(FileSource):
    """A data set of images in files.

    Attributes:
        augment: Random change of each image of a batch in training, such as crop_flip: cropped after a padding of 4
            pixels, and mirrored at random.
    """

    augment: Annotated[str, one_of("augment", lambda: tuple(AUGMENTATIONS))] | None = None

    @property
    def augmentation(self) -> str | None:
        """The option `augment`."""
        return self.augment


class PublishedImages(ImageSource):
    """Images whose publishers chose the test part."""

    @model_validator(mode="after")
    def _check_test_share(self) -> Self:
        check_no_test_share(self)
        return self


def check_no_test_share(source: FileSource) -> None:
    """Refuse a share for test where the files hold a test part.

    Raises:
        InvalidValue: One was chosen.
    """
    if source.test_share != type(source).model_fields["test_share"].default:
        reason = f"cannot be chosen where the files hold a test part, but got {source.test_share}"
        raise InvalidValue(reason, path="data.test_share", value=source.test_share)


@lru_cache(maxsize=2)
def _prepared(source: FileSource, _stamp: str) -> tuple[Dataset, DataSpec]:
    """The points of a data set in files, and what they show."""
    with translate_lack_of_memory(source.path):
        return _prepare(source)


def _prepare(source: FileSource) -> tuple[Dataset, DataSpec]:
    read = source.read()
    if source.augmentation and not read.image:
        reason = f"changes images, but the inputs in {source.path} are none"
        raise InvalidValue(reason, path="data.augment", value=source.path)
    train, test = _one_array(source, read) if read.test is None else _two_arrays(source, read, read.test)
    axes = (0, 2, 3) if read.image else (0,)
    standardize(train[0], test[0], axes=axes)
    if read.classes is None:
        standardize(train[1], test[1], axes=(0,))
        if not train[1].any():
            raise InvalidValue(f"the numbers to predict in {source.path} never change in the training part")
    for array in (*train, *test):
        array.flags.writeable = False  # a data set is loaded once and shared by all who ask for it
    shape = train[0].shape[1:]
    return Dataset(*train, *test, read.classes), DataSpec(
        shape=shape,
        task="regression" if read.classes is None else "classification",
        classes=read.classes,
        targets=train[1].shape[1] if read.classes is None else 1,
        image=shape if read.image else None,
    )


Pair: TypeAlias = tuple[NDArray[Any], NDArray[Any]]


def _one_array(source: FileSource, read: FileContents) -> tuple[Pair, Pair]:
    """Points in random order, the first of them for training."""
    _check_points(source, len(read.points.y))
    order = _chosen(len(read.points.y), source.points, source.seed)
    first = training_points(len(order), source.test_share)
    if not 0 < first < len(order):
        raise InvalidValue(f"{source.path} holds {len(order)} points, too few for a training and a test part")
    x, y = _gathered(read.points, order, regression=read.classes is None)
    return (x[:first], y[:first]), (x[first:], y[first:])


def _two_arrays(source: FileSource, read: FileContents, test: Part) -> tuple[Pair, Pair]:
    """The parts as published; of a subset, both in proportion."""
    check_no_test_share(source)
    for_training, for_test = len(read.points.y), len(test.y)
    wanted = [for_training, for_test]
    if source.points is not None:
        _check_points(source, for_training + for_test)
        least = min(max(1, round(source.points * for_training / (for_training + for_test))), source.points - 1)
        wanted = [least, source.points - least]
    pairs = []
    for part, points, of in zip((read.points, test), wanted, (for_training, for_test), strict=True):
        order = np.arange(of) if points == of else _chosen(of, points, source.seed)
        pairs.append(_gathered(part, order, regression=read.classes is None))
    return pairs[0], pairs[1]


def _check_points(source: FileSource, available: int) -> None:
    if source.points is not None and source.points > available:
        reason = f"must be at most {available}, which {source.path} holds, but got {source.points}"
        raise InvalidValue(reason, path="data.points", value=source.points, expected=f"at most {available}")


def _chosen(available: int, points: int | None, seed: int) -> NDArray[np.integer]:
    """So many of them, in random order."""
    order = np.arange(available, dtype=np.uint32)
    np.random.default_rng(seed).shuffle(order)
    return order[:points]


def _gathered(part: Part, order: NDArray[np.integer], *, regression: bool) -> Pair:
    """The points in that order, as float32 in one array; the chunks are used up."""
    shape = part.x[0].shape[1:]
    check_memory(len(order) * int(np.prod(shape, dtype=object)))
    places: NDArray[np.signedinteger] = np.full(len(part.y), -1, dtype=np.int32 if len(part.y) < 1 << 31 else np.int64)
    places[order] = np.arange(len(order))
    x = np.empty((len(order), *shape), dtype=np.float32)
    begin = 0
    while part.x:
        chunk = part.x.pop(0)
        for rows in slices(chunk):
            there = places[begin : begin + len(chunk)][rows]
            wanted = np.flatnonzero(there >= 0)
            x[there[wanted]] = chunk[rows][wanted]
        begin += len(chunk)
    return x, part.y[order].astype(np.float32 if regression else np.int64)


def standardize(train: NDArray[np.float32], test: NDArray[np.float32], *, axes: tuple[int, ...]) -> None:
    """Scale both arrays in place by the mean and the deviation of the first along `axes`; constants become zero."""
    mean: NDArray[np.float64] = train.mean(axis=axes, keepdims=True, dtype=np.float64)
    varies = train.min(axis=axes, keepdims=True) < train.max(axis=axes, keepdims=True)
    squares = sum(np.square(train[rows] - mean).sum(axis=axes, keepdims=True) for rows in slices(train))
    deviation = np.sqrt(squares * (mean.size / train.size))
    for array in (train, test):
        for rows in slices(array):
            array[rows] = np.where(varies, (array[rows] - mean) / np.where(varies, deviation, 1), 0)


def slices(array: NDArray[Any]) -> list[slice]:
    """Of the rows of an array, each of about SLICE numbers."""
    rows = max(1, SLICE * len(array) // max(array.size, 1))
    return [slice(first, first + rows) for first in range(0, len(array), rows)]
