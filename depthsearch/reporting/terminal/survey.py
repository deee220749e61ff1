"""A survey for a terminal: one row for each problem."""

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from depthsearch.problem.study_file import Reported
from depthsearch.reporting.sentences import listed
from depthsearch.results.comparison import Survey, Surveyed

WIDEST_WORD = 9
"""Columns that "|gradient" and "100,000 /" take."""

COLUMNS = (
    "network",
    "verdicts",
    "gradient,\nlast over\nfirst",
    "reported",
    "loss",
    "first layer\nchanged",
    "accuracy:\ntrain / test",
)


def survey_text(survey: Survey) -> RenderableType:
    """The survey for people."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for column in COLUMNS:
        table.add_column(column, overflow="fold", no_wrap=column == COLUMNS[0], min_width=WIDEST_WORD)
    for entry in survey.surveyed:
        table.add_row(*_cells(entry))
    first = survey.surveyed[0]
    what = (
        f"{first.runs} runs of each, {first.problem.network.depth_words(first.depth)}, the whole budget; medians. "
        "Mean |gradient| of the last layer over the first's: before the first step, over the epochs, at the end. "
        "Loss: in the first epoch, the middle one, the last"
    )
    parts: list[RenderableType] = [Text(survey.title, style="bold")] if survey.title else []
    parts += [Text(survey.source)] if survey.source else []
    parts += [Text(what), Text(""), table, Text("")]
    parts += [Text(f"{entry.name}, for example: {entry.sentence}") for entry in survey.surveyed]
    return Group(*parts)


def _cells(entry: Surveyed) -> list[str]:
    ratio, change = entry.gradient_ratio, entry.first_layer_change
    return [
        entry.name,
        listed(entry.verdicts),
        " / ".join(_times(value) for value in (ratio.start, ratio.middle, ratio.end)),
        _reported(entry.reported) if entry.reported else "",
        " / ".join("-" if loss is None else f"{loss:.3g}" for loss in entry.train_loss),
        f"{change:.2%}" if change is not None else "-",
        f"{entry.train_accuracy:.3f} / {entry.test_accuracy:.3f}",
    ]


def _times(ratio: float | None) -> str:
    if ratio is None:
        return "-"
    if not 1e-4 <= ratio < 1e9:  # noqa: PLR2004 - with an exponent where zeros would have to be counted
        return f"{ratio:.1e}"
    return f"{ratio:.2g}" if ratio < 100 else f"{float(f'{ratio:.2g}'):,.0f}"  # noqa: PLR2004


def _reported(reported: Reported) -> str:
    ratio = "" if reported.gradient_ratio is None else _times(reported.gradient_ratio)
    return " ".join(part for part in (reported.note, ratio) if part)
