"""What a notebook shows of an answer: the headline, the facts and the notes, as HTML; the curve is a figure below."""

import json
from typing import Any

from depthsearch.core.answer import Answer
from depthsearch.core.notebook import facts_html
from depthsearch.reporting.facts import called, facts
from depthsearch.reporting.figures import curve_figure


def answer_html(answer: Answer) -> str:
    """The facts of one screen, without the place of the store, which an answer does not know."""
    known = [(name, text) for name, text in facts(answer) if answer.curve or name != "max depth"]
    notes = (("note", warning) for warning in answer.warnings)
    return facts_html(called(answer), answer.sentence, (*known, *notes))


def curve_bundle(answer: Answer) -> dict[str, Any]:
    """The curve in the forms that a notebook chooses from: plotly's own, and HTML that loads plotly's script."""
    figure = curve_figure(answer)
    return {
        "application/vnd.plotly.v1+json": json.loads(figure.to_json()),
        "text/html": figure.to_html(full_html=False, include_plotlyjs="cdn"),
        "text/plain": "the curve: depthsearch.plot(answer)",
    }
