"""The time left, by what runs took at the depths that were tried, and how far slow runs are."""

import io
import re

import pytest

from depthsearch.cli.progress import Progress
from depthsearch.cli.time_left import TimeLeft
from depthsearch.problem.problem import Problem
from depthsearch.results.events import RoundAdvanced, RunFinished, RunUnderWay, StudyOpened, TrialFinished, TrialStarted
from depthsearch.results.pace import Pace, Timing
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.trial import Purpose
from tests.search.curves import WIDE

SETTINGS = ResolvedSettings(reliability=0.5, runs_per_trial=8)
VGG = Problem.model_validate({"family": "vgg", "data": "digits", "recipe": {"steps": 300}})
HALF_WAY = tuple(RunUnderWay(depth=5, steps=step, of=300, share=step / 300, seconds=200.0) for step in (135, 150))


def left(*, opened: StudyOpened | None = None, settings: ResolvedSettings = SETTINGS) -> TimeLeft:
    return TimeLeft(opened or StudyOpened("mine", 0), settings)


def test_seconds_of_a_run_grow_with_its_depth() -> None:
    pace = Pace([Timing(2, 8, 16.0), Timing(4, 8, 32.0), Timing(8, 2, 16.0)])
    assert pace.seconds(16) == pytest.approx(16)
    assert Pace([Timing(1, 1, 3.0), Timing(11, 1, 13.0)]).seconds(21) == pytest.approx(23)


def test_a_pace_falls_nowhere_and_is_negative_nowhere() -> None:
    assert (
        Pace([Timing(2, 1, 9.0), Timing(20, 1, 3.0)]).seconds(200)
        == Pace([Timing(2, 1, 9.0), Timing(20, 1, 3.0)]).start
    )
    steep = Pace([Timing(2, 1, 1.0), Timing(4, 1, 10.0)])
    assert steep.seconds(0) == 0
    assert Pace([Timing(0, 4, 8.0)]).seconds(10) == 2


def test_the_first_round_has_an_estimate_as_soon_as_an_entry_is_done() -> None:
    time = left()
    time.start(TrialStarted(5, 8, Purpose.SEARCH))
    assert time.of_round() is None
    time.advance(RoundAdvanced(0.1, HALF_WAY))
    # Two side by side: 110 s and 100 s of those under way, then six of 200 s.
    assert time.of_round() == pytest.approx((110 + 100 + 6 * 200) / 2, abs=1)
    assert time.seconds() is None  # nothing shows how many runs the search takes
    time.advance(RunFinished(5, trained=True, done=1, of=8))
    assert time.of_round() == pytest.approx((110 + 100 + 5 * 200) / 2, abs=1)


def test_a_search_that_goes_on_has_an_estimate_from_what_is_stored() -> None:
    stored = (Timing(2, 8, 16.0), Timing(8, 8, 64.0))
    time = left(opened=StudyOpened("mine", 2, timings=stored, runs_left=20))
    time.start(TrialStarted(16, 8, Purpose.SEARCH))
    assert time.of_round() == pytest.approx(8 * 16, abs=1)
    assert time.seconds() == pytest.approx(8 * 16 + 12 * 8, abs=1)


def test_the_time_left_is_that_of_the_depths_that_are_tried_and_at_most_the_budget() -> None:
    budget = SETTINGS.model_copy(update={"max_seconds": 100.0})
    finished = TrialFinished(
        depth=WIDE.max_depth or 1, runs=8, trained=8, purpose=Purpose.SEARCH, verdicts={"trained": 8},
        seconds=32.0, curve=WIDE, runs_left=10,
    )  # fmt: skip
    for settings, expected in (
        (SETTINGS, 10 * 4),
        (budget, 10 * 4),
        (budget.model_copy(update={"max_seconds": 50.0}), 18),
    ):
        time = left(settings=settings)
        time.start(TrialStarted(finished.depth, 8, Purpose.SEARCH))
        time.finish(finished)
        assert time.of_round() is None
        assert time.seconds() == pytest.approx(expected, abs=1)


class Clock:
    """Replaces the module time: seconds pass only where a test lets them."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    passing = Clock()
    monkeypatch.setattr("depthsearch.cli.time_left.time", passing)
    return passing


def test_what_a_round_has_taken_so_far_is_spent(clock: Clock) -> None:
    stored = (Timing(2, 8, 16.0),)
    time = left(
        opened=StudyOpened("mine", 1, timings=stored), settings=SETTINGS.model_copy(update={"max_seconds": 60.0})
    )
    assert time.of_budget() == 44
    time.start(TrialStarted(16, 8, Purpose.SEARCH))
    clock.now = 10.0
    time.start(TrialStarted(2, 1, Purpose.SENTINEL))
    clock.now = 30.0
    assert time.of_budget() == 14
    clock.now = 90.0
    assert time.of_budget() == 0


def test_the_first_round_is_never_cut_short(clock: Clock) -> None:
    time = left(settings=SETTINGS.model_copy(update={"max_seconds": 1000.0}))
    time.start(TrialStarted(5, 8, Purpose.SEARCH))
    assert time.of_budget() is None  # nothing shows how long it takes
    clock.now = 100.0
    time.advance(RoundAdvanced(0.1, HALF_WAY))
    assert time.of_round() == pytest.approx(705)
    assert time.of_budget() == 900
    clock.now = 300.0
    time.advance(RoundAdvanced(0.1, HALF_WAY))
    assert time.of_budget() is None


@pytest.mark.parametrize(("width", "lines"), [(80, 2), (140, 1)])
def test_slow_runs_show_their_steps_in_eighty_columns(width: int, lines: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TTY_COMPATIBLE": "1", "NO_COLOR": "1", "COLUMNS": str(width), "LINES": "24"}.items():
        monkeypatch.setenv(name, value)
    written = io.StringIO()
    with Progress({"": VGG}, SETTINGS, quiet=False) as shown:
        shown._console.file = written
        shown(StudyOpened("mine", 0))
        for depth, runs in ((5, 8), (4, 1)):
            shown(TrialStarted(depth, runs, Purpose.SEARCH))
        shown(RoundAdvanced(0.1, HALF_WAY))
        shown._live.refresh()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.getvalue())
    doing = "training 9 networks of 4 and 5 blocks per stage (steps 135 to 150 of 300)"
    assert doing in text
    assert "some 13 min left of this step" in text
    seen = [line for line in text.splitlines() if "steps 135" in line or "min left" in line]
    assert len(dict.fromkeys(line.strip() for line in seen)) == lines
    assert max(map(len, seen)) <= width
    assert "…" not in text


def test_quick_runs_show_a_share() -> None:
    with Progress({"": VGG}, SETTINGS, quiet=True) as shown:
        shown(StudyOpened("mine", 0))
        shown(TrialStarted(5, 8, Purpose.SEARCH))
        shown(RoundAdvanced(0.25, (RunUnderWay(5, 150, 300, 0.5, 1.0),)))
        assert "(25% of the steps)" in shown._board.plain_line()
        shown(RoundAdvanced(0.25, (RunUnderWay(5, 150, 300, 0.5, 64.0),)))
        assert "training 8 networks of 5 blocks per stage (step 150 of 300); some 8 min left of this step" in (
            shown._board.plain_line()
        )
