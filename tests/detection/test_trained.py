import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthsearch.detection import bar, bar_of, final_score, verdict_of
from depthsearch.detection.verdict import VerdictKind
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.training.trace import Trace
from tests.detection.traces import make_trace

LEVELS = [0.25, 0.375, 0.5, 0.75, 0.875, 1.0]
"""Accuracies that single precision holds exactly, none of them near a bar that is used here."""

ACCURACIES = st.lists(st.sampled_from(LEVELS), min_size=40, max_size=40)
CRITERIA = st.builds(Criterion, last_epochs=st.integers(1, 40)) | st.builds(
    Criterion, kind=st.just("target"), target=st.sampled_from([0.7, 0.8, 0.95]), last_epochs=st.integers(1, 40)
)


def trained(trace: Trace, criterion: Criterion) -> bool:
    return verdict_of(trace, criterion).trained


# The bar of the kind `chance`.


def test_with_many_points_the_gain_is_the_larger_and_decides() -> None:
    # Three standard errors are 3 sqrt(0.25 / 500) = 0.067; a fifth of the headroom is 0.1.
    assert bar(Criterion(), baseline=0.5, points=500) == pytest.approx(0.6, abs=1e-12)


def test_with_few_points_three_standard_errors_are_the_larger_and_decide() -> None:
    # Three standard errors are 3 sqrt(0.25 / 100) = 0.15; a fifth of the headroom is 0.1.
    assert bar(Criterion(), baseline=0.5, points=100) == pytest.approx(0.65, abs=1e-12)


def test_with_one_class_common_the_standard_errors_decide() -> None:
    # Three standard errors are 3 sqrt(0.09 / 400) = 0.045; a fifth of the headroom is 0.02.
    assert bar(Criterion(), baseline=0.9, points=400) == pytest.approx(0.945, abs=1e-12)


def test_with_ten_classes_the_headroom_is_above_a_tenth() -> None:
    assert bar(Criterion(), baseline=0.1, points=898) == pytest.approx(0.28, abs=1e-12)


def test_a_larger_gain_asks_for_more() -> None:
    assert bar(Criterion(min_gain=0.5), baseline=0.5, points=500) == pytest.approx(0.75, abs=1e-12)


@given(rate=st.floats(0.05, 0.95), gain=st.floats(0.01, 0.99), points=st.integers(1, 10**6))
def test_the_chance_bar_is_the_larger_of_both_bounds(rate: float, gain: float, points: int) -> None:
    by_gain, by_chance = rate + gain * (1 - rate), rate + 3 * math.sqrt(rate * (1 - rate) / points)

    found = bar(Criterion(min_gain=gain), baseline=rate, points=points)

    assert found == pytest.approx(max(by_gain, by_chance), abs=1e-12)


def test_the_rule_of_earlier_versions_has_the_chance_bar() -> None:
    held = Criterion(kind="held", min_gain=0.5)

    assert bar(held, baseline=0.5, points=500) == pytest.approx(0.75, abs=1e-12)


def test_an_entry_of_few_steps_has_few_points_and_a_higher_chance_bar() -> None:
    # 20 entries of 2 steps of 50 points: the share of 100 points, not of the 500 in the training set.
    trace = make_trace(problem=Problem(recipe={"steps": 40, "batch_size": 50}))

    assert bar_of(trace, Criterion()) == pytest.approx(0.65, abs=1e-12)


def test_an_entry_of_whole_epochs_has_every_point() -> None:
    trace = make_trace(problem=Problem(recipe={"steps": 400, "batch_size": 50}))

    assert bar_of(trace, Criterion()) == pytest.approx(0.6, abs=1e-12)


# The bar of the kind `target`.


@pytest.mark.parametrize(("rate", "points"), [(0.5, 500), (0.1, 898), (0.95, 20)])
def test_the_bar_of_a_target_is_the_target_whatever_the_data(rate: float, points: int) -> None:
    assert bar(Criterion(kind="target"), baseline=rate, points=points) == 0.9
    assert bar(Criterion(kind="target", target=0.7), baseline=rate, points=points) == 0.7


# The final score.


def test_the_final_score_is_the_lowest_of_the_last_three_entries() -> None:
    trace = make_trace(score=[0.5] * 27 + [0.875, 0.75, 1.0])

    assert final_score(trace, Criterion()) == 0.75


def test_what_was_before_the_last_three_entries_does_not_count() -> None:
    assert final_score(make_trace(score=[0.25] * 27 + [0.875] * 3), Criterion()) == 0.875
    assert final_score(make_trace(score=[1.0] * 27 + [0.375] * 3), Criterion()) == 0.375


