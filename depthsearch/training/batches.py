"""The order of the training points, drawn from a run's own NumPy stream, the same for every engine."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

ORDER_STREAM = 1
"""Which of a seed's streams the batches are drawn from; weights have another (see initialization)."""


def epoch_orders(points: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """One permutation of range(points) for each epoch, without end. Batches are consecutive slices of it."""
    rng = np.random.default_rng([seed, ORDER_STREAM])
    while True:
        yield rng.permutation(points)
