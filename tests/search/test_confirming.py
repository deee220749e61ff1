"""Which depth a concluded search confirms with fresh seeds, and when its answer counts as confirmed."""

import optuna
import pytest
from optuna import Study
from optuna.distributions import IntDistribution

from depthsearch.search import BisectionSampler, ThresholdSampler, estimate
from depthsearch.search.curve import Conclusion, Curve
from depthsearch.search.method import method_of
from depthsearch.search.sampler import trials_of
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.threshold.method import ThresholdSearch
from depthsearch.search.trial import Depths, Purpose

DEPTHS = Depths(1, 64)
HALF = ResolvedSettings(reliability=0.5, cap=64, runs_per_trial=8)
MOST = ResolvedSettings(reliability=0.9, cap=64, runs_per_trial=8)


def studied(counts: dict[int, tuple[int, int]], settings: ResolvedSettings) -> Study:
    """A study that tried each depth once: (trained, runs)."""
    sampler = BisectionSampler(settings) if settings.sampler == "bisect" else ThresholdSampler(settings)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for depth, (trained, runs) in counts.items():
        add(study, depth, trained=trained, runs=runs)
    return study


def add(study: Study, depth: int, *, trained: int, runs: int, purpose: str = "search") -> None:
    attributes = {"runs": runs, "trained": trained, "purpose": purpose}
    study.add_trial(
        optuna.trial.create_trial(
            params={"depth": depth},
            distributions={"depth": IntDistribution(DEPTHS.low, DEPTHS.high)},
            value=depth,
            user_attrs=attributes,
        )
    )


def known(study: Study, settings: ResolvedSettings) -> tuple[Curve, int | None]:
    """What is known, and the depth to confirm next."""
    curve = estimate(study, settings, depths=DEPTHS)
    pick = method_of(settings, DEPTHS).next_confirmation(trials_of(study), curve)
    if pick is not None:
        assert pick.purpose is Purpose.CONFIRM
        assert pick.runs == (4 if settings.sampler == "bisect" else 16)
    return curve, None if pick is None else pick.depth


CLIFF = dict.fromkeys((1, 2, 4, 8, 12, 16, 18, 20), (16, 16)) | dict.fromkeys((21, 22, 26, 32, 44, 55), (0, 16))
"""Every network of 20 layers trains, and none of 21; the depths past that were looked at."""


def test_the_deepest_depth_that_passes_is_confirmed_and_then_is_the_answer() -> None:
    study = studied(CLIFF, MOST)
    curve, depth = known(study, MOST)
    assert (curve.confirmed, curve.max_depth, depth) == (False, 20, 20)
    add(study, 20, trained=16, runs=16, purpose="confirm")
    curve, depth = known(study, MOST)
    assert (curve.confirmed, curve.max_depth, depth) == (True, 20, None)


def test_max_depth_is_the_confirmed_depth_though_a_deeper_one_passes_too() -> None:
    study = studied(CLIFF, MOST)
    add(study, 20, trained=16, runs=16, purpose="confirm")
    add(study, 21, trained=90, runs=90)  # since then, deeper networks train
    curve = estimate(study, MOST, depths=DEPTHS)
    assert curve.interval is not None
    low, high = curve.interval
    assert (curve.max_depth == 20) == (low <= 20)
    assert low <= (curve.max_depth or 0) <= (high or 64)


def test_a_depth_at_which_most_runs_failed_is_never_the_answer() -> None:
    """The curve passes through it, since its neighbours train: 10 and 12 do, and 11 failed in 3 of 4 runs."""
    counts = dict.fromkeys((1, 4, 8, 10), (8, 8)) | {11: (1, 4), 12: (4, 4), 16: (0, 8), 32: (0, 8)}
    study = studied(counts, HALF)
    curve, depth = known(study, HALF)
    assert curve.max_depth != 11
    assert depth != 11
    low = HALF.model_copy(update={"reliability": 0.2})
    tried = [point.depth for point in curve.points]
    assert estimate(studied(counts, low), low, depths=DEPTHS).max_depth in tried  # below a half, most runs may fail


def test_confirming_runs_that_mostly_failed_confirm_nothing() -> None:
    """12 of 16 trained before, 6 of 16 now: in all more than half, but the fresh seeds do not confirm it."""
    counts = dict.fromkeys((1, 2, 4, 8, 12, 16, 18), (16, 16)) | {20: (14, 16), 24: (3, 16), 40: (0, 16)}
    study = studied(counts, HALF)
    add(study, 20, trained=6, runs=16, purpose="confirm")
    curve, depth = known(study, HALF)
    assert not curve.confirmed
    assert depth is not None
    assert depth != 20


def test_after_three_confirmations_an_answer_stays_unconfirmed() -> None:
    study = studied(CLIFF, HALF)
    for depth in (20, 19, 18):
        add(study, depth, trained=2, runs=16, purpose="confirm")
    curve, depth_left = known(study, HALF)
    assert (curve.confirmed, depth_left) == (False, None)
    assert sum(trial.purpose is Purpose.CONFIRM for trial in trials_of(study)) == ThresholdSearch.most_confirmations


