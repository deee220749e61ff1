"""Studies as one HTML file that needs nothing else: plotly's script inlined once, and nothing fetched."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from plotly import graph_objects as go
from plotly.offline import get_plotlyjs

from depthsearch.core.comparison import Comparison
from depthsearch.reporting.compare_figure import comparison_figure
from depthsearch.reporting.comparing import comparison_table, reported_table
from depthsearch.reporting.facts import finding
from depthsearch.reporting.figures import curve_figure
from depthsearch.reporting.markup import heading, paragraph, table
from depthsearch.reporting.reading import StudyReport, comparison_of
from depthsearch.reporting.study_section import study_section

CONFIG = {
    "responsive": True,
    "displaylogo": False,
    "modeBarButtons": [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
}
"""Only those buttons that send nothing anywhere."""

STYLE = """
body { margin: 0; background: #fff; color: #222; font: 16px/1.5 Helvetica, Arial, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 16px; }
h1 { font-size: 1.6em; line-height: 1.25; } h2 { font-size: 1.35em; margin-top: 2em; line-height: 1.25; }
h3 { font-size: 1.1em; margin-top: 1.6em; }
h1, h2, p, td { overflow-wrap: anywhere; }
figure { margin: 1em 0; } figcaption { color: #555; font-size: 0.9em; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.9em; }
.wide td { overflow-wrap: normal; } .wide td:first-child { white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: 3px 14px 3px 0; border-bottom: 1px solid #ddd; }
.wide th { white-space: nowrap; } .facts th { white-space: nowrap; } .marked td { font-weight: bold; }
td { font-variant-numeric: tabular-nums; }
.lead { font-size: 1.1em; } .notice { border-left: 4px solid #D55E00; padding: 4px 12px; background: #fdf3ec; }
.faint, footer { color: #555; font-size: 0.9em; } summary { cursor: pointer; margin-top: 1em; }
code { font-size: 0.95em; overflow-wrap: anywhere; }
@media print { details > * { display: block; } h2, figure, tr { break-inside: avoid; } }
"""


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
        drawn = "" if figure is None else _figure(figure, ids[name], figure.layout.title.subtitle.text)
        parts += study_section(own, place=place, figure=drawn, alone=len(reports) == 1)
    written_at = written.strftime("%Y-%m-%d %H:%M %Z").strip()
    parts.append(f"<footer><p>Written {escape(written_at)} by depthsearch, from {escape(place)}.</p></footer>")
    return _document(_heading(reports, title), "\n".join(parts), _scripts(figures, ids))


def _heading(reports: Sequence[StudyReport], title: str) -> str:
    if title:
        return title
    if len(reports) > 1:
        return f"{len(reports)} studies"
    return finding(reports[0].answer) if reports[0].answer else reports[0].name


def _overview(
    reports: Sequence[StudyReport], comparison: Comparison, figures: dict[str, go.Figure], ids: dict[str, str]
) -> Iterator[str]:
    if comparison.source:
        yield paragraph(comparison.source, "lead")
    if "comparison" in figures:
        figure = figures["comparison"]
        yield _figure(figure, ids["comparison"], figure.layout.title.text)
    if comparison.compared:
        columns, rows = comparison_table(comparison)
        told = [k for k in range(len(columns)) if any(row[k] for row in rows)]
        yield table([columns[k] for k in told], ([row[k] for k in told] for row in rows))
    columns, rows = reported_table(comparison)
    if rows:
        yield paragraph("Single depths that were reported, beside the share that trains there:")
        yield table(columns, rows)
    missing = [own.name for own in reports if own.answer is None or not own.answer.curve]
    if missing:
        yield paragraph(f"Not compared, since nothing is known of it: {', '.join(missing)}", "notice")


def _figure(figure: go.Figure, name: str, caption: str) -> str:
    """The place that the script draws a figure in. Its caption wraps, where a figure's own title would not."""
    return (
        f'<figure><figcaption>{caption}</figcaption><div id="{name}" style="height: {figure.layout.height}px">'
        "<noscript>The figure needs JavaScript; its numbers stand in the tables.</noscript></div></figure>"
    )


def _scripts(figures: dict[str, go.Figure], ids: dict[str, str]) -> str:
    if not figures:
        return ""
    drawn = []
    for name, figure in figures.items():
        bare = go.Figure(figure)
        # A finger that moves over a figure scrolls the page.
        bare.update_layout(title=None, margin_t=36, dragmode=False)
        drawn.append(f'depthsearchDraw("{ids[name]}", {bare.to_json()});')
    return (
        f"<script>{get_plotlyjs()}</script>\n<script>\n"
        "function depthsearchDraw(id, figure) {\n"
        f"  Plotly.newPlot(id, figure.data, figure.layout, {json.dumps(CONFIG)});\n"
        "}\n" + "\n".join(drawn) + "\n</script>"
    )


def _document(title: str, body: str, scripts: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
{scripts}
</body>
</html>
"""
