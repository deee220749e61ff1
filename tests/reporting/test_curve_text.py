"""The curve in characters."""

import io

import pytest
from rich.console import Console

from depthsearch.reporting.terminal.answer import CurveChart
from depthsearch.reporting.terminal.curve import (
    ALWAYS,
    BESIDE,
    LIKELY,
    LINE,
    NARROWEST,
    POSSIBLE,
    SEEN,
    SURE,
    Axis,
    curve_chart,
)
from depthsearch.search.curve import CurvePoint
from tests.reporting.answers import POINTS

BELIEVED = (
    CurvePoint(depth=1, trained=8, of=8, p=1.0, low=0.95, high=1.0),
    CurvePoint(depth=10, trained=4, of=8, p=0.5, low=0.3, high=0.7),
    CurvePoint(depth=100, trained=0, of=8, p=0.0, low=0.0, high=0.05),
)


def lines(
    points: tuple[CurvePoint, ...], *, interval: tuple[int, int | None] | None = (4, 6), cap: int = 1000
) -> list[str]:
    chart = curve_chart(
        points, reliability=0.9, interval=interval, max_depth=5, unit="hidden layers", cap=cap, width=41, height=11
    )
    return chart.plain.splitlines()


def columns(line: str) -> str:
    return line.partition("│")[2]


def test_each_column_is_filled_up_to_what_is_believed_there() -> None:
    rows = [columns(line) for line in lines(BELIEVED)[:11]]
    # The share in the middle is 0.5: surely 0.3, likely 0.5, possibly 0.7.
    assert [row[20] for row in rows].count(SURE) == 4
    assert rows[5][20] == SEEN
    assert rows[6][20] == LIKELY
    assert [rows[k][20] for k in (3, 4)] == [POSSIBLE, POSSIBLE]
    assert rows[2][20] == " "


def test_what_was_seen_is_marked_where_it_was_seen() -> None:
    rows = [columns(line) for line in lines(BELIEVED)[:11]]
    assert rows[0][0] == ALWAYS
    assert rows[5][20] == SEEN
    assert rows[10][40] == SEEN


def test_the_reliability_is_a_line_where_nothing_else_is() -> None:
    row = columns(lines(BELIEVED)[1])
    assert row.endswith(" 90%")
    assert set(row[30:41]) == {LINE}


def test_the_axis_is_thick_where_the_interval_lies() -> None:
    axis = next(line for line in lines(BELIEVED) if "└" in line).partition("└")[2]
    thick = [k for k, mark in enumerate(axis) if mark == "━"]
    assert (thick[0], thick[-1]) == (Axis(1, 100, 41).column(4), Axis(1, 100, 41).column(6))
    assert "max depth 5, interval 4 to 6" in lines(BELIEVED)[-2]
    assert "━" not in "".join(lines(BELIEVED, interval=None))


def test_an_interval_that_is_open_or_ends_at_the_cap_is_named_by_its_lower_end() -> None:
    assert "max depth 5, interval at least 4" in lines(BELIEVED, interval=(4, None))[-2]
    assert "max depth 5, interval at least 4" in lines(BELIEVED, interval=(4, 100), cap=100)[-2]
    assert "max depth 5, interval 4 to 100" in lines(BELIEVED, interval=(4, 100), cap=101)[-2]
    assert "max depth 5, interval 100" in lines(BELIEVED, interval=(100, 100), cap=100)[-2]


def test_without_a_belief_there_are_marks_alone() -> None:
    points = tuple(point.model_copy(update={"low": None, "high": None}) for point in BELIEVED)
    text = "".join(lines(points))
    assert not set(text) & {SURE, LIKELY, POSSIBLE}
    assert text.count(ALWAYS) == 1
    assert text.count(SEEN) == 2


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_the_chart_is_as_wide_as_there_is_room_for(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    console.print(CurveChart(POINTS, (6, 9), 7, 0.9, "hidden layers", 10_000))
    shown = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert max(map(len, shown), default=0) <= width
    assert bool(shown) == (width >= NARROWEST + BESIDE)
    if shown:
        assert columns(shown[9]).rstrip().endswith((SEEN, SURE, POSSIBLE, LIKELY))


def test_one_depth_alone_is_drawn() -> None:
    assert columns(lines(BELIEVED[:1])[0]).startswith(ALWAYS)


def test_a_wide_axis_is_logarithmic_and_a_narrow_one_is_not() -> None:
    assert Axis(1, 100, 41).column(10) == 20
    assert Axis(10, 20, 41).column(15) == 20
    for axis in (Axis(1, 100, 41), Axis(10, 20, 41)):
        assert [axis.column(axis.depth(k)) for k in range(41)] == list(range(41))
