"""The posterior on its grid, against sums written out one curve at a time."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthsearch.search.threshold.posterior import ASYMPTOTES, BETAS, Count, posterior, quantiles
from depthsearch.search.threshold.stopping import threshold

COUNTS = (Count(4, 6, 6), Count(16, 8, 7), Count(40, 10, 6), Count(80, 5, 1))


def reference(
    counts: tuple[Count, ...], reliability: float, depths: tuple[int, ...]
) -> tuple[list[float], list[float]]:
    """(mean P(success) at each depth, share of the posterior whose threshold lies below it), without a zoom."""
    ln2 = math.log(2)
    shapes = (
        lambda t: 1 / (1 + math.exp(min(t, 700))),
        lambda t: math.exp(-ln2 * math.exp(min(t / (2 * ln2), 700))),
        lambda t: 1 - math.exp(-ln2 * math.exp(min(-t / (2 * ln2), 700))),
    )
    total, means, below = 0.0, [0.0] * len(depths), [0.0] * len(depths)
    for shape, beta, ((gamma, first), (lam, second)), m in itertools.product(
        shapes, BETAS, ASYMPTOTES, np.linspace(math.log(2), math.log(400), 300)
    ):

        def p(depth: int) -> float:
            return lam + (1 - gamma - lam) * shape(beta * (math.log(depth) - m))  # type: ignore[no-any-return]  # noqa: B023 - used at once

        weight = first * second * math.exp(-0.5 * ((math.log(beta) - math.log(8)) / 2.5) ** 2)
        for count in counts:
            weight *= p(count.depth) ** count.trained * (1 - p(count.depth)) ** (count.runs - count.trained)
        total += weight
        for place, depth in enumerate(depths):
            means[place] += weight * p(depth)
            below[place] += weight * (p(depth) < reliability)
    return [mean / total for mean in means], [share / total for share in below]


def test_means_and_thresholds_are_those_of_a_plain_sum() -> None:
    depths = (10, 25, 40, 60)
    belief = posterior(COUNTS)
    means, below = reference(COUNTS, 0.5, depths)
    np.testing.assert_allclose(belief.probabilities(depths) @ belief.weight, means, atol=0.004)
    u = belief.thresholds(0.5)
    ours = [float(belief.weight[u < math.log(depth)].sum()) for depth in depths]
    np.testing.assert_allclose(ours, below, atol=0.01)


def test_without_counts_nothing_is_known() -> None:
    belief = posterior(())
    found = threshold(belief, 0.5)
    assert found.low < 2
    assert found.high > 8000
    assert belief.weight.sum() == pytest.approx(1)


@pytest.mark.parametrize("depth", [3, 74, 2500])
def test_a_sharp_step_is_pinned_however_steep(depth: int) -> None:
    """Steps fit between the points of a coarse grid: the zoom must not lose them."""
    fails = max(depth + 1, round(1.02 * depth))
    seen = {max(depth // 8, 1): 20, max(depth // 2, 1): 20, depth: 60}
    counts = [*(Count(one, runs, runs) for one, runs in seen.items()), Count(fails, 60, 0)]
    found = threshold(posterior(tuple(counts)), 0.5)
    assert 0.99 * depth <= found.low <= found.high <= 1.01 * fails


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 30), st.floats(0, 1)), min_size=1, max_size=12))
def test_whatever_was_seen_the_posterior_is_one(seen: list[tuple[int, int, float]]) -> None:
    counts = {depth: Count(depth, runs, round(share * runs)) for depth, runs, share in seen}
    belief = posterior(tuple(counts[depth] for depth in sorted(counts)))
    assert np.isfinite(belief.weight).all()
    assert belief.weight.sum() == pytest.approx(1)
    p = belief.probabilities([1, 10, 100, 1000]) @ belief.weight
    assert np.all(np.diff(p) <= 1e-9)
    found = threshold(belief, 0.5)
    assert found.low <= found.median <= found.high


def test_more_runs_narrow_the_interval() -> None:
    few = threshold(posterior(COUNTS), 0.5)
    more = tuple(Count(count.depth, 20 * count.runs, 20 * count.trained) for count in COUNTS)
    many = threshold(posterior(more), 0.5)
    assert math.log(many.high / many.low) < 0.5 * math.log(few.high / few.low)


def test_a_share_that_always_fails_keeps_a_high_reliability_out_of_reach() -> None:
    belief = posterior((Count(1, 100, 82), Count(10, 100, 80), Count(100, 100, 5)))
    assert threshold(belief, 0.95).high < 1
    assert 20 < threshold(belief, 0.5).median < 100


def test_the_width_of_the_fall_is_that_of_the_curve() -> None:
    """A logistic fall of slope 12: 10 % at exp(2 ln 9 / 12) = 1.44 times the depth of 90 %."""
    truth = {depth: 1 / (1 + (depth / 74) ** 12) for depth in range(40, 140, 4)}
    belief = posterior(tuple(Count(depth, 400, round(400 * p)) for depth, p in truth.items()))
    (median,) = quantiles(np.exp(belief.width()), belief.weight, (0.5,))
    assert median == pytest.approx(9 ** (2 / 12), rel=0.1)


def test_quantiles_are_weighted() -> None:
    values, weight = np.array([3.0, 1.0, 2.0]), np.array([0.2, 0.5, 0.3])
    assert quantiles(values, weight, (0.4, 0.6, 0.9)).tolist() == [1.0, 2.0, 3.0]


def test_the_same_counts_are_worked_out_once() -> None:
    posterior.cache_clear()
    for _ in range(3):
        posterior(COUNTS)
    assert posterior.cache_info().misses == 1


def test_curves_that_start_low_need_a_posterior_that_holds_them() -> None:
    """Of 200 runs each, 0.65 at depths up to 30 and 0.2 beyond: half of them are never reached by a gentle fall."""
    counts = tuple(Count(depth, 200, 130 if depth <= 30 else 40) for depth in (1, 3, 10, 30, 50, 100))
    found = threshold(posterior(counts, starts_low=True), 0.5)
    assert 29 < found.low <= found.median <= found.high < 51
    start = posterior(counts, starts_low=True).quantiles([1], [0.5])[0, 0]
    assert start == pytest.approx(0.65, abs=0.06)
