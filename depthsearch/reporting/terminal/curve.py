"""The trainability curve in characters: what is believed as an area over depth, and what was seen as marks on it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from depthsearch.reporting.sentences import interval_words
from depthsearch.search.curve import CurvePoint, is_wide

WIDTH, HEIGHT = 64, 10
"""Columns and rows of the area itself."""

BESIDE, NARROWEST = 13, 24
"""Columns that the words next to it take, and the fewest in which anything is seen."""

LOWEST = 4
"""The fewest rows of the area in which a fall is seen."""


def rows_below(points: Sequence[CurvePoint], interval: tuple[int, int | None] | None, *, legend: bool = True) -> int:
    """How many rows the axis and the words below it take."""
    return 2 + (interval is not None) + (legend and _has_band(points))


def _has_band(points: Sequence[CurvePoint]) -> bool:
    return any(point.low is not None for point in points)


SURE, LIKELY, POSSIBLE, EMPTY = "█", "▒", "░", " "
"""Up to the band's lower end; up to the median; up to its upper end; beyond."""

ALWAYS, SEEN = "●", "○"
"""Marks of what was seen: a depth at which every run trained, or not every one."""

LINE = "┄"


STYLES = {SURE: "blue", LIKELY: "blue", POSSIBLE: "blue", LINE: "red"}


@dataclass(frozen=True)
class Axis:
    """Columns for depths from `low` to `high`."""

    low: int
    high: int
    width: int

    @property
    def _wide(self) -> bool:
        return is_wide((self.low, self.high))

    def column(self, depth: float) -> int:
        """The column of a depth, inside the axis."""
        if self.high == self.low:
            return 0
        inside = min(max(depth, self.low), self.high)
        if self._wide:
            share = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            share = (inside - self.low) / (self.high - self.low)
        return round(share * (self.width - 1))

    def depth(self, column: int) -> float:
        """The depth at the middle of a column."""
        share = column / max(self.width - 1, 1)
        if self._wide:
            return float(self.low * (self.high / self.low) ** share)
        return self.low + share * (self.high - self.low)


def curve_chart(
    points: Sequence[CurvePoint],
    *,
    reliability: float,
    interval: tuple[int, int | None] | None,
    max_depth: int | None,
    unit: str,
    cap: int,
    width: int = WIDTH,
    height: int = HEIGHT,
    legend: bool = True,
) -> Text:
    """Draw P(trained) over depth.

    Args:
        points: Every depth that was tried, shallowest first; at least one.
        reliability: Asked for; a line.
        interval: Where the threshold lies; drawn below the axis.
        max_depth: Named below the axis.
        unit: Of depth.
        cap: The deepest depth that may be tried; an interval that ends there is open.
        width: Columns.
        height: Rows.
        legend: Whether to explain the shades and marks below.
    """
    axis = Axis(points[0].depth, points[-1].depth, width)
    believed = [_believed(points, axis.depth(column)) for column in range(width)]
    cells = [[_area(point, row, height) for point in believed] for row in range(height)]
    level = _row(reliability, height)
    for column, cell in enumerate(cells[level]):
        if cell == EMPTY:
            cells[level][column] = LINE
    for point in points:
        if point.of:
            share = point.trained / point.of
            cells[_row(share, height)][axis.column(point.depth)] = ALWAYS if share == 1 else SEEN
    text = Text(no_wrap=True, overflow="crop")
    for row, line in enumerate(cells):
        label = {0: "1.0", height - 1: "0.0", (height - 1) // 2: "trains"}.get(row, "")
        text.append(f"{label:>6} │")
        for cell in line:
            text.append(cell, STYLES.get(cell, "bold" if cell in (ALWAYS, SEEN) else ""))
        text.append(f" {reliability:.0%}\n" if row == level else "\n")
    below = [f"{'':>6} {line}" for line in _below(axis, interval, max_depth, unit, cap)]
    text.append("\n".join(below))
    if legend and _has_band(points):
        text.append(f"\n{'':>8}{SURE} surely trains, {LIKELY} likely, {POSSIBLE} possibly; ", "dim")
        text.append(f"runs: {ALWAYS} all trained, {SEEN} not all", "dim")
    return text


def _row(share: float, height: int) -> int:
    """The row of a share from 0, the lowest, to 1, the top."""
    return round((1 - min(max(share, 0.0), 1.0)) * (height - 1))


def _area(believed: tuple[float, float, float], row: int, height: int) -> str:
    """How sure it is that P(trained) reaches up to the middle of a cell."""
    low, median, high = believed
    share = 1 - row / (height - 1)
    # Half a row of room: what rounds to this row fills it.
    edge = share - 0.5 / (height - 1)
    if math.isnan(median):
        return EMPTY
    return SURE if low > edge else LIKELY if median > edge else POSSIBLE if high > edge else EMPTY


def _believed(points: Sequence[CurvePoint], depth: float) -> tuple[float, float, float]:
    """The band and the median at a depth, on straight lines between the depths that were tried; NaN where none is."""
    believed = [point for point in points if point.low is not None and point.high is not None]
    if not believed:
        return math.nan, math.nan, math.nan
    left = max((point for point in believed if point.depth <= depth), key=_depth, default=believed[0])
    right = min((point for point in believed if point.depth >= depth), key=_depth, default=believed[-1])
    span = right.depth - left.depth
    share = (depth - left.depth) / span if span else 0.0
    pairs = ((left.low, right.low), (left.p, right.p), (left.high, right.high))
    low, median, high = (float(a or 0.0) + share * (float(b or 0.0) - float(a or 0.0)) for a, b in pairs)
    return low, median, high


def _depth(point: CurvePoint) -> int:
    return point.depth


def _below(
    axis: Axis, interval: tuple[int, int | None] | None, max_depth: int | None, unit: str, cap: int
) -> Iterator[str]:
    """The axis with its ends, and the interval with max depth."""
    ends = f"{axis.low}", f"{axis.high}"
    title = f"depth ({unit})"
    room = axis.width - len(ends[0]) - len(ends[1])
    yield f"└{_span(axis, interval)}"
    yield f" {ends[0]}{title:^{max(room, 0)}}{ends[1]}"
    if interval is not None:
        low, high = interval
        found = f"max depth {max_depth}, " if max_depth is not None else ""
        words = f"{found}interval {interval_words(interval, cap)}"
        middle = (axis.column(low) + axis.column(axis.high if high is None else high)) // 2
        start = min(max(middle - len(words) // 2, 0), max(axis.width - len(words), 0))
        yield f" {'':<{start}}{words}"


def _span(axis: Axis, interval: tuple[int, int | None] | None) -> str:
    """The axis, thick where the interval lies."""
    if interval is None:
        return "─" * axis.width
    low, high = interval
    first, last = axis.column(low), axis.column(axis.high if high is None else high)
    return "─" * first + "━" * (last - first + 1) + "─" * (axis.width - last - 1)
