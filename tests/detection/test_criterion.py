import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthsearch.core.problem import Criterion
from depthsearch.detection import accuracy_threshold, epoch_trained, settled_epoch, verdict_of
from tests.detection.traces import make_trace

ACCURACIES = st.lists(st.sampled_from([0.4, 0.5, 0.6, 0.61, 0.9, 1.0]) | st.floats(0, 1, width=32), max_size=40)


# The threshold.


def test_with_many_points_the_gain_is_the_larger_and_decides() -> None:
    # Three standard errors are 3 sqrt(0.25 / 500) = 0.067; a fifth of the headroom is 0.1.
    assert accuracy_threshold(Criterion(), majority_rate=0.5, points=500) == pytest.approx(0.6, abs=1e-12)


def test_with_few_points_three_standard_errors_are_the_larger_and_decide() -> None:
    # Three standard errors are 3 sqrt(0.25 / 100) = 0.15; a fifth of the headroom is 0.1.
    assert accuracy_threshold(Criterion(), majority_rate=0.5, points=100) == pytest.approx(0.65, abs=1e-12)


def test_with_one_class_common_the_standard_errors_decide() -> None:
    # Three standard errors are 3 sqrt(0.09 / 400) = 0.045; a fifth of the headroom is 0.02.
    assert accuracy_threshold(Criterion(), majority_rate=0.9, points=400) == pytest.approx(0.945, abs=1e-12)


def test_with_ten_classes_the_headroom_is_above_a_tenth() -> None:
    assert accuracy_threshold(Criterion(), majority_rate=0.1, points=898) == pytest.approx(0.28, abs=1e-12)


def test_a_larger_gain_asks_for_more() -> None:
    assert accuracy_threshold(Criterion(min_gain=0.5), majority_rate=0.5, points=500) == pytest.approx(0.75, abs=1e-12)


@given(rate=st.floats(0.05, 0.95), gain=st.floats(0.01, 0.99), points=st.integers(1, 10**6))
def test_the_threshold_is_never_below_either_bound(rate: float, gain: float, points: int) -> None:
    threshold = accuracy_threshold(Criterion(min_gain=gain), majority_rate=rate, points=points)
    by_gain, by_chance = rate + gain * (1 - rate), rate + 3 * math.sqrt(rate * (1 - rate) / points)

    assert threshold == pytest.approx(max(by_gain, by_chance), abs=1e-12)


# The epoch.


def test_three_good_epochs_in_a_row_are_enough() -> None:
    assert epoch_trained(make_trace(train_accuracy=[0.5, 0.7, 0.7, 0.7, 0.5]), Criterion()) == 4


def test_a_row_one_short_of_the_hold_is_not_enough() -> None:
    assert epoch_trained(make_trace(train_accuracy=[0.7, 0.7, 0.5] * 10), Criterion()) is None


def test_epochs_exactly_at_the_threshold_are_not_good() -> None:
    assert epoch_trained(make_trace(train_accuracy=[0.6] * 30), Criterion()) is None


def test_a_nan_accuracy_is_not_good() -> None:
    assert epoch_trained(make_trace(train_accuracy=[0.7, 0.7, math.nan, 0.7, 0.7]), Criterion()) is None


def test_fewer_epochs_than_the_hold_are_not_enough() -> None:
    assert epoch_trained(make_trace(train_accuracy=[0.9, 0.9]), Criterion()) is None


def test_no_epoch_at_all_is_not_enough() -> None:
    assert epoch_trained(make_trace(train_accuracy=[]), Criterion()) is None


def test_a_row_that_ends_with_the_last_epoch_counts() -> None:
    assert epoch_trained(make_trace(train_accuracy=[0.5] * 27 + [0.7] * 3), Criterion()) == 30


def test_in_a_budget_of_200_epochs_the_row_has_20() -> None:
    accuracy = [0.5, *[0.7] * 20, *[0.5] * 179]

    assert epoch_trained(make_trace(train_accuracy=accuracy, budget_epochs=200), Criterion()) == 21


