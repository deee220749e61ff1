"""What every data set is: the options that name it, the facts that networks need, and the points."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from depthsearch.errors import InvalidValue
from depthsearch.schema import FrozenModel, Registered

BINARY = 2


class DataSpec(FrozenModel):
    """What a network has to know of its data.

    Attributes:
        shape: Of one input, such as (2,) for a point in the plane.
        classes: How many there are.
    """

    shape: tuple[Annotated[int, Field(strict=True, ge=1)], ...]
    classes: Annotated[int, Field(strict=True, ge=2)]

    @property
    def features(self) -> int:
        """Numbers in one input."""
        return prod(self.shape)

    @property
    def outputs(self) -> int:
        """Output units: one logit for two classes, else one for each class."""
        return 1 if self.classes == BINARY else self.classes


@dataclass(frozen=True, eq=False)
class Dataset:
    """Points and labels, already split.

    Attributes:
        x_train: [N, *shape] float32.
        y_train: [N] labels from 0, int64.
        x_test: [M, *shape] float32.
        y_test: [M] int64.
        classes: Number of classes.
    """

    x_train: NDArray[np.float32]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    classes: int

    @property
    def spec(self) -> DataSpec:
        """What a network has to know of it."""
        return DataSpec(shape=self.x_train.shape[1:], classes=self.classes)

    @property
    def baseline(self) -> float:
        """Share of the commonest class in the training set: the accuracy of the best constant guess."""
        return float(np.bincount(self.y_train).max() / len(self.y_train))


class DataSource(Registered):
    """Which data set, and how it is drawn: the open registry of data sets, by name.

    A data set is a subclass with a default `name`, its options as fields, and the methods `spec` and `draw`.

    Attributes:
        name: Data set.
        test_share: Share of the points that is kept for test.
        seed: Seed of the points, of the noise and of the split. By default 0.
    """

    called: ClassVar[str] = "data"
    kind: ClassVar[str] = "data set"
    key: ClassVar[str] = "name"
    package: ClassVar[str] = "depthsearch.data"
    default: ClassVar[str] = "moons"

    name: str
    test_share: Annotated[float, Field(strict=True, ge=0.05, le=0.95)] = 0.5
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = 0

    @property
    def spec(self) -> DataSpec:
        """What a network has to know of the data set; no point is drawn for it."""
        raise NotImplementedError

    @abstractmethod
    def draw(self) -> Dataset:
        """The points, a pure function of the options."""

    def load(self) -> Dataset:
        """The points, drawn once and shared by all who ask for them.

        Raises:
            InvalidValue: They are not what the data set's `spec` promises.
        """
        return _drawn(self)


@lru_cache(maxsize=8)
def _drawn(source: DataSource) -> Dataset:
    found, spec = source.draw(), source.spec
    if found.spec.shape != spec.shape or found.classes > spec.classes:
        raise InvalidValue(
            f"data set {source.name!r} drew inputs of shape {found.spec.shape} in {found.classes} classes, but its "
            f"spec is shape {spec.shape} in {spec.classes} classes"
        )
    return found


def training_points(points: int, test_share: float) -> int:
    """How many of them are for training, when that share is for test."""
    return int(points * (1 - test_share) + 1e-9)


def split(x: NDArray[np.floating], y: NDArray[np.integer], *, test_share: float) -> Dataset:
    """The first of the (already shuffled) points for training, the rest for test."""
    first = training_points(len(x), test_share)
    points, labels = x.astype(np.float32), y.astype(np.int64)
    for array in (points, labels):
        array.flags.writeable = False  # a data set is loaded once and shared by all who ask for it
    return Dataset(points[:first], labels[:first], points[first:], labels[first:], int(labels.max()) + 1)
