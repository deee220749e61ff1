"""Every sentence about a result, by subject: words, verdicts, answers and replays. No other package words one."""

from depthsearch.reporting.sentences.answers import (
    answer_sentence,
    beyond_sentence,
    conclusion_sentence,
    outcome_sentence,
    possible_words,
    warning_sentences,
)
from depthsearch.reporting.sentences.replays import difference_words
from depthsearch.reporting.sentences.verdicts import run_sentence, verdict_sentence
from depthsearch.reporting.sentences.words import count_of, in_words, interval_words, listed, plural, the_last

__all__ = [
    "answer_sentence",
    "beyond_sentence",
    "conclusion_sentence",
    "count_of",
    "difference_words",
    "in_words",
    "interval_words",
    "listed",
    "outcome_sentence",
    "plural",
    "possible_words",
    "run_sentence",
    "the_last",
    "verdict_sentence",
    "warning_sentences",
]
