"""The module engine: it trains as a plain loop does, by the seed, whatever the module, the data and the loss are."""

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from depthsearch.data.base import NO_TARGET, Dataset, DataSpec, TorchData
from depthsearch.detection import verdict_of
from depthsearch.errors import InvalidValue, RunFailed
from depthsearch.networks.base import CustomTraining
from depthsearch.problem.problem import Problem
from depthsearch.training.engine import Job, train_all
from depthsearch.training.modules import tape
from depthsearch.training.modules.engine import ModuleEngine
from depthsearch.training.modules.stacked_engine import TorchEngine
from depthsearch.training.recorder import EpochOrders
from depthsearch.training.trace import Trace
from tests.sameness import assert_same
from tests.training.modules import (
    IMAGES,
    POINTS,
    THREE_CLASSES,
    Code,
    Convolutions,
    Zoo,
    blobs,
    dense,
    noisy,
    problem_of,
    zoo_data,
)

CONVOLUTIONS = Code(Convolutions, spec=IMAGES)
SEQUENCE = DataSpec(shape=(6,), task="sequence", classes=5, vocabulary=5)
NUMBERS = DataSpec(shape=(8,), task="regression", targets=2)


def trained(problem: Problem, depth: int = 2, seed: int = 3, **options: Any) -> Trace:
    (trace,) = train_all(ModuleEngine("cpu"), problem, [Job(depth, seed)], **options)
    return trace


# As a plain loop.


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_fifty_steps_with_snapshots_have_the_losses_of_a_plain_loop_bit_by_bit(optimizer: str) -> None:
    problem = problem_of(f"plain-{optimizer}", CONVOLUTIONS, epochs=50, batch_size=POINTS, optimizer=optimizer)
    data = problem.data.load()
    trace = trained(problem, depth=3, seed=11)

    before, number = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(11)
    module, orders, losses = Convolutions(3), EpochOrders(POINTS, 11), []
    made = torch.optim.SGD(module.parameters(), 0.05, momentum=0.9)
    chosen = made if optimizer == "sgd" else torch.optim.Adam(module.parameters(), 0.05)
    for epoch in range(50):
        order = torch.from_numpy(orders.of_epochs(epoch, epoch)[0])
        chosen.zero_grad()
        loss = functional.cross_entropy(module(torch.tensor(data.x_train)[order]), torch.tensor(data.y_train)[order])
        loss.backward()  # type: ignore[no-untyped-call]
        chosen.step()
        losses.append(loss.item())
    torch.set_rng_state(before)
    torch.set_num_threads(number)

    assert len(trace.snapshots) == 8
    assert trace.loss.tolist() == losses


def test_a_dense_network_trains_as_in_the_stacked_engine() -> None:
    problem = Problem.model_validate({"family": "resnet", "activation": "relu", "recipe": {"epochs": 5}})
    one = trained(problem, depth=4)
    (other,) = train_all(TorchEngine("cpu"), problem, [Job(4, 3)])

    np.testing.assert_allclose(one.loss, other.loss, rtol=2e-5)
    np.testing.assert_array_equal(one.score, other.score)
    assert verdict_of(one, problem.criterion).kind == verdict_of(other, problem.criterion).kind


# By the seed.


def test_a_run_is_a_pure_function_of_its_seed_and_leaves_every_generator_as_it_was() -> None:
    problem = problem_of("noisy", Code(noisy))
    first = trained(problem)
    torch.rand(3), np.random.rand(3), random.random()  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]  # noqa: NPY002
    again = trained(problem)

    assert_same(first, again)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    assert before[2] == random.getstate()
    assert trained(problem, seed=4).loss[0] != first.loss[0]


def test_a_loader_with_a_generator_of_its_user_begins_anew_for_each_run_and_is_left_as_it_was() -> None:
    data, generator = blobs(DataSpec(shape=(8,), classes=3)), torch.Generator().manual_seed(5)
    sets = TensorDataset(torch.tensor(data.x_train), torch.tensor(data.y_train))
    loader = DataLoader(sets, batch_size=20, shuffle=True, generator=generator)
    code = Code(dense, draw=lambda: TorchData(loader, loader, POINTS, 1 / 3))
    before = generator.get_state()
    first, again = trained(problem_of("loader", code)), trained(problem_of("loader", code))

    assert_same(first, again)
    assert torch.equal(before, generator.get_state())
    assert first.budget_steps == 4 * 5
    assert trained(problem_of("loader", code), seed=9).loss[0] != first.loss[0]


