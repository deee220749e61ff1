"""A study's curve as its page in the dashboard draws it: a plotly figure as JSON, a few kilobytes in all.

It is here, beside the note, and not with the other figures, since a search keeps it current as it goes on.
"""

import json
from collections.abc import Sequence
from typing import Any

from depthsearch.core.answer import Answer
from depthsearch.core.curve import CurvePoint, is_wide
from depthsearch.core.words import interval_words
from depthsearch.families import family_of

MOST_POINTS = 40
"""Depths that are drawn: every page loads the plots of all studies."""

BLUE, BAND, ORANGE, RED = "#0072B2", "rgba(0,114,178,.2)", "rgba(230,159,0,.3)", "#D55E00"


def curve_plot(answer: Answer) -> str:
    """The curve with its band, what was seen, the interval and the reliability; empty where nothing was tried."""
    if not answer.curve:
        return ""
    points = _thinned(answer.curve)
    figure = {"data": [*_belief(points), _seen(points)], "layout": _layout(answer)}
    return json.dumps(figure, separators=(",", ":"), ensure_ascii=False)


def _belief(points: Sequence[CurvePoint]) -> list[dict[str, Any]]:
    believed = [point for point in points if point.low is not None and point.high is not None]
    if not believed:
        return []
    depths = [point.depth for point in believed]
    high = [round(point.high or 0.0, 3) for point in believed]
    low = [round(point.low or 0.0, 3) for point in believed]
    band = {
        "x": [*depths, *reversed(depths)], "y": [*high, *reversed(low)], "fill": "toself", "mode": "lines",
        "line": {"width": 0}, "fillcolor": BAND, "hoverinfo": "skip", "name": "95 % band",
    }  # fmt: skip
    median = {
        "x": depths, "y": [round(point.p, 3) for point in believed], "mode": "lines", "line": {"color": BLUE},
        "name": "P(trained)",
    }  # fmt: skip
    return [band, median]


def _seen(points: Sequence[CurvePoint]) -> dict[str, Any]:
    tried = [point for point in points if point.of]
    return {
        "x": [point.depth for point in tried], "y": [round(point.trained / point.of, 3) for point in tried],
        "text": [f"{point.trained} of {point.of}" for point in tried], "mode": "markers",
        "marker": {"color": "#444", "size": [round(4 + 2 * point.of**0.5, 1) for point in tried]}, "name": "runs",
    }  # fmt: skip


def _layout(answer: Answer) -> dict[str, Any]:
    family, depths = family_of(answer.problem.family), [point.depth for point in answer.curve]
    first, last = depths[0], depths[-1]
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": answer.reliability, "y1": answer.reliability}
    dashed = {"line": {"color": RED, "dash": "dash", "width": 1}, "showlegend": True}
    shapes: list[dict[str, Any]] = [line | dashed | {"name": f"reliability {answer.reliability:.0%}"}]
    found = "nothing passes" if answer.max_depth is None else f"max depth {answer.max_depth}"
    if answer.interval is not None:
        low, high = answer.interval
        where = {"type": "rect", "yref": "paper", "x0": max(low, first), "x1": high or last, "y0": 0, "y1": 1}
        shapes.append(
            where
            | {"fillcolor": ORANGE, "line": {"width": 0}, "layer": "below", "showlegend": True, "name": "interval"}
        )
        found += f", interval {interval_words(answer.interval, answer.settings.cap)}"
    return {
        "title": {"text": f"depthsearch: {found}"},
        "xaxis": {"title": {"text": f"depth ({family.unit})"}} | (_ticks(last) if is_wide(depths) else {}),
        "yaxis": {"title": {"text": "share that trains"}, "range": [-0.05, 1.05]},
        "shapes": shapes,
        "legend": {"orientation": "h", "y": -0.3},
        "margin": {"t": 50, "r": 20},
    }  # fmt: skip


def _ticks(last: int) -> dict[str, Any]:
    """A logarithmic axis with its depths written out: 1, 2, 5, 10, 20, ..."""
    ticks = [step * 10**power for power in range(len(str(last))) for step in (1, 2, 5) if step * 10**power <= last]
    return {"type": "log", "tickvals": ticks}


def _thinned(points: Sequence[CurvePoint]) -> Sequence[CurvePoint]:
    """At most MOST_POINTS, those that saw the most runs, in order of depth, the first and the last among them."""
    if len(points) <= MOST_POINTS:
        return points
    between = sorted(points[1:-1], key=lambda point: -point.of)[: MOST_POINTS - 2]
    return sorted([points[0], *between, points[-1]], key=lambda point: point.depth)
