"""The few pieces of HTML that a page is made of. All text that comes in is escaped."""

from collections.abc import Iterable, Sequence
from html import escape


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
