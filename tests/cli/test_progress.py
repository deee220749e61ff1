"""What a terminal shows while a search goes on."""

import io
import re
from dataclasses import replace

import pytest

from depthsearch.cli import progress
from depthsearch.cli.progress import Progress, progress_console
from depthsearch.core.curve import Conclusion, Crossing, Curve, CurvePoint
from depthsearch.core.events import Preparing, Purpose, StudyOpened, TrialFinished, TrialStarted
from depthsearch.core.problem import Problem
from depthsearch.core.settings import SearchSettings
from depthsearch.search.remaining import runs_expected

SETTINGS = SearchSettings(reliability=0.9, runs_per_trial=8)
POINTS = tuple(CurvePoint(depth=depth, trained=8, of=8, p=1.0) for depth in (2, 5, 9, 17))
OPEN = Curve(points=POINTS, max_depth=17, fails_at=None, interval=(17, None), level=0.95)
WIDE = Curve(
    points=(*POINTS, CurvePoint(depth=32, trained=2, of=8, p=0.25)),
    max_depth=17,
    fails_at=32,
    interval=(15, 30),
    level=0.95,
    thresholds=(Crossing(reliability=0.9, depth=20, interval=(15, 30)),),
)
DONE = WIDE.model_copy(update={"concluded": Conclusion.LEVEL})
FINISHED = TrialFinished(
    depth=32, runs=8, trained=2, purpose=Purpose.SEARCH, verdicts={"trained": 2, "unstable": 6}, seconds=1.0, curve=WIDE
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
    assert re.search(r"training 8 networks of 22 hidden layers; 9 runs in \d+ s; some \d+ s left", text)
    assert "max depth 17, interval 15 to 30" in text
    assert "90%" in text


@pytest.mark.usefixtures("_terminal")
def test_a_look_out_has_no_line_of_its_own() -> None:
    assert "9 hidden layers:" not in watched().replace("9 networks of 9 and 32 hidden layers", "")


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


def test_without_a_terminal_nothing_is_said() -> None:
    assert watched() == ""


def expected(curve: Curve, **changes: object) -> int | None:
    return runs_expected(curve, SETTINGS.model_copy(update=changes))


def test_nobody_knows_how_long_it_takes_to_find_something_that_fails() -> None:
    assert expected(OPEN) is None
    assert expected(OPEN, max_runs=40) == 8


def test_a_narrower_interval_has_less_to_come() -> None:
    narrow = WIDE.model_copy(
        update={
            "interval": (19, 22),
            "thresholds": (Crossing(reliability=0.9, depth=20, interval=(19, 22)),),
        }
    )
    ends = 16 + 16  # the look beyond, and the confirmation
    wide, near = expected(WIDE), expected(narrow)
    assert wide is not None
    assert near is not None
    assert wide > near >= 8 + ends
    assert expected(WIDE, max_runs=50) == 10


def test_a_concluded_search_is_still_confirmed() -> None:
    assert expected(DONE) == 16
    assert expected(DONE, sampler="bisect") == 16


def test_bisection_halves_its_bracket() -> None:
    bracket = Curve(points=WIDE.points, max_depth=17, fails_at=32)
    assert expected(bracket, sampler="bisect") == (4 + 2) * 8
    assert expected(bracket.model_copy(update={"fails_at": None}), sampler="bisect") is None


def test_a_grid_tries_what_is_missing() -> None:
    assert expected(WIDE, sampler="grid", depths=(2, 5, 40, 50)) == 16


@pytest.mark.usefixtures("_terminal")
def test_a_closed_standard_output_is_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    assert "s left" in watched()
