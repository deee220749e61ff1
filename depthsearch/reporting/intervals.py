"""Intervals of an answer as people read them: by depths that were searched.

The lower end of an interval lies just above the shallowest depth where even that one may fail (see search.curve).
"""

from depthsearch.reporting.sentences import NOT_KNOWN_YET, interval_words
from depthsearch.results.answer import Answer, Outcome


def drawn_interval(answer: Answer) -> tuple[int, int | None] | None:
    """What a chart shows of the interval: depths that were searched; None where nothing is known, or none passes."""
    if answer.interval is None or answer.outcome is Outcome.NEVER_RELIABLE:
        return None
    low, high = answer.interval
    if low < answer.shallowest and (high is None or high < answer.shallowest):
        return None
    return (low if low == 0 else max(low, answer.shallowest)), high


def searched_interval_words(interval: tuple[int, int | None], answer: Answer) -> str:
    """In words that name no depth which is shallower than those that were searched, but 0 for none."""
    (low, high), least, cap = interval, answer.shallowest, answer.settings.cap
    if low >= least or (low == 0 and high is not None):
        return interval_words(interval, cap)
    if high is None:
        return NOT_KNOWN_YET
    return "none" if high < least else f"{interval_words((least, high), cap)}, or none"
