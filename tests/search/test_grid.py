"""Given depths, one after another."""

from collections.abc import Callable

import optuna
import pytest
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import BasicSamplerTestCase, SingleOnlySamplerTestCase

from depthsearch.search import DepthGridSampler, estimate
from depthsearch.search.curve import Conclusion
from depthsearch.search.settings import ResolvedSettings
from tests.search.studies import ask, new_study, tell

SETTINGS = ResolvedSettings(sampler="grid", depths=(14, 3, 7), runs_per_trial=10)


class TestConformance(BasicSamplerTestCase, SingleOnlySamplerTestCase):
    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: DepthGridSampler(SETTINGS)


def test_each_depth_is_tried_in_turn_and_gives_a_curve() -> None:
    study = new_study(DepthGridSampler(SETTINGS))
    tried = []
    while estimate(study, SETTINGS).concluded is None:
        trial, depth = ask(study, SETTINGS)
        tried.append(depth)
        tell(study, trial, runs=10, trained={3: 10, 7: 9, 14: 2}[depth])
    assert tried == [14, 3, 7]
    curve = estimate(study, SETTINGS)
    assert curve.concluded is Conclusion.GRID
    assert [(point.depth, point.trained) for point in curve.points] == [(3, 10), (7, 9), (14, 2)]
    assert curve.interval is not None


def test_workers_share_the_depths_out() -> None:
    study = new_study(DepthGridSampler(SETTINGS))
    trials = [study.ask() for _ in range(3)]
    assert [trial.suggest_int("depth", 1, 100) for trial in reversed(trials)] == [7, 3, 14]


def test_a_failed_trial_is_made_again() -> None:
    study = new_study(DepthGridSampler(SETTINGS))
    trial, depth = ask(study, SETTINGS)
    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    assert ask(study, SETTINGS)[1] == depth == 14
