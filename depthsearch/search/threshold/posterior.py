"""Three shapes that a trainability curve may have, each falling from 1 to 0 and through 1/2 at t = 0.

With t = beta (ln d - m), so that m is the logarithm of the depth at the middle and beta the slope there: dF/dt at 0 is
-1/4 for all three. The second is c**d exactly where beta = 2 ln 2; the third is its mirror image.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]


LN2 = float(np.log(2))


def logistic(t: Values) -> Values:
    """1 / (1 + e^t)."""
    return 1 / (1 + np.exp(np.clip(t, -80, 80)))


def weibull(t: Values) -> Values:
    """exp(-ln 2 e^(t / (2 ln 2))): slow to fall, then fast."""
    shares: Values = np.exp(-LN2 * np.exp(np.clip(t / (2 * LN2), -80, 80)))
    return shares


def mirrored(t: Values) -> Values:
    """1 - exp(-ln 2 e^(-t / (2 ln 2))): fast to fall, with a long tail."""
    shares: Values = -np.expm1(-LN2 * np.exp(np.clip(-t / (2 * LN2), -80, 80)))
    return shares


def where_logistic(share: Values) -> Values:
    """The t at which the logistic curve has that share; for shares within (0, 1)."""
    return np.log1p(-share) - np.log(share)


def where_weibull(share: Values) -> Values:
    """Likewise."""
    return 2 * LN2 * np.log(-np.log(share) / LN2)


def where_mirrored(share: Values) -> Values:
    """Likewise."""
    return -2 * LN2 * np.log(-np.log1p(-share) / LN2)


LINKS = (logistic, weibull, mirrored)


WHERE = (where_logistic, where_weibull, where_mirrored)

Floats = NDArray[np.float64]

SHALLOWEST, DEEPEST = float(np.log(0.7)), float(np.log(14_000))


GAMMAS = ((0.004, 0.4), (0.03, 0.3), (0.08, 0.2), (0.2, 0.1))


LAMBDAS = ((0.003, 0.6), (0.02, 0.3), (0.1, 0.1))


ASYMPTOTES = tuple(itertools.product(GAMMAS, LAMBDAS))


BETAS = np.geomspace(0.8, 300, 14)


LOW_GAMMAS = ((0.004, 0.25), (0.03, 0.2), (0.08, 0.15), (0.2, 0.15), (0.3, 0.125), (0.4, 0.125))
LOW_ASYMPTOTES = tuple(itertools.product(LOW_GAMMAS, LAMBDAS))
LOW_BETAS = np.geomspace(0.25, 300, 16)
"""Where curves may start low, since success means to be no worse than most runs at the shallowest depth."""


STEPS = 150


LEAST_SPAN = 45
"""Steps of m that the mass must span; where it spans fewer, the grid is drawn again around it."""

NEGLIGIBLE = 1e-7
"""Share of the mass under which a shape, or a pair of asymptotes, is left out."""

FINEST = 1e-6
"""Step of m that is finer than any whole depth up to a million."""

TOGETHER = 32
"""Counts worked out at once: enough that NumPy's calls do not count, few enough to stay in the cache."""

ZOOMS = 6
"""At most; each makes the grid some five times finer."""


GENTLE, GENTLE_GAMMA = 10, 0.05
"""Slopes under the first, with fewer failures everywhere than the second, are enough to see where m lies; where curves
may start low, with any failures everywhere.
"""


@dataclass(frozen=True, order=True)
class Count:
    """`trained` of `runs` runs succeeded at a depth, counted from 1."""

    depth: int
    runs: int
    trained: int


