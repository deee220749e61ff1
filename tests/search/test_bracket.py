"""Double, then bisect: exact properties, and the work that they cost."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthsearch.search.bisection import Bracket, bracket, next_step


def probes_on_a_step(threshold: int, last: int) -> list[int]:
    """The steps that are tried when exactly those up to `threshold` pass."""
    tried: list[int] = []
    while True:
        found = bracket([(step, step <= threshold) for step in tried], last)
        step = next_step(found)
        if step is None:
            assert found.passes == min(threshold, last)
            return tried
        tried.append(step)


@pytest.mark.parametrize("last", [10_000, 1_000_000])
def test_a_step_at_any_depth_to_ten_thousand_is_found_in_the_promised_number_of_probes(last: int) -> None:
    for threshold in range(1, 10_001):
        tried = probes_on_a_step(threshold, last)
        assert len(tried) <= 2 * math.ceil(math.log2(threshold)) + 2
        assert len(set(tried)) == len(tried)


@pytest.mark.parametrize(("threshold", "probes"), [(7, 6), (74, 14), (300, 18)])
def test_published_numbers_of_probes(threshold: int, probes: int) -> None:
    assert len(probes_on_a_step(threshold, 10_000)) == probes


def test_nothing_passes_costs_one_probe() -> None:
    assert probes_on_a_step(0, 10_000) == [1]


def test_everything_passes_ends_at_the_cap() -> None:
    assert probes_on_a_step(500, 100) == [1, 2, 4, 8, 16, 32, 64, 100]


def test_a_start_that_is_too_deep_is_halved() -> None:
    assert next_step(bracket([(50, False)], 100)) == 25
    assert next_step(bracket([(50, False), (25, False)], 100)) == 12


def test_a_step_that_passes_beyond_one_that_fails_is_not_believed() -> None:
    assert bracket([(4, True), (6, False), (8, True)], 100) == Bracket(4, 6, 100)


def test_steps_beyond_a_lowered_cap_are_not_looked_at() -> None:
    assert bracket([(4, True), (64, True), (128, False)], 32) == Bracket(4, None, 32)


def test_pending_steps_are_doubled_beyond_while_nothing_failed() -> None:
    assert next_step(bracket([(4, True)], 100), [8]) == 16
    assert next_step(bracket([(4, True)], 100), [8, 16]) == 32


def test_pending_steps_split_the_gap() -> None:
    assert next_step(bracket([(16, True), (32, False)], 100), [24]) == 20
    assert next_step(bracket([(16, True), (32, False)], 100), [24, 20]) == 28


@given(
    st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=12),
    st.lists(st.integers(1, 60), max_size=6),
    st.integers(1, 60),
)
def test_the_next_step_lies_inside_the_bracket(outcomes: list[tuple[int, bool]], pending: list[int], last: int) -> None:
    found = bracket(outcomes, last)
    step = next_step(found, pending)
    if step is None:
        assert found.closed
    else:
        assert 1 <= step <= last
        assert found.passes < step < (found.fails or last + 1)


@given(st.integers(0, 200), st.integers(1, 150), st.lists(st.integers(1, 150), max_size=3))
def test_any_history_leads_to_the_threshold(threshold: int, last: int, history: list[int]) -> None:
    tried = list(history)
    for _ in range(40):
        found = bracket([(step, step <= threshold) for step in tried], last)
        step = next_step(found)
        if step is None:
            assert found.passes == min(threshold, last)
            return
        tried.append(step)
    pytest.fail("no end after 40 probes")
