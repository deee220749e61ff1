"""What a search would take: two depths are timed with the real engine, and searches are simulated."""

from importlib import import_module
from pathlib import Path

import pytest

import depthsearch
from depthsearch.errors import InvalidValue
from depthsearch.problem.problem import Problem
from depthsearch.results.answer import Outcome
from depthsearch.results.dry_run import DryRun
from depthsearch.results.pace import Pace, Timing
from depthsearch.search.settings import SearchSettings
from depthsearch.search.trial import Depths, Purpose
from depthsearch.training.modules.engine import ModuleEngine
from depthsearch.workflows import dry_run, find
from depthsearch.workflows.simulated import AssumedCurve, simulate
from tests.workflows.searches import PROBLEM, SETTINGS

TIMING = import_module("depthsearch.workflows.dry_run")
SECOND_A_LAYER = Pace([Timing(1, 1, 1.0), Timing(2, 1, 2.0)])
MODEL = """
import torch
from torch import nn


def build(depth):
    if depth > 6:
        raise ValueError("too deep")
    return nn.Sequential(*[part for _ in range(depth) for part in (nn.Linear(2, 2), nn.Tanh())], nn.Linear(2, 2))


def load():
    points = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    labels = (points[:, 0] > 0).long()
    return (points[:200], labels[:200]), (points[200:], labels[200:])
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(TIMING, "ENOUGH_SECONDS", 0.02)


def test_a_dry_run_times_two_depths_and_stores_nothing(tmp_path: Path) -> None:
    found = dry_run(PROBLEM, SETTINGS)
    assert [(one.depth, one.of) for one in found.timed] == [(1, 8), (9, 8)]
    assert all(3 <= one.entries <= 8 for one in found.timed)
    assert [one.parameters for one in found.timed] == [
        PROBLEM.network.layer_counts(PROBLEM.data.spec, depth).parameters for depth in (1, 9)
    ]
    assert all(0 < one.seconds < 10 for one in found.timed)
    assert all(one.memory is not None and one.memory > 50e6 for one in found.timed)
    assert [row.max_depth for row in found.forecasts] == [4, 16, 64]
    assert [row.deepest >= row.max_depth for row in found.forecasts] == [True] * 3
    assert [row.seconds[0] < row.seconds[1] for row in found.forecasts] == [True] * 3
    assert DryRun.model_validate_json(found.to_json()) == found
    assert list(tmp_path.iterdir()) == []


def test_the_runs_of_a_simulated_search_are_those_of_a_real_one() -> None:
    answer = find(Problem(), SETTINGS.model_copy(update={"cap": 4}), storage="sqlite:///real.db")
    assert answer.outcome is Outcome.CAP_REACHED
    always = AssumedCurve(Depths(1, 4), 4, 1000.0, 1 - 1e-9)
    always._logit = 700.0
    simulated = simulate(Problem(), answer.settings, always, pace=SECOND_A_LAYER, seed=0)
    assert sum(trial.made for trial in simulated) == answer.cost.runs
    assert simulated[-1].purpose is Purpose.CONFIRM
    assert all(trial.seconds == pytest.approx(trial.made * (trial.depth or 0)) for trial in simulated)


def test_a_simulated_search_keeps_to_its_budget() -> None:
    depths = Depths(1, 10_000)
    for given in ({"max_runs": 20}, {"max_seconds": 300.0}):
        settings = SETTINGS.model_copy(update=given).resolved(lanes=2)
        curve = AssumedCurve(depths, 40, 8.0, 0.5)
        trials = simulate(PROBLEM, settings, curve, pace=SECOND_A_LAYER, seed=0)
        assert sum(trial.made for trial in trials) <= settings.max_runs if settings.max_runs else trials
        before_last = sum(trial.seconds for trial in trials[:-1])
        assert settings.max_seconds is None or before_last < settings.max_seconds


def test_a_ladder_is_simulated_as_well() -> None:
    problem = Problem.model_validate({"recipe": {"epochs": 8}, "criterion": {"kind": "no_worse"}})
    settings = SearchSettings(sampler="bisect", reliability=0.5, runs_per_trial=2, cap=30).resolved(lanes=2)
    trials = simulate(problem, settings, AssumedCurve(Depths(1, 30), 10, 30.0, 0.5), pace=SECOND_A_LAYER, seed=0)
    purposes = [trial.purpose for trial in trials]
    assert purposes[0] is Purpose.LADDER
    assert Purpose.BAR in purposes
    assert purposes[-1] is Purpose.CONFIRM


def test_the_depths_of_a_grid_bound_what_is_timed_and_assumed() -> None:
    found = dry_run(PROBLEM, SearchSettings(sampler="grid", depths=(5, 2, 3), runs_per_trial=2))
    assert [one.depth for one in found.timed] == [2, 5]
    assert [row.max_depth for row in found.forecasts] == [4, 5]
    assert {row.deepest for row in found.forecasts} == {5}


def test_a_module_is_timed_for_a_few_entries_and_a_deep_one_that_cannot_be_built_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TIMING, "ENOUGH_SECONDS", 0.0)
    monkeypatch.setattr(TIMING, "LEAST_ENTRIES", 2)
    (tmp_path / "model.py").write_text(MODEL)
    problem = Problem.model_validate(
        {"family": "model", "source": "model.py:build", "data": {"name": "user", "source": "model.py:load"}}
        | {"recipe": {"epochs": 50}}
    )
    found = dry_run(problem, SearchSettings(sampler="bisect", runs_per_trial=2))
    assert found.engine == ModuleEngine.name
    assert [one.depth for one in found.timed] == [1, 5]
    assert [one.parameters for one in found.timed] == [12, 36]
    assert {(one.entries, one.of) for one in found.timed} == {(2, 50)}


def test_settings_of_another_kind_are_refused() -> None:
    with pytest.raises(InvalidValue, match=r"settings must be depthsearch\.SearchSettings"):
        dry_run(PROBLEM, {"cap": 3})  # type: ignore[arg-type]
    assert depthsearch.dry_run is dry_run
