"""How many runs a search still takes, as far as can be foreseen."""

from depthsearch.search.curve import Conclusion, Crossing, Curve
from depthsearch.search.method import method_of
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.trial import Depths, State, Trial
from tests.search.curves import POINTS, WIDE

SETTINGS = ResolvedSettings(reliability=0.9, runs_per_trial=8)
TRIALS = tuple(
    Trial(number, State.COMPLETE, depth, runs=8, trained=8 if depth < 32 else 2)
    for number, depth in enumerate((2, 5, 9, 17, 32))
)
OPEN = Curve(points=POINTS, max_depth=17, fails_at=None, interval=(17, None), level=0.95)
DONE = WIDE.model_copy(update={"concluded": Conclusion.LEVEL})


def left(curve: Curve | None, trials: tuple[Trial, ...] = TRIALS, **changes: object) -> int | None:
    settings = SETTINGS.model_copy(update=changes)
    return method_of(settings, Depths(1, settings.cap)).runs_left(trials, curve)


def test_nobody_knows_how_long_it_takes_to_find_something_that_fails() -> None:
    assert left(OPEN, TRIALS[:4]) is None
    assert left(OPEN, TRIALS[:4], max_runs=40) == 8


def test_a_narrower_interval_has_less_to_come() -> None:
    narrow = WIDE.model_copy(
        update={
            "interval": (19, 22),
            "thresholds": (Crossing(reliability=0.9, depth=20, interval=(19, 22)),),
        }
    )
    ends = 16 + 16  # the tail, and the confirmation
    wide, near = left(WIDE), left(narrow)
    assert wide is not None
    assert near is not None
    assert wide > near >= 8 + ends
    assert left(WIDE, max_runs=50) == 10


def test_a_concluded_search_is_still_confirmed() -> None:
    assert left(DONE) == 16
    assert left(DONE, sampler="bisect") == 16


def test_bisection_halves_its_bracket() -> None:
    bracket = Curve(points=WIDE.points, max_depth=17, fails_at=32)
    assert left(bracket, sampler="bisect") == (4 + 2) * 8
    assert left(bracket.model_copy(update={"fails_at": None}), sampler="bisect") is None


def test_a_grid_tries_what_is_missing() -> None:
    assert left(WIDE, sampler="grid", depths=(2, 5, 40, 50)) == 16


def test_the_curve_is_estimated_where_it_is_not_given() -> None:
    assert left(None, sampler="bisect") == (4 + 2) * 8
    found = left(None)
    assert found is not None
    assert found > 32
