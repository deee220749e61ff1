"""One run for a terminal, as rich renderables: its verdict, its curves, its layers, and what it has learnt."""

import math
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from depthsearch.detection.verdict import Evidence, VerdictKind
from depthsearch.reporting.sentences import count_of, in_words
from depthsearch.reporting.terminal.blocks import EDGES, SHADES, bar, chart, histogram, shade
from depthsearch.reporting.terminal.facts import evidence_rows, run_facts
from depthsearch.results.inspection import DecisionRegions, Inspection, Number, Replay, Spread

CHART_WIDTH, CHART_HEIGHT = 32, 4


BAR = 8


PICTURE_WIDTH, PICTURE_HEIGHT = 60, 18


MOST_LAYERS = 6
"""Layers that are all shown; of more, five."""

WIDE_LOSS = 10.0
"""A loss that spans more than this factor is drawn on a logarithmic scale."""

DECADE = 10.0
"""What a logarithmic bar spans at the least: layers that differ by little look alike."""


def inspection_text(inspection: Inspection, *, place: str | None = None) -> RenderableType:
    """A run for people. `place` is the store that the run was replayed from."""
    parts: list[RenderableType] = [_headline(inspection)]
    if inspection.replay is not None:
        parts.append(_replay(inspection.replay, now=inspection.verdict))
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


def _replay(replay: Replay, *, now: VerdictKind) -> Text:
    run = f"run {replay.run} of trial {replay.trial} of {replay.study}"
    recorded = f"as recorded ({in_words(replay.recorded)}, {count_of(replay.epochs, 'epoch')})"
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
    """Loss and accuracy over epochs, the accuracy from that of a coin with as many sides as there are classes."""
    chance = 1 / len(inspection.predictions.confusion)
    accuracies = inspection.train_accuracy, inspection.test_accuracy[1:]
    drawn = [*_losses(inspection), *_pair("accuracy", accuracies, chance, 1.0, (f"{chance:.2g}", "1"))]
    axis = f"{'epoch 1':<{CHART_WIDTH - 6}}{inspection.epochs:>6}"
    return Text("\n".join([*drawn, f"{'':>6} {axis}  {axis}"]))


def _losses(inspection: Inspection) -> list[str]:
    curves = [[float(loss) for loss in curve] for curve in (inspection.train_loss, inspection.test_loss[1:])]
    finite = [loss for curve in curves for loss in curve if math.isfinite(loss)]
    if not finite:
        return [f"{'':>6} the loss is not finite in any epoch"]
    high, low = max(finite), min((loss for loss in finite if loss > 0), default=math.inf)
    if high <= WIDE_LOSS * low:
        return _pair("loss", curves, 0.0, high, ("0", f"{high:.2g}"))
    logarithms = [[math.log10(max(loss, low)) for loss in curve] for curve in curves]
    return _pair("loss, log scale", logarithms, math.log10(low), math.log10(high), (f"{low:.2g}", f"{high:.2g}"))


def _pair(
    title: str, curves: Iterable[Sequence[Number]], low: float, high: float, labels: tuple[str, str]
) -> list[str]:
    """Train and test side by side, on one scale."""
    train, test = (
        chart([float(value) for value in curve], low=low, high=high, width=CHART_WIDTH, height=CHART_HEIGHT)
        for curve in curves
    )
    edge = [labels[1], *[""] * (CHART_HEIGHT - 2), labels[0]]
    head = f"{'':>6} {'train ' + title:<{CHART_WIDTH}}  test {title}"
    return [head, *(f"{label:>6} {a}  {b}" for label, a, b in zip(edge, train, test, strict=True))]


def _epochs(inspection: Inspection) -> Table:
    """Losses, accuracies and the gradients' way through the network at log-spaced epochs."""
    table = _table(
        "epoch",
        "train\nloss",
        "test\nloss",
        "train\naccuracy",
        "test\naccuracy",
        "first\nlayer |g|",
        "last\nlayer |g|",
        left=0,
    )
    flow = inspection.gradient_flow
    for epoch, gradients in zip(flow.epochs, flow.mean_abs_gradient, strict=True):
        table.add_row(
            str(epoch),
            _short(inspection.train_loss[epoch - 1], 4) if epoch else "",
            _short(inspection.test_loss[epoch], 4),
            _accuracy(inspection.train_accuracy[epoch - 1]) if epoch else "",
            _accuracy(inspection.test_accuracy[epoch]),
            _short(gradients[0]),
            _short(gradients[-1]),
        )
    return table


_QUANTITIES = (
    ("Mean |gradient| of the weights", "mean_abs_gradient"),
    ("Norm of the gradient of the weights", "gradient_norm"),
    ("Norm of the gradient of the activations", "activation_gradient_norm"),
)


