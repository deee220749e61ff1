"""Recorded steps train as plain ones do; on a GPU as CUDA graphs, elsewhere with a recording that only calls again."""

import numpy as np
import pytest
import torch

from depthsearch.problem.problem import Problem
from depthsearch.problem.recipe import Recipe
from depthsearch.training.engine import Job, train_all
from depthsearch.training.modules import stacked_engine as torch_engine
from depthsearch.training.modules.stack import NetworkStack
from depthsearch.training.modules.stacked_engine import TorchEngine
from depthsearch.training.modules.steps import WARM_UP, RecordedSteps, Step, Steps
from tests.sameness import assert_close, assert_same

RECIPES = {
    "momentum": {"epochs": 5},
    "plain": {"epochs": 5, "momentum": 0.0},
    "nesterov": {"epochs": 5, "nesterov": True},
    "adam": {"epochs": 5, "optimizer": "adam"},
    "adamw": {"epochs": 5, "optimizer": "adamw", "weight_decay": 0.01},
    "cosine": {"epochs": 5, "schedule": "cosine", "warmup_steps": 10, "clip_norm": 0.5, "weight_decay": 1e-3},
    "cosine-adam": {"epochs": 5, "optimizer": "adam", "schedule": "cosine", "warmup_steps": 10, "clip_norm": 0.5},
    "rmsprop": {"epochs": 5, "optimizer": "rmsprop", "weight_decay": 0.01},
    "cosine-rmsprop": {"epochs": 5, "optimizer": "rmsprop", "schedule": "cosine", "second_decay": 0.9},
    "adagrad": {"epochs": 5, "optimizer": "adagrad"},
    "cosine-adagrad": {"epochs": 5, "optimizer": "adagrad", "schedule": "cosine", "weight_decay": 0.01},
}
JOBS = [Job(4, seed) for seed in range(4)]


class Recordings:
    """Stands for the recording of graphs: counts them, and takes the step itself when it is replayed."""

    def __init__(self) -> None:
        self.made = self.replayed = 0

    def __call__(self, step: Step) -> Step:
        self.made += 1

        def replay() -> None:
            self.replayed += 1
            step()

        return replay


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> Recordings:
    """The torch engine on the CPU, with steps recorded as on a GPU."""
    recordings = Recordings()

    def recorded(networks: NetworkStack, optimizer: torch.optim.Optimizer, recipe: Recipe) -> Steps:
        return RecordedSteps(networks, optimizer, recipe, recordings)

    monkeypatch.setattr(torch_engine, "Steps", recorded)
    return recordings


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_recorded_steps_are_the_steps(recordings: Recordings, recipe: dict[str, object]) -> None:
    problem = Problem.model_validate({"family": "resnet", "activation": "relu", "recipe": recipe})
    with pytest.MonkeyPatch.context() as unrecorded:
        unrecorded.setattr(torch_engine, "Steps", Steps)
        plain = train_all(TorchEngine("cpu"), problem, JOBS)
    assert recordings.made == 0
    recorded = train_all(TorchEngine("cpu"), problem, JOBS)
    for first, second in zip(plain, recorded, strict=True):
        assert_same(first, second)
    # 500 points in batches of 32: fifteen whole ones, and one of 20.
    assert (recordings.made, recordings.replayed) == (2, 5 * 16)
    assert WARM_UP > 0


def test_a_smaller_stack_is_recorded_anew(recordings: Recordings) -> None:
    problem = Problem.model_validate({"recipe": {"epochs": 5, "optimizer": "adam"}})
    whole = train_all(TorchEngine("cpu"), problem, JOBS)
    recordings.made = 0
    some = train_all(
        TorchEngine("cpu"), problem, JOBS, watch=lambda trace: 2 if trace.seed < 2 <= trace.epochs else None
    )
    assert recordings.made == 4
    assert_close(some[3], whole[3])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_graph_on_a_gpu_trains_as_single_launches_do(
    monkeypatch: pytest.MonkeyPatch, recipe: dict[str, object]
) -> None:
    problem = Problem.model_validate({"family": "resnet", "activation": "relu", "recipe": recipe})
    graphs = train_all(TorchEngine("cuda"), problem, JOBS)
    monkeypatch.setattr(torch_engine, "RecordedSteps", Steps)
    launches = train_all(TorchEngine("cuda"), problem, JOBS)
    for first, second in zip(graphs, launches, strict=True):
        np.testing.assert_allclose(first.loss, second.loss, rtol=1e-3)
