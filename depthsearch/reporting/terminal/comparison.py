"""A comparison as a table: for a terminal, as Markdown, and as rows for CSV."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from depthsearch.reporting.intervals import searched_interval_words
from depthsearch.reporting.labels import headings
from depthsearch.reporting.sentences import (
    crossed_words,
    excluded_depths,
    in_words,
    interval_words,
    listed,
)
from depthsearch.reporting.standings import conclusions, difference_words, rank_words, won_words
from depthsearch.reporting.terminal.facts import is_tested
from depthsearch.results.comparison import Compared, Comparison

COLUMNS_AT_ONCE = 4
"""Networks side by side in a terminal; more of them make another table below."""

ROW_COLUMNS = (
    "name", "family", "activation", "width", "normalization", "data", "reliability", "outcome", "max_depth",
    "interval_low", "interval_high", "interval_level", "half_depth", "half_low", "half_high", "hidden_layers",
    "weight_layers", "keras_layers", "parameters", "confirmed", "bar", "final_score", "test_accuracy", "useful_depth",
    "useful_low", "useful_high", "cause", "causes", "beyond",
    "trials", "runs", "seconds", "reported_depth", "reported_note", "study", "unit", "rank", "ranked_rows",
    "difference", "difference_low", "difference_high", "relation", "best_of", "best_value",
    "excluded",
)  # fmt: skip


def comparison_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """One flat row for each network, with the columns of ROW_COLUMNS."""
    return [dict(zip(ROW_COLUMNS, _row(compared), strict=True)) for compared in comparison.compared]


def comparison_markdown(comparison: Comparison) -> str:
    """The table as Markdown, one row for each network, and one for each reported depth below."""
    lines = [f"# {comparison.title}", ""] if comparison.title else []
    lines += _markdown(*comparison_table(comparison))
    lines += [line for sentence in conclusions(comparison) for line in ("", _markdown_text(sentence))]
    reported = reported_table(comparison)
    if reported[1]:
        lines += ["", *_markdown(*reported)]
    return "\n".join(lines) + "\n"


def comparison_table(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """The columns that hold anything, and a row for each network."""
    shown = [(name, fact) for name, fact in _FACTS if name not in _OPTIONAL or any(map(fact, comparison.compared))]
    return [name for name, _ in shown], [[fact(row) for _, fact in shown] for row in comparison.compared]


def reported_table(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """The columns, and a row for each single depth that was reported."""
    return list(_REPORTED), _reported_rows(comparison)


def comparison_text(comparison: Comparison, *, place: str) -> RenderableType:
    """The table for a terminal: a column for each network. `place` is the store that holds the studies."""
    parts: list[RenderableType] = []
    if comparison.title:
        parts.append(Text(comparison.title, style="bold"))
    firsts = range(0, len(comparison.compared), COLUMNS_AT_ONCE)
    reliabilities = {row.answer.reliability for row in comparison.compared}
    shown = ["reliability"] if len(reliabilities) > 1 else []
    named = headings([row.name for row in comparison.compared])
    for first in firsts:
        last = first + COLUMNS_AT_ONCE
        parts.append(_side_by_side(comparison.compared[first:last], named[first:last], shown))
    parts.extend(Text(sentence, style="bold") for sentence in conclusions(comparison))
    shares = " or ".join(f"{share:.0%}" for share in sorted(reliabilities))
    legend = (
        f"max depth: where {shares} of the runs train. layers: hidden / with weights / as Keras counts. useful to: "
        "as good as the best shallower network. accuracy: train in the last epochs / test, medians at max depth."
    )
    parts.append(Text(legend, style="dim"))
    rows = _reported_rows(comparison)
    if rows:
        parts.append(Text("\nSingle depths that were reported, and the share that trains there:"))
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in _REPORTED:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*row)
        parts.append(table)
    parts.append(Text(f"studies in {place}"))
    return Group(*parts)


def _side_by_side(several: Sequence[Compared], columns: Sequence[str], shown: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", style="bold", no_wrap=True)
    for heading in columns:
        table.add_column(heading, overflow="fold")
    for name, fact in _FACTS[1:]:
        cells = [fact(row) for row in several]
        if any(cells) and (name != "reliability" or name in shown):
            table.add_row(name, *cells)
    return table


def _depth(row: Compared) -> str:
    if row.answer.crossings is not None:
        return "no single depth"
    depth = row.answer.max_depth
    return "none" if depth is None else str(depth)


def _unit(row: Compared) -> str:
    return row.answer.problem.network.units


def _interval(row: Compared) -> str:
    if row.answer.crossings:
        return f"crosses it {crossed_words(row.answer.crossings, row.answer.shallowest)}"
    if row.answer.interval is None:
        return "none claimed"
    return searched_interval_words(row.answer.interval, row.answer)


def _half(row: Compared) -> str:
    found = [crossing for crossing in row.answer.thresholds if crossing.reliability != row.answer.reliability]
    if not found:
        return ""
    interval = interval_words(found[-1].interval, row.answer.settings.cap)
    return interval if interval.startswith("at least") else f"{found[-1].depth} ({interval})"


def _layers(row: Compared) -> str:
    counts = row.answer.layers
    numbers = (counts.hidden, counts.weight_layers, counts.keras) if counts else ()
    return " / ".join("-" if number is None else str(number) for number in numbers) if any(numbers) else ""


def _accuracy(row: Compared) -> str:
    scores = row.answer.scores
    if scores is None:
        return ""
    return f"{scores.median:.3f} / {scores.test:.3f}" if is_tested(row.answer.problem) else f"{scores.median:.3f}"


def _confirmed(row: Compared) -> str:
    there = [again for again in row.answer.confirmation if again.depth == row.answer.max_depth]
    if not row.answer.confirmed or not there:
        return "yes" if row.answer.confirmed else "no"
    return f"{sum(again.trained for again in there)} of {sum(again.of for again in there)}"


def _useful(row: Compared) -> str:
    useful = row.answer.useful_depth
    if row.answer.max_depth is None:
        return ""
    return "too few runs" if useful is None else f"{useful.depth} ({interval_words(useful.interval)})"


def _cause(row: Compared) -> str:
    return listed(row.answer.beyond.causes) if row.answer.beyond else ""


def _cost(row: Compared) -> str:
    return f"{row.answer.cost.runs} runs, {row.answer.cost.seconds:.1f} s"


def _reported(row: Compared) -> str:
    if row.reported is None or row.reported.depth is None:
        return ""
    return f"{row.reported.depth} ({row.reported.note})" if row.reported.note else str(row.reported.depth)


_FACTS = (
    ("network", lambda row: row.name),
    ("best of", won_words),
    ("max depth", _depth),
    ("rank", rank_words),
    ("to the first", difference_words),
    ("reported", _reported),
    ("95 % interval", _interval),
    ("reliability", lambda row: f"{row.answer.reliability:.0%}"),
    ("unit", _unit),
    ("at 50 %", _half),
    ("layers", _layers),
    ("useful to", _useful),
    ("accuracy", _accuracy),
    ("confirmed", _confirmed),
    ("fail past it", _cause),
    ("excluded", lambda row: excluded_depths(row.answer.exclusions)),
    ("outcome", lambda row: in_words(row.answer.outcome.value)),
    ("cost", _cost),
)

_OPTIONAL = ("best of", "rank", "to the first", "excluded")
"""Columns of a comparison that is ranked, or of the best of groups; and of depths that cannot be trained."""

_REPORTED = ("network", "depth", "reported: train / test", "note", "P(trained)", "95 % band")


def _reported_rows(comparison: Comparison) -> list[list[str]]:
    rows = []
    for row in comparison.compared:
        measured = {point.depth: point for point in row.measured}
        for reported in row.reported.rows if row.reported else ():
            point = measured.get(reported.depth)
            accuracies = (reported.train_accuracy, reported.test_accuracy)
            rows.append(
                [
                    row.name,
                    str(reported.depth),
                    " / ".join("-" if value is None else f"{value:.3f}" for value in accuracies),
                    reported.note,
                    "" if point is None else f"{point.p:.2f}",
                    "" if point is None else f"{point.low:.2f} to {point.high:.2f}",
                ]
            )
    return rows


def _markdown_text(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(map(_markdown_text, cells)) + " |"

    return [line(header), "|" + "---|" * len(header), *(line(row) for row in rows)]


def _row(row: Compared) -> tuple[Any, ...]:
    answer, problem = row.answer, row.answer.problem
    low, high = answer.interval or (None, None)
    half = next((found for found in answer.thresholds if found.reliability != answer.reliability), None)
    half_low, half_high = half.interval if half else (None, None)
    layers, scores, useful = answer.layers, answer.scores, answer.useful_depth
    useful_low, useful_high = useful.interval if useful else (None, None)
    beyond, reported, standing, won = answer.beyond, row.reported, row.standing, row.won
    difference_low, difference_high = (standing.interval if standing else None) or (None, None)
    network = problem.network.model_dump()
    return (
        row.name, problem.network.family, network.get("activation"), network.get("width"),
        network.get("normalization"), problem.data.name,
        answer.reliability, answer.outcome.value, answer.max_depth, low, high, answer.interval_level,
        half.depth if half else None, half_low, half_high,
        layers.hidden if layers else None, layers.weight_layers if layers else None, layers.keras if layers else None,
        layers.parameters if layers else None,
        answer.confirmed, answer.bar, scores.median if scores else None, scores.test if scores else None,
        useful.depth if useful else None, useful_low, useful_high,
        beyond.cause if beyond else None, beyond.causes if beyond else None, beyond.sentence if beyond else None,
        answer.cost.trials, answer.cost.runs, answer.cost.seconds,
        reported.depth if reported else None, reported.note if reported else None, answer.study,
        problem.network.units, standing.rank if standing else None, standing.of if standing else None,
        standing.difference if standing else None, difference_low, difference_high,
        standing.relation.value if standing else None, won.field if won else None, won.value if won else None,
        excluded_depths(answer.exclusions) or None,
    )  # fmt: skip
