"""A search as it goes on, on standard error: each step with the curve in a terminal, elsewhere a line a minute."""

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from depthsearch.cli.output import PatientConsole
from depthsearch.cli.time_left import TimeLeft
from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import count_of, exclusion_words, possible_words
from depthsearch.reporting.terminal.answer import CurveChart, finished_line, started_line
from depthsearch.results.events import (
    DepthExcluded,
    Event,
    Preparing,
    RoundAdvanced,
    RunFinished,
    RunUnderWay,
    StudyOpened,
    TrialFinished,
    TrialStarted,
)
from depthsearch.search.curve import Curve
from depthsearch.search.exclusion import Exclusion
from depthsearch.search.settings import ResolvedSettings, SearchSettings
from depthsearch.search.trial import Purpose

LEAST_HEIGHT = 30
"""Lines of a terminal that has room for the curve below the steps."""

LONG = 2.0
"""Seconds after which the time of a step is shown."""

LONG_RUN = 20.0
"""Seconds of a run that is shown in steps: an entry of a budget in steps then takes more than one."""

MINUTE = 60.0
"""Seconds between two lines where no terminal reads them."""


def progress_console(*, quiet: bool) -> Console:
    """Standard error, for progress; silent where `quiet`, or where it is no terminal."""
    console = _console(quiet=quiet)
    console.quiet = quiet or not console.is_terminal
    return console


def _console(*, quiet: bool) -> Console:
    return PatientConsole(stderr=True, quiet=quiet, highlight=False, soft_wrap=True, markup=False, emoji=False)


class _Ticker:
    """Prints a line in a thread, each time that so many seconds have passed.

    Args:
        seconds: Between two lines.
        line: Gives the line; an empty one is not printed.
        console: Where it is printed.
    """

    def __init__(self, seconds: float, line: Callable[[], str], console: Console) -> None:
        self._seconds, self._line, self._console = seconds, line, console
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            line = self._line()
            if line:
                self._console.print(line)


def live(shown: RenderableType, console: Console) -> Live:
    """Something that is shown while it goes on, and gone afterwards.

    Nothing is written to standard output: it may be closed, and the result is printed there.
    """
    return Live(
        shown, console=console, transient=True, refresh_per_second=4, redirect_stdout=False, redirect_stderr=False
    )


class Progress:
    """Takes the events of a search, or of several, one after another.

    In a terminal: a line for each step; below them, while something is trained, the curve so far, what is under way,
    and some idea of the time left. Elsewhere: a plain line a minute.

    Args:
        problems: What is searched, by name; the one of a single search has none.
        settings: How.
        quiet: Whether to say nothing.
    """

    def __init__(self, problems: Mapping[str, Problem], settings: SearchSettings, *, quiet: bool) -> None:
        self._problems = dict(problems)
        self._settings = settings
        self._excluded: dict[str, list[Exclusion]] = {}
        self._console = progress_console(quiet=quiet)
        self._board = _Board()
        self._live = live(self._board, self._console)
        plain = _console(quiet=quiet)
        self._ticker = None if quiet or plain.is_terminal else _Ticker(MINUTE, self._board.plain_line, plain)

    def __enter__(self) -> Self:
        if self._ticker is not None:
            self._ticker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._ticker is not None:
            self._ticker.stop()
        self._live.stop()

    def __call__(self, event: Event) -> None:
        """Show one event of the only search."""
        self.of("", event)

    def of(self, name: str, event: Event) -> None:
        """Show one event of the search of that name."""
        family, called = self._problems[name].network, f"{name}: " if name else ""
        match event:
            case StudyOpened():
                self._opened(name, event)
            case Preparing(reason):
                # A terminal would break it within words; elsewhere it stays one line.
                self._console.print(reason, soft_wrap=not self._console.is_terminal)
            case TrialStarted():
                self._board.step(event)
                if not self._console.quiet:
                    self._live.start()
            case RoundAdvanced() | RunFinished():
                self._board.advance(event)
            case DepthExcluded(exclusion):
                self._board.drop(exclusion)
                before = self._excluded.setdefault(name, [])
                self._console.print(f"{called}excluded: {exclusion_words(exclusion, family, before=before)}")
                before.append(exclusion)
            case TrialFinished():
                self._board.done(event)
                if event.purpose is not Purpose.SENTINEL:  # a sentinel with each step is not worth a line
                    self._console.print(finished_line(event, family=family, cap=self._settings.cap))

    def _opened(self, name: str, event: StudyOpened) -> None:
        problem, called, study = self._problems[name], f"{name}: " if name else "", event.study
        place = list(self._problems).index(name) + 1
        of = f"{name}, {place} of {len(self._problems)}: " if name else ""
        self._board.begin(event, problem, self._settings.resolved(reliability=problem.reliability), of)
        finished = count_of(event.finished_trials, "trial")
        if event.done:
            self._console.print(f"{called}{study} is done already, with {finished}")
        elif event.finished_trials or event.kept_runs:
            runs = f" and {count_of(event.kept_runs, 'finished run')}" if event.kept_runs else ""
            self._console.print(f"{called}going on with {study}, after {finished}{runs}")
        else:
            self._console.print(f"{called}searching as {study}")


