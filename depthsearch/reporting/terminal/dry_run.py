"""What a search would take, for a terminal."""

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from depthsearch.reporting.terminal.facts import called
from depthsearch.results.dry_run import DryRun

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

MANY = 2.0
"""Units of time from which on a span is given in them."""

GIGABYTE = 1e9


def dry_run_text(found: DryRun) -> RenderableType:
    """The two depths that were timed, what the search takes for several max depths, and what that assumes."""
    words, depth_words = called(found.problem), found.problem.network.depth_words
    timed = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in ("a network of", "parameters", "one run takes", "peak memory"):
        timed.add_column(column, justify="left" if column == "a network of" else "right")
    for one in found.timed:
        parameters = "-" if one.parameters is None else f"{one.parameters:,}"
        timed.add_row(depth_words(one.depth), parameters, duration_words(one.seconds), memory_words(one.memory))
    expected = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("if they train to", "runs", "time", "deepest", "memory"):
        expected.add_column(column, justify="left" if column == "if they train to" else "right", no_wrap=True)
    for row in found.forecasts:
        low, high = row.runs
        expected.add_row(
            depth_words(row.max_depth),
            str(low) if low == high else f"{low} to {high}",
            span_words(*row.seconds),
            str(row.deepest),
            memory_words(row.memory),
        )
    headline = Text(f"{words}: a dry run, nothing is stored\n", style="bold")
    return Group(headline, timed, expected, Text(_basis(found)))


def _basis(found: DryRun) -> str:
    """What the figures rest on."""
    entries = " and ".join(f"{one.entries} of {one.of}" for one in found.timed)
    entry = "entries" if found.problem.recipe.steps is not None else "epochs"
    side = f", in {found.processes} processes" if found.processes > 1 else ""
    where = "GPU" if found.device == "cuda" else "CPU"
    return (
        f"timed: {entries} {entry} with the engine {found.engine} on the {where}{side}\n"
        "assumed: seconds and memory grow linearly with depth, and P(trained) falls steeply or gradually; a run that "
        "ends early takes less"
    )


def duration_words(seconds: float) -> str:
    """ "0.02 s", "14 s", "3.5 min", "12 h"."""
    for size, unit in ((DAY, "days"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= MANY * size:
            return f"{_two_digits(seconds / size)} {unit}"
    return f"{_two_digits(seconds)} s"


def span_words(low: float, high: float) -> str:
    """ "2 to 5 min", "40 s to 3 min"."""
    first, last = duration_words(low), duration_words(high)
    if first == last:
        return first
    number, unit = first.split()
    return f"{number} to {last}" if unit == last.split()[1] else f"{first} to {last}"


def _two_digits(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.2g}"  # noqa: PLR2004


def memory_words(size: int | None) -> str:
    """ "350 MB", "1.2 GB", "-" where it is not known."""
    if size is None:
        return "-"
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE else f"{size / 1e6:.0f} MB"