def test_a_last_batch_of_one_point_is_left_out() -> None:
    problem = problem_of("odd", Code(Convolutions, spec=IMAGES, draw=lambda: blobs(IMAGES, 65)), batch_size=32)

    assert trained(problem).budget_steps == 4 * 2


# Tasks.


def test_each_position_of_a_sequence_counts_but_those_without_a_target() -> None:
    def draw() -> Dataset:
        x = np.random.default_rng(0).integers(0, 5, (2 * POINTS, 6))
        y = np.where(np.arange(6) < 3, NO_TARGET, x)
        return Dataset(x[:POINTS], y[:POINTS], x[POINTS:], y[POINTS:], 5)

    def build(depth: int) -> nn.Module:
        return nn.Sequential(nn.Embedding(5, 16), dense(depth, 16, 5))

    problem = problem_of("sequence", Code(build, spec=SEQUENCE, draw=draw), epochs=30, learning_rate=0.5)
    trace = trained(problem, depth=1, record="full")

    labels = problem.data.load().y_train
    assert trace.baseline == np.bincount(labels[labels >= 0]).max() / (POINTS * 3)
    assert trace.facts.points_per_entry == POINTS * 3
    assert trace.score[-1] == trace.final_test_accuracy == 1
    assert trace.detail is not None
    assert len(trace.detail.labels) == POINTS * 3


def test_the_score_of_a_regression_is_the_explained_variance() -> None:
    def draw() -> Dataset:
        x = np.random.default_rng(0).standard_normal((2 * POINTS, 8)).astype(np.float32)
        y = np.stack([x[:, 0] - x[:, 1], 100 * x[:, 2]], axis=1).astype(np.float32) / 100
        return Dataset(x[:POINTS], y[:POINTS], x[POINTS:], y[POINTS:], None)

    problem = problem_of("regression", Code(lambda depth: dense(depth, outputs=2), spec=NUMBERS, draw=draw))
    trace = trained(problem, depth=0, record="full")
    data = problem.data.load()
    guess = data.y_train.mean(axis=0)

    assert trace.baseline == 0
    assert trace.facts.points_per_entry is None
    constant = 1 - (np.square(data.y_train - guess).mean(axis=0) / data.y_train.var(axis=0)).mean()
    assert constant == pytest.approx(0, abs=1e-6)
    assert trace.detail is not None
    assert not len(trace.detail.labels)
    assert trace.score[0] < trace.score[-1] < 1


