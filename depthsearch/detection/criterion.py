"""When a network counts as trained."""

import math

import numpy as np

from depthsearch.core.problem import Criterion
from depthsearch.core.trace import Trace

STANDARD_ERRORS = 3


def accuracy_threshold(criterion: Criterion, *, majority_rate: float, points: int) -> float:
    """The running train accuracy that an epoch must exceed to be good.

    The majority rate, plus the larger of `min_gain` of the headroom above it and three binomial standard
    errors of a constant guess over `points` points.
    """
    headroom = 1 - majority_rate
    standard_error = math.sqrt(majority_rate * headroom / points)
    return majority_rate + max(criterion.min_gain * headroom, STANDARD_ERRORS * standard_error)


def threshold_of(trace: Trace, criterion: Criterion) -> float:
    """The accuracy threshold for a trace's training set."""
    return accuracy_threshold(criterion, majority_rate=trace.majority_rate, points=trace.points)


def epoch_trained(trace: Trace, criterion: Criterion) -> int | None:
    """The first epoch that ends a long enough row of good ones, counted from 1; None if there is none.

    A row that lasts until the budget's end is long enough from `hold_epochs` on: that network was still good when
    it was stopped. Later epochs never change the answer, so a run may stop there.
    """
    good = trace.train_accuracy > threshold_of(trace, criterion)
    hold = criterion.hold(trace.budget_epochs)
    if len(good) >= hold:
        held = np.lib.stride_tricks.sliding_window_view(good, hold).all(axis=1)
        if held.any():
            return int(held.argmax()) + hold
    if trace.complete and len(good) >= criterion.hold_epochs and good[-criterion.hold_epochs :].all():
        return trace.epochs
    return None
