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

    Later epochs never change it, so a run may stop there.
    """
    hold = criterion.hold(trace.budget_epochs)
    good = trace.train_accuracy > threshold_of(trace, criterion)
    if len(good) < hold:
        return None
    held = np.lib.stride_tricks.sliding_window_view(good, hold).all(axis=1)
    return int(held.argmax()) + hold if held.any() else None
