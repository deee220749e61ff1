"""The order of the points in each epoch."""

import numpy as np

from depthsearch.training.recorder import EpochOrders


def test_every_epoch_has_every_point_once() -> None:
    for order in EpochOrders(37, 5).of_epochs(0, 9):
        assert sorted(order) == list(range(37))


def test_orders_are_the_same_however_many_are_taken_at_a_time() -> None:
    at_once = EpochOrders(50, 3).of_epochs(0, 11)
    parts = EpochOrders(50, 3)
    taken = [parts.of_epochs(first, last) for first, last in ((0, 0), (1, 4), (5, 11))]
    assert np.array_equal(at_once, np.concatenate(taken))


def test_the_last_epoch_that_was_taken_may_be_taken_again() -> None:
    at_once = EpochOrders(50, 3).of_epochs(0, 5)
    orders = EpochOrders(50, 3)
    for first, last in ((0, 0), (0, 0), (0, 2), (2, 2), (2, 3), (4, 4), (4, 5), (5, 5)):
        assert np.array_equal(orders.of_epochs(first, last), at_once[first : last + 1])


def test_epochs_and_seeds_differ() -> None:
    first, second = EpochOrders(50, 3).of_epochs(0, 1)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, EpochOrders(50, 4).of_epochs(0, 0)[0])
