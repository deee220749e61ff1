"""What optuna-dashboard shows of a study: the answer as a note in Markdown, and a small drawing of its curve.

Both are small, since every page of the dashboard loads the notes and plots of all studies.
"""

import json
from collections.abc import Sequence
from typing import Any

from depthsearch.reporting.command_line import find_command
from depthsearch.reporting.figures import style
from depthsearch.reporting.figures.curve_traces import (
    HIGHEST,
    LOWEST,
    belief_traces,
    counts_trace,
    interval_trace,
    reliability_trace,
)
from depthsearch.reporting.intervals import searched_interval_words
from depthsearch.reporting.sentences import count_of, exclusion_lines
from depthsearch.reporting.terminal.facts import bar_words
from depthsearch.results.answer import Answer, Outcome
from depthsearch.search.curve import CurvePoint
from depthsearch.search.settings import SearchSettings

MOST_POINTS = 40
"""Depths that are drawn."""

FURTHER, MOST_CAP = 2, 1_000_000
"""How many times the cap, or the budget, the command has where they ended the search; and the highest cap."""


def note_of(answer: Answer, given: SearchSettings, *, place: str, usual_place: str) -> str:
    """An answer in Markdown, usually of less than a thousand characters.

    Args:
        answer: What is known.
        given: The settings as the user gave them.
        place: URL of the store.
        usual_place: The URL that the command may leave out.
    """
    problem, family = answer.problem, answer.problem.network
    depth = "none yet" if answer.max_depth is None else family.depth_words(answer.max_depth)
    facts = [f"max depth: **{depth}**"]
    if answer.interval is not None:
        where = searched_interval_words(answer.interval, answer)
        facts.append(
            f"interval: {where}, where {answer.reliability:.0%} train ({answer.interval_level:.0%} probability"
            f"{'' if answer.ladder is None else ', given the bar'})"
        )
    if answer.ladder is not None:
        facts.append(f"bar: {bar_words(answer, answer.ladder)}")
    if answer.beyond is not None:
        facts.append(f"beyond: {answer.beyond.sentence}")
    facts += [f"excluded: {line}" for line in exclusion_lines(answer.exclusions, family)]
    facts.append(f"tried: {count_of(answer.cost.runs, 'run')} in {count_of(answer.cost.trials, 'trial')}")
    why, settings = _onward(answer, given)
    command = find_command(problem, settings, study=answer.study, place=place, usual_place=usual_place)
    return "\n".join(
        [
            f"{problem.label}: {answer.sentence}.",
            "",
            *(f"- {fact}" for fact in facts),
            "",
            f"{why}:" if command else f"{why}: the study file, or the call, that began it.",
            *(["", f"    {command}"] if command else []),
            "",
            "In `depthsearch dashboard` the *best trial* is at max depth; in optuna-dashboard it is the deepest tried.",
        ]
    )


def _onward(answer: Answer, given: SearchSettings) -> tuple[str, SearchSettings]:
    """What the command does, and the settings that it needs for that."""
    settings = answer.settings
    match answer.outcome:
        case Outcome.UNFINISHED:
            return "Resumes it", given
        case Outcome.BUDGET_ENDED:
            more = {name: FURTHER * limit for name in ("max_runs", "max_seconds") if (limit := getattr(settings, name))}
            return "Resumes it with a larger budget", given.model_copy(update=more)
        case Outcome.CAP_REACHED if settings.cap < MOST_CAP:
            more = {"cap": min(FURTHER * settings.cap, MOST_CAP)}
            return "Resumes it with a higher cap", given.model_copy(update=more)
        case _:
            return "Shows the answer again", given


def curve_plot(answer: Answer) -> str:
    """The curve as a plotly figure in JSON, with at most MOST_POINTS depths; empty where nothing was tried."""
    if not answer.curve:
        return ""
    points = _thinned(answer.curve)
    left, right = style.depth_range([point.depth for point in answer.curve])
    ends = round(left, 3), round(right, 3)
    figure = {
        "data": [
            *interval_trace(answer, ends),
            reliability_trace(answer, ends),
            counts_trace(answer, points, brief=True),
            *belief_traces(points, brief=True),
        ],
        "layout": _layout(answer),
    }
    return json.dumps(figure, separators=(",", ":"), ensure_ascii=False)


def _layout(answer: Answer) -> dict[str, Any]:
    found = "nothing passes" if answer.max_depth is None else f"max depth {answer.max_depth}"
    if answer.interval is not None:
        found += f", interval {searched_interval_words(answer.interval, answer)}"
    units, depths = answer.problem.network.units, [point.depth for point in answer.curve]
    return {
        "title": {"text": f"depthsearch: {found}"},
        "xaxis": style.depth_axis(depths, f"depth ({units})"),
        "yaxis": {"title": {"text": "share that trains"}, "range": [LOWEST, HIGHEST]},
        "legend": {"orientation": "h", "y": -0.3},
        "margin": {"t": 50, "r": 20},
    }


def _thinned(points: Sequence[CurvePoint]) -> Sequence[CurvePoint]:
    """At most MOST_POINTS, those with the most runs, in order of depth, the first and the last among them."""
    if len(points) <= MOST_POINTS:
        return points
    between = sorted(points[1:-1], key=lambda point: -point.of)[: MOST_POINTS - 2]
    return sorted([points[0], *between, points[-1]], key=lambda point: point.depth)