@pytest.mark.parametrize(("last", "score"), [(1, 1.0), (2, 0.875), (4, 0.75), (30, 0.25)])
def test_the_criterion_says_how_many_entries_are_looked_at(last: int, score: float) -> None:
    trace = make_trace(score=[0.25] * 26 + [0.75, 0.875, 0.875, 1.0])

    assert final_score(trace, Criterion(last_epochs=last)) == score
    assert final_score(trace, Criterion(kind="target", last_epochs=last)) == score


def test_a_run_that_ended_early_scores_no_more_than_a_constant_guess() -> None:
    trace = make_trace(score=[1.0] * 29, budget_epochs=30)

    assert final_score(trace, Criterion()) == 0.5


def test_a_run_that_ended_before_the_last_entries_scores_as_a_constant_guess() -> None:
    assert final_score(make_trace(score=[0.25] * 10, budget_epochs=30), Criterion()) == 0.5
    assert final_score(make_trace(score=[], baseline=0.625), Criterion()) == 0.625


def test_a_run_that_ended_early_and_worse_than_a_constant_guess_scores_what_it_reached() -> None:
    assert final_score(make_trace(score=[1.0] * 28 + [0.375], budget_epochs=30), Criterion()) == 0.375


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_an_entry_whose_loss_is_not_finite_scores_no_more_than_a_constant_guess(loss: float) -> None:
    lost = make_trace(score=[1.0] * 30, loss=[0.1] * 29 + [loss])
    poor = make_trace(score=[1.0] * 28 + [0.25, 1.0], loss=[0.1] * 29 + [loss])

    assert final_score(lost, Criterion()) == 0.5
    assert final_score(poor, Criterion()) == 0.25


def test_an_accuracy_that_is_not_a_number_scores_as_a_constant_guess() -> None:
    trace = make_trace(score=[1.0] * 29 + [math.nan])

    assert final_score(trace, Criterion()) == 0.5


def test_the_last_entries_of_a_budget_in_steps_are_twentieths_of_it() -> None:
    problem = Problem(recipe={"steps": 1000})
    trace = make_trace(problem=problem, score=[0.5] * 17 + [0.875, 0.75, 1.0])

    assert trace.complete
    assert final_score(trace, Criterion()) == 0.75


def test_a_budget_of_few_steps_has_an_entry_for_each() -> None:
    problem = Problem(recipe={"steps": 4})

    assert final_score(make_trace(problem=problem, score=[0.25, 0.75, 0.875, 1.0]), Criterion()) == 0.75
    assert final_score(make_trace(problem=problem, score=[1.0, 1.0, 1.0]), Criterion()) == 0.5


@given(accuracy=ACCURACIES, criterion=CRITERIA)
def test_the_score_of_a_complete_run_is_a_minimum(accuracy: list[float], criterion: Criterion) -> None:
    assert criterion.last_epochs is not None
    trace = make_trace(score=accuracy, budget_epochs=40)

    assert final_score(trace, criterion) == min(accuracy[-criterion.last_epochs :])


# Trained.


@given(accuracy=ACCURACIES, criterion=CRITERIA)
def test_a_complete_run_has_trained_where_all_of_its_last_entries_reach_the_bar(
    accuracy: list[float], criterion: Criterion
) -> None:
    assert criterion.last_epochs is not None
    limit = criterion.target or 0.6
    trace = make_trace(score=accuracy, budget_epochs=40)

    assert trained(trace, criterion) == all(value >= limit for value in accuracy[-criterion.last_epochs :])


@given(accuracy=ACCURACIES, criterion=CRITERIA, epochs=st.integers(0, 39))
def test_a_run_that_ended_early_has_never_trained(accuracy: list[float], criterion: Criterion, epochs: int) -> None:
    assert not trained(make_trace(score=accuracy[:epochs], budget_epochs=40), criterion)


@pytest.mark.parametrize("target", [0.7, 0.9, 0.95])
def test_a_score_in_single_precision_that_equals_the_bar_reaches_it(target: float) -> None:
    trace = make_trace(score=[target] * 30)
    criterion = Criterion(kind="target", target=target)

    assert final_score(trace, criterion) < target  # in double precision
    assert trained(trace, criterion)
    assert not trained(make_trace(score=[target - 1e-6] * 30), criterion)


def test_a_score_at_the_chance_bar_reaches_it() -> None:
    # 0.65 lies just above the nearest number in single precision.
    trace = make_trace(score=[0.65] * 30, points=100)

    assert final_score(trace, Criterion()) < bar_of(trace, Criterion())
    assert trained(trace, Criterion())
    assert not trained(make_trace(score=[0.64] * 30, points=100), Criterion())


def test_entries_at_the_chance_bar_count_as_learned() -> None:
    trace = make_trace(score=[0.65] * 3 + [0.5] * 27, points=100)

    found = verdict_of(trace, Criterion())

    assert (found.kind, found.evidence.rule) == (VerdictKind.UNSTABLE, "lost_again")
