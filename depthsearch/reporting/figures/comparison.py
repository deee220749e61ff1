"""A comparison as a plotly figure: a row for each network, with what was reported of it."""

from collections.abc import Sequence

from plotly import graph_objects as go

from depthsearch.reporting.figures import style
from depthsearch.reporting.sentences import interval_words
from depthsearch.results.comparison import Compared, Comparison

ROW = 64
"""Pixels that a network takes."""

LONGEST_LABEL = 40
"""Characters of a name beside its row."""


def comparison_figure(comparison: Comparison) -> go.Figure:
    """Each network's interval and median, where half of the runs train, and the reported depth.

    An interval that is open above ends in an arrow. Where trainability does not simply fall, the
    line goes from the first crossing to the last, and there is no median.
    """
    figure = go.Figure()
    several = comparison.compared
    depths = [max(depth, 1) for own in several for depth in _depths(own)] or [1]
    labels = _labels(several)
    _intervals(figure, several, labels, depths)
    _marks(
        figure,
        labels,
        [_median(own) for own in several],
        "median",
        {"symbol": "circle", "color": style.BLUE, "size": 14},
    )
    _marks(
        figure,
        labels,
        [_half(own) for own in several],
        "half of the runs train",
        {"symbol": "diamond-open", "color": style.BLUE, "size": 11, "line": {"width": 2}},
    )
    _marks(
        figure,
        labels,
        [own.reported.depth if own.reported else None for own in several],
        "reported",
        {"symbol": "x", "color": style.VERMILION, "size": 12},
    )
    units = {own.answer.problem.network.units for own in several}
    figure.update_xaxes(style.depth_axis(depths, f"depth ({units.pop()})" if len(units) == 1 else "depth"))
    figure.update_yaxes(categoryorder="array", categoryarray=labels[::-1], range=[-0.6, len(labels) - 0.4])
    return style.dressed(figure, _title(several), comparison.title, height=200 + ROW * len(several))


def _title(several: Sequence[Compared]) -> str:
    """Which trains deepest, by its hidden layers, since families count depth in units of their own."""
    found = [own for own in several if own.answer.layers is not None]
    if not found:
        return "No network is known to train to any depth"
    deepest = max(found, key=lambda own: own.answer.layers.hidden or 0 if own.answer.layers else 0)
    units = deepest.answer.problem.network.depth_words(deepest.answer.max_depth or 0)
    return f"{deepest.name} trains to {units}" + (f", deepest of {len(several)}" if len(several) > 1 else "")


def _labels(several: Sequence[Compared]) -> list[str]:
    """The networks' names, with their units where these differ."""
    units = [own.answer.problem.network.units for own in several]
    names = [style.plain(_shortened(own.name)) for own in several]
    if len(set(units)) == 1:
        return names
    return [f"{name}<br><sub>{unit}</sub>" for name, unit in zip(names, units, strict=True)]


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1]}…"


def _ends(own: Compared) -> tuple[int, int | None] | None:
    return own.answer.interval  # where trainability does not fall with depth, there is none


def _median(own: Compared) -> int | None:
    """The posterior's median, or where none is claimed the max depth."""
    answer = own.answer
    if answer.crossings is not None:
        return None
    found = [crossing.depth for crossing in answer.thresholds if crossing.reliability == answer.reliability]
    return found[0] if found else answer.max_depth


def _half(own: Compared) -> int | None:
    """Where every second run trains; nothing where that is what was asked, or where it may lie beyond the cap."""
    found = [crossing for crossing in own.answer.thresholds if crossing.reliability != own.answer.reliability]
    return found[-1].depth if found and found[-1].interval[1] is not None else None


def _depths(own: Compared) -> list[int]:
    """All that is drawn of a network."""
    reported = own.reported.depth if own.reported else None
    shown = (*(_ends(own) or ()), _median(own), _half(own), reported)
    return [depth for depth in shown if depth is not None]


def _intervals(figure: go.Figure, several: Sequence[Compared], labels: Sequence[str], depths: Sequence[int]) -> None:
    left, right = style.depth_range(depths)
    shown = True
    for own, label in zip(several, labels, strict=True):
        ends = _ends(own)
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
