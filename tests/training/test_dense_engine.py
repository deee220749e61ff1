"""The dense engine keeps the contract of every engine, and agrees with torch step by step."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue, TrainingFailed, UnknownName
from depthsearch.networks.base import Activation, Add, Dense
from depthsearch.networks.dense import as_dense
from depthsearch.networks.initialization import INITIALIZATIONS
from depthsearch.problem.problem import Problem
from depthsearch.training.dense.engine import DenseEngine
from depthsearch.training.dense.program import KERNELS, claims
from depthsearch.training.engine import Engine, Job, train_all
from depthsearch.training.modules.stacked_engine import TorchEngine
from depthsearch.training.select import WIDEST_DENSE, choose_engine
from depthsearch.training.trace import Trace
from tests.sameness import assert_same
from tests.training.engines import FFNET, RESNET, STEPS, EngineContract


class TestOnOneThread(EngineContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return DenseEngine(threads=1)


class TestOnThreeThreads(EngineContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return DenseEngine(threads=3)


@pytest.mark.parametrize("problem", [FFNET, RESNET, STEPS], ids=["ffnet", "resnet", "steps"])
def test_the_number_of_threads_changes_no_bit(problem: Problem) -> None:
    jobs = [Job(depth, seed) for depth in (2, 9) for seed in range(4)]
    for one, many in zip(*(train_all(DenseEngine(threads), problem, jobs) for threads in (1, 4)), strict=True):
        assert_same(one, many)


GRID: list[dict[str, Any]] = [
    *({"activation": activation} for activation in KERNELS),
    *({"initialization": initialization} for initialization in INITIALIZATIONS),
    *({"family": "resnet", "activation": activation} for activation in ("tanh", "relu", "gelu")),
    *({"family": family, "normalization": "layer"} for family in ("ffnet", "resnet")),
    {"normalization": "batch"},
    {"family": "resnet", "normalization": "none"},
    {"data": "digits"},
    {"data": "digits", "family": "resnet"},
    *({"width": width} for width in (1, 2, 3, 4, 6, 7, 11, 33)),
    *({"recipe": {"optimizer": optimizer}} for optimizer in ("adam", "adamw", "adagrad")),
    {"recipe": {"optimizer": "adam", "first_decay": 0.6, "second_decay": 0.0, "epsilon": 0.01}},
    {"recipe": {"optimizer": "rmsprop", "second_decay": 0.8, "epsilon": 1e-3, "weight_decay": 0.1}},
    {"recipe": {"optimizer": "adagrad", "epsilon": 0.01, "weight_decay": 0.1, "schedule": "cosine"}},
    {"recipe": {"nesterov": True}},
    {"recipe": {"momentum": 0.0}},
    *({"recipe": {"batch_size": size}} for size in (1, 7, 33, 64, 1000)),
    {"recipe": {"schedule": "cosine", "warmup_steps": 3, "final_learning_rate": 0.001}},
    *({"recipe": {"optimizer": optimizer, "weight_decay": 0.1}} for optimizer in ("sgd", "adam", "adamw")),
    {"recipe": {"clip_norm": 0.1, "weight_decay": 0.1, "nesterov": True}},
    *({"data": data, "recipe": {"label_smoothing": 0.2}} for data in ("moons", "digits")),
]


def with_budget(fields: dict[str, Any], **budget: int) -> Problem:
    """A problem of the grid, with batches of which a few are an epoch."""
    size = 300 if fields.get("data") == "digits" else 150
    return Problem.model_validate(fields | {"recipe": {"batch_size": size} | fields.get("recipe", {}) | budget})


def assert_engines_agree(problem: Problem) -> None:
    """Losses, accuracies and every figure of every layer, to the precision that ten steps leave."""
    (dense,), (torch,) = (train_all(engine, problem, [Job(4, 3)]) for engine in (DenseEngine(1), TorchEngine("cpu")))
    assert (dense.layers, dense.epochs, dense.steps) == (torch.layers, torch.epochs, torch.steps)
    assert dense.baseline == torch.baseline
    np.testing.assert_allclose(dense.loss, torch.loss, rtol=2e-4)
    np.testing.assert_allclose(dense.score, torch.score, atol=0.005)
    for name in vars(torch.snapshots):
        ours, theirs = getattr(dense.snapshots, name), getattr(torch.snapshots, name)
        rtol, atol = (0, 0.005) if name == "test_accuracy" else (2e-3, 1e-6)
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, err_msg=name)
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4, atol=1e-7, err_msg=f"{name} at the start")


@pytest.mark.parametrize("fields", GRID, ids=str)
def test_three_epochs_agree_with_torch(fields: dict[str, Any]) -> None:
    size = 300 if fields.get("data") == "digits" else 150
    assert_engines_agree(
        Problem.model_validate(fields | {"recipe": {"batch_size": size} | fields.get("recipe", {}) | {"epochs": 3}})
    )


@pytest.mark.parametrize("fields", GRID, ids=str)
def test_ten_single_steps_agree_with_torch(fields: dict[str, Any]) -> None:
    """A budget of ten steps has an entry for each, so the loss of every batch is compared."""
    size = 300 if fields.get("data") == "digits" else 150
    assert_engines_agree(
        Problem.model_validate(fields | {"recipe": {"batch_size": size} | fields.get("recipe", {}) | {"steps": 10}})
    )


@pytest.mark.parametrize(("steps", "size"), [(25, 150), (30, 64), (50, 33), (101, 300)])
def test_entries_that_cross_the_ends_of_epochs_agree_with_torch(steps: int, size: int) -> None:
    assert_engines_agree(
        Problem.model_validate({"recipe": {"steps": steps, "batch_size": size, "learning_rate": 0.001}})
    )


def test_a_weight_that_is_not_a_number_is_not_hidden() -> None:
    """Clamps and comparisons in the kernels let NaN through, in every activation."""
    for activation in KERNELS:
        problem = Problem.model_validate(
            {"activation": activation, "recipe": {"learning_rate": 1e30, "momentum": 0.0, "epochs": 4}}
        )
        (trace,) = train_all(DenseEngine(1), problem, [Job(3, 0)])
        assert not np.isfinite(trace.loss[-1]) or trace.loss[-1] > 1e3, activation


def test_a_network_of_depth_ten_thousand_trains() -> None:
    problem = Problem.model_validate({"recipe": {"batch_size": 500, "epochs": 3}})
    (trace,) = train_all(DenseEngine(1), problem, [Job(10_000, 0)])
    assert len(trace.layers) == 10_001
    assert trace.epochs == 3


def test_a_watcher_that_is_asked_late_still_ends_the_run_where_it_was_settled() -> None:
    problem = Problem.model_validate({"recipe": {"epochs": 60}})
    asked: list[int] = []

    def at_thirty_seven(trace: Trace) -> int | None:
        asked.append(trace.epochs)
        return 37 if trace.epochs >= 37 else None

    (stopped,) = train_all(DenseEngine(1), problem, [Job(3, 1)], watch=at_thirty_seven)
    assert stopped.epochs == 37
    assert asked[-1] > 37
    (expected,) = train_all(
        TorchEngine("cpu"), problem, [Job(3, 1)], watch=lambda trace: 37 if trace.epochs == 37 else None
    )
    assert stopped.final_test_accuracy == pytest.approx(expected.final_test_accuracy, abs=0.005)


@pytest.mark.parametrize("family", ["ffnet", "resnet"])
@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_both_families_are_claimed(family: str, normalization: str) -> None:
    problem = Problem.model_validate({"family": family, "normalization": normalization})
    assert claims(as_dense(problem.network).plan(DataSpec(shape=(2,), classes=2), 3))


def test_layers_of_several_widths_are_not_claimed() -> None:
    assert not claims((Dense("a", 2, 5), Dense("b", 5, 6), Dense("output", 6, 1)))


def test_additions_within_one_another_are_not_claimed() -> None:
    inner = (Dense("a", 2, 5), Activation("f", "tanh"), Dense("b", 5, 5), Add("c", 1), Add("d", 1))
    assert not claims((*inner, Dense("output", 5, 1)))


def test_auto_takes_the_dense_engine_for_small_networks_and_torch_for_wide_ones() -> None:
    assert isinstance(choose_engine(Problem()).load(), DenseEngine)
    assert isinstance(choose_engine(Problem(width=WIDEST_DENSE + 1)).load(), TorchEngine)
    assert isinstance(choose_engine(Problem(), engine="torch").load(), TorchEngine)


def test_an_unknown_engine_and_a_dense_one_on_a_gpu_are_refused() -> None:
    with pytest.raises(UnknownName, match="unknown engine 'numpy': accepted: auto, dense, torch"):
        choose_engine(Problem(), engine="numpy").load()
    with pytest.raises(InvalidValue, match="engine 'dense' trains only on the CPU, but got device 'cuda'"):
        choose_engine(Problem(), engine="dense", device="cuda").load()


def test_mixed_precision_is_left_to_torch_on_a_gpu() -> None:
    problem = Problem.model_validate({"recipe": {"precision": "bfloat16"}})
    with pytest.raises(InvalidValue, match="precision 'bfloat16' is not trained by the engine 'dense'") as caught:
        choose_engine(problem, engine="dense")
    assert caught.value.path == "recipe.precision"
    with pytest.raises(InvalidValue, match="choose the engine 'torch'"):
        list(DenseEngine().train(problem, [Job(1, 0)]))
    for engine in ("auto", "torch"):
        with pytest.raises(InvalidValue, match="precision 'bfloat16' needs a GPU, but got device 'cpu': leave it out"):
            choose_engine(problem, engine=engine, device="cpu")
    with pytest.raises(InvalidValue, match="needs a GPU"):
        list(TorchEngine("cpu").train(problem, [Job(1, 0)]))


PRINT_A_RUN = """
from depthsearch.problem.problem import Problem
from depthsearch.training.dense.engine import DenseEngine, Job

RECIPES = {"optimizer": "adam", "epochs": 6}, {"epochs": 6}, {"steps": 50}
for fields in ({"family": family, "recipe": recipe} for family in ("ffnet", "resnet") for recipe in RECIPES):
    ((_, trace),) = DenseEngine().train(Problem.model_validate(fields), [Job(6, 1)])
    print(trace.loss.tobytes().hex(), trace.snapshots.weight_gradient_norm.tobytes().hex())
"""


def test_the_process_that_finds_no_compiled_kernels_trains_as_every_later_one(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, "-c", PRINT_A_RUN]

    first, second = (subprocess.run(command, env=environment, capture_output=True, check=True) for _ in range(2))

    assert first.stdout == second.stdout
    assert len(first.stdout) > 100


def test_a_run_without_memory_says_what_would_need_less(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("depthsearch.training.dense.engine.initial_weights", no_room)
    message = (
        "out of memory while training 7 hidden layers of ffnet tanh on moons: give a smaller network, or a smaller"
    )
    with pytest.raises(TrainingFailed, match=message):
        list(DenseEngine().train(Problem(), [Job(7, 0)]))
