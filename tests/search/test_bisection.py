"""Bisection as an Optuna sampler: Optuna's conformance tests, and that it keeps no state."""

from collections.abc import Callable

import optuna
import pytest
from optuna.distributions import IntDistribution
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import BasicSamplerTestCase, SingleOnlySamplerTestCase
from optuna.trial import TrialState

from depthsearch.search import BisectionSampler, estimate
from depthsearch.search.settings import ResolvedSettings
from tests.search.studies import ask, new_study, search, tell

SETTINGS = ResolvedSettings(reliability=0.5, cap=10_000, runs_per_trial=4)


class TestConformance(BasicSamplerTestCase, SingleOnlySamplerTestCase):
    """Of the sampler as it is constructed; test_method drives the search itself through the same tests."""

    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: BisectionSampler(SETTINGS)


@pytest.mark.parametrize("threshold", [1, 2, 7, 74, 300])
def test_a_step_is_found_exactly(threshold: int) -> None:
    study = new_study(BisectionSampler(SETTINGS))
    depths = search(study, SETTINGS, lambda depth: 4 if depth <= threshold else 0)
    curve = estimate(study, SETTINGS)
    assert (curve.max_depth, curve.fails_at) == (threshold, threshold + 1)
    assert len(set(depths)) == len(depths)


def test_a_depth_passes_at_exactly_the_reliability() -> None:
    study = new_study(BisectionSampler(SETTINGS))
    search(study, SETTINGS, lambda depth: 2 if depth <= 5 else 1)
    assert estimate(study, SETTINGS).max_depth == 5


def test_a_family_that_begins_at_zero_is_searched_from_zero() -> None:
    study = new_study(BisectionSampler(SETTINGS))
    depths = search(study, SETTINGS, lambda depth: 4 if depth <= 5 else 0, low=0)
    assert depths[:4] == [0, 1, 3, 7]
    assert estimate(study, SETTINGS).max_depth == 5


def test_the_depth_is_a_python_int() -> None:
    study = new_study(BisectionSampler(SETTINGS))
    trial = study.ask()
    assert type(trial.suggest_int("depth", 1, 100)) is int


def test_another_sampler_object_at_every_step_makes_the_same_picks() -> None:
    steady, restarted = new_study(BisectionSampler(SETTINGS)), new_study(BisectionSampler(SETTINGS))

    def trained(depth: int) -> int:
        return 4 if depth <= 74 else 0

    expected = search(steady, SETTINGS, trained)
    depths = []
    while estimate(restarted, SETTINGS).concluded is None:
        restarted.sampler = BisectionSampler(SETTINGS)
        trial, depth = ask(restarted, SETTINGS)
        depths.append(depth)
        tell(restarted, trial, runs=4, trained=trained(depth))
    assert depths == expected


def test_a_failed_trial_changes_no_pick() -> None:
    study = new_study(BisectionSampler(SETTINGS))
    trial, first = ask(study, SETTINGS)
    study.tell(trial, state=TrialState.FAIL)
    _, again = ask(study, SETTINGS)
    assert again == first


def test_workers_in_lockstep_pick_what_one_batch_would() -> None:
    def begun() -> optuna.Study:
        study = new_study(BisectionSampler(SETTINGS))
        for _ in range(5):
            trial, depth = ask(study, SETTINGS)
            tell(study, trial, runs=4, trained=4 if depth <= 12 else 0)
        return study

    batch = begun()
    one_by_one = [ask(batch, SETTINGS)[1] for _ in range(4)]
    lockstep = begun()
    # All workers begin their trials before any of them has named its depth.
    trials = [lockstep.ask() for _ in range(4)]
    at_once = [trial.suggest_int("depth", 1, SETTINGS.cap) for trial in reversed(trials)]
    assert list(reversed(at_once)) == one_by_one
    assert sorted(one_by_one) == [9, 10, 12, 14]


def test_a_running_trial_with_a_higher_number_changes_nothing() -> None:
    study = new_study(BisectionSampler(SETTINGS))
    earlier = study.ask()
    later = study.ask()
    later.suggest_int("depth", 1, SETTINGS.cap)
    assert earlier.suggest_int("depth", 1, SETTINGS.cap) == 1


def test_an_enqueued_depth_is_taken_and_used() -> None:
    study = new_study(BisectionSampler(SETTINGS))
    study.enqueue_trial({"depth": 50})
    depths = search(study, SETTINGS, lambda depth: 4 if depth <= 20 else 0)
    assert depths[:3] == [50, 25, 12]
    assert estimate(study, SETTINGS).max_depth == 20


def test_a_raised_cap_goes_on_from_what_is_known() -> None:
    low, high = (ResolvedSettings(cap=cap, runs_per_trial=3) for cap in (30, 100))
    study = new_study(BisectionSampler(low))
    search(study, low, lambda depth: 3 if depth <= 50 else 0)
    assert estimate(study, low).max_depth == 30
    study.sampler = BisectionSampler(high)
    trial, depth = ask(study, high)
    assert depth == 60
    tell(study, trial, runs=3, trained=0)
    search(study, high, lambda depth: 3 if depth <= 50 else 0)
    assert estimate(study, high).max_depth == 50


def test_once_concluded_the_edges_are_tried_again_in_turn() -> None:
    study = new_study(BisectionSampler(SETTINGS))
    search(study, SETTINGS, lambda depth: 4 if depth <= 7 else 0)
    again = []
    for _ in range(4):
        trial, depth = ask(study, SETTINGS)
        again.append(depth)
        tell(study, trial, runs=4, trained=4 if depth <= 7 else 0)
    assert sorted(again) == [7, 7, 8, 8]


def test_trials_that_say_nothing_of_their_runs_are_left_out() -> None:
    study = new_study(BisectionSampler(SETTINGS))
    study.add_trial(
        optuna.create_trial(params={"depth": 64}, distributions={"depth": IntDistribution(1, 10_000)}, value=64)
    )
    assert ask(study, SETTINGS)[1] == 1


def test_optunas_best_trial_is_the_deepest_that_passes() -> None:
    study = new_study(BisectionSampler(SETTINGS))
    search(study, SETTINGS, lambda depth: 3 if depth <= 11 else 1)
    assert study.best_trial.params["depth"] == 11
    assert study.best_trial.system_attrs["constraints"] == [pytest.approx(0.5 - 0.75)]
