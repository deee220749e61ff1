"""Pictures of numbers in block characters."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthsearch.reporting.terminal.blocks import BROKEN, bar, chart, histogram, shade


def test_a_rising_line_is_a_ramp() -> None:
    assert chart([0, 1, 2, 3, 4, 5, 6, 7], low=-1, high=7, width=8, height=1) == ["▁▂▃▄▅▆▇█"]


def test_a_chart_of_two_lines_stacks_them() -> None:
    assert chart([0.25, 0.5, 0.75, 1.0], low=0, high=1, width=4, height=2) == ["  ▄█", "▄███"]


def test_more_values_than_columns_are_averaged_and_fewer_repeated() -> None:
    assert chart([0, 2, 8, 8], low=0, high=8, width=2, height=1) == ["▁█"]
    assert chart([0, 8], low=0, high=8, width=4, height=1) == ["▁▁██"]


def test_what_is_not_finite_is_a_broken_column() -> None:
    assert chart([0.5, math.nan, math.inf], low=0, high=1, width=3, height=1) == [f"▄{BROKEN}{BROKEN}"]


def test_a_flat_line_without_a_range_is_drawn_at_the_bottom() -> None:
    assert chart([3, 3], low=3, high=3, width=2, height=2) == ["  ", "▁▁"]


@given(st.lists(st.floats(), min_size=1, max_size=200), st.integers(1, 60), st.integers(1, 5))
def test_a_chart_has_the_size_that_was_asked_for(values: list[float], width: int, height: int) -> None:
    drawn = chart(values, low=0, high=1, width=width, height=height)
    assert [len(line) for line in drawn] == [width] * height
    assert all(mark != " " for mark in drawn[-1])


def test_a_histogram_tells_an_empty_bin_from_a_small_one() -> None:
    assert histogram([0, 1, 50, 100]) == " ▁▄█"
    assert histogram([0, 0]) == "  "


@pytest.mark.parametrize(
    ("share", "drawn"), [(0, "░░░░"), (0.5, "██░░"), (1, "████"), (1.5, "████"), (-1, "░░░░"), (math.nan, "    ")]
)
def test_a_bar(share: float, drawn: str) -> None:
    assert bar(share, 4) == drawn


def test_shades_go_from_dots_to_blocks_at_one_half() -> None:
    drawn = "".join(shade(probability) for probability in (0, 0.1, 0.3, 0.499, 0.5, 0.7, 0.9, 1, math.nan))
    assert drawn == f" .::▒▓██{BROKEN}"
