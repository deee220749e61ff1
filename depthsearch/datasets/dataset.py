"""The value that every data set comes as."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthsearch.core.problem import DataSpec


@dataclass(frozen=True, eq=False)
class Dataset:
    """Points and labels, already split.

    Attributes:
        x_train: [N, features] float32.
        y_train: [N] labels from 0, int64.
        x_test: [M, features] float32.
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
        return DataSpec(features=self.x_train.shape[1], classes=self.classes)

    @property
    def majority_rate(self) -> float:
        """Share of the commonest class in the training set: the accuracy of the best constant guess."""
        return float(np.bincount(self.y_train).max() / len(self.y_train))


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
