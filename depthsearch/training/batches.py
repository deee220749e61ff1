"""The order of the training points, drawn from a run's own NumPy stream, the same for every engine."""

import numpy as np
from numpy.typing import NDArray

ORDER_STREAM = 1
"""Which of a seed's streams the batches are drawn from; weights have another (see initialization)."""


class EpochOrders:
    """One permutation of range(points) for each epoch, counted from 0. Batches are consecutive slices of it.

    Args:
        points: In the training set.
        seed: The run's own.
    """

    def __init__(self, points: int, seed: int) -> None:
        self._points = np.arange(points)
        self._rng = np.random.default_rng([seed, ORDER_STREAM])
        self._drawn = 0
        self._latest = self._points[None]

    def of_epochs(self, first: int, last: int) -> NDArray[np.int64]:
        """[last - first + 1, points] the orders of those epochs, the same however many are taken at a time.

        Epochs are taken one after another; only the last one that was taken may be taken again.
        """
        again = self._latest if first < self._drawn else self._latest[:0]
        drawn = self._rng.permuted(np.tile(self._points, (last + 1 - self._drawn, 1)), axis=1)
        orders = np.concatenate([again, drawn])
        self._drawn, self._latest = last + 1, orders[-1:]
        return orders
