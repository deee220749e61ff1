"""Depths that cannot be trained: no method picks them again, and memory bounds everything deeper."""

from collections.abc import Callable

import optuna
import pytest
from optuna.distributions import IntDistribution
from optuna.trial import TrialState

from depthsearch.errors import InvalidValue
from depthsearch.search.curve import Conclusion
from depthsearch.search.exclusion import MOST_ERRORS, Exclusion, OpenSteps, ended_by_errors
from depthsearch.search.method import method_class, method_of
from depthsearch.search.sampler import ThresholdSampler, estimate
from depthsearch.search.settings import SearchSettings
from depthsearch.search.trial import Depths, ExclusionKind, Purpose, State, Trial

NAMES = ("threshold", "bisect", "grid", "tpe", "random")
CAP = 64
BUILD, MEMORY, ERROR = ExclusionKind.BUILD, ExclusionKind.MEMORY, ExclusionKind.ERROR


def excluded(number: int, depth: int, kind: ExclusionKind = BUILD) -> Trial:
    return Trial(number, State.FAILED, depth, excluded=kind)


def finished(number: int, depth: int, trained: int = 4, purpose: Purpose = Purpose.SEARCH) -> Trial:
    return Trial(number, State.COMPLETE, depth, 4, trained, purpose, seeds=4)


def search(
    name: str, kind_of: Callable[[int], ExclusionKind | None], threshold: int = 20, most: int = 60
) -> tuple[list[Trial], Conclusion | None]:
    """A search over plain functions: all runs train up to the threshold, and some depths cannot be trained."""
    depths = (3, 9, 27, 40) if method_class(name).takes_depths else None
    settings = SearchSettings(sampler=name, depths=depths, reliability=0.5, runs_per_trial=4, cap=CAP).resolved()
    method = method_of(settings, Depths(1, CAP))
    trials: list[Trial] = []
    while len(trials) < most:
        concluded = method.estimate(trials).concluded
        if concluded is not None or not method.has_open_depths(trials) or ended_by_errors(trials, method.depths):
            return trials, concluded
        for pick in method.next_picks(trials, 2):
            kind = kind_of(pick.depth)
            assert pick.depth not in [trial.depth for trial in trials[:-1] if trial.excluded is not None]
            if kind is not None:
                trials.append(excluded(len(trials), pick.depth, kind))
            else:
                trained = 4 if pick.depth <= threshold else 0
                trials.append(finished(len(trials), pick.depth, trained, pick.purpose))
    return trials, None


@pytest.mark.parametrize("name", NAMES)
def test_one_depth_that_cannot_be_built_is_tried_once(name: str) -> None:
    trials, concluded = search(name, lambda depth: BUILD if depth in (8, 9, 16) and depth == 9 else None)

    assert sum(trial.depth == 9 for trial in trials) <= 1
    assert concluded is not None or method_class(name).default_trials


@pytest.mark.parametrize("name", ["threshold", "bisect"])
def test_the_depth_just_past_the_threshold_cannot_be_built(name: str) -> None:
    trials, concluded = search(name, lambda depth: ERROR if depth == 21 else None)

    assert concluded in (Conclusion.ADJACENT, Conclusion.WIDTH, Conclusion.LEVEL)
    settings = SearchSettings(sampler=name, reliability=0.5, runs_per_trial=4, cap=CAP).resolved()
    curve = method_of(settings, Depths(1, CAP)).estimate(trials)
    assert curve.max_depth is not None
    assert 18 <= curve.max_depth <= 20


@pytest.mark.parametrize("name", NAMES)
def test_memory_excludes_everything_deeper(name: str) -> None:
    trials, _ = search(name, lambda depth: MEMORY if depth >= 15 else None)

    shallowest = CAP + 1
    for trial in trials:
        assert trial.depth is not None
        assert trial.depth < shallowest or trial.excluded is not None  # a pick of the same round may be as deep
        if trial.excluded is not None:
            shallowest = min(shallowest, trial.depth)
    assert sum(trial.excluded is not None for trial in trials) <= 12


@pytest.mark.parametrize("name", ["threshold", "bisect"])
def test_a_search_that_memory_bounds_says_so(name: str) -> None:
    trials, concluded = search(name, lambda depth: MEMORY if depth >= 15 else None)

    assert concluded is Conclusion.MEMORY
    assert 14 in [trial.depth for trial in trials if trial.state is State.COMPLETE]


@pytest.mark.parametrize("name", ["threshold", "bisect"])
def test_memory_beyond_the_threshold_changes_no_answer(name: str) -> None:
    _, concluded = search(name, lambda depth: MEMORY if depth >= 40 else None)

    assert concluded in (Conclusion.ADJACENT, Conclusion.WIDTH, Conclusion.LEVEL)


