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


def split_in_half(x: NDArray[np.floating], y: NDArray[np.integer]) -> Dataset:
    """The first half of the (already shuffled) points for training, the rest for test."""
    half = len(x) // 2
    points, labels = x.astype(np.float32), y.astype(np.int64)
    for array in (points, labels):
        array.flags.writeable = False  # a data set is loaded once and shared by all who ask for it
    return Dataset(points[:half], labels[:half], points[half:], labels[half:], int(labels.max()) + 1)