@dataclass(frozen=True, eq=False)
class Posterior:
    """Curves and their weights. C curves.

    Attributes:
        m: [C] ln of the depth in the middle of the fall.
        beta: [C] slope.
        link: [C] which shape.
        gamma: [C] share that fails at every depth.
        lam: [C] share that succeeds at every depth.
        weight: [C] posterior weights; they add up to 1.
    """

    m: Floats
    beta: Floats
    link: NDArray[np.int64]
    gamma: Floats
    lam: Floats
    weight: Floats

    def probabilities(self, depths: Sequence[int] | NDArray[np.int64]) -> Floats:
        """[depths, C] P(success) at each depth, counted from 1."""
        t = self.beta * (np.log(np.asarray(depths, dtype=np.float64))[:, None] - self.m)
        shares = np.empty_like(t)
        for number, link in enumerate(LINKS):
            chosen = self.link == number
            shares[:, chosen] = link(t[:, chosen])
        probabilities: Floats = self.lam + (1 - self.gamma - self.lam) * shares
        return probabilities

    def quantiles(self, depths: Sequence[int], levels: Sequence[float]) -> Floats:
        """[depths, levels] quantiles of P(success) at each depth."""
        return np.array([quantiles(row, self.weight, levels) for row in self.probabilities(depths)]).reshape(
            len(depths), len(levels)
        )

    def thresholds(self, reliability: float, *, limited: bool = True) -> Floats:
        """[C] ln of the depth at which each curve falls to the reliability.

        A curve that never reaches it falls there at minus infinity, one that never falls below it at infinity; or,
        where `limited`, at the ends of the range of m.
        """
        share = (reliability - self.lam) / (1 - self.gamma - self.lam)
        inside = np.clip(share, 1e-12, 1 - 1e-12)
        t = np.empty_like(share)
        for number, where in enumerate(WHERE):
            chosen = self.link == number
            t[chosen] = where(inside[chosen])
        u: Floats = np.where(share >= 1, -np.inf, np.where(share <= 0, np.inf, self.m + t / self.beta))
        return np.clip(u, SHALLOWEST, max(DEEPEST, self.m.max())) if limited else u

    def every(self, stride: int) -> "Posterior":
        """Every stride-th curve."""
        return self if stride == 1 else self.at(np.arange(0, len(self.weight), stride))

    def at(self, places: NDArray[np.int64]) -> "Posterior":
        """The curves at these places."""
        weight = self.weight[places]
        return Posterior(
            self.m[places], self.beta[places], self.link[places], self.gamma[places], self.lam[places],
            weight / weight.sum(),
        )  # fmt: skip

    def without(self, counts: Sequence[Count]) -> "Posterior":
        """What was believed before these counts, on the same curves."""
        logarithm = np.log(self.weight)
        for count, p in zip(counts, self.probabilities([count.depth for count in counts]), strict=True):
            logarithm -= count.trained * np.log(p) + (count.runs - count.trained) * np.log1p(-p)
        weight = np.exp(logarithm - logarithm.max())
        return Posterior(self.m, self.beta, self.link, self.gamma, self.lam, weight / weight.sum())

    def width(self) -> Floats:
        """[C] ln of how many times deeper than where 90 % of the fall is left, 10 % of it is left."""
        spans = np.array([float(where(np.array([0.1]))[0] - where(np.array([0.9]))[0]) for where in WHERE])
        width: Floats = spans[self.link] / self.beta
        return width


def quantiles(values: Floats, weight: Floats, levels: Sequence[float]) -> Floats:
    """Quantiles of weighted values: the smallest value whose cumulative weight reaches the level."""
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weight[order])
    places = np.searchsorted(cumulative, np.asarray(levels) * cumulative[-1])
    found: Floats = values[order][np.minimum(places, len(values) - 1)]
    return found


@lru_cache(maxsize=64)
def posterior(counts: tuple[Count, ...], starts_low: bool = False) -> Posterior:
    """The posterior after these counts; one count for each depth, sorted, for the cache's sake.

    Args:
        counts: What was seen.
        starts_low: Whether more than a fifth of the runs may fail at every depth, and curves may fall very slowly.
    """
    grid = _Grid.whole(starts_low)
    low, high = _region(grid, counts, 1.0 if starts_low else GENTLE_GAMMA)
    for _ in range(ZOOMS):
        m = np.linspace(low, high, STEPS)
        weight = grid.weights(m, counts)
        held = np.flatnonzero(weight.sum(axis=(0, 2)) > NEGLIGIBLE)
        if held[-1] - held[0] + 1 >= LEAST_SPAN or m[1] - m[0] < FINEST:
            break
        low, high = m[max(held[0] - 1, 0)], m[min(held[-1] + 1, STEPS - 1)]
        grid = grid.only(weight.sum(axis=(0, 1)) > NEGLIGIBLE, weight.sum(axis=(1, 2)) > NEGLIGIBLE)
    return grid.posterior(m, weight)


