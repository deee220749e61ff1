"""Trials as plain values, read from Optuna's, and ranges of depths."""

from typing import Any

import optuna
import pytest
from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial, TrialState

from depthsearch.search.trial import Depths, Probe, Purpose, State, Trial, confirming, pooled, probes


def optunas(state: TrialState = TrialState.COMPLETE, **attributes: Any) -> FrozenTrial:
    depths = IntDistribution(1, 64)
    value = 7 if state is TrialState.COMPLETE else None
    return optuna.trial.create_trial(
        state=state, params={"depth": 7}, distributions={"depth": depths}, value=value, user_attrs=attributes
    )


def test_what_a_trial_says_is_read() -> None:
    found = Trial.of(optunas(runs=8, trained=3, seeds=[1, 2, 3], effort=[2.5, 1.0], seconds=1.5, purpose="tail"))
    assert found[1:] == (State.COMPLETE, 7, 8, 3, Purpose.TAIL, 3, (2.5, 1.0), 1.5, None, None, None)


def test_a_trial_of_the_ladder_has_scores() -> None:
    found = Trial.of(optunas(scores=[0.5, 1], chance_bar=0.6, purpose="ladder"))
    assert (found.scores, found.chance_bar, found.made) == ((0.5, 1.0), 0.6, 2)
    for scores in ([], ["0.5"], 0.5):
        assert Trial.of(optunas(scores=scores)).scores is None


def test_the_depth_may_have_another_name() -> None:
    trial = optuna.trial.create_trial(params={"x": 3}, distributions={"x": IntDistribution(1, 9)}, value=3)
    assert Trial.of(trial, "x").depth == 3
    assert Trial.of(trial).depth is None


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (TrialState.RUNNING, State.RUNNING),
        (TrialState.WAITING, State.WAITING),
        (TrialState.FAIL, State.FAILED),
        (TrialState.PRUNED, State.FAILED),
    ],
)
def test_a_pruned_trial_counts_as_failed(state: TrialState, expected: State) -> None:
    assert Trial.of(optunas(state)).state is expected


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"runs": 8},
        {"runs": 2, "trained": 3},
        {"runs": 0, "trained": 0},
        {"runs": 2.0, "trained": 1},
        {"runs": 4, "trained": -1},
        {"runs": True, "trained": 1},
    ],
)
def test_counts_that_cannot_be_say_nothing(attributes: dict[str, Any]) -> None:
    found = Trial.of(optunas(**attributes))
    assert (found.runs, found.trained) == (None, None)
    assert probes([found]) == []


def test_an_unknown_purpose_is_an_error() -> None:
    with pytest.raises(ValueError, match="sightseeing"):
        Trial.of(optunas(purpose="sightseeing"))


def test_finished_trials_are_pooled_by_depth() -> None:
    trials = [
        Trial(0, State.COMPLETE, 9, 4, 4),
        Trial(1, State.COMPLETE, 3, 4, 1),
        Trial(2, State.COMPLETE, 9, 2, 1, Purpose.CONFIRM),
        Trial(3, State.RUNNING, 9),
        Trial(4, State.FAILED, 9, 4, 0),
    ]
    assert pooled(probes(trials)) == [Probe(3, 4, 1), Probe(9, 6, 5)]
    assert probes(trials, purpose=Purpose.CONFIRM) == [Probe(9, 2, 1)]
    assert confirming(trials) == [trials[2]]


@pytest.mark.parametrize(("depth", "inside"), [(0, False), (1, True), (4, False), (9, True), (11, False)])
def test_a_range_contains_what_its_distribution_may_suggest(depth: int, inside: bool) -> None:
    assert (depth in Depths.of(IntDistribution(1, 9, step=2))) is inside


def test_steps_count_from_one() -> None:
    depths = Depths(-3, 9, step=4)
    assert [depths.at(step) for step in range(1, depths.last + 1)] == [-3, 1, 5, 9]
    assert [depths.step_of(depth) for depth in (-3, 1, 5, 9)] == [1, 2, 3, 4]
