"""When two traces are the same."""

import numpy as np

from depthsearch.training.trace import Trace


def assert_same(first: Trace, second: Trace, *, upto: int | None = None) -> None:
    """Two traces are the same to the last bit, or one is the other's prefix of `upto` epochs."""
    assert (first.depth, first.seed, first.layers) == (second.depth, second.seed, second.layers)
    epochs = slice(0, upto)
    assert np.array_equal(first.loss[epochs], second.loss[epochs])
    assert np.array_equal(first.score[epochs], second.score[epochs])
    count = len(first.snapshots) if upto is None else int((first.snapshots.epochs <= upto).sum())
    for name in vars(first.snapshots):
        ours, theirs = getattr(first.snapshots, name)[:count], getattr(second.snapshots, name)[:count]
        assert np.array_equal(ours, theirs, equal_nan=True), name


def assert_close(first: Trace, second: Trace) -> None:
    """Two traces of the same run, but for the last bits of each number."""
    assert (first.depth, first.seed, first.epochs) == (second.depth, second.seed, second.epochs)
    np.testing.assert_allclose(first.loss, second.loss, rtol=1e-4)
    np.testing.assert_allclose(first.score, second.score, atol=0.005)
    for name in vars(first.snapshots):
        ours, theirs = getattr(first.snapshots, name), getattr(second.snapshots, name)
        atol = 0.005 if name == "test_accuracy" else 1e-6
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=atol, err_msg=name)
