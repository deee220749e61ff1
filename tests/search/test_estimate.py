"""What the trials say of the threshold."""

import pytest

from depthsearch.search import BisectionSampler, estimate
from depthsearch.search.curve import Conclusion
from depthsearch.search.settings import ResolvedSettings
from tests.search.studies import ask, new_study, search, tell

SETTINGS = ResolvedSettings(reliability=0.5, cap=64, runs_per_trial=4)


def test_an_empty_study_says_nothing() -> None:
    curve = estimate(new_study(BisectionSampler(SETTINGS)), SETTINGS)
    assert (curve.points, curve.max_depth, curve.fails_at, curve.concluded) == ((), None, None, None)


@pytest.mark.parametrize(
    ("threshold", "conclusion", "max_depth", "fails_at"),
    [(0, Conclusion.SHALLOWEST, None, 1), (5, Conclusion.ADJACENT, 5, 6), (99, Conclusion.CAP, 64, None)],
)
def test_each_end_of_a_search_has_its_own_conclusion(
    threshold: int, conclusion: Conclusion, max_depth: int | None, fails_at: int | None
) -> None:
    study = new_study(BisectionSampler(SETTINGS))
    search(study, SETTINGS, lambda depth: 4 if depth <= threshold else 0)
    curve = estimate(study, SETTINGS)
    assert (curve.concluded, curve.max_depth, curve.fails_at) == (conclusion, max_depth, fails_at)


def test_no_interval_is_claimed() -> None:
    study = new_study(BisectionSampler(SETTINGS))
    search(study, SETTINGS, lambda depth: 4 if depth <= 5 else 0)
    curve = estimate(study, SETTINGS)
    assert (curve.interval, curve.level, curve.monotone) == (None, None, None)
    assert all(point.low is None and point.high is None for point in curve.points)


def test_points_pool_the_runs_of_a_depth() -> None:
    study = new_study(BisectionSampler(SETTINGS))
    for trained in (4, 1):
        study.enqueue_trial({"depth": 3})
        trial, _ = ask(study, SETTINGS)
        tell(study, trial, runs=4, trained=trained)
    (point,) = estimate(study, SETTINGS).points
    assert (point.depth, point.trained, point.of, point.p) == (3, 5, 8, 0.625)


def test_a_confirming_trial_counts_in_the_points_and_not_in_the_conclusion() -> None:
    study = new_study(BisectionSampler(SETTINGS))
    search(study, SETTINGS, lambda depth: 4 if depth <= 5 else 0)
    study.enqueue_trial({"depth": 5}, user_attrs={"purpose": "confirm"})
    trial, _ = ask(study, SETTINGS)
    tell(study, trial, runs=4, trained=0)
    curve = estimate(study, SETTINGS)
    assert curve.max_depth == 5
    assert next(point for point in curve.points if point.depth == 5).of == 8


def test_seven_of_ten_reach_a_reliability_of_seven_tenths() -> None:
    settings = ResolvedSettings(reliability=0.7, cap=64, runs_per_trial=10)
    study = new_study(BisectionSampler(settings))
    search(study, settings, lambda depth: 7 if depth <= 5 else 6)
    assert estimate(study, settings).max_depth == 5