def test_a_step_that_returns_a_loss_scores_by_the_median_loss_before_training() -> None:
    def step(module: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return functional.cross_entropy(module(batch[0]), batch[1])

    problem = problem_of("loss-alone", Code(dense, CustomTraining(step=step)), epochs=3)
    trace, plain = trained(problem), trained(problem_of("plain-loss", Code(dense), epochs=3))

    np.testing.assert_array_equal(trace.loss, plain.loss)
    assert trace.baseline == 0
    torch.manual_seed(3)
    data, module = problem.data.load(), dense(2)
    order = EpochOrders(POINTS, 3).of_epochs(0, 0)[0].reshape(3, 32)
    losses = [
        functional.cross_entropy(module(torch.tensor(data.x_train[part])), torch.tensor(data.y_train[part]))
        for part in order
    ]
    reference = torch.stack(losses).median().item()
    np.testing.assert_allclose(trace.score, 1 - trace.loss / reference, rtol=1e-5)


def test_a_step_that_counts_right_predictions_scores_by_them() -> None:
    def step(module: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        logits = module(batch[0])
        return functional.cross_entropy(logits, batch[1]), logits.argmax(dim=1) == batch[1]

    trace = trained(problem_of("counting", Code(dense, CustomTraining(step=step))))
    plain = trained(problem_of("not-counting", Code(dense)))

    np.testing.assert_array_equal(trace.score, plain.score)
    assert trace.baseline == plain.baseline


def test_a_loss_and_an_optimizer_of_the_user_are_used() -> None:
    calls = []

    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        calls.append(1)
        return functional.cross_entropy(outputs, targets)

    custom = CustomTraining(loss=loss, optimizer=lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.9))
    trace, plain = trained(problem_of("custom", Code(dense, custom))), trained(problem_of("default", Code(dense)))

    np.testing.assert_array_equal(trace.loss, plain.loss)
    assert len(calls) == 4 * 3 + 1  # the steps, and the test set once


def test_entries_of_a_dict_are_passed_by_name_and_a_loss_of_the_output_is_used() -> None:
    class WithLoss(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = dense(1)

        def forward(self, x: Tensor, labels: Tensor, scale: float = 1.0) -> dict[str, Tensor]:
            logits = self.body(x)
            return {"logits": logits, "loss": scale * functional.cross_entropy(logits, labels)}

    data = blobs(DataSpec(shape=(8,), classes=3))
    items = [{"x": x, "labels": y} for x, y in zip(data.x_train, data.y_train, strict=True)]
    spec = DataSpec(shape=(), task="custom")
    code = Code(lambda depth: WithLoss(), spec=spec, draw=lambda: TorchData(items, items, POINTS, 0.0))
    trace = trained(problem_of("dicts", code, epochs=12))

    assert trace.score[0] < trace.score[-1]
    assert trace.score[-1] > 0.2


class OneArgument(nn.Module):
    """A module whose forward takes a whole batch in one argument."""

    def __init__(self) -> None:
        super().__init__()
        self.body = dense(1)

    def forward(self, batch: Any, scale: Any) -> Tensor:
        logits: Tensor = self.body(batch["x"])
        return logits


@pytest.mark.parametrize(("names", "passed"), [(True, "its entries by name, x"), (False, "1 by place")])
def test_a_forward_that_takes_other_arguments_is_refused_with_what_a_batch_passes(names: bool, passed: str) -> None:
    data = blobs(DataSpec(shape=(8,), classes=3))
    pairs = list(zip(data.x_train, data.y_train, strict=True))
    items = [{"x": x, "label": y} for x, y in pairs] if names else pairs
    code = Code(lambda depth: OneArgument(), draw=lambda: TorchData(items, items, POINTS, 1 / 3))

    with pytest.raises(InvalidValue) as raised:
        trained(problem_of(f"one-argument-{names}", code))
    text = str(raised.value)
    assert text.startswith(
        f"forward of OneArgument takes batch, scale, but a batch passes {passed} (missing a required"
    )
    assert text.endswith("write step(model, batch) in the file of the network to call it in another way")


def test_a_type_error_within_a_forward_stays_what_it_is() -> None:
    class Wrong(OneArgument):
        def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
            return x + "text"  # type: ignore[operator]

    with pytest.raises(RunFailed, match="TypeError: unsupported operand"):
        trained(problem_of("type-error", Code(lambda depth: Wrong())))


class Reader(nn.Module):
    """A module that takes its labels and computes its loss, as those of transformers do."""

    def __init__(self, positions: int = 1) -> None:
        super().__init__()
        self.body, self.positions = dense(1), positions

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.body(x)
        if self.positions > 1:
            logits = logits[:, None].expand(-1, self.positions, -1)
        return {"loss": functional.cross_entropy(logits.flatten(0, -2), labels.flatten()), "logits": logits}


def read(positions: int) -> TorchData:
    data = blobs(DataSpec(shape=(8,), classes=3))
    labels = np.repeat(data.y_train[:, None], positions, axis=1) if positions > 1 else data.y_train
    items = [{"x": x, "labels": y} for x, y in zip(data.x_train, labels, strict=True)]
    return TorchData(items, items, POINTS, 1 / 3)


def test_a_module_that_takes_the_labels_of_a_class_is_scored_by_its_logits() -> None:
    code = Code(lambda depth: Reader(), draw=lambda: read(1))
    trace, plain = (
        trained(problem_of("reader", code)),
        trained(problem_of("plain-reader", Code(lambda depth: dense(1)))),
    )

    np.testing.assert_allclose(trace.loss, plain.loss, rtol=1e-6)
    np.testing.assert_array_equal(trace.score, plain.score)
    assert trace.baseline == 1 / 3


def test_a_module_that_takes_the_labels_of_a_sequence_may_shift_them_and_is_scored_by_its_loss() -> None:
    spec = DataSpec(shape=(8,), task="sequence", classes=3)
    trace = trained(problem_of("shifting", Code(lambda depth: Reader(4), spec=spec, draw=lambda: read(4))))

    assert trace.baseline == 0
    assert trace.facts.points_per_entry is None
    assert trace.score[0] < trace.score[-1]


# What cannot be trained.


def test_outputs_of_another_shape_than_the_labels_ask_for() -> None:
    problem = problem_of("two-logits", Code(lambda depth: dense(depth, outputs=2)))

    with pytest.raises(InvalidValue, match=r"outputs of shape \(32, 2\), but the labels ask for \(32, 3\)"):
        trained(problem)


@pytest.mark.parametrize("output", [None, "hello"])
def test_outputs_that_are_no_numbers_are_quoted(output: Any) -> None:
    class Wordy(nn.Linear):
        def forward(self, x: torch.Tensor) -> Any:
            super().forward(x)
            return output

    def numbers() -> Dataset:
        data = blobs(THREE_CLASSES)
        return replace(data, y_train=data.x_train[:, :2], y_test=data.x_test[:, :2], classes=None)

    message = f"must give a tensor of floating-point numbers, but gave {output!r}"
    for code in (Code(lambda depth: Wordy(8, 3)), Code(lambda depth: Wordy(8, 2), spec=NUMBERS, draw=numbers)):
        with pytest.raises(InvalidValue, match=message):
            trained(problem_of(f"wordy-{output}-{code.spec.task}", code))


def test_an_output_without_a_loss_where_nothing_else_gives_one() -> None:
    spec = DataSpec(shape=(8,), task="custom")
    with pytest.raises(InvalidValue, match="has no loss, but got Tensor: give loss"):
        trained(problem_of("lossless", Code(dense, spec=spec, draw=zoo_data_of_one_input)))


def zoo_data_of_one_input() -> TorchData:
    data = TensorDataset(torch.randn(10, 8))
    return TorchData(data, data, 10, 0.0)


# The whole.


def test_a_zoo_of_modules_with_two_inputs_trains() -> None:
    code = Code(Zoo, spec=DataSpec(shape=(5,), classes=8), draw=zoo_data)
    problem = problem_of("zoo", code, epochs=40, optimizer="adam", learning_rate=0.02)
    trace = trained(problem)

    assert verdict_of(trace, problem.criterion).trained
    assert set(trace.layers) == {
        "embedding",
        "memory l0",
        "memory l1",
        "shared",
        "convolution",
        "second",
        "unused",
        "head",
    }
    unseen = {trace.layers[place] for place in trace.facts.unseen}
    assert unseen == {"memory l0", "unused"}
    assert trace.layers[-1] == "head"


def test_the_watcher_ends_a_run_before_its_first_step() -> None:
    trace = trained(problem_of("watched", Code(dense)), watch=lambda trace: trace.epochs)

    assert trace.epochs == trace.steps == 0
    assert len(trace.snapshots) == 1


@pytest.mark.parametrize(("activation", "intercepted"), [(nn.Tanh, 1), (nn.ReLU, 11)])
def test_functions_are_intercepted_only_where_the_first_recorded_step_runs_a_rectifier(
    activation: type[nn.Module], intercepted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Counted(tape._Rectified):
        times = 0

        def __enter__(self) -> Any:
            Counted.times += 1
            return super().__enter__()  # type: ignore[no-untyped-call]

    def build(depth: int) -> nn.Module:
        return nn.Sequential(*[part for _ in range(depth) for part in (nn.Linear(8, 8), activation())], nn.Linear(8, 3))

    monkeypatch.setattr(tape, "_Rectified", Counted)
    trained(problem_of(f"intercepted-{intercepted}", Code(build), steps=40))
    assert Counted.times == intercepted


def test_a_full_record_changes_nothing() -> None:
    problem = problem_of("full", CONVOLUTIONS, steps=50)
    summary, full = trained(problem), trained(problem, record="full")

    assert tuple(summary.snapshots.epochs) == (0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20)
    assert_same(summary, full)
    assert full.detail is not None
    assert len(full.detail.snapshots) == 21
    assert full.detail.weights.counts.shape[:2] == (21, 5)


# On a GPU.

CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")


@CUDA
@pytest.mark.parametrize("precision", [None, "bfloat16"])
def test_a_run_on_a_gpu_is_that_on_the_cpu_but_for_rounding(precision: str | None) -> None:
    problem = problem_of(f"cuda-{precision}", Code(dense), precision=precision)
    plain = problem_of("cuda-cpu", Code(dense))
    (ours,) = train_all(ModuleEngine("cuda"), problem, [Job(2, 3)])
    (theirs,) = train_all(ModuleEngine("cpu"), plain, [Job(2, 3)])

    # The weights are drawn on the CPU, so both begin alike.
    tolerance = 1e-4 if precision is None else 3e-2
    np.testing.assert_allclose(ours.loss, theirs.loss, rtol=tolerance)
    here, there = (trace.snapshots.activation_gradient_norm[0] for trace in (ours, theirs))
    np.testing.assert_allclose(here, there, rtol=1e-3 if precision is None else 0.2)


@CUDA
def test_a_run_on_a_gpu_is_a_pure_function_of_its_seed() -> None:
    problem = problem_of("cuda-noisy", Code(noisy))
    before = torch.cuda.get_rng_state()
    first, again = (train_all(ModuleEngine("cuda"), problem, [Job(2, 3)])[0] for _ in range(2))

    np.testing.assert_allclose(first.loss, again.loss, rtol=1e-6)
    assert torch.equal(before, torch.cuda.get_rng_state())
