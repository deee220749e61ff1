"""When a search may end, from the counts, and what they show then."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import bdtr, bdtrc

from depthsearch.search.curve import Conclusion
from depthsearch.search.threshold.posterior import Count, Posterior, posterior, quantiles

LEVEL = 0.95
"""Credibility of the interval."""

RECENT_RUNS = 4
"""The last trials without which a rule has to hold, too: as many as make so many runs."""

LEAST_RUNS = 32


NEARNESS = 0.2
"""Rule LEVEL: how near P(success) at the answer is to the reliability, in standard deviations of one run."""

TAIL_RUNS = 16


TAIL_FROM, TAIL_TO = 1.15, 4.0
"""From and to how many times the interval's upper end the tail extends; its trials are log-spaced."""

CURVES = 500
"""Posterior samples used by `suspicious`."""

SUSPICIOUS, ENOUGH_RUNS = 0.1, 8
"""Depths whose failures are less likely than that get more runs, until they have so many."""

SURPRISING = 0.02


@dataclass(frozen=True)
class Threshold:
    """Where P(success) falls to a reliability, in steps, not rounded.

    Attributes:
        low: Lower end of the interval; below 1 where even the shallowest may fail.
        median: Posterior median.
        high: Upper end; infinite where the threshold may lie beyond the last step.
    """

    low: float
    median: float
    high: float


@lru_cache(maxsize=16)
def threshold(belief: Posterior, reliability: float) -> Threshold:
    """The posterior median and the equal-tailed interval."""
    tail = (1 - LEVEL) / 2
    u = belief.thresholds(reliability, limited=False)
    low, median, high = np.exp(quantiles(u, belief.weight, (tail, 0.5, 1 - tail)))
    return Threshold(float(low), float(median), float(high))


@lru_cache(maxsize=16)
def rule_that_holds(
    counts: tuple[Count, ...],
    recent: tuple[Count, ...],
    reliability: float,
    tolerance: float,
    last_step: int,
    *,
    starts_low: bool = False,
) -> Conclusion | None:
    """The rule that would end the search now, the tail aside.

    Args:
        counts: All that was seen, a count for each depth, shallowest first.
        recent: What the last trials added. A rule also has to hold without them, so that chance ends no search.
        reliability: P(success) at the threshold.
        tolerance: Half-width wanted, as a share of the depth.
        last_step: The deepest step that may be tried.
        starts_low: See `posterior`.
    """
    if not counts:
        return None
    belief = posterior(counts, starts_low)
    at_ends = belief.probabilities([1, last_step])
    if belief.weight[at_ends[0] < reliability].sum() >= LEVEL:
        return Conclusion.SHALLOWEST
    if belief.weight[at_ends[1] >= reliability].sum() >= LEVEL:
        return Conclusion.CAP
    rules = [Conclusion.WIDTH]
    if sum(count.runs for count in counts) >= LEAST_RUNS:
        rules.append(Conclusion.LEVEL)

    def first(curves: Posterior) -> Conclusion | None:
        holds = {
            Conclusion.WIDTH: lambda: _narrow(threshold(curves, reliability), tolerance),
            Conclusion.LEVEL: lambda: _level_known(curves, reliability, last_step),
        }
        return next((rule for rule in rules if holds[rule]()), None)

    rule = first(belief)
    return rule if rule is not None and first(belief.without(recent)) is not None else None


def _level_known(belief: Posterior, reliability: float, last_step: int) -> bool:
    """Whether P(success) at the median threshold is known to lie near the reliability."""
    median = threshold(belief, reliability).median
    if not 1 <= median <= last_step:
        return False
    p = belief.probabilities([round(median)])[0]
    near = np.abs(p - reliability) <= NEARNESS * np.sqrt(reliability * (1 - reliability))
    return bool(belief.weight[near].sum() >= LEVEL)


def _narrow(found: Threshold, tolerance: float) -> bool:
    return bool(np.isfinite(found.high)) and found.high - found.low <= 2 * max(1.0, tolerance * found.median)


def tail_limits(found: Threshold, last_step: int) -> tuple[float, float] | None:
    """The first and the last step of the tail; None where it has none."""
    first, last = TAIL_FROM * max(found.high, 1.0), min(TAIL_TO * max(found.high, 1.0), float(last_step))
    return (first, last) if np.ceil(first) <= last else None


@lru_cache(maxsize=16)
def suspicious(counts: tuple[Count, ...], belief: Posterior) -> list[int]:
    """Steps at which more failed than is likely on a curve that falls, with too few runs to be sure; worst first."""
    few = [count for count in counts if count.runs < ENOUGH_RUNS and count.trained < count.runs]
    if not few:
        return []
    thin = belief.every(-(-len(belief.weight) // CURVES))
    p = thin.probabilities([count.depth for count in few])
    odds = [float(bdtr(count.trained, count.runs, row) @ thin.weight) for count, row in zip(few, p, strict=True)]
    ranked = sorted((odd, count.depth) for odd, count in zip(odds, few, strict=True))
    return [step for odd, step in ranked if odd < SUSPICIOUS]


def surprising(belief: Posterior, step: int, runs: int, trained: int) -> bool:
    """Whether a fresh count lies in the outer tails of what the belief predicts there (posterior predictive check)."""
    p = belief.probabilities([step])[0]
    below = float(belief.weight @ bdtr(trained, runs, p))
    above = float(belief.weight @ bdtrc(trained - 1, runs, p)) if trained else 1.0
    return 2 * min(below, above) < SURPRISING