@pytest.mark.parametrize("name", NAMES)
def test_depths_that_can_never_be_built_end_the_search(name: str) -> None:
    trials, concluded = search(name, lambda _depth: BUILD)

    assert concluded is None
    assert MOST_ERRORS <= len(trials) <= MOST_ERRORS + 1  # rounds of two


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_where_memory_runs_out_at_the_shallowest(name: str) -> None:
    trials, concluded = search(name, lambda _depth: MEMORY)

    assert concluded is None
    assert len(trials) < 12


@pytest.mark.parametrize("name", ["threshold", "bisect"])
def test_the_answer_is_confirmed_at_a_depth_that_is_left(name: str) -> None:
    trials, _ = search(name, lambda _depth: None)
    settings = SearchSettings(sampler=name, reliability=0.5, runs_per_trial=4, cap=CAP).resolved()
    method = method_of(settings, Depths(1, CAP))
    first = method.next_confirmation(trials, method.estimate(trials))
    assert first is not None
    trials.append(excluded(len(trials), first.depth, ERROR))
    second = method.next_confirmation(trials, method.estimate(trials))

    assert second is not None
    assert second.depth != first.depth


def test_in_place_of_an_excluded_step_one_between_it_and_the_deepest_finished_one() -> None:
    allowed = OpenSteps.of([finished(0, 16), excluded(1, 64), finished(2, 20)], Depths(1, 100))

    assert allowed.instead_of(63) == 63
    assert allowed.instead_of(64) == 35
    assert 64 not in allowed
    assert 65 in allowed


def test_where_memory_ran_out_the_reach_is_halfway_there() -> None:
    allowed = OpenSteps.of([finished(0, 16), excluded(1, 64, MEMORY)], Depths(1, 100))

    assert (allowed.last, allowed.reach, allowed.by_memory) == (63, 40, True)
    assert allowed.instead_of(90) == 40
    assert 64 not in allowed


def test_an_excluded_depth_beyond_the_range_says_nothing() -> None:
    allowed = OpenSteps.of([excluded(0, 64, MEMORY), excluded(1, 70)], Depths(1, 32))

    assert (allowed.last, allowed.reach, allowed.by_memory, allowed.closed) == (32, 32, False, frozenset())


def test_the_deepest_steps_are_left_out_where_they_are_excluded() -> None:
    allowed = OpenSteps.of([excluded(0, 32), excluded(1, 31), excluded(2, 1)], Depths(1, 32))

    assert (allowed.last, allowed.closed) == (30, frozenset({1}))
    assert allowed.all_closed(1, 1)
    assert not allowed.all_closed(1, 2)
    assert allowed.within(1, 1, 1) is None
    assert allowed.within(1, 5, 1) == 2


def test_memory_and_depths_beyond_the_cap_are_no_reason_to_end() -> None:
    trials = [excluded(0, 5), excluded(1, 6), excluded(2, 7), excluded(3, 9, MEMORY)]

    assert ended_by_errors(trials, Depths(1, 64))
    assert not ended_by_errors(trials, Depths(1, 6))
    assert not ended_by_errors([trials[0], trials[0], trials[0], trials[3]], Depths(1, 64))


def test_what_a_failed_trial_excludes_is_read() -> None:
    attributes = {"excluded": "memory", "exclusion_reason": "MemoryError", "exclusion_traceback": "Traceback ..."}
    trial = optuna.trial.create_trial(
        state=TrialState.FAIL,
        params={"depth": 7},
        distributions={"depth": IntDistribution(1, 64)},
        user_attrs=attributes,
    )
    assert Exclusion.of(trial) == Exclusion(
        depth=7, kind=MEMORY, deeper=True, reason="MemoryError", traceback="Traceback ...", trial=trial.number
    )
    assert Trial.of(trial).excluded is MEMORY
    running = optuna.trial.create_trial(state=TrialState.RUNNING, user_attrs=attributes)
    assert Exclusion.of(running) is None
    assert Trial.of(running).excluded is None


def test_a_sampler_of_optuna_skips_what_a_failed_trial_excludes() -> None:
    settings = SearchSettings(reliability=0.5, cap=4, seed=0)
    study = optuna.create_study(direction="maximize", sampler=ThresholdSampler(settings))
    depths = []
    for _ in range(2):
        trial = study.ask()
        depths.append(trial.suggest_int("depth", 1, 4))
        trial.set_user_attr("excluded", "memory")
        study.tell(trial, state=TrialState.FAIL)
    assert depths[0] > depths[1] == 1
    assert estimate(study, settings).concluded is None
    with pytest.raises(InvalidValue, match="no depth is left to try: all from 1 to 4 are excluded by failed trials"):
        study.ask().suggest_int("depth", 1, 4)
