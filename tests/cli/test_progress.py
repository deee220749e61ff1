"""What is shown while a search goes on: in a terminal each step with the curve, elsewhere a line a minute."""

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from rich.console import Console

from depthsearch.cli import progress
from depthsearch.cli.progress import Progress, progress_console
from depthsearch.problem.problem import Problem
from depthsearch.reporting.terminal.answer import answer_text
from depthsearch.results.events import Preparing, RoundAdvanced, RunFinished, StudyOpened, TrialFinished, TrialStarted
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.trial import Purpose
from tests.reporting.answers import answer
from tests.search.curves import WIDE

SETTINGS = ResolvedSettings(reliability=0.9, runs_per_trial=8)
FINISHED = TrialFinished(
    depth=32,
    runs=8,
    trained=2,
    purpose=Purpose.SEARCH,
    verdicts={"trained": 2, "unstable": 6},
    seconds=1.0,
    curve=WIDE,
    runs_left=90,
)


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": "100", "LINES": "40"}.items():
        monkeypatch.setenv(name, value)


def watched(*problems: str, height: int = 40, quiet: bool = False) -> str:
    """All that is written for a terminal while one step of the last of these problems is made."""
    written = io.StringIO()
    named = {name: Problem() for name in problems or ("",)}
    with Progress(named, SETTINGS, quiet=quiet) as shown:
        shown._console.file = written
        shown._console.height = height
        name = list(named)[-1]
        shown.of(name, StudyOpened("mine", 0))
        shown.of(name, Preparing("compiling"))
        for event in (TrialStarted(32, 8, Purpose.SEARCH), TrialStarted(9, 1, Purpose.SENTINEL)):
            shown.of(name, event)
        shown._live.refresh()
        shown.of(name, RoundAdvanced(0.375))
        shown.of(name, RunFinished(9, trained=True, done=3, of=9))
        shown._live.refresh()
        shown.of(name, FINISHED)
        shown.of(name, replace(FINISHED, depth=9, runs=1, purpose=Purpose.SENTINEL))
        shown.of(name, TrialStarted(22, 8, Purpose.SEARCH))
        shown._live.refresh()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.getvalue())


@pytest.mark.usefixtures("_terminal")
def test_a_terminal_sees_each_step_the_curve_and_the_time_left() -> None:
    text = watched()
    assert "searching as mine" in text
    assert "compiling" in text
    assert "32 hidden layers: 2 of 8 trained (6 unstable); max depth 15 to 30" in text
    assert "training 9 networks of 9 and 32 hidden layers" in text
    assert "trained 3 of 9 networks of 9 and 32 hidden layers (38% of the epochs)" in text
    assert re.search(r"training 8 networks of 22 hidden layers; 9 runs in \d+ s; some \d+ s left", text)
    assert "max depth 17, interval 15 to 30" in text
    assert "90%" in text


@pytest.mark.usefixtures("_terminal")
def test_a_sentinel_has_no_line() -> None:
    assert re.findall(r"(\d+) hidden layers: \d+ of \d+ trained", watched()) == ["32"]


@pytest.mark.usefixtures("_terminal")
def test_the_live_chart_is_the_chart_of_the_final_answer() -> None:
    final = answer(
        problem=Problem(),
        settings=SETTINGS,
        curve=WIDE.points,
        interval=WIDE.interval,
        max_depth=WIDE.max_depth,
        useful_depth=None,
        scores=None,
        beyond=None,
    )
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    console.print(answer_text(final, place=""))
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    first = next(place for place, line in enumerate(lines) if "│" in line)
    last = next(place for place, line in enumerate(lines) if "interval 15 to 30" in line)
    live = [line.rstrip() for line in watched().splitlines()]
    chart = lines[first : last + 1]
    assert len(chart) == 13
    assert any(live[place : place + 13] == chart for place in range(len(live)))


@pytest.mark.usefixtures("_terminal")
def test_a_low_terminal_sees_no_curve() -> None:
    text = watched(height=progress.LEAST_HEIGHT - 1)
    assert "interval 15 to 30" not in text
    assert "s left" in text


@pytest.mark.usefixtures("_terminal")
def test_of_several_searches_it_says_which() -> None:
    text = watched("first", "second")
    assert "second: searching as mine" in text
    assert "second, 2 of 2: training" in text


@pytest.mark.usefixtures("_terminal")
def test_no_colour_is_written_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    def styles() -> set[str]:
        written = io.StringIO()
        console = progress_console(quiet=False)
        console.file = written
        console.print("a line", style="bold red")
        return set(re.findall(r"\x1b\[([0-9;]*)m", written.getvalue()))

    assert styles() <= {"0", "1"}
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert any("31" in style for style in styles())