def _layers(inspection: Inspection) -> Iterator[RenderableType]:
    """The gradients of each layer, at the start and at the end."""
    shown = _shown(len(inspection.per_layer))
    for title, name in _QUANTITIES:
        start, end = (
            [float(getattr(getattr(layer, moment), name)) for layer in inspection.per_layer]
            for moment in ("start", "end")
        )
        if any((*start, *end)):
            yield _heading(title)
            yield _gradients([layer.name for layer in inspection.per_layer], (start, end), shown)
            yield Text("")
        else:
            yield Text.assemble((title, "bold"), ": exactly 0 in every layer, at start and end\n")
    hidden = len(inspection.per_layer) - len(shown)
    more = f"… {count_of(hidden, 'more layer')} in --json. " if hidden else ""
    yield Text(f"{more}Bars: lin from 0 to the largest layer; log from the smallest, or a decade below.", style="dim")
    ratio = inspection.gradient_ratio
    if ratio.median is not None:
        yield Text(
            f"Mean |gradient|, last layer over first: {_times(ratio.start)} at the start, {_times(ratio.end)} at the "
            f"end, {_times(ratio.median)} in the median epoch."
        )
    yield Text("")


def _gradients(names: Sequence[str], moments: tuple[list[float], list[float]], shown: Sequence[int]) -> Table:
    """A figure of the layers at two moments, with bars that compare it with that of all layers at that moment."""
    table = _table("layer", "start", "lin", "log", "end", "lin", "log", left=1)
    for layer in shown:
        cells: list[str] = []
        for values in moments:
            found = [value for value in values if math.isfinite(value) and value > 0]
            linear, logarithmic = _shares(values[layer], min(found, default=1.0), max(found, default=1.0))
            cells += [_short(values[layer]), bar(linear, BAR), bar(logarithmic, BAR)]
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
    table = _table("layer", "norm before", "after", "change", "mean |change|", "units never active", left=1)
    for layer in (inspection.per_layer[index] for index in _shown(len(inspection.per_layer))):
        before, after = _percent(layer.start.never_active), _percent(layer.end.never_active)
        table.add_row(
            layer.name,
            _short(layer.start.weight_norm),
            _short(layer.end.weight_norm),
            _percent(layer.end.weight_change),
            _short(layer.mean_abs_change),
            before if before == after else f"{before} to {after}",
        )
    return table


def _histograms(inspection: Inspection) -> Table:
    """The first and the last layer at the start, near the middle of the budget, and at the end."""
    spread, last = inspection.spread, len(inspection.per_layer) - 1
    middle = min(range(len(spread.epochs)), key=lambda k: abs(spread.epochs[k] - inspection.epochs / 2))
    table = _table("of", "epoch", "low", "values, in equal bins", "high", left=1)
    table.columns[3].justify = "left"
    for what, quantity in (("weights", spread.weights), ("gradients", spread.gradients)):
        for layer in (0, last):
            labels = what, f"of {inspection.per_layer[layer].name}", ""
            for label, snapshot in zip(labels, (0, middle, len(spread.epochs) - 1), strict=True):
                table.add_row(label, str(spread.epochs[snapshot]), *_bins(quantity, snapshot, layer))
    return table


def _bins(spread: Spread, snapshot: int, layer: int) -> tuple[str, str, str]:
    low, high = spread.low[snapshot][layer], spread.high[snapshot][layer]
    counts = spread.counts[snapshot][layer]
    if not any(counts):
        return "", "none is finite", ""
    if low == high:
        return _short(low), f"all {sum(counts)} are equal", ""
    return _short(low), histogram(counts), _short(high)


def _picture(regions: DecisionRegions) -> Iterator[Text]:
    """The grid thinned to a picture, the largest y on top; or a line where it is one class all over."""
    values = [float(value) for row in regions.end for value in row]
    if not any(map(math.isfinite, values)):
        yield Text("nothing that is finite")
        return
    if all(map(math.isfinite, values)) and (min(values) >= 0.5) == (max(values) >= 0.5):  # noqa: PLR2004
        side = int(min(values) >= 0.5)  # noqa: PLR2004
        yield Text(f"class {side} everywhere: the probability of class 1 is {min(values):.3f} to {max(values):.3f}")
        return
    rows = _spaced(len(regions.y), PICTURE_HEIGHT)
    columns = _spaced(len(regions.x), PICTURE_WIDTH)
    lines = ["".join(shade(float(regions.end[row][column])) for column in columns) for row in reversed(rows)]
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


def _short(value: Number, digits: int = 3) -> str:
    return f"{float(value):.{digits}g}"


def _percent(value: Number) -> str:
    return f"{float(value):.0%}" if math.isfinite(float(value)) else str(value)


def _accuracy(value: Number) -> str:
    return f"{float(value):.3f}"


def _times(ratio: float | None) -> str:
    return "undefined" if ratio is None else f"{ratio:.3g}"
