"""A survey for a terminal: one row for each problem."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from depthsearch.core.survey import Survey, Surveyed
from depthsearch.core.words import in_words
from depthsearch.families import family_of

COLUMNS = (
    "network", "verdicts", "|gradient|, last layer\nover first: start, middle, end", "reported",
    "loss: first epoch,\nmiddle, last", "first layer\nchanged", "accuracy:\ntrain / test",
)  # fmt: skip


def survey_text(survey: Survey) -> RenderableType:
    """The survey for people."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for column in COLUMNS:
        table.add_column(column, justify="left", overflow="fold")
    for own in survey.surveyed:
        table.add_row(*_cells(own))
    first = survey.surveyed[0]
    what = f"{first.runs} runs of each, {family_of(first.problem.family).units(first.depth)}, the whole budget; medians"
    parts: list[RenderableType] = [Text(survey.title, style="bold")] if survey.title else []
    parts += [Text(survey.source)] if survey.source else []
    parts += [Text(what), Text(""), table, Text("")]
    parts += [Text(f"{own.name}: {_note(own)}{own.sentence}") for own in survey.surveyed]
    return Group(*parts)


def _cells(own: Surveyed) -> list[str]:
    ratio, change = own.gradient_ratio, own.first_layer_change
    reported = own.reported.gradient_ratio if own.reported else None
    return [
        own.name,
        ", ".join(f"{count} {in_words(kind)}" for kind, count in own.verdicts.items()),
        _listed([ratio.start, ratio.middle, ratio.end], 2),
        f"{reported:g}" if reported is not None else "",
        _listed(own.train_loss, 3),
        f"{change:.2%}" if change is not None else "not finite",
        f"{own.train_accuracy:.3f} / {own.test_accuracy:.3f}",
    ]


def _listed(values: Sequence[float | None], digits: int) -> str:
    return ", ".join("-" if value is None else f"{value:.{digits}g}" for value in values)


def _note(own: Surveyed) -> str:
    return f"reported: {own.reported.note}. Here for example " if own.reported and own.reported.note else ""
