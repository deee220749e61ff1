"""When two traces are the same."""

import numpy as np

from depthsearch.core.trace import Trace


def assert_same(first: Trace, second: Trace, *, upto: int | None = None) -> None:
    """Two traces are the same to the last bit, or one is the other's prefix of `upto` epochs."""
    assert (first.depth, first.seed, first.layers) == (second.depth, second.seed, second.layers)
    epochs = slice(0, upto)
    assert np.array_equal(first.train_loss[epochs], second.train_loss[epochs])
    assert np.array_equal(first.train_accuracy[epochs], second.train_accuracy[epochs])
    count = len(first.snapshots) if upto is None else int((first.snapshots.epochs <= upto).sum())
    for name in vars(first.snapshots):
        ours, theirs = getattr(first.snapshots, name)[:count], getattr(second.snapshots, name)[:count]
        assert np.array_equal(ours, theirs, equal_nan=True), name
