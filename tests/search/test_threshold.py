"""Threshold search as an Optuna sampler: conformance, purity, parallel workers, look-outs, and what it costs."""

import math
from collections.abc import Callable

import numpy as np
import optuna
import pytest
from optuna import Study, Trial
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import BasicSamplerTestCase, SingleOnlySamplerTestCase

from depthsearch.search import Curve, ThresholdSampler, estimate
from depthsearch.search.curve import Conclusion
from depthsearch.search.settings import ResolvedSettings
from tests.search.studies import ask, new_study, tell

SETTINGS = ResolvedSettings(reliability=0.5, cap=10_000, runs_per_trial=8, parallel_trials=1)


class TestConformance(BasicSamplerTestCase, SingleOnlySamplerTestCase):
    """Of the sampler as it is constructed; test_method drives the search itself through the same tests."""

    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: ThresholdSampler(SETTINGS)


def logistic(middle: float, slope: float) -> Callable[[float], float]:
    return lambda depth: 1 / (1 + (depth / middle) ** slope)


def run(settings: ResolvedSettings, truth: Callable[[float], float], *, seed: int = 0, most: int = 200) -> Study:
    """Search until concluded, every trial of `runs_per_trial` runs."""
    rng = np.random.default_rng(seed)
    study = new_study(ThresholdSampler(settings))
    while estimate(study, settings, curves=100).concluded is None and len(study.trials) < most:
        trial, depth = ask(study, settings)
        tell(
            study, trial, runs=settings.runs_per_trial, trained=int(rng.binomial(settings.runs_per_trial, truth(depth)))
        )
    return study


def depths_of(study: Study) -> list[int]:
    return [trial.params["depth"] for trial in study.trials]


@pytest.fixture(scope="module")
def searched() -> Study:
    return run(SETTINGS, logistic(74, 12))


def test_a_threshold_is_found_within_its_interval(searched: Study) -> None:
    curve = estimate(searched, SETTINGS)
    assert curve.concluded in (Conclusion.WIDTH, Conclusion.LEVEL)
    assert curve.interval is not None
    assert curve.interval[0] <= 74 <= (curve.interval[1] or 0)
    assert curve.level == 0.95
    assert curve.monotone is True
    assert curve.max_depth in depths_of(searched)
    assert curve.interval[0] <= (curve.max_depth or 0) <= (curve.interval[1] or 0)
    for point in curve.points:
        assert point.low is not None
        assert point.high is not None
        assert point.low <= point.p <= point.high
    assert [point.p for point in curve.points] == sorted((point.p for point in curve.points), reverse=True)


def test_one_posterior_gives_the_threshold_at_any_reliability(searched: Study) -> None:
    high = estimate(searched, SETTINGS.model_copy(update={"reliability": 0.9}))
    assert [found.reliability for found in high.thresholds] == [0.9, 0.5]
    nine, half = high.thresholds
    truth = 74 * 9 ** (-1 / 12)  # where the logistic curve is at 0.9
    assert nine.interval[0] <= truth <= (nine.interval[1] or 0)
    assert nine.depth < half.depth


def test_no_depth_is_skipped_far_ahead_while_nothing_deep_has_trained(searched: Study) -> None:
    deepest = 0
    for trial in searched.trials[: len(searched.trials) - 16]:  # the tail is looked at in the end
        assert trial.params["depth"] <= max(8, 2 * deepest)
        deepest = max(deepest, trial.params["depth"] if trial.user_attrs["trained"] else 0)


def test_some_trials_look_out_at_shallower_depths_and_some_beyond(searched: Study) -> None:
    depths = depths_of(searched)
    curve = estimate(searched, SETTINGS)
    assert curve.interval is not None
    high = curve.interval[1] or 0
    looked = [depth for depth in depths if 1.15 * high < depth <= 4 * high]
    assert len(looked) >= 4
    assert max(looked) > 2.5 * high
    assert sum(depth < 40 for depth in depths[8:]) >= 3


def test_the_next_depth_is_a_function_of_the_trials_alone(searched: Study) -> None:
    """Replayed with a new sampler for each trial, as after a restart before each of them."""
    again = new_study(ThresholdSampler(SETTINGS))
    for trial in searched.trials:
        again.sampler = ThresholdSampler(SETTINGS)
        asked, depth = ask(again, SETTINGS)
        assert depth == trial.params["depth"]
        tell(again, asked, runs=trial.user_attrs["runs"], trained=trial.user_attrs["trained"])


