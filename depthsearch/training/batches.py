"""The order of the training points, drawn from a run's own NumPy stream, the same for every engine."""

import numpy as np
from numpy.typing import NDArray

ORDER_STREAM = 1
"""Which of a seed's streams the batches are drawn from; weights have another (see initialization)."""


class EpochOrders:
    """One permutation of range(points) for each epoch. Batches are consecutive slices of it.

    Args:
        points: In the training set.
        seed: The run's own.
    """

    def __init__(self, points: int, seed: int) -> None:
        self._points = np.arange(points)
        self._rng = np.random.default_rng([seed, ORDER_STREAM])

    def take(self, epochs: int) -> NDArray[np.int64]:
        """[epochs, points] the orders of the next epochs, the same however many are taken at a time."""
        return self._rng.permuted(np.tile(self._points, (epochs, 1)), axis=1)
