from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthsearch.problem.problem import Problem
from depthsearch.training.trace import snapshot_epochs
from tests.detection.traces import make_trace


@pytest.mark.parametrize(
    ("budget", "epochs"),
    [
        (1, (0, 1)),
        (2, (0, 1, 2)),
        (3, (0, 1, 2, 3)),
        (8, (0, 1, 2, 4, 8)),
        (9, (0, 1, 2, 4, 8, 9)),
        (200, (0, 1, 2, 4, 8, 16, 32, 64, 128, 200)),
    ],
)
def test_snapshots_are_log_spaced_and_end_with_the_budget(budget: int, epochs: tuple[int, ...]) -> None:
    assert snapshot_epochs(budget) == epochs


@given(st.integers(1, 10**9))
def test_no_snapshot_is_taken_twice(budget: int) -> None:
    epochs = snapshot_epochs(budget)

    assert list(epochs) == sorted(set(epochs))
    assert (epochs[0], epochs[-1]) == (0, budget)


@given(st.integers(1, 10**9))
def test_between_snapshots_the_epochs_at_most_double(budget: int) -> None:
    epochs = snapshot_epochs(budget)

    assert all(later <= 2 * earlier for earlier, later in pairwise(epochs[1:]))


def test_a_trace_that_ends_with_the_budget_is_complete() -> None:
    trace = make_trace(score=[0.5] * 30, budget_epochs=30)

    assert (trace.epochs, trace.complete) == (30, True)


def test_a_trace_that_ends_before_the_budget_is_not_complete() -> None:
    trace = make_trace(score=[0.5] * 29, budget_epochs=30)

    assert (trace.epochs, trace.complete) == (29, False)


def test_a_budget_in_epochs_has_epochs_for_entries() -> None:
    trace = make_trace()

    assert (trace.facts.entry, trace.epochs, trace.facts.points_per_entry) == ("epoch", 30, 500)


def test_a_budget_in_steps_has_entries_of_their_share_of_the_points() -> None:
    trace = make_trace(problem=Problem(recipe={"steps": 40, "batch_size": 50}))

    assert (trace.facts.entry, trace.epochs, trace.steps, trace.facts.points_per_entry) == ("entry", 20, 40, 100)
    assert trace.complete