@dataclass(frozen=True, eq=False)
class _Grid:
    """Shapes and asymptotes, with their logarithmic priors. S shapes (link and slope), A pairs of asymptotes."""

    link: NDArray[np.int64]
    beta: Floats
    shape_prior: Floats
    gamma: Floats
    lam: Floats
    prior: Floats

    @classmethod
    @lru_cache(maxsize=2)
    def whole(cls, starts_low: bool) -> "_Grid":
        shapes = list(itertools.product(range(len(LINKS)), LOW_BETAS if starts_low else BETAS))
        asymptotes = LOW_ASYMPTOTES if starts_low else ASYMPTOTES
        beta = np.array([beta for _, beta in shapes])
        return cls(
            link=np.array([link for link, _ in shapes]),
            beta=beta,
            shape_prior=-0.5 * ((np.log(beta) - np.log(8)) / 2.5) ** 2,
            gamma=np.array([gamma for (gamma, _), _ in asymptotes]),
            lam=np.array([lam for _, (lam, _) in asymptotes]),
            prior=np.log([first * second for (_, first), (_, second) in asymptotes]),
        )

    def only(self, shapes: NDArray[np.bool_], asymptotes: NDArray[np.bool_]) -> "_Grid":
        """Some of the shapes and of the asymptotes."""
        return _Grid(
            self.link[shapes], self.beta[shapes], self.shape_prior[shapes],
            self.gamma[asymptotes], self.lam[asymptotes], self.prior[asymptotes],
        )  # fmt: skip

    def weights(self, m: Floats, counts: Sequence[Count]) -> Floats:
        """[A, m, S] posterior weights."""
        # Single precision is enough for what is worked out here, and twice as fast; [A, m, S] fits a core's cache.
        lam = self.lam.astype(np.float32)[:, None, None]
        scale = (1 - self.gamma - self.lam).astype(np.float32)[:, None, None]
        total = np.empty((len(self.lam), len(m), len(self.beta)), np.float32)
        total[:] = self.prior[:, None, None] + self.shape_prior
        p, logarithms = np.empty_like(total), np.empty_like(total)
        for first in range(0, len(counts), TOGETHER):
            chunk = counts[first : first + TOGETHER]
            for count, shares in zip(chunk, self._shares(m, [count.depth for count in chunk]), strict=True):
                np.multiply(scale, shares, out=p)
                p += lam
                if count.trained:
                    np.log(p, out=logarithms)
                    logarithms *= count.trained
                    total += logarithms
                if count.trained < count.runs:
                    np.subtract(1, p, out=p)
                    np.log(p, out=p)
                    p *= count.runs - count.trained
                    total += p
        weight = np.exp(total.astype(np.float64) - float(total.max()))
        normalized: Floats = weight / weight.sum()
        return normalized

    def _shares(self, m: Floats, depths: Sequence[int]) -> NDArray[np.float32]:
        """[depths, m, S] F of each shape."""
        t = self.beta * (np.log(np.asarray(depths, dtype=np.float64))[:, None, None] - m[:, None])
        shares = np.empty(t.shape, np.float32)
        for number, link in enumerate(LINKS):
            chosen = self.link == number
            shares[..., chosen] = link(t[..., chosen].astype(np.float32))
        return shares

    def posterior(self, m: Floats, weight: Floats) -> Posterior:
        """The curves that hold all but a negligible part of the mass, shallowest first."""
        by_m = weight.transpose(1, 2, 0)
        place, shape, asymptotes = np.nonzero(by_m > NEGLIGIBLE / weight.size)
        kept = by_m[place, shape, asymptotes]
        return Posterior(
            m[place], self.beta[shape], self.link[shape], self.gamma[asymptotes], self.lam[asymptotes],
            kept / kept.sum(),
        )  # fmt: skip


def _region(grid: _Grid, counts: Sequence[Count], most_gamma: float) -> tuple[float, float]:
    """Limits of m that hold the mass, as gentle slopes with fewer failures everywhere than `most_gamma` see it.

    Steep curves fit between two grid points of the whole range and would be lost on it.
    """
    gentle = grid.only(grid.beta < GENTLE, grid.gamma < most_gamma)
    deepest = max([DEEPEST, *(float(np.log(4 * count.depth)) for count in counts)])
    m = np.linspace(SHALLOWEST, deepest, STEPS)
    held = np.flatnonzero(gentle.weights(m, counts).sum(axis=(0, 2)) > NEGLIGIBLE)
    return float(m[max(held[0] - 1, 0)]), float(m[min(held[-1] + 1, STEPS - 1)])
