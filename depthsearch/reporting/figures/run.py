"""One run as plotly figures: its learning curves, its gradients, its weights, and its decision regions.

Pure functions of an Inspection. What is not finite, and a zero on a logarithmic scale, is left out of a figure.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from plotly import graph_objects as go
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from depthsearch.reporting.figures import style
from depthsearch.reporting.layer_names import short_layer_names
from depthsearch.reporting.sentences import in_words
from depthsearch.reporting.terminal.facts import called
from depthsearch.results.inspection import Inspection
from depthsearch.training.trace import Histograms

MANY = 100.0
"""Times from which on a number is written out, without an exponent to read."""

LONGEST_NAME = 24
"""Characters of a layer's name in a legend, or above a histogram."""

WIDE_LOSS = 10.0
"""A loss that spans more than this factor is drawn on a logarithmic scale."""

REGIONS = ((0.0, style.BLUE), (0.5, "#FFFFFF"), (1.0, style.VERMILION))
"""From class 0 to class 1."""

HEIGHT_OF_ROW = 0.9
"""Share of the room between two epochs that the highest bin of a histogram fills."""

DECIMALS = 3
"""Of the probabilities over the plane, which would otherwise make a page of megabytes."""


def learning_figure(inspection: Inspection) -> go.Figure:
    """Accuracy and loss over epochs, train and test."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    train_epochs = list(range(1, inspection.epochs + 1))
    losses = [_finite(curve) for curve in (inspection.train_loss, inspection.test_loss)]
    accuracies = [_finite(curve) for curve in (inspection.train_score, inspection.test_score)]
    for row, (train, test) in ((1, accuracies), (2, losses)):
        for name, color, epochs, values in (
            ("train", style.BLUE, train_epochs, train),
            ("test", style.ORANGE, [0, *train_epochs], test),
        ):
            line = go.Scatter(x=epochs, y=values, mode="lines", line={"color": color}, name=name, showlegend=row == 1)
            figure.add_trace(line, row=row, col=1)
    figure.add_trace(
        go.Scatter(
            x=[0, inspection.epochs],
            y=[inspection.baseline] * 2,
            mode="lines",
            line={"color": style.GREY, "dash": "dot"},
            name="a constant guess",
        ),
        row=1,
        col=1,
    )
    figure.add_trace(
        go.Scatter(
            x=[0, inspection.epochs],
            y=[inspection.bar] * 2,
            mode="lines",
            line={"color": style.VERMILION, "dash": "dash", "width": 1.5},
            name=f"{inspection.score_name} threshold",
        ),
        row=1,
        col=1,
    )
    found = [loss for curve in losses for loss in curve if loss]
    if not found:
        figure.add_annotation(text="the loss is finite in no epoch", showarrow=False, row=2, col=1, bgcolor="white")
    wide = bool(found) and min(found) > 0 and max(found) > WIDE_LOSS * min(found)
    figure.update_yaxes(title_text=inspection.score_name, range=[0, 1.02], row=1, col=1)
    figure.update_yaxes(
        title_text="loss, log scale" if wide else "loss", type="log" if wide else "linear", row=2, col=1
    )
    figure.update_yaxes(rangemode="normal" if wide else "tozero", row=2, col=1)
    figure.update_xaxes(title_text=_entries(inspection), row=2, col=1)
    return style.dressed(figure, f"{_name(inspection)}: {in_words(inspection.verdict)}", _evidence(inspection))


def gradient_map(inspection: Inspection) -> go.Figure:
    """Mean |gradient| of every layer at log-spaced epochs, as colours; where it is 0 or not finite, nothing."""
    snapshots, names = inspection.trace.snapshots, inspection.trace.layers
    gradients = snapshots.mean_abs_gradient.T.astype(np.float64)
    with np.errstate(divide="ignore"):
        rows = [_finite(layer) for layer in np.log10(gradients)]
    figure = go.Figure(
        go.Heatmap(
            x=[str(epoch) for epoch in snapshots.epochs],
            y=list(range(1, len(names) + 1)),
            z=rows,
            customdata=[
                [(name, f"{value:.3g}") for value in layer]
                for name, layer in zip(names, gradients.tolist(), strict=True)
            ],
            colorscale="Cividis",
            colorbar=_scale("log10 of mean |gradient|"),
            hovertemplate=f"%{{customdata[0]}}, {inspection.entry} %{{x}}: %{{customdata[1]}}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text=_snapshots(inspection), type="category", showgrid=False)
    figure.update_yaxes(title_text="weight layer, the input's at the bottom", showgrid=False)
    _say_if_empty(figure, [value for row in rows for value in row], inspection)
    return style.dressed(figure, _flow_title(inspection), "Mean |gradient| of each layer's weights", height=520)


def gradient_lines(inspection: Inspection) -> go.Figure:
    """Mean |gradient| of the first two, the middle and the last two layers over log-spaced epochs."""
    snapshots, layers = inspection.trace.snapshots, len(inspection.trace.layers)
    names = short_layer_names(inspection.trace.layers, LONGEST_NAME)
    figure = go.Figure()
    shown = sorted({0, 1, layers // 2, layers - 2, layers - 1} & set(range(layers)))
    for layer, dash in zip(shown, ("solid", "dash", "dot", "dashdot", "longdash"), strict=False):
        gradients = snapshots.mean_abs_gradient[:, layer]
        figure.add_trace(
            go.Scatter(
                x=[str(epoch) for epoch in snapshots.epochs],
                y=_finite(np.where(gradients > 0, gradients, np.nan)),
                mode="lines+markers",
                line={"dash": dash},
                name=names[layer],
            )
        )
    figure.update_xaxes(title_text=_snapshots(inspection), type="category")
    figure.update_yaxes(title_text="mean |gradient| of weights, log scale", type="log", exponentformat="power")
    _say_if_empty(figure, [value for line in figure.data for value in line.y], inspection)
    return style.dressed(figure, _flow_title(inspection), "Five layers" if layers > len(shown) else "", height=520)


def histogram_figure(inspection: Inspection) -> go.Figure:
    """Histograms of the first and the last layer's weights and gradients, one above the other as epochs pass."""
    epochs, detail, last = (
        inspection.trace.snapshots.epochs.tolist(),
        inspection.detail,
        len(inspection.trace.layers) - 1,
    )
    short = short_layer_names(inspection.trace.layers, LONGEST_NAME)
    names = [short[layer] for layer in (0, last)]
    titles = [f"{what}, {name}" for what in ("weights", "gradients") for name in names]
    figure = make_subplots(rows=2, cols=2, subplot_titles=titles, horizontal_spacing=0.12, vertical_spacing=0.16)
    colors = sample_colorscale("Cividis", [0.85 * k / len(epochs) for k in range(len(epochs))])
    for row, quantity in ((1, detail.weights), (2, detail.gradients)):
        for column, layer in ((1, 0), (2, last)):
            for k in reversed(range(len(epochs))):
                x, y = _ridge(quantity, epochs[k], layer, base=float(k))
                ridge = go.Scatter(
                    x=x,
                    y=y,
                    mode="lines",
                    fill="toself",
                    line={"color": colors[k], "width": 1},
                    fillcolor=colors[k],
                    hoverinfo="skip",
                    showlegend=False,
                )
                figure.add_trace(ridge, row=row, col=column)
    figure.update_yaxes(
        title_text=inspection.entry, tickvals=list(range(len(epochs))), ticktext=[str(epoch) for epoch in epochs]
    )
    if not any(len(ridge.x) for ridge in figure.data):
        _note(figure, "no weight or gradient is finite")
    figure.update_xaxes(nticks=5, exponentformat="power")
    figure.update_xaxes(title_text="value", row=2)
    return style.dressed(
        figure, f"{_name(inspection)}: weights and gradients", _evidence(inspection), height=760, headed=True
    )


