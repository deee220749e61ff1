"""A study's page in the dashboard: its answer in words, and its curve, kept current as the search goes on."""

import time

from depthsearch.core.answer import Answer, Outcome
from depthsearch.core.settings import SearchSettings
from depthsearch.core.words import count_of, interval_words
from depthsearch.families import family_of
from depthsearch.finder.answering import answer_of
from depthsearch.finder.commands import find_command
from depthsearch.finder.plotting import curve_plot
from depthsearch.store import StoredStudy

SECONDS = 15.0
"""Between two notes of one sitting: an answer takes some 0.1 s to work out."""

MOST_CAP = 1_000_000
FURTHER = 2
"""How many times the cap, or the budget, the command has where they ended the search."""


class Notes:
    """Writes the note of one study.

    Args:
        stored: The study, held.
        given: Its settings as they were asked for, with nothing filled in.
        place: URL of the store.
    """

    def __init__(self, stored: StoredStudy, given: SearchSettings, place: str) -> None:
        self._stored, self._given, self._place = stored, given, place
        self._written = time.monotonic()

    def keep(self) -> None:
        """Write what is known now, unless the last note is younger than SECONDS."""
        if time.monotonic() - self._written >= SECONDS:
            self.write(answer_of(self._stored))

    def write(self, answer: Answer) -> None:
        """Write an answer as the note, with its curve. What stands there already is not written again."""
        self._stored.write_page(note_of(answer, self._given, place=self._place), curve_plot(answer))
        self._written = time.monotonic()


def note_of(answer: Answer, given: SearchSettings, *, place: str) -> str:
    """An answer in Markdown, of less than a thousand characters as a rule: every page loads those of all studies."""
    problem, family = answer.problem, family_of(answer.problem.family)
    depth = "none yet" if answer.max_depth is None else family.units(answer.max_depth)
    facts = [f"max depth: **{depth}**"]
    if answer.interval is not None:
        where = interval_words(answer.interval, answer.settings.cap)
        facts.append(
            f"interval: {where}, where {answer.reliability:.0%} train ({answer.interval_level:.0%} probability)"
        )
    if answer.beyond is not None:
        facts.append(f"beyond: {answer.beyond.sentence}")
    facts.append(f"tried: {count_of(answer.cost.runs, 'run')} in {count_of(answer.cost.trials, 'trial')}")
    why, settings = _onward(answer, given)
    command = find_command(problem, settings, study=answer.study, place=place)
    return "\n".join(
        [
            f"{problem.family} {problem.activation} on {problem.data.name}: {answer.sentence}.",
            "",
            *(f"- {fact}" for fact in facts),
            "",
            f"{why}:" if command else f"{why}: the study file, or the call, that began it.",
            *(["", f"    {command}"] if command else []),
            "",
            "The page's own *best trial* is only the deepest one that was tried, whether or not it trained.",
        ]
    )


def _onward(answer: Answer, given: SearchSettings) -> tuple[str, SearchSettings]:
    """What the command does, and the settings that it needs for that."""
    own = answer.settings
    match answer.outcome:
        case Outcome.UNFINISHED:
            return "Goes on with it", given
        case Outcome.BUDGET_ENDED:
            more = {name: FURTHER * limit for name in ("max_runs", "max_seconds") if (limit := getattr(own, name))}
            return "Goes on with it, with a larger budget", given.model_copy(update=more)
        case Outcome.CAP_REACHED if own.cap < MOST_CAP:
            more = {"cap": min(FURTHER * own.cap, MOST_CAP)}
            return "Goes on with it, with a higher cap", given.model_copy(update=more)
        case _:
            return "Shows the answer again", given
