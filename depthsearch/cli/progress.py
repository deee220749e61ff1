"""A search as it goes on, on standard error: a line for each step, and on a terminal what is under way."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.status import Status

from depthsearch.cli.output import PatientConsole
from depthsearch.core.events import Event, Preparing, Purpose, StudyOpened, TrialFinished, TrialStarted
from depthsearch.core.problem import Problem
from depthsearch.core.settings import SearchSettings
from depthsearch.core.words import count_of
from depthsearch.families import family_of
from depthsearch.reporting.text import finished_line, started_line


class Progress:
    """Takes the events of a search, or of several, one after another. Says nothing where `quiet`.

    Args:
        problems: What is searched, by name; the one of a single search has none.
        settings: How.
        quiet: Whether to say nothing.
    """

    def __init__(self, problems: Mapping[str, Problem], settings: SearchSettings, *, quiet: bool) -> None:
        self._families = {name: family_of(problem.family) for name, problem in problems.items()}
        self._cap = settings.cap
        self._console = PatientConsole(
            stderr=True, quiet=quiet, highlight=False, soft_wrap=True, markup=False, emoji=False
        )
        self._status = Status("", console=self._console) if self._console.is_terminal and not quiet else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, event: Event) -> None:
        """Show one event of the only search."""
        self.of("", event)

    def of(self, name: str, event: Event) -> None:
        """Show one event of the search of that name."""
        family, called = self._families[name], f"{name}: " if name else ""
        match event:
            case StudyOpened(study, finished, True):
                self._console.print(f"{called}{study} is done already, with {count_of(finished, 'trial')}")
            case StudyOpened(study, finished) if finished:
                self._console.print(f"{called}going on with {study}, after {count_of(finished, 'trial')}")
            case StudyOpened(study):
                self._console.print(f"{called}searching as {study}")
            case Preparing(reason):
                self._console.print(reason)
            case TrialStarted() if self._status is not None:
                self._status.update(started_line(event, family))
                self._status.start()
            case TrialFinished():
                if self._status is not None:
                    self._status.stop()
                if event.purpose is not Purpose.SENTINEL:  # a look-out beside each step is not worth a line
                    self._console.print(finished_line(event, family=family, cap=self._cap))
            case _:
                pass
