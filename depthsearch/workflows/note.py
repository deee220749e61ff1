"""When a study's page in the dashboard is written: as a search goes on, and at its end."""

import time

from depthsearch.reporting.dashboard_note import curve_plot, note_of
from depthsearch.results.answer import Answer
from depthsearch.search.settings import SearchSettings
from depthsearch.store import StoredStudy
from depthsearch.store.location import DEFAULT
from depthsearch.workflows.answer import answer_of

SECONDS = 15.0
"""Between two notes of one search: working out an answer takes some 0.1 s."""


class Notes:
    """Writes the note of one study.

    Args:
        stored: The study, which this process searches.
        given: Its settings as the user gave them.
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
        """Write an answer as the note, with its curve; the store writes only what has changed."""
        note = note_of(answer, self._given, place=self._place, usual_place=DEFAULT)
        self._stored.write_page(note, curve_plot(answer))
        self._written = time.monotonic()
