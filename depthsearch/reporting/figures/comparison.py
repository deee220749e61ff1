"""A comparison as a plotly figure: a row for each network, with what was reported of it."""

import textwrap
from collections.abc import Sequence

from plotly import graph_objects as go

from depthsearch.reporting.figures import style
from depthsearch.reporting.sentences import interval_words
from depthsearch.reporting.standings import kinds_of
from depthsearch.results.comparison import Compared, Comparison

ROW, LINE = 28, 20
"""Pixels that a row takes, and each line of its label."""

LONGEST_LINE, MOST_LINES = 28, 3
"""Characters of a name in a line, and lines of it next to its row."""


def comparison_figure(comparison: Comparison) -> go.Figure:
    """Each network's interval and median, where half of the runs train, and the reported depth.

    An interval that is open above ends in an arrow. Where trainability does not simply fall, the
    line goes from the first crossing to the last, and there is no median. Where units of depth or reliabilities differ,
    each row says which it has.
    """
    figure = go.Figure()
    several = comparison.compared
    depths = [max(depth, 1) for row in several for depth in _depths(row)] or [1]
    labels = _labels(several)
    _intervals(figure, several, labels, depths)
    _marks(
        figure,
        labels,
        [_median(row) for row in several],
        "median",
        {"symbol": "circle", "color": style.BLUE, "size": 14},
    )
    _marks(
        figure,
        labels,
        [_half(row) for row in several],
        "half of the runs train",
        {"symbol": "diamond-open", "color": style.BLUE, "size": 11, "line": {"width": 2}},
    )
    _marks(
        figure,
        labels,
        [row.reported.depth if row.reported else None for row in several],
        "reported",
        {"symbol": "x", "color": style.VERMILION, "size": 12},
    )
    units = {unit for unit, _ in kinds_of(several)}
    unit = units.pop() if len(units) == 1 else "in the unit of each row"
    figure.update_xaxes(style.depth_axis(depths, f"depth ({unit})"))
    figure.update_yaxes(categoryorder="array", categoryarray=labels[::-1], range=[-0.6, len(labels) - 0.4])
    return style.dressed(figure, _title(several), comparison.title, height=200 + len(several) * _row_height(labels))


def _title(several: Sequence[Compared]) -> str:
    """Which trains deepest; where units of depth or reliabilities differ, which does in each kind."""
    kinds = kinds_of(several)
    leaders = []
    for kind in dict.fromkeys(kinds):
        found = [
            row for row, same in zip(several, kinds, strict=True) if same == kind and row.answer.max_depth is not None
        ]
        if found:
            best = max(found, key=lambda row: row.answer.max_depth or 0)
            depth = best.answer.problem.network.depth_words(best.answer.max_depth or 0)
            sure = "" if best.answer.confirmed else " (unconfirmed)"
            leaders.append(f"{best.name} trains to {depth}{_at(kind, kinds)}{sure}")
    if not leaders:
        return "No network is known to train to any depth"
    if len(set(kinds)) == 1:
        return leaders[0] + (f", deepest of {len(several)}" if len(several) > 1 else "")
    return f"{'; '.join(leaders)}: not comparable with each other"


def _at(kind: tuple[str, float], kinds: Sequence[tuple[str, float]]) -> str:
    return f" at {kind[1]:.0%}" if len({share for _, share in kinds}) > 1 else ""


def _labels(several: Sequence[Compared]) -> list[str]:
    """The rows' names, all different, with the unit of depth and the reliability where these differ."""
    kinds = kinds_of(several)
    units, shares = {unit for unit, _ in kinds}, {share for _, share in kinds}
    labels: list[str] = []
    for row, (unit, share) in zip(several, kinds, strict=True):
        parts = ([unit] if len(units) > 1 else []) + ([f"{share:.0%} train"] if len(shares) > 1 else [])
        lines = "<br>".join(style.plain(line) for line in textwrap.wrap(row.name, LONGEST_LINE)[:MOST_LINES])
        label = f"{lines}<br><sub>{', '.join(parts)}</sub>" if parts else lines
        while label in labels:
            label += "\u200b"  # two rows of one label would be drawn as one
        labels.append(label)
    return labels


def _row_height(labels: Sequence[str]) -> int:
    return ROW + LINE * max(1 + label.count("<br>") for label in labels)


def _ends(row: Compared) -> tuple[int, int | None] | None:
    return row.answer.interval  # where trainability does not fall with depth, there is none


def _median(row: Compared) -> int | None:
    """The posterior's median, or where none is claimed the max depth."""
    answer = row.answer
    if answer.crossings is not None:
        return None
    found = [crossing.depth for crossing in answer.thresholds if crossing.reliability == answer.reliability]
    return found[0] if found else answer.max_depth


def _half(row: Compared) -> int | None:
    """Where every second run trains; nothing where that is what was asked, or where it may lie beyond the cap."""
    found = [crossing for crossing in row.answer.thresholds if crossing.reliability != row.answer.reliability]
    return found[-1].depth if found and found[-1].interval[1] is not None else None


def _depths(row: Compared) -> list[int]:
    """All that is drawn of a network."""
    reported = row.reported.depth if row.reported else None
    shown = (*(_ends(row) or ()), _median(row), _half(row), reported)
    return [depth for depth in shown if depth is not None]


def _intervals(figure: go.Figure, several: Sequence[Compared], labels: Sequence[str], depths: Sequence[int]) -> None:
    left, right = style.depth_range(depths)
    shown = True
    for row, label in zip(several, labels, strict=True):
        ends = _ends(row)
        if ends is None:
            continue
        low, high = ends
        figure.add_trace(
            go.Scatter(
                x=[max(low, left), right if high is None else high],
                y=[label, label],
                mode="lines+markers",
                line={"color": style.SKY, "width": 9},
                marker={"symbol": "triangle-right", "size": [0, 20 if high is None else 0], "opacity": 1},
                cliponaxis=False,
                hovertemplate=f"{interval_words((low, high))}<extra></extra>",
                name="95 % interval",
                legendgroup="interval",
                showlegend=shown,
            )
        )
        shown = False


def _marks(
    figure: go.Figure, labels: Sequence[str], depths: Sequence[int | None], name: str, marker: dict[str, object]
) -> None:
    """One mark in each row that has such a depth."""
    there = [(depth, label) for depth, label in zip(depths, labels, strict=True) if depth is not None]
    if there:
        figure.add_trace(
            go.Scatter(
                x=[max(depth, 1) for depth, _ in there],
                y=[label for _, label in there],
                mode="markers",
                marker=marker,
                hovertemplate=f"{name}: %{{x}}<extra></extra>",
                name=name,
            )
        )
