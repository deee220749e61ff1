"""Bayesian threshold search as an Optuna sampler without a state of its own."""

import math
from collections.abc import Sequence

from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial

from depthsearch.search.curve import Curve
from depthsearch.search.sampler import DepthSampler
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.threshold.picking import CONFIRM_RUNS, next_pick
from depthsearch.search.threshold.stopping import NEARNESS, TAIL_RUNS


class ThresholdSampler(DepthSampler):
    """Tries the depth that tells most of the threshold for its cost, and looks out for curves that dip or revive.

    The belief is a posterior over curves of P(success | depth), and the next depth the one that reduces the
    variance of ln(threshold) most for its cost (see search.acquisition). It is never deeper than twice the deepest
    success. Now and then a trial is a sentinel at a random shallower depth; and once a stopping rule holds, the depths
    beyond the threshold are looked at, so that a revival would be seen.

    The next depth is a pure function of the finished trials and of the running ones with a lower number, so a restart
    changes nothing, and workers in lockstep pick what one batch would. Convergence is `estimate`'s to say.

    Args:
        settings: `reliability`, `tolerance`, `runs_per_trial`, `parallel_trials`, `max_runs` and `seed` are used; the
            deepest depth is the parameter's own upper bound.
        parameter: Name of the integer parameter that is the depth. Every other parameter is drawn at random.
    """

    def next_depth(self, earlier: Sequence[FrozenTrial], depths: IntDistribution) -> int:
        """The depth of the trial after these."""
        return next_pick(earlier, depths, self.settings, parameter=self.parameter).depth


STANDARD_ERRORS = 1.96
"""Half-width of a 95 % interval."""

NEAR = 1.5
"""Runs at depths within this factor of the interval tell of P(trained) at the threshold."""


def runs_expected(curve: Curve, settings: ResolvedSettings) -> int | None:
    """Runs until the search is concluded and confirmed, if it goes on as runs at random do; None where nobody knows.

    The width of an interval falls with the square root of the runs. Whichever rule ends a search takes the fewer runs:
    that of the width, or that of P(trained) at the threshold, which some hundred runs nearby tell well enough.

    Args:
        curve: What is known now.
        settings: Of the search.
    """
    made = sum(point.of for point in curve.points)
    expected = _bisected(curve, settings) if settings.sampler == "bisect" else _believed(curve, settings, made)
    if settings.max_runs is not None:
        left = max(settings.max_runs - made, 0)
        return left if expected is None else min(expected, left)
    return expected


def _bisected(curve: Curve, settings: ResolvedSettings) -> int | None:
    """Half of the bracket goes with each depth; then both edges are tried again."""
    again = 2 * settings.runs_per_trial
    if curve.concluded:
        return again
    if curve.fails_at is None:
        return None
    between = curve.fails_at - (curve.max_depth or 0)
    return math.ceil(math.log2(max(between, 1))) * settings.runs_per_trial + again


def _believed(curve: Curve, settings: ResolvedSettings, made: int) -> int | None:
    if settings.sampler == "grid":
        missing = set(settings.depths or ()) - {point.depth for point in curve.points}
        return len(missing) * settings.runs_per_trial
    again = max(CONFIRM_RUNS, settings.runs_per_trial)
    if curve.concluded:
        return again
    low, high = curve.interval or (0, None)
    if high is None or not curve.thresholds:
        return None
    median = next(own.depth for own in curve.thresholds if own.reliability == settings.reliability)
    narrow = 2 * max(1.0, settings.tolerance * median)
    by_width = made * (((high - low) / narrow) ** 2 - 1)
    near = sum(point.of for point in curve.points if low / NEAR <= point.depth <= high * NEAR)
    by_level = (STANDARD_ERRORS / NEARNESS) ** 2 - near
    return round(max(min(by_width, by_level), settings.runs_per_trial)) + TAIL_RUNS + again