def regions_figure(inspection: Inspection) -> go.Figure | None:
    """The probability of class 1 over the plane, at the start and at the end, with the test points; None where the
    data are not two classes in the plane.
    """
    regions = inspection.regions
    if regions is None:
        return None
    labels = inspection.detail.labels
    figure = make_subplots(rows=1, cols=2, subplot_titles=("at the start", "at the end"), shared_yaxes=True)
    for column, snapshot in ((1, 0), (2, -1)):
        plane = go.Heatmap(
            x=regions.x.tolist(),
            y=regions.y.tolist(),
            z=[_finite(row) for row in regions.probabilities[snapshot, ..., 1].astype(np.float64).round(DECIMALS)],
            zmin=0,
            zmax=1,
            colorscale=[list(stop) for stop in REGIONS],
            colorbar=_scale("P(class 1)"),
            showscale=column == 2,  # noqa: PLR2004 - one scale for both
            hovertemplate="(%{x:.2f}, %{y:.2f}): %{z:.3f}<extra></extra>",
        )
        figure.add_trace(plane, row=1, col=column)
        for label, symbol in ((0, "circle"), (1, "x")):
            points = regions.points[labels == label]
            marks = go.Scatter(
                x=points[:, 0].tolist(),
                y=points[:, 1].tolist(),
                mode="markers",
                marker={"symbol": symbol, "size": 5, "color": style.REGION_POINTS[label]},
                name=f"test points of class {label}",
                showlegend=column == 1,
                hoverinfo="skip",
            )
            figure.add_trace(marks, row=1, col=column)
    figure.update_xaxes(title_text="first feature", showgrid=False)
    figure.update_yaxes(title_text="second feature", showgrid=False, row=1, col=1)
    if not np.isfinite(regions.probabilities[-1]).any():
        figure.add_annotation(text="no probability is finite", showarrow=False, row=1, col=2, bgcolor="white")
    title = f"{_name(inspection)}: {int(inspection.confusion.trace())} of {len(labels)} test points right"
    return style.dressed(figure, title, "Probability of class 1 over the plane", height=520, headed=True)


