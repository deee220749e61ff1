"""An answer as a plotly figure: the trainability curve, and below it how the runs of each depth ended."""

import math
from collections.abc import Sequence

from plotly import graph_objects as go
from plotly.subplots import make_subplots

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
from depthsearch.reporting.sentences import NOT_KNOWN_YET, in_words
from depthsearch.reporting.terminal.facts import finding
from depthsearch.results.answer import Answer
from depthsearch.search.curve import CurvePoint, is_wide

UPPER, LOWER = 1, 2
"""Rows of the curve's figure: P(trained), and the mix of verdicts."""

NARROWEST_BAR = 0.9
"""Share of the room between two depths that a bar fills."""

NEAR_THE_EDGE = 0.2
"""Share of the axis at its left end in which a name is written to the right of its mark."""

FAINTEST, ENOUGH_RUNS = 0.3, 8
"""Opacity of a bar of no runs, and the runs from which on it is opaque."""


def curve_figure(answer: Answer, runs: Sequence[tuple[int, str]] | None = None, *, label: str = "") -> go.Figure:
    """The share that trains over depth with the belief about it, and below it how the runs of each depth ended.

    Args:
        answer: What was found.
        runs: (depth, verdict) of every run; without them, the bars only distinguish trained from failed.
        label: What the title calls the problem, where several are shown; by default its few words.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.04)
    if answer.curve:
        depths = [point.depth for point in answer.curve]
        ends = style.depth_range(depths)
        drawn = [*interval_trace(answer, ends), reliability_trace(answer, ends), counts_trace(answer, answer.curve)]
        for trace in (*drawn, *belief_traces(answer.curve)):
            figure.add_trace(trace, row=UPPER, col=1)
        _name_max_depth(figure, answer)
        _mix(figure, depths, runs if runs is not None else _trained_or_not(answer.curve))
        unit = answer.problem.network.units
        figure.update_xaxes(style.depth_axis(depths, f"depth ({unit})"))
        figure.update_xaxes(title_text="", row=UPPER, col=1)
    figure.update_yaxes(title_text="share that trains", range=[LOWEST, HIGHEST], row=UPPER, col=1)
    figure.update_yaxes(title_text="runs, % (faint: few)", range=[0, 100], row=LOWER, col=1)
    figure.update_layout(barmode="stack", bargap=0)
    return style.dressed(figure, finding(answer, label), _subtitle(answer), height=680)


def _subtitle(answer: Answer) -> str:
    runs = f"{answer.cost.runs} runs"
    if answer.interval is None or answer.interval_level is None:
        return runs
    where = searched_interval_words(answer.interval, answer)
    if where == NOT_KNOWN_YET:
        return runs
    share, level = f"{answer.reliability:.0%}", f"{answer.interval_level:.0%}"
    return f"{share} of the runs train to a depth of {where}, with {level} probability ({runs})"


def _name_max_depth(figure: go.Figure, answer: Answer) -> None:
    found = next((point for point in answer.curve if point.of and point.depth == answer.max_depth), None)
    if found is None:
        return
    depths = [point.depth for point in answer.curve]
    left, right = style.depth_range(depths)
    wide = is_wide(depths)
    share = math.log(found.depth / left) / math.log(right / left) if wide else (found.depth - left) / (right - left)
    figure.add_annotation(
        x=math.log10(found.depth) if wide else found.depth,
        y=found.trained / found.of,
        text=f"max depth {found.depth}",
        ax=60 if share < NEAR_THE_EDGE else -60,
        ay=60,
        arrowcolor=style.VERMILION,
        font={"color": style.VERMILION},
        bgcolor="rgba(255, 255, 255, 0.8)",
        row=UPPER,
        col=1,
    )


def _trained_or_not(points: Sequence[CurvePoint]) -> list[tuple[int, str]]:
    return [
        (point.depth, verdict)
        for point in points
        for verdict, count in (("trained", point.trained), ("failed", point.of - point.trained))
        for _ in range(count)
    ]


def _mix(figure: go.Figure, depths: Sequence[int], runs: Sequence[tuple[int, str]]) -> None:
    """A bar for each depth, its parts the verdicts of the runs there; each has the room that its neighbours leave."""
    widths = _widths(depths)
    of = {depth: sum(tried == depth for tried, _ in runs) for depth in depths}
    found = {verdict for _, verdict in runs}
    for verdict in (*style.VERDICTS, "failed"):
        if verdict not in found:
            continue
        counts = [sum(run == (depth, verdict) for run in runs) for depth in depths]
        figure.add_trace(
            go.Bar(
                x=list(depths),
                y=[100 * count / max(of[depth], 1) for depth, count in zip(depths, counts, strict=True)],
                width=widths,
                marker={
                    "color": style.VERDICTS.get(verdict, style.GREY),
                    "line": {"width": 0},
                    "opacity": [_solid(of[depth]) for depth in depths],
                    "pattern": {
                        "shape": style.PATTERNS.get(verdict, ""),
                        "fillmode": "overlay",
                        "fgcolor": "white",
                        "size": 6,
                    },
                },
                customdata=[f"{count} of {of[depth]}" for depth, count in zip(depths, counts, strict=True)],
                hovertemplate=f"depth %{{x}}: %{{customdata}} {in_words(verdict)}<extra></extra>",
                name=in_words(verdict),
            ),
            row=LOWER,
            col=1,
        )


def _solid(runs: int) -> float:
    """How opaque a bar is: one of few runs is faint, since a share of one run says little."""
    return min(1.0, FAINTEST + (1 - FAINTEST) * runs / ENOUGH_RUNS)


def _widths(depths: Sequence[int]) -> list[float]:
    """The room that each depth has to itself: at most a 24th of the axis, and at least enough to be seen."""
    wide, span = is_wide(depths), max(depths) - min(depths)

    def part(depth: int, share: float) -> float:
        if wide:
            return float(depth * ((max(depths) / min(depths)) ** share - 1))
        return max(span, 1) * share

    widths = []
    for k, depth in enumerate(depths):
        gaps = [abs(depth - depths[other]) for other in (k - 1, k + 1) if 0 <= other < len(depths)]
        room = min([part(depth, 1 / 24), *gaps])
        widths.append(max(NARROWEST_BAR * room, part(depth, 1 / 200)))
    return widths
