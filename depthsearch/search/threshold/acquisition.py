"""Which depth tells most of the threshold for its cost: expected reduction of variance, aware of what is pending."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from depthsearch.search.threshold.posterior import Floats, Posterior, quantiles

Depths = NDArray[np.int64]

CANDIDATES = 28


LAUNCH = 1.0
"""What it costs to launch a run, in units of depth."""

ENOUGH = 3_000
"""Curves that the choice is made with; a posterior of more is thinned out."""

FIRST = 8
"""The deepest depth before anything has succeeded."""


@dataclass(frozen=True)
class Pending:
    """`runs` runs under way at a depth, counted from 1."""

    depth: int
    runs: int


@dataclass(frozen=True)
class Effort:
    """The share of a training's budget that a run takes which succeeds, and one which fails."""

    succeeds: float = 1.0
    fails: float = 1.0


def best_depth(
    belief: Posterior,
    reliability: float,
    *,
    runs: int,
    deepest: int,
    pending: Sequence[Pending] = (),
    effort: Effort | None = None,
    side_by_side: int = 1,
) -> int:
    """The depth, counted from 1, whose `runs` runs reduce the variance of ln(threshold) most for their cost.

    With u = ln(threshold), one run at d reduces Var(u) by Cov(u, p_d)^2 / [P_d (1 - P_d)] in expectation. What is
    pending is conditioned on first, by linear Bayes: as if its outcome were known.

    Args:
        belief: What is known.
        reliability: P(success) at the threshold.
        runs: How many fresh runs the depth will get.
        deepest: The deepest depth allowed.
        pending: What is under way.
        effort: What a run costs of its budget.
        side_by_side: How many depths a round has that are trained at the same time.
    """
    thin, depths = _thinned(belief, reliability, deepest)
    places = np.array([*depths, *(trial.depth for trial in pending)])
    state, mean = _moments(thin, reliability, places)
    effort = effort or Effort()
    candidates = slice(0, len(depths))
    cost = (depths + LAUNCH) * (mean[candidates] * effort.succeeds + (1 - mean[candidates]) * effort.fails)
    if side_by_side > 1:
        # What trains side by side takes as long as its deepest: how deep the round goes is settled first.
        cap = _deepest_of_round(belief, reliability, deepest=deepest, effort=effort, runs=runs, count=side_by_side)
        cost = np.where(depths <= cap, 1.0, np.inf)
    for place, trial in enumerate(pending, start=len(depths)):
        state = state.given(place, trial.runs)
    return int(depths[np.argmax(state.reduction(runs)[candidates] / cost)])


def _moments(thin: Posterior, reliability: float, places: Depths) -> tuple["_Moments", Floats]:
    """The second moments at those depths, and the mean success probabilities."""
    u = thin.thresholds(reliability)
    p = thin.probabilities(places)
    mean = p @ thin.weight
    away = p - mean[:, None]
    weighted = away * thin.weight
    return _Moments(weighted @ (u - u @ thin.weight), weighted @ away.T, (p * (1 - p)) @ thin.weight), mean


@lru_cache(maxsize=8)
def _thinned(belief: Posterior, reliability: float, deepest: int) -> tuple[Posterior, Depths]:
    """Curves few enough to choose with, and the depths to choose from: log-spaced over what is likely."""
    thin = belief.every(-(-len(belief.weight) // ENOUGH))
    low, high = quantiles(thin.thresholds(reliability), thin.weight, (0.002, 0.998))
    low, high = (min(end, np.log(deepest)) for end in (low - 0.3, high + 0.3))
    spaced = np.round(np.exp(np.linspace(low, high, CANDIDATES))).astype(np.int64)
    return thin, np.unique(np.clip(spaced, 1, deepest))


@dataclass(frozen=True)
class _Moments:
    """Second moments of u = ln(threshold) and of the success probabilities at some depths.

    Attributes:
        along: [K] Cov(u, p_k).
        shared: [K, K] Cov(p_k, p_l).
        noise: [K] the mean of p_k (1 - p_k).
    """

    along: Floats
    shared: Floats
    noise: Floats

    def reduction(self, runs: int) -> Floats:
        """[K] by how much so many runs at each depth are expected to reduce the variance of u."""
        reduction: Floats = self.along**2 / (np.diagonal(self.shared) + self.noise / runs)
        return reduction

    def given(self, place: int, runs: int) -> "_Moments":
        """After so many runs there, by linear Bayes."""
        row = self.shared[:, place]
        total = row[place] + self.noise[place] / runs
        return _Moments(
            self.along - row * (self.along[place] / total), self.shared - np.outer(row, row) / total, self.noise
        )


@lru_cache(maxsize=8)
def _deepest_of_round(
    belief: Posterior, reliability: float, *, deepest: int, effort: Effort, runs: int, count: int
) -> int:
    """The depth up to which a round of so many picks reduces the variance most for the cost of its deepest."""
    thin, depths = _thinned(belief, reliability, deepest)
    state, mean = _moments(thin, reliability, depths)
    cost = (depths + LAUNCH) * (mean * effort.succeeds + (1 - mean) * effort.fails)
    best, cap = -np.inf, 0
    for last in range(len(depths)):
        within = _Moments(state.along[: last + 1], state.shared[: last + 1, : last + 1], state.noise[: last + 1])
        gained = 0.0
        for _ in range(count):
            reduction = within.reduction(runs)
            place = int(np.argmax(reduction))
            gained += float(reduction[place])
            within = within.given(place, runs)
        if gained / cost[last] > best:
            best, cap = gained / cost[last], int(depths[last])
    return cap
