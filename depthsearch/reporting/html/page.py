"""Studies as one HTML page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from plotly import graph_objects as go

from depthsearch.reporting.figures.comparison import comparison_figure
from depthsearch.reporting.figures.curve import curve_figure
from depthsearch.reporting.html.document import PlacedFigure, place_figures, render
from depthsearch.reporting.html.study import study_values
from depthsearch.reporting.standings import conclusions
from depthsearch.reporting.terminal.comparison import comparison_table, reported_table
from depthsearch.reporting.terminal.facts import finding
from depthsearch.results.comparison import Comparison
from depthsearch.results.study_report import StudyReport, comparison_of

COMPARISON = "comparison"
"""Name of the figure of all studies."""


def figures_of(reports: Sequence[StudyReport], comparison: Comparison) -> dict[str, go.Figure]:
    """Every figure of a page by its name: "comparison" where there are several studies, and each study's curve."""
    figures = {COMPARISON: comparison_figure(comparison)} if len(comparison.compared) > 1 else {}
    for report in reports:
        if report.answer is not None and report.answer.curve:
            runs = [(run.depth, run.verdict.kind.value) for run in report.runs]
            label = report.label if len(reports) > 1 else ""
            figures[_curve_of(report)] = curve_figure(report.answer, runs, label=label)
    return figures


def page(reports: Sequence[StudyReport], *, place: str, written: datetime, title: str = "", source: str = "") -> str:
    """The page.

    Args:
        reports: What is shown, in this order.
        place: The store that holds the studies.
        written: When, for the foot.
        title: Of all of it; by default what was found, or how many studies there are.
        source: Where the reported numbers are from.
    """
    comparison = comparison_of(reports, title=title, source=source)
    figures = figures_of(reports, comparison)
    captions = {
        name: figure.layout.title.text if name == COMPARISON else figure.layout.title.subtitle.text
        for name, figure in figures.items()
    }
    placed = place_figures(figures, captions)
    only_one = len(reports) == 1
    return render(
        "studies.html",
        title=_title(reports, title),
        written=written,
        place=place,
        only_one=only_one,
        overview=None if only_one else _overview(reports, comparison, placed),
        studies=[
            study_values(report, place=place, figure=placed.get(_curve_of(report)), only_one=only_one)
            for report in reports
        ],
    )


def _curve_of(report: StudyReport) -> str:
    return f"curve {report.name}"


def _title(reports: Sequence[StudyReport], title: str) -> str:
    if title:
        return title
    if len(reports) > 1:
        return f"{len(reports)} studies"
    return finding(reports[0].answer) if reports[0].answer else reports[0].name


def _overview(
    reports: Sequence[StudyReport], comparison: Comparison, placed: Mapping[str, PlacedFigure]
) -> dict[str, Any]:
    """The values of the part that compares the studies."""
    columns, rows = comparison_table(comparison)
    shown = [k for k, name in enumerate(columns) if _is_informative(name, [row[k] for row in rows])]
    reported_columns, reported_rows = reported_table(comparison)
    return {
        "source": comparison.source,
        "figure": placed.get(COMPARISON),
        "conclusions": conclusions(comparison),
        "columns": [columns[k] for k in shown],
        "rows": [[row[k] for k in shown] for row in rows],
        "reported_columns": reported_columns,
        "reported_rows": reported_rows,
        "missing": [report.heading for report in reports if report.answer is None or not report.answer.curve],
    }


def _is_informative(column: str, cells: Sequence[str]) -> bool:
    """Whether a column says anything: unit and reliability only where rows differ in them."""
    return any(cells) and (column not in ("unit", "reliability") or len(set(cells)) > 1)
