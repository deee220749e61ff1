"""How a result shows itself in a notebook."""

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from depthsearch.reporting.figures.curve import curve_figure
from depthsearch.reporting.terminal.facts import called, evidence_rows, facts
from depthsearch.results.answer import Answer
from depthsearch.results.inspection import Inspection


def facts_html(what: str, sentence: str, facts: Iterable[tuple[str, object]]) -> str:
    """A sentence and a table below it. A fact of None is left out, no name breaks, and markup is shown as text."""
    name_style, style = "text-align: left; white-space: nowrap", "text-align: left"
    rows = "".join(
        f'<tr><th style="{name_style}">{escape(name)}</th><td style="{style}">{escape(str(value))}</td></tr>'
        for name, value in facts
        if value is not None
    )
    return f"<p><b>{escape(what)}</b>: {escape(sentence)}</p><table>{rows}</table>"


def answer_html(answer: Answer) -> str:
    """The facts of one screen, without the place of the store, which an answer does not know."""
    known = [(name, text) for name, text in facts(answer) if answer.curve or name != "max depth"]
    notes = (("note", warning) for warning in answer.warnings)
    return facts_html(called(answer), answer.sentence, (*known, *notes))


def curve_bundle(answer: Answer) -> dict[str, Any]:
    """The curve in the forms that a notebook chooses from: a plotly figure, and HTML that loads plotly's script."""
    figure = curve_figure(answer)
    return {
        "application/vnd.plotly.v1+json": json.loads(figure.to_json()),
        "text/html": figure.to_html(full_html=False, include_plotlyjs="cdn"),
        "text/plain": "the curve: depthsearch.plot(answer)",
    }


def inspection_html(inspection: Inspection) -> str:
    """The verdict of a run with its evidence."""
    evidence = (
        (name, f"{figure} ({threshold})" if threshold else figure)
        for name, figure, threshold in evidence_rows(inspection.evidence)
    )
    what = f"{inspection.problem.label}, depth {inspection.depth}, seed {inspection.seed}"
    return facts_html(what, inspection.sentence, evidence)