def _entries(inspection: Inspection) -> str:
    return "epoch" if inspection.entry == "epoch" else f"entry ({inspection.trace.steps} steps in all)"


def _snapshots(inspection: Inspection) -> str:
    return "epoch (0, 1, 2, 4, 8, ... and the last)" if inspection.entry == "epoch" else _entries(inspection)


def _say_if_empty(figure: go.Figure, values: Sequence[float | None], inspection: Inspection) -> None:
    """Say why nothing is drawn, where nothing is."""
    if any(value is not None for value in values):
        return
    zero = not inspection.trace.snapshots.mean_abs_gradient.any()
    _note(figure, "every gradient is exactly 0, at every epoch" if zero else "no gradient is finite and above 0")


def _note(figure: go.Figure, text: str) -> None:
    figure.add_annotation(
        text=text, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5, font={"size": 16}, bgcolor="white"
    )


def _scale(title: str) -> dict[str, object]:
    """A narrow scale of colours, its title along it."""
    return {"thickness": 14, "title": {"text": title, "side": "right", "font": {"size": 14}}}


def _name(inspection: Inspection) -> str:
    family = inspection.problem.network
    return f"{called(inspection.problem)}, {family.depth_words(inspection.depth)}, seed {inspection.seed}"


def _evidence(inspection: Inspection) -> str:
    return inspection.sentence.partition(": ")[2]


def _flow_title(inspection: Inspection) -> str:
    end = float(inspection.gradient_ratio[-1])
    if not math.isfinite(end):
        return f"{_name(inspection)}: its gradients"
    times = f"{end:.2g}" if end < MANY else f"{float(f'{end:.2g}'):,.0f}"
    return f"{_name(inspection)}: the last layer's gradient ends at {times} times the first's"


def _finite(values: NDArray[np.floating]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _ridge(histograms: Histograms, epoch: int, layer: int, *, base: float) -> tuple[list[float], list[float]]:
    """The outline of one histogram above the line at `base`; empty where no value is finite."""
    counts, edges = histograms.counts[epoch, layer], histograms.edges(epoch, layer).tolist()
    if not counts.any():
        return [], []
    tops = (base + HEIGHT_OF_ROW * counts / counts.max()).tolist()
    x, y = [edges[0]], [base]
    for left, right, top in zip(edges, edges[1:], tops, strict=False):
        x += [left, right]
        y += [top, top]
    return [*x, edges[-1]], [*y, base]
