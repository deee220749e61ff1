"""One run for a terminal, as rich renderables: its verdict, its curves, its layers, and its predictions."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from depthsearch.detection.verdict import Evidence, VerdictKind
from depthsearch.reporting.layer_names import short_layer_names
from depthsearch.reporting.sentences import count_of, in_words
from depthsearch.reporting.terminal.blocks import EDGES, SHADES, bar, chart, histogram, shade
from depthsearch.reporting.terminal.facts import evidence_rows, run_facts
from depthsearch.results.inspection import Inspection, Replay
from depthsearch.training.trace import Floats, Histograms, Regions

CHART_WIDTH, CHART_HEIGHT = 32, 4
BAR = 8
PICTURE_WIDTH, PICTURE_HEIGHT = 60, 18

MOST_LAYERS = 6
"""Layers that are all shown; of more, five."""

NAME_IN_HISTOGRAMS = 14
"""Characters of a layer's name next to its histograms."""

LONGEST_NUMBER = 9
"""Characters of a number in a table: "-0.000123" fits, and "-1.23e-10" does."""

WIDE_LOSS = 10.0
"""A loss that spans more than this factor is drawn on a logarithmic scale."""

DECADE = 10.0
"""What a logarithmic bar spans at the least: layers that differ by little look alike."""


def inspection_text(inspection: Inspection, *, place: str | None = None) -> RenderableType:
    """A run for people. `place` is the store that the run was replayed from."""
    parts: list[RenderableType] = [_headline(inspection)]
    if inspection.replay is not None:
        parts.append(_replay(inspection.replay, now=inspection.verdict, entry=inspection.entry))
    shown: list[RenderableType] = [_evidence(inspection.evidence), _curves(inspection), _epochs(inspection)]
    for part in shown:
        parts += [Text(""), part]
    parts += [Text(""), *_layers(inspection)]
    parts += [_heading("Weights before and after"), _weights(inspection), Text("")]
    parts += [_heading("Histograms"), _histograms(inspection), Text("")]
    if inspection.regions is not None:
        parts += [_heading("The plane as it sees it at the end"), *_picture(inspection.regions), Text("")]
    parts.append(_facts(inspection, place))
    return Group(*parts)


def _headline(inspection: Inspection) -> Text:
    problem, family = inspection.problem, inspection.problem.network
    what = f"{problem.label}, {family.depth_words(inspection.depth)}"
    style = "bold green" if inspection.verdict is VerdictKind.TRAINED else "bold yellow"
    return Text(f"{what}, seed {inspection.seed}: {inspection.sentence}", style=style)


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _replay(replay: Replay, *, now: VerdictKind, entry: str) -> Text:
    run = f"run {replay.run} of trial {replay.trial} of {replay.study}"
    recorded = f"as recorded ({in_words(replay.recorded)}, {count_of(replay.epochs, entry)})"
    text = Text(f"replay of {run}: ")
    if replay.same:
        text.append(f"the same {recorded}, bit for bit", style="green")
    else:
        text.append(f"not the same {recorded}: {replay.differs}", style="yellow")
    if now is not replay.recorded:
        text.append(f"; judged now: {in_words(now)}")
    if replay.whole_budget is not replay.recorded:
        text.append(f"; over the whole budget: {in_words(replay.whole_budget)}")
    return text


def _evidence(evidence: Evidence) -> Table:
    table = _table(f"rule: {in_words(evidence.rule)}", "figure", "threshold", left=1)
    for row in evidence_rows(evidence):
        table.add_row(*row)
    return table


def _curves(inspection: Inspection) -> Text:
    """Loss and accuracy over epochs, the accuracy from that of a guess at random."""
    classes = inspection.detail.predictions.shape[1]
    chance, name = 1 / classes if classes else inspection.baseline, inspection.score_name
    scores = inspection.train_score, inspection.test_score[1:]
    drawn = [*_losses(inspection), *_pair(name, scores, chance, 1.0, (f"{chance:.2g}", "1"))]
    axis = f"{inspection.entry + ' 1':<{CHART_WIDTH - 6}}{inspection.epochs:>6}"
    return Text("\n".join([*drawn, f"{'':>6} {axis}  {axis}"]))


def _losses(inspection: Inspection) -> list[str]:
    curves = inspection.train_loss.astype(np.float64), inspection.test_loss[1:].astype(np.float64)
    every = np.concatenate(curves)
    finite = every[np.isfinite(every)]
    if not len(finite):
        return [f"{'':>6} the loss is not finite in any {inspection.entry}"]
    high, low = float(finite.max()), float(finite[finite > 0].min(initial=math.inf))
    if high <= WIDE_LOSS * low:
        return _pair("loss", curves, 0.0, high, ("0", f"{high:.2g}"))
    train, test = (np.log10(np.maximum(loss, low)) for loss in curves)
    return _pair("loss, log scale", (train, test), math.log10(low), math.log10(high), (f"{low:.2g}", f"{high:.2g}"))