@pytest.mark.usefixtures("_terminal")
def test_quiet_says_nothing() -> None:
    assert watched(quiet=True) == ""


class Lines(io.StringIO):
    """Standard error that no terminal reads, and on whose lines a test can wait."""

    def __init__(self) -> None:
        super().__init__()
        self._written = threading.Semaphore(0)

    def write(self, text: str) -> int:
        count = super().write(text)
        for _ in range(text.count("\n")):
            self._written.release()
        return count

    def next(self) -> str:
        """A line that was begun after this call."""
        while self._written.acquire(blocking=False):
            pass
        # The first of two lines may have been begun before.
        for _ in range(2):
            assert self._written.acquire(timeout=60)
        return self.getvalue().splitlines()[-1]


@contextmanager
def unwatched(
    monkeypatch: pytest.MonkeyPatch, *problems: str, seconds: float = 0.002
) -> Iterator[tuple[Progress, Lines]]:
    """Progress that prints its lines with no terminal, so many seconds apart."""
    monkeypatch.setattr(progress, "MINUTE", seconds)
    monkeypatch.setattr("sys.stderr", Lines())
    with Progress({name: Problem() for name in problems or ("",)}, SETTINGS, quiet=False) as shown:
        import sys

        assert isinstance(sys.stderr, Lines)
        yield shown, sys.stderr


def tickers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "progress"]


def test_without_a_terminal_nothing_is_printed_before_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    assert progress.MINUTE == 60
    with unwatched(monkeypatch, seconds=progress.MINUTE) as (shown, written):
        assert len(tickers()) == 1
        for event in (StudyOpened("mine", 0), Preparing("compiling"), TrialStarted(32, 8, Purpose.SEARCH), FINISHED):
            shown(event)
    assert written.getvalue() == ""


def test_without_a_terminal_each_minute_has_a_plain_line_of_all_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    with unwatched(monkeypatch) as (shown, written):
        shown(StudyOpened("mine", 0))
        assert written.next() == "mine; 0 trials, 0 runs; choosing what to try next"
        shown(TrialStarted(32, 8, Purpose.SEARCH))
        shown(TrialStarted(9, 1, Purpose.SENTINEL))
        assert written.next() == "mine; 0 trials, 0 runs; training 9 networks of 9 and 32 hidden layers"
        shown(FINISHED)
        shown(TrialStarted(22, 8, Purpose.SEARCH))
        line = written.next()
        assert line.startswith("mine; 1 trial, 8 runs; max depth 15 to 30; training 8 networks of 22 hidden layers; ")
        assert re.search(r"; 8 runs in \d+ s; some \d+ s left$", line)
    assert "\x1b" not in written.getvalue()


def test_without_a_terminal_runs_are_counted_as_they_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    with unwatched(monkeypatch) as (shown, written):
        shown(StudyOpened("mine", 0))
        shown(TrialStarted(32, 8, Purpose.SEARCH))
        for done in (1, 2, 8):
            shown(RunFinished(32, trained=True, done=done, of=8))
            assert written.next() == f"mine; 0 trials, 0 runs; trained {done} of 8 networks of 32 hidden layers"
        shown(FINISHED)
        shown(TrialStarted(22, 8, Purpose.SEARCH))
        assert "; training 8 networks of 22 hidden layers; " in written.next()


def test_without_a_terminal_a_line_says_which_of_several_searches_it_is_of(monkeypatch: pytest.MonkeyPatch) -> None:
    with unwatched(monkeypatch, "first", "second") as (shown, written):
        shown.of("first", StudyOpened("one", 0))
        assert written.next() == "one; 0 trials, 0 runs; first, 1 of 2: choosing what to try next"
        shown.of("second", StudyOpened("two", 0))
        assert written.next() == "two; 0 trials, 0 runs; second, 2 of 2: choosing what to try next"


def test_no_line_is_printed_before_the_search_begins_nor_after_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with unwatched(monkeypatch) as (shown, written):
        assert shown._board.plain_line() == ""
        shown(StudyOpened("mine", 0))
        written.next()
    assert tickers() == []
    with pytest.raises(KeyboardInterrupt), unwatched(monkeypatch):
        raise KeyboardInterrupt
    assert tickers() == []


def test_quiet_prints_no_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MINUTE", 0.002)
    with Progress({"": Problem()}, SETTINGS, quiet=True):
        assert tickers() == []


@pytest.mark.usefixtures("_terminal")
def test_a_terminal_gets_no_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MINUTE", 0.002)
    with Progress({"": Problem()}, SETTINGS, quiet=False):
        assert tickers() == []


@pytest.mark.usefixtures("_terminal")
def test_a_closed_standard_output_is_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    assert "s left" in watched()