def test_in_a_budget_of_200_epochs_19_are_one_short() -> None:
    accuracy = [*[0.7] * 19, 0.5] * 10

    assert epoch_trained(make_trace(train_accuracy=accuracy, budget_epochs=200), Criterion()) is None


def test_a_row_that_lasts_to_the_end_of_the_budget_needs_no_more_than_the_least_length() -> None:
    trace = make_trace(train_accuracy=[0.5] * 195 + [0.9] * 5, budget_epochs=200)
    assert epoch_trained(trace, Criterion()) == 200
    found = verdict_of(trace, Criterion())
    assert found.sentence == "trained: accuracy above 0.600 held for the last 5 epochs of the budget"
    assert (found.evidence.rule, found.evidence.figures["epochs_held"]) == ("accuracy_held_to_the_end", 5)
    assert found.evidence.thresholds["epochs_held"] == 3


def test_a_row_that_lasts_to_the_end_of_what_was_recorded_so_far_does_not() -> None:
    trace = make_trace(train_accuracy=[0.5] * 95 + [0.9] * 5, budget_epochs=200)
    assert epoch_trained(trace, Criterion()) is None


def test_two_good_epochs_at_the_end_of_the_budget_are_not_enough() -> None:
    trace = make_trace(train_accuracy=[0.5] * 198 + [0.9] * 2, budget_epochs=200)
    assert epoch_trained(trace, Criterion()) is None


def test_the_hold_is_a_share_of_the_budget_and_not_of_what_was_recorded() -> None:
    assert epoch_trained(make_trace(train_accuracy=[0.7] * 19, budget_epochs=200), Criterion()) is None


def test_without_a_share_the_hold_is_the_least_number_of_epochs() -> None:
    criterion = Criterion(hold_share=0, hold_epochs=2)

    assert epoch_trained(make_trace(train_accuracy=[0.5, 0.7, 0.7, 0.5], budget_epochs=200), criterion) == 3


@given(ACCURACIES)
def test_the_epoch_is_the_one_that_counting_good_epochs_in_a_row_reaches(accuracy: list[float]) -> None:
    trace = make_trace(train_accuracy=accuracy, budget_epochs=40)
    expected, row = None, 0
    for epoch, value in enumerate(trace.train_accuracy.tolist(), start=1):
        row = row + 1 if value > 0.6000001 else 0
        if row == 4:
            expected = epoch
            break

    assert epoch_trained(trace, Criterion()) == expected


@given(accuracy=ACCURACIES, later=ACCURACIES)
def test_a_run_that_settled_as_trained_stays_so_whatever_follows(accuracy: list[float], later: list[float]) -> None:
    start = [*accuracy, 0.9, 0.9, 0.9, 0.9]
    short = make_trace(train_accuracy=start, budget_epochs=40)
    long = make_trace(train_accuracy=[*start, *later], budget_epochs=40)

    verdict = verdict_of(short, Criterion())

    assert verdict.trained
    assert verdict_of(long, Criterion()) == verdict
    assert settled_epoch(long, Criterion()) == verdict.epoch


@given(ACCURACIES)
def test_a_run_cut_where_it_settled_gets_the_verdict_of_the_whole(accuracy: list[float]) -> None:
    whole = make_trace(train_accuracy=accuracy, budget_epochs=40)
    settled = settled_epoch(whole, Criterion())
    if settled is None:
        assert not verdict_of(whole, Criterion()).trained
        return

    cut = make_trace(train_accuracy=accuracy[:settled], budget_epochs=40)
    before = make_trace(train_accuracy=accuracy[: settled - 1], budget_epochs=40)

    assert verdict_of(cut, Criterion()) == verdict_of(whole, Criterion())
    assert settled_epoch(before, Criterion()) is None
