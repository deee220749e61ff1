"""Studies as one HTML page."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from plotly import graph_objects as go

from depthsearch.reporting.figures.comparison import comparison_figure
from depthsearch.reporting.figures.curve import curve_figure
from depthsearch.reporting.html.document import document, figure_place, footer, heading, paragraph, scripts, table
from depthsearch.reporting.html.study import study_section
from depthsearch.reporting.terminal.comparison import comparison_table, reported_table
from depthsearch.reporting.terminal.facts import finding
from depthsearch.results.comparison import Comparison
from depthsearch.results.study_report import StudyReport
from depthsearch.workflows.studies import comparison_of


def figures_of(reports: Sequence[StudyReport], comparison: Comparison) -> dict[str, go.Figure]:
    """Every figure of a page by its name: "comparison" where there are several studies, and each study's curve."""
    figures = {"comparison": comparison_figure(comparison)} if len(comparison.compared) > 1 else {}
    for own in reports:
        if own.answer is not None and own.answer.curve:
            runs = [(run.depth, run.verdict.kind.value) for run in own.runs]
            figures[f"curve {own.name}"] = curve_figure(own.answer, runs)
    return figures


def page(reports: Sequence[StudyReport], *, place: str, written: datetime, title: str = "", source: str = "") -> str:
    """The page.

    Args:
        reports: What is shown, in this order.
        place: The store that holds the studies.
        written: When; it stands at the foot.
        title: Of all of it; by default what was found, or how many studies there are.
        source: Where the reported numbers are from.
    """
    comparison = comparison_of(reports, title=title, source=source)
    figures = figures_of(reports, comparison)
    ids = {name: f"figure-{k}" for k, name in enumerate(figures)}
    parts = [heading(_heading(reports, title), 1)]
    if len(reports) > 1:
        parts += _overview(reports, comparison, figures, ids)
    for own in reports:
        name = f"curve {own.name}"
        figure = figures.get(name)
        drawn = "" if figure is None else figure_place(figure, ids[name], figure.layout.title.subtitle.text)
        parts += study_section(own, place=place, figure=drawn, alone=len(reports) == 1)
    parts.append(footer(written, place=place))
    return document(_heading(reports, title), "\n".join(parts), scripts(figures, ids))


def _heading(reports: Sequence[StudyReport], title: str) -> str:
    if title:
        return title
    if len(reports) > 1:
        return f"{len(reports)} studies"
    return finding(reports[0].answer) if reports[0].answer else reports[0].name


def _told(column: str, cells: Sequence[str]) -> bool:
    """Whether a column says anything: the reliability only where networks differ in it."""
    return any(cells) and (column != "reliability" or len(set(cells)) > 1)


def _overview(
    reports: Sequence[StudyReport], comparison: Comparison, figures: dict[str, go.Figure], ids: dict[str, str]
) -> Iterator[str]:
    if comparison.source:
        yield paragraph(comparison.source, "lead")
    if "comparison" in figures:
        figure = figures["comparison"]
        yield figure_place(figure, ids["comparison"], figure.layout.title.text)
    if comparison.compared:
        columns, rows = comparison_table(comparison)
        told = [k for k, name in enumerate(columns) if _told(name, [row[k] for row in rows])]
        yield table([columns[k] for k in told], ([row[k] for k in told] for row in rows))
    columns, rows = reported_table(comparison)
    if rows:
        yield paragraph("Single depths that were reported, beside the share that trains there:")
        yield table(columns, rows)
    missing = [own.name for own in reports if own.answer is None or not own.answer.curve]
    if missing:
        yield paragraph(f"Not compared, since nothing is known of it: {', '.join(missing)}", "notice")
