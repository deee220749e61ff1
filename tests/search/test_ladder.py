"""The ladder of depths that sets a bar, as a pure function of the trials."""

from collections.abc import Sequence

from depthsearch.search.ladder import BAR_RUNS, RUNG_RUNS, Ladder
from depthsearch.search.method import Pick
from depthsearch.search.settings import SearchSettings
from depthsearch.search.trial import Depths, ExclusionKind, Purpose, State, Trial, probes

MARGIN = 0.02
DEPTHS = Depths(1, 1_000)
SETTINGS = SearchSettings()


def ladder(*medians: float, depths: Depths = DEPTHS, chance_bar: float = 0.6) -> list[Trial]:
    """The trials of rungs at steps 1, 2, 4, ... whose eight runs have these median scores."""
    return [
        Trial(
            number,
            State.COMPLETE,
            depths.at(2**number),
            purpose=Purpose.LADDER,
            scores=spread(middle, RUNG_RUNS),
            chance_bar=chance_bar,
            seconds=1.0,
        )
        for number, middle in enumerate(medians)
    ]


def spread(middle: float, runs: int) -> tuple[float, ...]:
    return tuple(middle + 0.001 * (place - (runs - 1) / 2) for place in range(runs))


def with_bar(trials: Sequence[Trial], depth: int, middle: float) -> list[Trial]:
    """The trials, with fresh runs at a depth that set the bar."""
    fresh = Trial(
        len(trials), State.COMPLETE, depth, purpose=Purpose.BAR, scores=spread(middle, BAR_RUNS), chance_bar=0.6
    )
    return [*trials, fresh]


def next_pick(trials: Sequence[Trial], depths: Depths = DEPTHS, settings: SearchSettings = SETTINGS) -> Pick | None:
    return Ladder(trials, MARGIN).next_pick(depths, settings)


def test_rungs_double_the_step_from_the_shallowest_depth() -> None:
    for low, expected in ((1, [1, 2, 4, 8]), (0, [0, 1, 3, 7]), (3, [3, 4, 6, 10])):
        depths = Depths(low, 1_000)
        picks = [next_pick(ladder(*[0.9] * made, depths=depths), depths) for made in range(4)]
        assert picks == [Pick(depth, RUNG_RUNS, Purpose.LADDER) for depth in expected]


def test_two_successive_rungs_that_are_worse_end_the_ladder() -> None:
    assert next_pick(ladder(0.9, 0.95, 0.92)) == Pick(8, RUNG_RUNS, Purpose.LADDER)
    assert next_pick(ladder(0.9, 0.95, 0.92, 0.94)) == Pick(16, RUNG_RUNS, Purpose.LADDER)
    assert next_pick(ladder(0.9, 0.95, 0.92, 0.93 - 1e-5)) == Pick(2, BAR_RUNS, Purpose.BAR)


def test_a_rung_that_lies_below_the_best_by_the_margin_itself_is_not_worse() -> None:
    assert next_pick(ladder(1.0, 0.98, 0.98)) == Pick(8, RUNG_RUNS, Purpose.LADDER)


def test_a_later_rung_may_be_the_best_after_one_that_was_worse() -> None:
    trials = ladder(0.9, 0.8, 0.97, 0.8, 0.8)
    assert next_pick(trials) == Pick(4, BAR_RUNS, Purpose.BAR)


def test_of_equal_medians_the_shallowest_is_the_best() -> None:
    assert next_pick(ladder(1.0, 1.0, 0.5, 0.5)) == Pick(1, BAR_RUNS, Purpose.BAR)


def test_the_cap_ends_the_ladder() -> None:
    depths = Depths(1, 7)
    assert next_pick(ladder(0.9, 0.91), depths) == Pick(4, RUNG_RUNS, Purpose.LADDER)
    assert next_pick(ladder(0.9, 0.91, 0.92), depths) == Pick(4, BAR_RUNS, Purpose.BAR)