def test_a_network_that_is_reliable_at_no_depth_is_confirmed_at_the_shallowest() -> None:
    study = studied({1: (3, 40), 2: (1, 40), 3: (0, 8), 4: (0, 8), 8: (0, 8)}, MOST)
    curve, depth = known(study, MOST)
    assert (curve.max_depth, curve.confirmed, depth) == (None, False, 1)
    add(study, 1, trained=1, runs=16, purpose="confirm")
    curve, depth = known(study, MOST)
    assert (curve.concluded, curve.max_depth, curve.confirmed, depth) == (Conclusion.SHALLOWEST, None, True, None)


def test_a_grid_confirms_one_of_its_depths() -> None:
    """With 0 of 2 at 55 the grid does not answer 55, whatever the curve says there."""
    settings = ResolvedSettings(sampler="grid", reliability=0.5, depths=(3, 10, 30, 55), cap=64, runs_per_trial=2)
    study = studied({3: (2, 2), 10: (2, 2), 30: (2, 2), 55: (0, 2)}, settings)
    curve, depth = known(study, settings)
    assert curve.concluded is Conclusion.GRID
    assert (curve.max_depth, curve.confirmed, depth) == (30, False, 30)
    add(study, 30, trained=15, runs=16, purpose="confirm")
    curve, depth = known(study, settings)
    assert (curve.max_depth, curve.confirmed, depth) == (30, True, None)


BISECT = ResolvedSettings(sampler="bisect", reliability=0.5, cap=64, runs_per_trial=4)
BISECTED = {1: (4, 4), 2: (4, 4), 4: (4, 4), 8: (0, 4), 6: (0, 4), 5: (3, 4)}


@pytest.mark.parametrize(
    ("at_five", "at_six", "confirmed", "max_depth"),
    [(4, 0, True, 5), (2, 1, True, 5), (1, 0, False, 5), (4, 3, False, 5), (0, 0, False, 4)],
    ids=["both agree", "both agree by a hair", "fewer pass", "the failing edge passes", "most of all runs failed"],
)
def test_bisection_confirms_both_edges(at_five: int, at_six: int, confirmed: bool, max_depth: int) -> None:
    study = studied(BISECTED, BISECT)
    assert known(study, BISECT)[1] == 5
    add(study, 5, trained=at_five, runs=4, purpose="confirm")
    assert known(study, BISECT)[1] == 6
    add(study, 6, trained=at_six, runs=4, purpose="confirm")
    curve, depth = known(study, BISECT)
    assert (curve.confirmed, curve.max_depth, depth) == (confirmed, max_depth, None)


def test_while_nothing_fails_the_interval_is_open_above() -> None:
    study = studied({1: (8, 8), 2: (8, 8)}, HALF)
    curve = estimate(study, HALF, depths=DEPTHS)
    assert curve.interval is not None
    assert curve.interval[1] is None
    add(study, 40, trained=0, runs=8)
    found = estimate(study, HALF, depths=DEPTHS).interval
    assert found is not None
    assert found[1] is not None


NEVER = dict.fromkeys((1, 2, 3), (0, 16))
SIX = HALF.model_copy(update={"cap": 6})


def lucky_depth(count: tuple[int, int]) -> tuple[Curve, int | None]:
    """What is known where nothing trains but at 4 of at most 6 blocks, and the depth that the search tries next."""
    depths = Depths(1, 6)
    study = studied({**NEVER, 4: count, 6: (0, 1)}, SIX)
    method = method_of(SIX, depths)
    (pick,) = method.next_picks(trials_of(study), 1)
    return estimate(study, SIX, depths=depths), pick.depth if pick.purpose is Purpose.TAIL else None


def test_a_rise_that_rests_on_one_run_is_tried_again_before_the_search_ends() -> None:
    curve, tried = lucky_depth((1, 1))
    assert (curve.concluded, curve.monotone, tried) == (None, None, 4)


def test_one_lucky_run_among_some_leaves_a_network_that_is_never_reliable() -> None:
    curve, _ = lucky_depth((1, 8))
    assert (curve.concluded, curve.monotone, curve.crossings) == (Conclusion.SHALLOWEST, True, None)


def test_a_rise_of_several_runs_is_not_monotone() -> None:
    for count in ((2, 2), (7, 8)):
        curve, _ = lucky_depth(count)
        assert (curve.concluded, curve.monotone, curve.crossings) == (Conclusion.SHALLOWEST, False, (0, 4))


def test_without_a_budget_for_more_one_lucky_run_is_no_rise() -> None:
    spent = SIX.model_copy(update={"max_runs": 50})
    curve = estimate(studied({**NEVER, 4: (1, 1)}, spent), spent, depths=Depths(1, 6))
    assert (curve.concluded, curve.monotone) == (Conclusion.SHALLOWEST, True)
