"""The order of the points in each epoch."""

import numpy as np

from depthsearch.training.batches import EpochOrders


def test_every_epoch_has_every_point_once() -> None:
    for order in EpochOrders(37, 5).take(10):
        assert sorted(order) == list(range(37))


def test_orders_are_the_same_however_many_are_taken_at_a_time() -> None:
    at_once = EpochOrders(50, 3).take(12)
    parts = EpochOrders(50, 3)
    assert np.array_equal(at_once, np.concatenate([parts.take(count) for count in (1, 4, 7)]))


def test_epochs_and_seeds_differ() -> None:
    first, second = EpochOrders(50, 3).take(2)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, EpochOrders(50, 4).take(1)[0])