def test_eight_workers_in_lockstep_pick_what_one_batch_of_eight_does(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each worker opens the study itself, asks while all the others do, and restarts after every round."""
    settings = SETTINGS.model_copy(update={"parallel_trials": 8, "runs_per_trial": 4})
    truth = logistic(30, 8)

    def finish_all(study: Study, asked: list[tuple[Trial, int]], rng: np.random.Generator) -> None:
        for trial, depth in asked:
            tell(study, trial, runs=4, trained=int(rng.binomial(4, truth(depth))))

    batch, rng = new_study(ThresholdSampler(settings)), np.random.default_rng(3)
    for _ in range(5):
        finish_all(batch, [ask(batch, settings) for _ in range(8)], rng)

    url = f"sqlite:///{tmp_path_factory.mktemp('lockstep') / 'studies.db'}"
    optuna.create_study(study_name="shared", storage=url, direction="maximize")
    rng = np.random.default_rng(3)
    for _ in range(5):
        workers = [
            optuna.load_study(study_name="shared", storage=url, sampler=ThresholdSampler(settings)) for _ in range(8)
        ]
        # All have a trial before any has a depth: a trial is running before its parameter is written.
        trials = [worker.ask() for worker in workers]
        late = [(trial, trial.suggest_int("depth", 1, settings.cap)) for trial in reversed(trials)]
        finish_all(workers[0], sorted(late, key=lambda one: one[0].number), rng)
    shared = optuna.load_study(study_name="shared", storage=url)
    assert depths_of(shared) == depths_of(batch)


def test_a_family_that_never_trains_reliably_is_said_to() -> None:
    settings = SETTINGS.model_copy(update={"reliability": 0.9})
    curve = estimate(run(settings, lambda _: 0.3), settings)
    assert curve.concluded is Conclusion.SHALLOWEST
    assert curve.max_depth is None
    assert curve.interval is not None
    assert curve.interval[0] == 0


def test_what_trains_to_the_cap_is_said_to() -> None:
    settings = SETTINGS.model_copy(update={"cap": 40})
    study = run(settings, lambda _: 1.0)
    curve = estimate(study, settings)
    assert curve.concluded is Conclusion.CAP
    assert curve.interval is not None
    assert curve.interval[1] is None
    assert max(depths_of(study)) == 40


def test_depths_far_beyond_the_usual_are_found_too() -> None:
    settings = SETTINGS.model_copy(update={"cap": 1_000_000, "runs_per_trial": 16})
    interval = estimate(run(settings, logistic(120_000, 20)), settings).interval
    assert interval is not None
    assert interval[0] <= 120_000 <= (interval[1] or 0)
    endless = estimate(run(settings, lambda _: 1.0), settings)
    assert endless.concluded is Conclusion.CAP


def test_a_curve_that_falls_slowly_ends_by_its_level() -> None:
    settings = SETTINGS.model_copy(update={"reliability": 0.9})
    curve = estimate(run(settings, lambda depth: 0.9 ** (depth / 74)), settings)
    assert curve.concluded is Conclusion.LEVEL
    assert curve.interval is not None
    assert curve.interval[0] <= 74 <= (curve.interval[1] or math.inf)


def test_a_budget_waives_the_look_beyond() -> None:
    free = run(SETTINGS, logistic(20, 30))
    spent = sum(trial.user_attrs["runs"] for trial in free.trials)
    settings = SETTINGS.model_copy(update={"max_runs": spent - 8})
    curve = estimate(run(settings, logistic(20, 30), most=len(free.trials)), settings)
    assert curve.concluded is Conclusion.WIDTH


def test_a_dip_is_flagged_with_both_crossings() -> None:
    settings = SETTINGS.model_copy(update={"runs_per_trial": 4})
    curve = estimate(run(settings, lambda d: 0.05 if 12 <= d <= 22 else logistic(60, 30)(d), seed=1), settings)
    assert curve.concluded is not None
    assert curve.monotone is False
    assert curve.crossings is not None
    first, last = curve.crossings
    assert first <= 12
    assert 40 <= last <= 66


def test_an_empty_study_says_nothing() -> None:
    curve: Curve = estimate(new_study(ThresholdSampler(SETTINGS)), SETTINGS)
    assert (curve.points, curve.max_depth, curve.interval, curve.concluded) == ((), None, None, None)


def test_the_depth_is_a_python_int() -> None:
    trial = new_study(ThresholdSampler(SETTINGS)).ask()
    assert type(trial.suggest_int("depth", 1, 100)) is int


def test_intervals_hold_as_often_as_they_promise_on_twenty_truths() -> None:
    """A small sample of benchmarks/search.py: at 95 %, 16 or fewer of 20 would come up once in 400 times."""
    held = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        middle, slope = float(np.exp(rng.uniform(np.log(4), np.log(600)))), float(rng.uniform(6, 40))
        settings = SETTINGS.model_copy(update={"runs_per_trial": 16, "seed": seed})
        interval = estimate(run(settings, logistic(middle, slope), seed=seed), settings, curves=100).interval
        assert interval is not None
        held += interval[0] <= middle <= (interval[1] or math.inf)
    assert held >= 17