def _pair(
    title: str,
    curves: tuple[NDArray[np.floating], NDArray[np.floating]],
    low: float,
    high: float,
    labels: tuple[str, str],
) -> list[str]:
    """Train and test side by side, on one scale."""
    train, test = (
        chart(curve.tolist(), low=low, high=high, width=CHART_WIDTH, height=CHART_HEIGHT) for curve in curves
    )
    edge = [labels[1], *[""] * (CHART_HEIGHT - 2), labels[0]]
    head = f"{'':>6} {'train ' + title:<{CHART_WIDTH}}  test {title}"
    return [head, *(f"{label:>6} {a}  {b}" for label, a, b in zip(edge, train, test, strict=True))]


def _epochs(inspection: Inspection) -> Table:
    """Losses, accuracies and the gradients' way through the network at log-spaced epochs."""
    score = inspection.score_name.split()[-1]
    table = _table(
        inspection.entry,
        "train\nloss",
        "test\nloss",
        f"train\n{score}",
        f"test\n{score}",
        "first\nlayer |g|",
        "last\nlayer |g|",
        left=0,
    )
    snapshots = inspection.trace.snapshots
    for epoch, gradients in zip(snapshots.epochs.tolist(), snapshots.mean_abs_gradient.tolist(), strict=True):
        table.add_row(
            str(epoch),
            _short(inspection.train_loss[epoch - 1], 4) if epoch else "",
            _short(inspection.test_loss[epoch], 4),
            _accuracy(inspection.train_score[epoch - 1]) if epoch else "",
            _accuracy(inspection.test_score[epoch]),
            _short(gradients[0]),
            _short(gradients[-1]),
        )
    return table


_QUANTITIES = (
    ("Mean |gradient| of the weights", "mean_abs_gradient"),
    ("Norm of the gradient of the weights", "weight_gradient_norm"),
    ("Norm of the gradient of the activations", "activation_gradient_norm"),
)


def _layers(inspection: Inspection) -> Iterator[RenderableType]:
    """The gradients of each layer, at the start and at the end."""
    names = inspection.trace.layers
    shown = _shown(len(names))
    for title, name in _QUANTITIES:
        moments = getattr(inspection.every_epoch, name)[[0, -1]]
        if moments.any():
            yield _heading(title)
            yield _gradients(short_layer_names(names), moments, shown)
            yield Text("")
        else:
            yield Text.assemble((title, "bold"), ": exactly 0 in every layer, at start and end\n")
    hidden = len(names) - len(shown)
    more = f"… {count_of(hidden, 'more layer')} in --json. " if hidden else ""
    yield Text(f"{more}Bars: lin from 0 to the largest layer; log from the smallest, or a decade below.", style="dim")
    ratios = inspection.gradient_ratio
    defined = ratios[np.isfinite(ratios)]
    if len(defined):
        yield Text(
            f"Mean |gradient|, last layer over first: {_times(ratios[0])} at the start, {_times(ratios[-1])} at the "
            f"end, {_times(float(np.median(defined)))} in the median {inspection.entry}."
        )
    yield Text("")


def _gradients(names: Sequence[str], moments: Floats, shown: Sequence[int]) -> Table:
    """[2, L] a figure of the layers at two moments, with bars that compare it with all layers at that moment."""
    table = _table("layer", "start", "lin", "log", "end", "lin", "log", left=1)
    for layer in shown:
        cells: list[str] = []
        for values in moments.tolist():
            found = [value for value in values if math.isfinite(value) and value > 0]
            linear, logarithmic = _shares(values[layer], min(found, default=1.0), max(found, default=1.0))
            # Where training breaks down, the figures of all layers do.
            unseen = math.isnan(values[layer]) and bool(found)
            cells += ["not seen" if unseen else _short(values[layer]), bar(linear, BAR), bar(logarithmic, BAR)]
        table.add_row(names[layer], *cells)
    return table


def _shares(value: float, low: float, high: float) -> tuple[float, float]:
    """How much of a bar a value fills: linearly between 0 and high, and logarithmically between low and high."""
    if not math.isfinite(value):
        return math.nan, math.nan
    if value <= 0:
        return 0.0, 0.0
    span = max(math.log10(high / low), math.log10(DECADE))
    return value / high, 1 - math.log10(high / value) / span


