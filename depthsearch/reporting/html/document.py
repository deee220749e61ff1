"""The few pieces of HTML that a page is made of. All text that comes in is escaped."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape

from plotly import graph_objects as go
from plotly.offline import get_plotlyjs


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph, of a class where `kind` is given."""
    return f"<p{_class(kind)}>{escape(text)}</p>"


def heading(text: str, level: int = 2) -> str:
    """A heading, 1 being the page's own."""
    return f"<h{level}>{escape(text)}</h{level}>"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, marked: int | None = None) -> str:
    """A table that scrolls by itself where it is wider than the screen; one row may be marked."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "\n".join(
        f"<tr{_class('marked' if index == marked else '')}>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for index, row in enumerate(rows)
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def facts_table(facts: Iterable[tuple[str, str]]) -> str:
    """Names with a text each."""
    rows = "\n".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in facts)
    return f'<table class="facts"><tbody>\n{rows}\n</tbody></table>'


def folded(summary: str, inside: str) -> str:
    """What is shown when it is asked for; `inside` is HTML."""
    return f"<details><summary>{escape(summary)}</summary>\n{inside}\n</details>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


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
.wide { overflow-x: auto; background:
  linear-gradient(to right, #fff 30%, transparent) left / 40px 100% no-repeat local,
  linear-gradient(to left, #fff 30%, transparent) right / 40px 100% no-repeat local,
  linear-gradient(to right, rgba(0, 0, 0, 0.2), transparent) left / 10px 100% no-repeat scroll,
  linear-gradient(to left, rgba(0, 0, 0, 0.2), transparent) right / 10px 100% no-repeat scroll; }
table { border-collapse: collapse; font-size: 0.9em; }
.wide td { overflow-wrap: normal; } .wide td:first-child { white-space: nowrap; }
th, td { text-align: left; vertical-align: top; padding: 3px 14px 3px 0; border-bottom: 1px solid #ddd; }
.wide th { white-space: nowrap; } .facts th { white-space: nowrap; } .marked td { font-weight: bold; }
td { font-variant-numeric: tabular-nums; }
.lead { font-size: 1.1em; } .notice { border-left: 4px solid #D55E00; padding: 4px 12px; background: #fdf3ec; }
.faint, footer { color: #555; font-size: 0.9em; } summary { cursor: pointer; margin-top: 1em; }
code { font-size: 0.95em; overflow-wrap: anywhere; }
@media (max-width: 700px) { .wide td { white-space: nowrap; } }
@media print { details > * { display: block; } h2, figure, tr { break-inside: avoid; } }
"""


def figure_place(figure: go.Figure, name: str, caption: str) -> str:
    """The place that the script draws a figure in. Its caption wraps, where a figure's own title would not."""
    return (
        f'<figure><figcaption>{caption}</figcaption><div id="{name}" style="height: {figure.layout.height}px">'
        "<noscript>The figure needs JavaScript; its numbers stand in the tables.</noscript></div></figure>"
    )


def scripts(figures: Mapping[str, go.Figure], ids: Mapping[str, str]) -> str:
    """plotly's script, once, and the figures that it draws: each by its name into the place of its id."""
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


def footer(written: datetime, *, place: str = "") -> str:
    """When a page was written, and from which store."""
    at, source = written.strftime("%Y-%m-%d %H:%M %Z").strip(), f", from {escape(place)}" if place else ""
    return f"<footer><p>Written {escape(at)} by depthsearch{source}.</p></footer>"


def document(title: str, body: str, drawing: str) -> str:
    """The whole page; `body` and `drawing` are HTML."""
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
{drawing}
</body>
</html>
"""
