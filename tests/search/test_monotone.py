"""Whether trainability falls with depth: scikit-learn's isotonic fit, and curves that dip or revive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from depthsearch.search.threshold.monotone import Crossings, Rise, _falling, crossings, falls_with_depth, rise
from depthsearch.search.threshold.posterior import Count, posterior


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.floats(0, 1)), min_size=2, max_size=15))
def test_the_falling_fit_is_scikit_learns(seen: list[tuple[int, float]]) -> None:
    runs = np.array([one for one, _ in seen], float)
    shares = np.array([round(share * one) / one for one, share in seen])
    theirs = IsotonicRegression(increasing=False).fit_transform(np.arange(len(runs)), shares, sample_weight=runs)
    np.testing.assert_allclose(_falling(shares[None], runs)[0], theirs, atol=1e-9)


def falls(counts: tuple[Count, ...]) -> bool:
    return falls_with_depth(counts, posterior(counts))


def test_a_dip_and_a_revival_are_seen() -> None:
    dip = (Count(4, 12, 12), Count(12, 8, 1), Count(40, 20, 20), Count(80, 20, 1))
    revival = (Count(4, 12, 12), Count(30, 20, 1), Count(60, 12, 12), Count(120, 12, 0))
    assert not falls(dip)
    assert not falls(revival)
    assert crossings(dip, 0.5) == Crossings(4, 40)
    assert crossings(revival, 0.5) == Crossings(4, 60)


NEVER = (Count(1, 5, 0), Count(2, 6, 0), Count(3, 3, 0))


def test_one_lucky_run_is_no_rise() -> None:
    for belief in (None, posterior((*NEVER, Count(4, 1, 1)))):
        assert falls_with_depth((*NEVER, Count(4, 1, 1)), belief)
        assert rise((*NEVER, Count(4, 1, 1)), belief) == Rise(lone=4)
        assert rise((*NEVER, Count(4, 8, 1)), belief) is None
    dip = (Count(4, 12, 12), Count(12, 8, 1), Count(40, 1, 1), Count(80, 8, 0))
    assert falls(dip)
    assert rise(dip, posterior(dip)) == Rise(lone=40)


def test_two_runs_that_trained_are_a_rise() -> None:
    assert not falls_with_depth((*NEVER, Count(4, 2, 2)), None)
    revival = (Count(4, 12, 12), Count(30, 20, 1), Count(60, 2, 2), Count(120, 4, 0))
    assert not falls(revival)


def test_a_falling_curve_is_flagged_at_most_as_often_as_the_test_says() -> None:
    rng = np.random.default_rng(0)
    depths = [1, 2, 4, 8, 16, 30, 50, 70, 80, 100, 150, 300]
    flagged = 0
    for _ in range(100):
        drawn = [(depth, int(rng.integers(1, 20))) for depth in depths]
        counts = tuple(
            Count(depth, runs, int(rng.binomial(runs, 0.97 / (1 + (depth / 74) ** 8)))) for depth, runs in drawn
        )
        flagged += not falls(counts)
    assert flagged <= 10  # 5 % +- 2 standard errors


@pytest.mark.parametrize("counts", [(Count(4, 3, 1),), (Count(4, 3, 1), Count(5, 3, 2))])
def test_one_bin_cannot_rise(counts: tuple[Count, ...]) -> None:
    assert falls(counts)


def test_what_never_passes_crosses_nowhere() -> None:
    assert crossings((Count(1, 10, 1), Count(10, 10, 0)), 0.9) == Crossings(0, 0)
    assert crossings((Count(1, 10, 1), Count(10, 10, 10)), 0.9) == Crossings(0, 10)


def test_a_depth_beside_the_fall_is_not_pooled_with_what_fails() -> None:
    counts = (Count(4, 16, 16), Count(9, 24, 24), Count(12, 8, 1), Count(30, 16, 11))
    assert crossings(counts, 0.9) == Crossings(9, 9)
