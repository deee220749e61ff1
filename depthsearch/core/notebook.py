"""How a result shows itself in a notebook."""

from collections.abc import Iterable
from html import escape


def facts_html(what: str, sentence: str, facts: Iterable[tuple[str, object]]) -> str:
    """A sentence and a table below it. A fact of None is left out, no name breaks, and markup is not obeyed."""
    name_style, style = "text-align: left; white-space: nowrap", "text-align: left"
    rows = "".join(
        f'<tr><th style="{name_style}">{escape(name)}</th><td style="{style}">{escape(str(value))}</td></tr>'
        for name, value in facts
        if value is not None
    )
    return f"<p><b>{escape(what)}</b>: {escape(sentence)}</p><table>{rows}</table>"
