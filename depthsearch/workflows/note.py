"""A study's page in the dashboard: its answer in words, and its curve, kept current as the search goes on."""

import json
import time
from collections.abc import Sequence
from typing import Any

from depthsearch.reporting.command_line import find_command
from depthsearch.reporting.sentences import count_of, interval_words
from depthsearch.results.answer import Answer, Outcome
from depthsearch.search.curve import CurvePoint, is_wide
from depthsearch.search.settings import SearchSettings
from depthsearch.store import StoredStudy
from depthsearch.store.location import DEFAULT
from depthsearch.workflows.answer import answer_of

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
    family, depths = answer.problem.network, [point.depth for point in answer.curve]
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
        "xaxis": {"title": {"text": f"depth ({family.units})"}} | (_ticks(last) if is_wide(depths) else {}),
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


SECONDS = 15.0
"""Between two notes of one sitting: an answer takes some 0.1 s to work out."""

MOST_CAP = 1_000_000


FURTHER = 2
"""How many times the cap, or the budget, the command has where they ended the search."""


class Notes:
    """Writes the note of one study.

    Args:
        stored: The study, held.
        given: Its settings as they were asked for, with nothing filled in.
        place: URL of the store.
    """

    def __init__(self, stored: StoredStudy, given: SearchSettings, place: str) -> None:
        self._stored, self._given, self._place = stored, given, place
        self._written = time.monotonic()

    def keep(self) -> None:
        """Write what is known now, unless the last note is younger than SECONDS."""
        if time.monotonic() - self._written >= SECONDS:
            self.write(answer_of(self._stored))

    def write(self, answer: Answer) -> None:
        """Write an answer as the note, with its curve. What stands there already is not written again."""
        self._stored.write_page(note_of(answer, self._given, place=self._place), curve_plot(answer))
        self._written = time.monotonic()


def note_of(answer: Answer, given: SearchSettings, *, place: str) -> str:
    """An answer in Markdown, of less than a thousand characters as a rule: every page loads those of all studies."""
    problem, family = answer.problem, answer.problem.network
    depth = "none yet" if answer.max_depth is None else family.depth_words(answer.max_depth)
    facts = [f"max depth: **{depth}**"]
    if answer.interval is not None:
        where = interval_words(answer.interval, answer.settings.cap)
        facts.append(
            f"interval: {where}, where {answer.reliability:.0%} train ({answer.interval_level:.0%} probability)"
        )
    if answer.beyond is not None:
        facts.append(f"beyond: {answer.beyond.sentence}")
    facts.append(f"tried: {count_of(answer.cost.runs, 'run')} in {count_of(answer.cost.trials, 'trial')}")
    why, settings = _onward(answer, given)
    command = find_command(problem, settings, study=answer.study, place=place, usual_place=DEFAULT)
    return "\n".join(
        [
            f"{problem.label}: {answer.sentence}.",
            "",
            *(f"- {fact}" for fact in facts),
            "",
            f"{why}:" if command else f"{why}: the study file, or the call, that began it.",
            *(["", f"    {command}"] if command else []),
            "",
            "The page's own *best trial* is only the deepest one that was tried, whether or not it trained.",
        ]
    )


def _onward(answer: Answer, given: SearchSettings) -> tuple[str, SearchSettings]:
    """What the command does, and the settings that it needs for that."""
    own = answer.settings
    match answer.outcome:
        case Outcome.UNFINISHED:
            return "Goes on with it", given
        case Outcome.BUDGET_ENDED:
            more = {name: FURTHER * limit for name in ("max_runs", "max_seconds") if (limit := getattr(own, name))}
            return "Goes on with it, with a larger budget", given.model_copy(update=more)
        case Outcome.CAP_REACHED if own.cap < MOST_CAP:
            more = {"cap": min(FURTHER * own.cap, MOST_CAP)}
            return "Goes on with it, with a higher cap", given.model_copy(update=more)
        case _:
            return "Shows the answer again", given
