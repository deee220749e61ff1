"""Does trainability fall with depth? A test against curves that dip, or revive."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depthsearch.search.threshold.posterior import Count, Posterior

Floats = NDArray[np.float64]

BOOTSTRAPS = 400


SIGNIFICANT = 0.1
"""Curves are flagged below this. The belief that is simulated from has seen the counts, which makes the test
conservative: falling curves are flagged in some 2 % of searches (benchmarks/search.py).
"""

BINS_PER_OCTAVE = 2


@dataclass(frozen=True)
class Crossings:
    """Where shares cross the reliability, in steps that were tried; 0 for none.

    Attributes:
        first: The deepest to which all pass.
        last: The deepest that passes.
    """

    first: int
    last: int


@dataclass(frozen=True)
class Rise:
    """Counts that falling curves do not explain.

    Attributes:
        lone: Where a single run that trained is all that shows the rise, its depth in steps: without it, falling curves
            explain the counts. None where several runs show it.
    """

    lone: int | None


def falls_with_depth(counts: Sequence[Count], belief: Posterior | None, *, seed: int = 0) -> bool:
    """Whether the counts are compatible with success probabilities that never rise with depth; see `rise`.

    One lucky run is no rise: the counts without it have to be incompatible as well.
    """
    found = rise(tuple(counts), belief, seed=seed)
    return found is None or found.lone is not None


@lru_cache(maxsize=16)
def rise(counts: tuple[Count, ...], belief: Posterior | None, *, seed: int = 0) -> Rise | None:
    """The rise that the counts show; None where success probabilities that never rise with depth explain them.

    Counts are pooled in bins sqrt(2) wide. The statistic is the likelihood ratio of a free probability for each bin
    against the best falling ones. Its distribution under curves that fall is simulated (400 parametric bootstraps):
    each draws a curve from the belief, and fresh counts at the same depths from the curve.

    Args:
        counts: What was seen.
        belief: What the counts say of curves that fall; None where none of its curves fits (they reach at least 0.8
            somewhere), for the best falling fit, drawn a little towards one half.
        seed: Of the simulation.
    """
    bins = _Bins.of(counts)
    runs, trained = (bins.pooled([getattr(count, name) for count in counts]) for name in ("runs", "trained"))
    if len(runs) < 2:  # noqa: PLR2004 - one bin cannot rise
        return None
    rng = np.random.default_rng(seed)
    if belief is None:
        shares = np.tile(_falling(((trained + 0.5) / (runs + 1))[None], runs)[0][bins.place], (BOOTSTRAPS, 1))
    else:
        curves = rng.choice(len(belief.weight), BOOTSTRAPS, p=belief.weight)
        shares = belief.at(curves).probabilities([count.depth for count in counts]).T
    simulated = _statistic(runs, bins.pooled(rng.binomial([count.runs for count in counts], np.clip(shares, 0, 1))))

    def is_rise(runs: Floats, trained: Floats) -> bool:
        kept = runs > 0
        seen = _statistic(runs[kept], trained[None, kept])[0]
        p = (1 + np.sum(simulated >= seen - 1e-9)) / (1 + BOOTSTRAPS)
        return bool(p < SIGNIFICANT)

    if not is_rise(runs, trained):
        return None
    for number in reversed(np.flatnonzero(trained).tolist()):
        one = np.eye(1, bins.number, number)[0]
        if not is_rise(runs - one, trained - one):
            here = zip(counts, bins.place.tolist(), strict=True)
            return Rise(max(count.depth for count, place in here if place == number and count.trained))
    return Rise(None)


def crossings(counts: Sequence[Count], reliability: float) -> Crossings:
    """Where the share of successes, pooled over depths within a factor of 2**(1/4), crosses the reliability."""
    depths = np.log2([count.depth for count in counts])
    near = np.abs(depths[:, None] - depths) <= 1 / (2 * BINS_PER_OCTAVE) + 1e-9
    runs, trained = (near @ np.array([getattr(count, name) for count in counts]) for name in ("runs", "trained"))
    passes = trained >= reliability * runs - 1e-9
    fails = np.flatnonzero(~passes)
    upto = len(counts) if not len(fails) else int(fails[0])
    last = np.flatnonzero(passes)
    return Crossings(counts[upto - 1].depth if upto else 0, counts[int(last[-1])].depth if len(last) else 0)


@dataclass(frozen=True, eq=False)
class _Bins:
    """Depths sorted into bins sqrt(2) wide, shallowest first; empty ones are left out.

    Attributes:
        number: How many there are.
        place: [counts] the bin of each count.
    """

    number: int
    place: NDArray[np.int64]

    @classmethod
    def of(cls, counts: Sequence[Count]) -> "_Bins":
        depths = np.array([count.depth for count in counts])
        bins = np.floor(BINS_PER_OCTAVE * np.log2(depths) + 1e-9).astype(np.int64)
        kept, place = np.unique(bins, return_inverse=True)
        return cls(len(kept), place)

    def pooled(self, values: ArrayLike) -> Floats:
        """[..., bins] sums of [..., counts] values."""
        array = np.asarray(values, dtype=np.float64)
        sums: Floats = array @ (self.place[:, None] == np.arange(self.number))
        return sums


def _falling(shares: Floats, runs: Floats) -> Floats:
    """[B, bins] the falling probabilities of greatest likelihood for B sets of shares (min-max form of PAVA).

    All sets at once: 400 bootstraps of 12 bins take 1.8 ms. scipy.optimize.isotonic_regression, one set at a time,
    takes 3.7 ms (0.2 and 3.7 ms for 4 bins), which makes the whole test 1.7 times slower.
    """
    bins = len(runs)
    total = np.concatenate([np.zeros((len(shares), 1)), np.cumsum(shares * runs, axis=1)], axis=1)
    weight = np.concatenate([[0.0], np.cumsum(runs)])
    # mean[:, a, b]: the share over bins a to b
    first, last = np.triu_indices(bins)
    mean = np.full((len(shares), bins, bins), np.nan)
    mean[:, first, last] = (total[:, last + 1] - total[:, first]) / (weight[last + 1] - weight[first])
    fitted = np.empty_like(shares)
    for k in range(bins):
        # The largest over later ends of the means, then the smallest over earlier beginnings.
        fitted[:, k] = mean[:, : k + 1, k:].max(axis=2).min(axis=1)
    return fitted


def _statistic(runs: Floats, trained: Floats) -> Floats:
    """[B] twice the gain in log likelihood of free probabilities over falling ones."""
    shares = trained / runs
    falling = _falling(shares, runs)

    def likelihood(p: Floats) -> Floats:
        inside = np.clip(p, 1e-12, 1 - 1e-12)
        summed: Floats = (trained * np.log(inside) + (runs - trained) * np.log1p(-inside)).sum(axis=1)
        return summed

    return 2 * (likelihood(shares) - likelihood(falling))