def _shown(layers: int) -> list[int]:
    """All of a few layers; otherwise the first two, the middle one, and the last two."""
    if layers <= MOST_LAYERS:
        return list(range(layers))
    return [0, 1, layers // 2, layers - 2, layers - 1]


def _weights(inspection: Inspection) -> Table:
    heads = ("norm\nbefore", "\nafter", "\nchange", "mean\n|change|", "units never\nactive")
    table = _table("\nlayer", *heads, left=1)
    every, changes = inspection.every_epoch, inspection.mean_abs_change
    names = short_layer_names(inspection.trace.layers)
    for layer in _shown(len(inspection.trace.layers)):
        before, after = (_percent(every.never_active[moment, layer]) for moment in (0, -1))
        table.add_row(
            names[layer],
            _short(every.weight_norm[0, layer]),
            _short(every.weight_norm[-1, layer]),
            _percent(every.weight_change[-1, layer]),
            _short(changes[layer]),
            before if before == after else f"{before} to {after}",
        )
    return table


def _histograms(inspection: Inspection) -> Table:
    """The first and the last layer at the start, near the middle of the budget, and at the end."""
    epochs = inspection.trace.snapshots.epochs.tolist()
    names = short_layer_names(inspection.trace.layers, NAME_IN_HISTOGRAMS)
    middle = min(epochs, key=lambda epoch: abs(epoch - inspection.epochs / 2))
    table = _table("of", inspection.entry, "low", "values, in equal bins", "high", left=1)
    table.columns[3].justify = "left"
    for what, quantity in (("weights", inspection.detail.weights), ("gradients", inspection.detail.gradients)):
        for layer in (0, len(names) - 1):
            labels = what, f"of {names[layer]}", ""
            for label, epoch in zip(labels, (0, middle, epochs[-1]), strict=True):
                table.add_row(label, str(epoch), *_bins(quantity, epoch, layer))
    return table


def _bins(histograms: Histograms, epoch: int, layer: int) -> tuple[str, str, str]:
    low, high = float(histograms.low[epoch, layer]), float(histograms.high[epoch, layer])
    counts = histograms.counts[epoch, layer].tolist()
    if not any(counts):
        return "", "none is finite", ""
    if low == high:
        return _short(low), f"all {sum(counts)} are equal", ""
    return _short(low), histogram(counts), _short(high)


def _picture(regions: Regions) -> Iterator[Text]:
    """The grid thinned to a picture, the largest y on top; or a line where it is one class all over."""
    plane = regions.probabilities[-1, ..., 1].astype(np.float64)
    low, high = float(plane.min()), float(plane.max())
    if not np.isfinite(plane).any():
        yield Text("nothing that is finite")
        return
    if np.isfinite(plane).all() and (low >= 0.5) == (high >= 0.5):  # noqa: PLR2004
        side = int(low >= 0.5)  # noqa: PLR2004
        yield Text(f"class {side} everywhere: the probability of class 1 is {low:.3f} to {high:.3f}")
        return
    rows = _spaced(len(regions.y), PICTURE_HEIGHT)
    columns = _spaced(len(regions.x), PICTURE_WIDTH)
    lines = ["".join(shade(float(plane[row, column])) for column in columns) for row in reversed(rows)]
    labels = [f"{float(regions.y[-1]):.2g}", *[""] * (PICTURE_HEIGHT - 2), f"{float(regions.y[0]):.2g}"]
    left, right = f"{float(regions.x[0]):.2g}", f"{float(regions.x[-1]):.2g}"
    axis = f"{'':>6}  {left}{right:>{PICTURE_WIDTH - len(left)}}"
    yield Text("\n".join([*(f"{label:>6} |{line}|" for label, line in zip(labels, lines, strict=True)), axis]))
    steps = ", ".join(f"{mark} from {edge}" for mark, edge in zip(SHADES[1:], EDGES, strict=True))
    yield Text(f"P(class 1): {steps}", style="dim")


def _spaced(size: int, most: int) -> list[int]:
    """At most so many indices, evenly from the first to the last."""
    if size <= most:
        return list(range(size))
    return [round(k * (size - 1) / (most - 1)) for k in range(most)]


def _facts(inspection: Inspection, place: str | None) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for row in run_facts(inspection, place=place):
        table.add_row(*row)
    return table


def _table(*columns: str, left: int) -> Table:
    """The first `left` columns are names, the others numbers."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < left else "right", no_wrap=True)
    return table


def _short(value: float, digits: int = 3) -> str:
    short = f"{value:.{digits}g}"
    return short if len(short) <= LONGEST_NUMBER or not math.isfinite(value) else f"{value:.{digits - 1}g}"


def _percent(value: float) -> str:
    return f"{value:.0%}" if math.isfinite(value) else f"{value}"


def _accuracy(value: float) -> str:
    return f"{value:.3f}"


def _times(ratio: float) -> str:
    return f"{ratio:.3g}" if math.isfinite(ratio) else "undefined"