def test_the_rungs_take_a_quarter_of_the_runs_at_most() -> None:
    settings = SearchSettings(max_runs=64)
    assert next_pick(ladder(0.9), settings=settings) == Pick(2, RUNG_RUNS, Purpose.LADDER)
    assert next_pick(ladder(0.9, 0.91), settings=settings) == Pick(2, BAR_RUNS, Purpose.BAR)
    few = SearchSettings(max_runs=10)
    assert next_pick([], settings=few) == Pick(1, RUNG_RUNS, Purpose.LADDER)
    assert next_pick(ladder(0.9), settings=few) == Pick(1, BAR_RUNS, Purpose.BAR)


def test_the_rungs_take_a_quarter_of_the_seconds_at_most() -> None:
    settings = SearchSettings(max_seconds=8.0)
    assert next_pick(ladder(0.9), settings=settings) == Pick(2, RUNG_RUNS, Purpose.LADDER)
    assert next_pick(ladder(0.9, 0.91), settings=settings) == Pick(2, BAR_RUNS, Purpose.BAR)


def test_fresh_runs_set_the_bar_and_end_the_ladder() -> None:
    trials = with_bar(ladder(0.9, 0.96, 0.8, 0.8), 2, 0.94)
    found = Ladder(trials, MARGIN)
    assert found.bar is not None
    assert (found.bar.rung, found.bar.runs) == (2, BAR_RUNS)
    assert abs(found.bar.median - 0.94) < 1e-9
    assert abs(found.bar.score - 0.92) < 1e-9
    assert found.runs == 4 * RUNG_RUNS + BAR_RUNS
    assert found.next_pick(DEPTHS, SETTINGS) is None
    assert found.next_pick(Depths(1, 2), SearchSettings(max_runs=8)) is None  # whatever is asked for on resume


def test_the_bar_is_never_below_that_of_chance() -> None:
    found = Ladder(with_bar(ladder(0.61, 0.5, 0.5), 1, 0.61), MARGIN)
    assert found.bar is not None
    assert found.bar.score == 0.6


def test_where_no_rung_beats_chance_the_ladder_is_short_and_the_shallowest_sets_the_bar() -> None:
    trials = ladder(0.5, 0.52)
    assert next_pick(trials) == Pick(1, BAR_RUNS, Purpose.BAR)
    found = Ladder(with_bar(trials, 1, 0.5), MARGIN)
    assert found.bar is not None
    assert (found.bar.rung, found.bar.score) == (1, 0.6)


def test_trials_that_are_not_finished_and_those_of_the_search_count_for_nothing() -> None:
    trials = ladder(0.9)
    others = [
        Trial(1, State.RUNNING, 2, purpose=Purpose.LADDER, seeds=8),
        Trial(2, State.FAILED, 2, purpose=Purpose.LADDER),
        Trial(3, State.COMPLETE, 4, 8, 8),
    ]
    assert next_pick([*trials, *others]) == next_pick(trials) == Pick(2, RUNG_RUNS, Purpose.LADDER)


def test_a_depth_that_cannot_be_trained_is_no_rung() -> None:
    def excluded(depth: int, kind: ExclusionKind) -> Trial:
        return Trial(9, State.FAILED, depth, purpose=Purpose.LADDER, excluded=kind)

    trials = ladder(0.9)
    assert next_pick([*trials, excluded(2, ExclusionKind.ERROR)]) == Pick(4, RUNG_RUNS, Purpose.LADDER)
    assert next_pick([*trials, excluded(2, ExclusionKind.MEMORY)]) == Pick(1, BAR_RUNS, Purpose.BAR)
    assert next_pick([excluded(1, ExclusionKind.MEMORY)]) is None
    best_fails = [*ladder(0.9, 0.95, 0.8, 0.8), excluded(2, ExclusionKind.ERROR)]
    assert next_pick(best_fails) == Pick(1, BAR_RUNS, Purpose.BAR)


def test_the_ladder_is_no_part_of_the_curve() -> None:
    trials = with_bar(ladder(0.9, 0.96), 2, 0.94)
    assert probes(trials) == []
    assert [trial.made for trial in trials] == [RUNG_RUNS, RUNG_RUNS, BAR_RUNS]
