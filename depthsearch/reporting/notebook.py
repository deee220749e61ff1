"""What a notebook shows of an answer: the headline, the facts and the notes, as HTML; the curve is a figure below."""

from depthsearch.core.answer import Answer
from depthsearch.core.notebook import facts_html
from depthsearch.reporting.facts import called, facts


def answer_html(answer: Answer) -> str:
    """The facts of one screen, without the place of the store, which an answer does not know."""
    known = [(name, text) for name, text in facts(answer) if answer.curve or name != "max depth"]
    notes = (("note", warning) for warning in answer.warnings)
    return facts_html(called(answer), answer.sentence, (*known, *notes))
