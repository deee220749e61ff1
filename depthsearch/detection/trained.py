"""When a run counts as trained: its final score reaches the bar. Pure functions of the trace and the criterion."""

import math

import numpy as np
from numpy.typing import NDArray

from depthsearch.problem.criterion import Criterion
from depthsearch.training.trace import Trace

STANDARD_ERRORS = 3

ROUNDING = 5e-7
"""Scores are kept in single precision: one that falls short of a bar by no more reaches it."""


def chance_bar(criterion: Criterion, *, baseline: float, points: int | None) -> float:
    """The running train accuracy from which an entry is distinguished from chance.

    The majority rate, plus the larger of the criterion's least gain of the headroom above it and three binomial
    standard errors of a constant guess over `points` points; only the gain where the score is no share of right
    predictions, and `points` None.
    """
    headroom = 1 - baseline
    standard_error = math.sqrt(baseline * headroom / points) if points is not None else 0.0
    return baseline + max(criterion.least_gain * headroom, STANDARD_ERRORS * standard_error)


def bar(criterion: Criterion, *, baseline: float, points: int | None) -> float:
    """The score that the last entries of a run must reach: that of the criterion's kind."""
    if criterion.target is not None:
        return criterion.target
    return chance_bar(criterion, baseline=baseline, points=points)


def bar_of(trace: Trace, criterion: Criterion) -> float:
    """The bar for a trace."""
    return bar(criterion, baseline=trace.baseline, points=trace.facts.points_per_entry)


def chance_bar_of(trace: Trace, criterion: Criterion) -> float:
    """The chance bar for a trace; the same as the bar where the criterion is `chance`."""
    return chance_bar(criterion, baseline=trace.baseline, points=trace.facts.points_per_entry)


def final_score(trace: Trace, criterion: Criterion) -> float:
    """The lowest running train accuracy over the last `last_epochs` entries of the budget.

    An entry that was not trained, or whose loss was not finite, scores at most what a constant guess does: a run ends
    early only where nothing can bring it back.
    """
    last = last_entries(criterion)
    recorded = trace.score[max(trace.budget_epochs - last, 0) :]
    finite = np.isfinite(recorded) & np.isfinite(trace.loss[max(trace.budget_epochs - last, 0) :])
    lowest = float(recorded[np.isfinite(recorded)].min(initial=1.0))
    whole = len(recorded) == min(last, trace.budget_epochs) and finite.all()
    return lowest if whole else min(lowest, trace.baseline)


def reaches(score: float, bar: float) -> bool:
    """Whether a score reaches a bar."""
    return score >= bar - ROUNDING


def learned(trace: Trace, criterion: Criterion) -> bool:
    """Whether `last_epochs` entries in a row reached the chance bar, at any time of the run."""
    return longest_row(reached(trace, chance_bar_of(trace, criterion))) >= last_entries(criterion)


def reached(trace: Trace, score: float) -> NDArray[np.bool_]:
    """[E] which entries reached a score."""
    return np.asarray(trace.score.astype(np.float64) >= score - ROUNDING)


def last_entries(criterion: Criterion) -> int:
    """How many entries at the end of the budget count."""
    return criterion.last_epochs or 1


def longest_row(good: NDArray[np.bool_]) -> int:
    """The longest unbroken row of good entries."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], good, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
