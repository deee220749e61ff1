"""The parts of the drawing of a trainability curve, as plain plotly traces: for pages, notebooks and the dashboard.

plotly itself is not imported, since a search that writes its page in the dashboard needs no more than these.
"""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

from depthsearch.reporting.figures import style
from depthsearch.reporting.intervals import searched_interval_words
from depthsearch.results.answer import Answer
from depthsearch.search.curve import CurvePoint

Trace: TypeAlias = dict[str, Any]

LOWEST, HIGHEST = -0.06, 1.06
"""Ends of the axis of shares, with room for the marks at 0 and 1."""


def interval_trace(answer: Answer, ends: tuple[float, float]) -> list[Trace]:
    """The area in which the curve crosses the reliability, within the ends of the axis; none where none is claimed."""
    if answer.interval is None:
        return []
    low, high = answer.interval
    left, right = max(low, ends[0]), min(high or ends[1], ends[1])
    area = {
        "type": "scatter",
        "x": [left, left, right, right],
        "y": [LOWEST, HIGHEST, HIGHEST, LOWEST],
        "mode": "lines",
        "fill": "toself",
        "line": {"width": 0},
        "fillcolor": style.INTERVAL,
        "hoverinfo": "skip",
        "name": f"interval {searched_interval_words(answer.interval, answer)}",
    }
    return [area]


def reliability_trace(answer: Answer, ends: tuple[float, float]) -> Trace:
    """The horizontal line of the reliability."""
    return {
        "type": "scatter",
        "x": list(ends),
        "y": [answer.reliability] * 2,
        "mode": "lines",
        "line": {"color": style.VERMILION, "dash": "dash", "width": 1.5},
        "hoverinfo": "skip",
        "name": f"reliability {answer.reliability:.0%}",
    }


def belief_traces(points: Sequence[CurvePoint], *, brief: bool = False) -> list[Trace]:
    """The posterior's band, its lower end first, and its median; none where none is claimed.

    Args:
        points: Of the curve.
        brief: Whether to leave out what is shown under the mouse, and digits that are not seen.
    """
    believed = [point for point in points if point.low is not None and point.high is not None]
    if not believed:
        return []
    depths = [point.depth for point in believed]

    def shares(values: Sequence[float | None]) -> list[float | None]:
        return [None if value is None else round(value, 3) for value in values] if brief else list(values)

    edge = {"type": "scatter", "x": depths, "mode": "lines", "line": {"width": 0, "color": style.BLUE}}
    low = edge | {"y": shares([point.low for point in believed]), "hoverinfo": "skip", "showlegend": False}
    high = edge | {
        "y": shares([point.high for point in believed]),
        "fill": "tonexty",
        "fillcolor": style.BAND,
        "hoverinfo": "skip",
        "name": "95 % band",
    }
    median: Trace = {
        "type": "scatter",
        "x": depths,
        "y": shares([point.p for point in believed]),
        "mode": "lines",
        "line": {"color": style.BLUE, "width": 2.5},
        "name": "P(trained), median",
    }
    if not brief:
        median["customdata"] = [(point.low, point.high) for point in believed]
        median["hovertemplate"] = "P(trained) %{y:.2f}, %{customdata[0]:.2f} to %{customdata[1]:.2f}<extra></extra>"
    return [low, high, median]


def counts_trace(answer: Answer, points: Sequence[CurvePoint], *, brief: bool = False) -> Trace:
    """What was seen, as marks whose area grows with the number of runs; that of max depth has another colour.

    Args:
        answer: What was found.
        points: Of its curve.
        brief: Whether to leave out words that the axis gives, and digits that are not seen.
    """
    tried = [point for point in points if point.of]
    found = answer.max_depth
    sizes = [4 + 3 * math.sqrt(point.of) for point in tried]
    colours: str | list[str] = [style.VERMILION if point.depth == found else style.DARK for point in tried]
    if brief:
        colours = style.DARK
    return {
        "type": "scatter",
        "x": [point.depth for point in tried],
        "y": [round(point.trained / point.of, 3) if brief else point.trained / point.of for point in tried],
        "mode": "markers",
        "marker": {
            "size": [round(size, 1) for size in sizes] if brief else sizes,
            "color": colours,
            "opacity": 0.75,
            "line": {"color": "white", "width": 1},
        },
        "customdata": [_counted(answer, point, brief) for point in tried],
        "hovertemplate": "%{customdata}<extra></extra>",
        "name": "runs" if brief else "runs (larger: more of them)",
    }


def _counted(answer: Answer, point: CurvePoint, brief: bool) -> str:
    if brief:
        return f"{point.trained} of {point.of}"
    return f"{answer.problem.network.depth_words(point.depth)}: {point.trained} of {point.of} trained"