class _Board:
    """What is shown below the steps: the curve so far, and what is under way."""

    def __init__(self) -> None:
        self._spinner = Spinner("dots")

        self._study = ""

    def begin(self, opened: StudyOpened, problem: Problem, settings: ResolvedSettings, called: str) -> None:
        """A search begins."""
        self._family, self._settings, self._called = problem.network, settings, called
        self._entries = problem.recipe.budget[0]
        self._curve: Curve | None = None
        self._finished = self._trials = self._runs = 0
        self._share = 0.0
        self._running: tuple[RunUnderWay, ...] = ()
        self._since = self._step_since = time.monotonic()
        self._under_way: list[TrialStarted] = []
        self._left = TimeLeft(opened, settings)
        self._study = opened.study

    def step(self, event: TrialStarted) -> None:
        """A trial of a round is about to be trained."""
        self._under_way.append(event)
        self._finished, self._share, self._running = 0, 0.0, ()
        self._step_since = time.monotonic()
        self._left.start(event)

    def advance(self, event: RoundAdvanced | RunFinished) -> None:
        """The networks of a round got on, or one of them is finished."""
        if isinstance(event, RunFinished):
            self._finished = event.done
        else:
            self._share, self._running = event.share, event.running
        self._left.advance(event)

    def drop(self, exclusion: Exclusion) -> None:
        """A depth of the round is given up."""
        depth, deeper = exclusion.depth, exclusion.deeper
        self._under_way = [
            trial for trial in self._under_way if trial.depth != depth and not (deeper and trial.depth > depth)
        ]
        self._left.drop(exclusion)

    def done(self, event: TrialFinished) -> None:
        """A trial of a round is finished."""
        self._under_way.clear()
        self._curve = event.curve
        self._trials += 1
        self._runs += event.runs
        self._left.finish(event)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._curve is not None and options.size.height >= LEAST_HEIGHT:
            yield self._chart(self._curve)
        turning, doing, times = self._spinner.render(console.get_time()), self._doing(), self._times()
        line = "; ".join([doing, *times])
        for optional in times[:-1]:  # the time left is the last to go
            if len(line) + 2 > options.max_width:
                times = [part for part in times if part != optional]
                line = "; ".join([doing, *times])
        if len(line) + 2 > options.max_width and times:
            yield Text(f"{turning} {doing}", no_wrap=True, overflow="ellipsis")
            turning, line = " ", "; ".join(times)
        yield Text(f"{turning} {line}", no_wrap=True, overflow="ellipsis")

    def _chart(self, curve: Curve) -> CurveChart:
        return CurveChart(
            curve.points,
            curve.interval,
            curve.max_depth,
            self._settings.reliability,
            self._family.units,
            self._settings.cap,
        )

    def plain_line(self) -> str:
        """All that is known, in one line, for those who see no chart; empty before a search has begun."""
        if not self._study:
            return ""
        parts = [self._study, f"{count_of(self._trials, 'trial')}, {count_of(self._runs, 'run')}"]
        curve = self._curve
        if curve is not None and curve.points:
            parts.append(f"max depth {possible_words(curve, self._settings.cap)}")
        return "; ".join([*parts, self._doing(), *self._times()])

    def _doing(self) -> str:
        """What is under way, and how far."""
        under_way = tuple(self._under_way)
        if not under_way:
            return f"{self._called}choosing what to try next"
        doing = started_line(under_way, self._family, done=self._finished)
        steps = self._steps()
        if steps:
            doing += f" ({steps})"
        elif self._share:
            doing += f" ({self._share:.0%} of the {self._entries})"
        return self._called + doing

    def _steps(self) -> str:
        """ "step 135 of 300": how far the runs under way are, where they take long; else empty."""
        running = [run for run in self._running if run.share < 1]
        spent = time.monotonic() - self._step_since
        if not running or max(run.seconds or spent for run in running) < LONG_RUN:
            return ""
        low, high = min(run.steps for run in running), max(run.steps for run in running)
        of = max(run.of for run in running)
        return f"step {high} of {of}" if low == high else f"steps {low} to {high} of {of}"

    def _times(self) -> list[str]:
        """What was spent, and what is left, the time left last."""
        parts = []
        spent = time.monotonic() - self._step_since
        if spent >= LONG:
            parts.append(f"{_lasting(spent)} so far")
        left, of_round, of_budget = self._left.seconds(), self._left.of_round(), self._left.of_budget()
        if self._runs and left is not None:
            parts.append(f"{count_of(self._runs, 'run')} in {_lasting(time.monotonic() - self._since)}")
        if left is not None:
            parts.append(f"some {_lasting(left)} left")
        elif of_budget is not None:
            parts.append(f"at most {_lasting(of_budget)} left")
        elif of_round is not None:
            parts.append(f"some {_lasting(of_round)} left of this step")
        return parts


def _lasting(seconds: float) -> str:
    if seconds < 100:  # noqa: PLR2004 - two digits of seconds
        return f"{max(seconds, 1):.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.0f} h"  # noqa: PLR2004
