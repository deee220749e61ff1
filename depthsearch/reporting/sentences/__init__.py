"""Every sentence about a result, by subject: words, runs and answers. No other package words one."""

from depthsearch.reporting.sentences.answers import (
    NOT_KNOWN_YET,
    answer_sentence,
    beyond_sentence,
    conclusion_words,
    crossed_words,
    outcome_words,
    possible_words,
    warning_sentences,
)
from depthsearch.reporting.sentences.exclusions import (
    PROCESS_ENDED,
    could_not_run_line,
    excluded_depths,
    exclusion_lines,
    exclusion_words,
)
from depthsearch.reporting.sentences.runs import (
    difference_words,
    equal_weights_sentence,
    run_sentence,
    stack_sentence,
    verdict_sentence,
)
from depthsearch.reporting.sentences.words import count_of, in_words, interval_words, listed, plural, the_last

__all__ = [
    "NOT_KNOWN_YET",
    "PROCESS_ENDED",
    "answer_sentence",
    "beyond_sentence",
    "conclusion_words",
    "could_not_run_line",
    "count_of",
    "crossed_words",
    "difference_words",
    "equal_weights_sentence",
    "excluded_depths",
    "exclusion_lines",
    "exclusion_words",
    "in_words",
    "interval_words",
    "listed",
    "outcome_words",
    "plural",
    "possible_words",
    "run_sentence",
    "stack_sentence",
    "the_last",
    "verdict_sentence",
    "warning_sentences",
]
