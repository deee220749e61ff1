"""What a recipe says of the steps: torch's engines against a loop in plain torch, written as users write it."""

from itertools import islice, pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, SequentialLR

from depthsearch.networks.dense import as_dense
from depthsearch.networks.initialization import initial_weights
from depthsearch.problem.problem import Problem
from depthsearch.problem.recipe import Recipe
from depthsearch.training.dense.engine import DenseEngine
from depthsearch.training.engine import Engine, Job, train_all
from depthsearch.training.modules.device import autocast, threads
from depthsearch.training.modules.engine import ModuleEngine
from depthsearch.training.modules.optimizer import can_be_recorded, clip_gradients, make_optimizer, set_learning_rate
from depthsearch.training.modules.stack import NetworkStack
from depthsearch.training.modules.stacked_engine import TorchEngine
from depthsearch.training.modules.steps import Steps, mean_losses
from depthsearch.training.recorder import EpochOrders
from depthsearch.training.trace import TrainingFacts

DEPTH, STEPS, BATCH, CPU = 3, 20, 150, torch.device("cpu")

RECIPES: dict[str, dict[str, Any]] = {
    "cosine": {"schedule": "cosine", "final_learning_rate": 0.01, "learning_rate": 0.1},
    "warm-up": {"warmup_steps": 8, "learning_rate": 0.1},
    "warm-up-and-cosine": {"warmup_steps": 5, "schedule": "cosine", "optimizer": "adamw", "learning_rate": 0.02},
    "decay-of-sgd": {"weight_decay": 0.1, "learning_rate": 0.1, "nesterov": True},
    "decay-of-adam": {"optimizer": "adam", "weight_decay": 0.1, "learning_rate": 0.02},
    "numbers-of-adam": {"optimizer": "adam", "first_decay": 0.6, "second_decay": 0.9, "epsilon": 0.01},
    "numbers-of-adamw": {"optimizer": "adamw", "first_decay": 0.6, "second_decay": 0.9, "epsilon": 0.01},
    "rmsprop": {"optimizer": "rmsprop", "weight_decay": 0.1, "learning_rate": 0.003},
    "numbers-of-rmsprop": {"optimizer": "rmsprop", "second_decay": 0.8, "epsilon": 0.01, "learning_rate": 0.003},
    "adagrad": {"optimizer": "adagrad", "weight_decay": 0.1, "clip_norm": 0.2},
    "epsilon-of-adagrad": {"optimizer": "adagrad", "epsilon": 0.1, "schedule": "cosine", "warmup_steps": 5},
    "clipping": {"clip_norm": 0.2, "learning_rate": 0.1},
    "clipping-and-decay": {"clip_norm": 0.2, "weight_decay": 0.1, "learning_rate": 0.1},
    "smoothing": {"label_smoothing": 0.2, "learning_rate": 0.1},
    "all": {
        "optimizer": "adam", "schedule": "cosine", "warmup_steps": 5, "weight_decay": 0.01, "clip_norm": 0.2,
        "label_smoothing": 0.1,
    },
}  # fmt: skip


def problem_of(recipe: dict[str, Any], data: str) -> Problem:
    """A budget of 20 steps has an entry for each: the loss of every batch is in the trace."""
    return Problem.model_validate({"data": data, "recipe": {"steps": STEPS, "batch_size": BATCH} | recipe})


def plain_network(problem: Problem, seed: int) -> nn.Sequential:
    """The network of that seed as layers of torch."""
    plan = as_dense(problem.network).checked_plan(problem.data.spec, DEPTH)
    layers: list[nn.Module] = []
    for weight, bias in initial_weights(as_dense(problem.network), plan, seed):
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
        layers += [layer, nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def plain_scheduler(optimizer: torch.optim.Optimizer, recipe: Recipe) -> LRScheduler:
    warmup = recipe.warmup_steps or 0
    rise = LinearLR(optimizer, start_factor=1 / max(warmup, 1), total_iters=max(warmup - 1, 1))
    if recipe.schedule is None:
        return rise
    fall = CosineAnnealingLR(optimizer, STEPS - warmup, eta_min=recipe.final_learning_rate or 0.0)
    return SequentialLR(optimizer, [rise, fall], milestones=[warmup]) if warmup else fall


def plain_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            network.parameters(), recipe.learning_rate, recipe.momentum or 0, nesterov=recipe.nesterov,
            weight_decay=recipe.weight_decay,
        )  # fmt: skip
    options: dict[str, Any] = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    if recipe.epsilon is not None:
        options["eps"] = recipe.epsilon
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(network.parameters(), alpha=recipe.second_decay or 0.99, **options)
    if recipe.optimizer == "adagrad":
        return torch.optim.Adagrad(network.parameters(), **options)
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return kind(network.parameters(), betas=(recipe.first_decay or 0.9, recipe.second_decay or 0.999), **options)


def plain_loss(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    if logits.shape[1] > 1:
        loss: Tensor = nn.CrossEntropyLoss(label_smoothing=smoothing)(logits, labels)
    else:
        loss = nn.BCEWithLogitsLoss()(logits[:, 0], (1 - smoothing) * labels.float() + smoothing / 2)
    return loss


def plain_training(problem: Problem, seed: int) -> tuple[list[float], list[float]]:
    """The loss of each step, and how far each layer's weights are from the start at the end."""
    network, recipe, points = plain_network(problem, seed), problem.recipe, problem.data.load()
    optimizer = plain_optimizer(network, recipe)
    scheduler = plain_scheduler(optimizer, recipe)
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    start = [layer.weight.detach().clone() for layer in layers]
    orders = EpochOrders(len(points.x_train), seed).of_epochs(0, STEPS)
    batches = (order[first : first + BATCH] for order in orders for first in range(0, len(order), BATCH))
    losses = []
    for chosen in islice(batches, STEPS):
        x, y = torch.from_numpy(points.x_train[chosen]), torch.from_numpy(points.y_train[chosen])
        optimizer.zero_grad()
        loss = plain_loss(network(x), y, recipe.label_smoothing or 0.0)
        loss.backward()  # type: ignore[no-untyped-call]
        if recipe.clip_norm:
            nn.utils.clip_grad_norm_(network.parameters(), recipe.clip_norm)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    moved = [(layer.weight - w).norm() / w.norm() for layer, w in zip(layers, start, strict=True)]
    return losses, [float(value.detach()) for value in moved]


@pytest.mark.parametrize("data", ["moons", "digits"])
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")
def test_every_step_is_that_of_a_plain_loop(recipe: dict[str, Any], data: str) -> None:
    """Networks side by side: each has its gradient clipped by its norm."""
    problem = problem_of(recipe, data)
    for trace in train_all(TorchEngine("cpu"), problem, [Job(DEPTH, seed) for seed in (1, 2, 3)]):
        losses, moved = plain_training(problem, trace.seed)
        np.testing.assert_allclose(trace.loss, losses, rtol=2e-5)
        np.testing.assert_allclose(trace.snapshots.weight_change[-1], moved, rtol=1e-3)


@pytest.mark.parametrize("data", ["moons", "digits"])
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")
def test_the_module_engine_takes_the_steps_of_a_plain_loop_bit_by_bit(recipe: dict[str, Any], data: str) -> None:
    problem = problem_of(recipe, data)
    (trace,) = train_all(ModuleEngine("cpu"), problem, [Job(DEPTH, 1)])
    with threads(1):
        losses, _ = plain_training(problem, 1)
    np.testing.assert_array_equal(trace.loss, np.array(losses, np.float32))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_one_of_these_recipes_changes_the_training(recipe: dict[str, Any]) -> None:
    plain = {name: value for name, value in recipe.items() if name in ("optimizer", "learning_rate", "nesterov")}
    if plain.get("optimizer") == "adamw":
        plain["weight_decay"] = 0.01
    changed, unchanged = (
        train_all(TorchEngine("cpu"), problem_of(fields, "moons"), [Job(DEPTH, 1)])[0] for fields in (recipe, plain)
    )
    assert not np.allclose(changed.loss, unchanged.loss, rtol=1e-3)


@pytest.mark.parametrize("engine", [DenseEngine(1), TorchEngine("cpu")], ids=["dense", "torch"])
def test_a_norm_that_no_gradient_reaches_clips_nothing(engine: Engine) -> None:
    (clipped,), (free,) = (
        train_all(engine, problem_of(recipe, "moons"), [Job(DEPTH, 1)]) for recipe in ({"clip_norm": 1e6}, {})
    )
    assert np.array_equal(clipped.loss, free.loss)


@pytest.mark.parametrize("engine", [DenseEngine(1), TorchEngine("cpu")], ids=["dense", "torch"])
def test_a_clipped_step_of_plain_descent_is_as_long_as_the_rate_times_the_norm(engine: Engine) -> None:
    recipe = {"clip_norm": 0.01, "momentum": 0.0, "learning_rate": 0.5, "steps": 4, "batch_size": 500}
    (trace,) = train_all(engine, problem_of(recipe, "moons"), [Job(DEPTH, 1)], record="full")
    assert trace.detail is not None
    weights = trace.detail.snapshots.weight_norm[0]
    # Biases move too, so the weights alone move less far.
    first = np.linalg.norm(trace.detail.snapshots.weight_change[1] * weights)
    assert 0.003 < first <= 0.005 * (1 + 1e-4)


def test_steps_of_adagrad_are_not_recorded_and_keep_a_plain_rate() -> None:
    recorded = {
        optimizer: can_be_recorded(Recipe.model_validate({"optimizer": optimizer}), torch.device("cuda"))
        for optimizer in ("sgd", "adam", "adamw", "rmsprop", "adagrad")
    }
    assert recorded == {"sgd": True, "adam": True, "adamw": True, "rmsprop": True, "adagrad": False}
    recipe = Recipe.model_validate({"optimizer": "adagrad", "schedule": "cosine"})
    made = make_optimizer([nn.Parameter(torch.zeros(3))], recipe, torch.device("cuda"), recordable=True)
    assert isinstance(made.param_groups[0]["lr"], float)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
def test_a_rate_in_a_tensor_as_graphs_need_it_is_that_rate(optimizer: str) -> None:
    recipe = Recipe.model_validate({"optimizer": optimizer, "weight_decay": 0.1})
    ends = []
    for in_tensor in (False, True):
        parameter = nn.Parameter(torch.linspace(-1, 1, 7))
        made = make_optimizer([parameter], recipe, CPU, recordable=True)
        if in_tensor:
            made.param_groups[0]["lr"] = torch.tensor(recipe.learning_rate)
        for rate in (0.1, 0.01, 0.3):
            set_learning_rate(made, rate)
            parameter.grad = parameter.detach() ** 2
            made.step()
        ends.append(parameter.detach().clone())
    torch.testing.assert_close(ends[0], ends[1])


def test_the_gradients_of_one_module_are_clipped_as_torch_does() -> None:
    parameters = [nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(4))]
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    clip_gradients(parameters, Recipe())
    assert all((parameter.grad == 1).all() for parameter in parameters if parameter.grad is not None)
    clip_gradients(parameters, Recipe(clip_norm=0.5))
    gradients = [parameter.grad.norm() for parameter in parameters if parameter.grad is not None]
    assert float(torch.stack(gradients).norm()) == pytest.approx(0.5, rel=1e-5)


def test_smoothed_targets_of_one_output_are_those_of_two_classes() -> None:
    logit = torch.tensor([[[1.5], [-0.3], [0.0]]])
    labels = torch.tensor([[1, 0, 1]])
    two = torch.cat([torch.zeros_like(logit), logit], dim=2)
    torch.testing.assert_close(mean_losses(logit, labels, smoothing=0.3), mean_losses(two, labels, smoothing=0.3))


@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_layers_compute_in_fewer_bits_and_weights_stay_in_float32(normalization: str) -> None:
    """On the CPU, where no search takes this precision, to see what a GPU does."""
    problem = Problem.model_validate({"family": "resnet", "normalization": normalization, "data": "digits"})
    network, points = as_dense(problem.network), problem.data.load()
    plan = network.checked_plan(problem.data.spec, DEPTH)
    x, y = torch.tensor(points.x_train[None, :300]), torch.tensor(points.y_train[None, :300])
    losses = []
    for recipe in (Recipe(learning_rate=0.1), Recipe(learning_rate=0.1, precision="bfloat16")):
        stack = NetworkStack(plan, [initial_weights(network, plan, 1)])
        steps = Steps(stack, make_optimizer(stack.parameters(), recipe, CPU), recipe)
        found = []
        for _ in range(10):
            steps.begin()
            steps.take(x, y)
            found.append(float(steps.losses) / 300)
        losses.append(found)
        assert {tensor.dtype for tensor in (*stack.parameters(), *stack.buffers())} == {torch.float32}
        with autocast(recipe, CPU):
            kind = stack(x).dtype
        assert kind == (torch.float32 if recipe.precision is None else torch.bfloat16)
    assert losses[0] != losses[1]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.03)
    assert losses[1][-1] < losses[1][0] - 0.1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")
@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_a_gpu_trains_in_fewer_bits_nearly_as_in_float32(normalization: str) -> None:
    fields = {"family": "resnet", "normalization": normalization, "data": "digits"}
    few, all_bits = (
        train_all(TorchEngine("cuda"), Problem.model_validate(fields | {"recipe": recipe}), [Job(DEPTH, 1)])[0]
        for recipe in ({"epochs": 10, "precision": "bfloat16"}, {"epochs": 10})
    )
    assert not np.array_equal(few.loss, all_bits.loss)
    np.testing.assert_allclose(few.loss, all_bits.loss, rtol=0.05)


def test_the_facts_have_the_mean_rate_and_the_decay_of_every_optimizer() -> None:
    constant = TrainingFacts.of(Problem(), points=500)
    assert (constant.learning_rate, constant.weight_decay) == (0.01, 0.0)
    recipe = {"schedule": "cosine", "weight_decay": 0.001, "steps": 400}
    facts = TrainingFacts.of(Problem.model_validate({"recipe": recipe}), points=500)
    assert facts.learning_rate == pytest.approx(0.005, rel=0.01)
    assert facts.weight_decay == 0.001


@pytest.mark.parametrize(
    ("recipe", "epsilon"),
    [
        ({}, None),
        ({"optimizer": "adam"}, 1e-8),
        ({"optimizer": "adamw", "epsilon": 1e-5}, 1e-5),
        ({"optimizer": "rmsprop"}, 1e-8),
        ({"optimizer": "adagrad"}, 1e-10),
    ],
    ids=["sgd", "adam", "epsilon-of-adamw", "rmsprop", "adagrad"],
)
def test_the_facts_have_the_epsilon_of_adaptive_optimizers(recipe: dict[str, Any], epsilon: float | None) -> None:
    facts = TrainingFacts.of(Problem.model_validate({"recipe": recipe}), points=500)
    assert facts.epsilon == epsilon


def test_a_schedule_does_not_depend_on_how_the_steps_are_divided() -> None:
    """Three epochs of 16 steps, and 48 steps in 20 entries: the same weights at the end, to the last bit."""
    recipe = {"schedule": "cosine", "warmup_steps": 20, "clip_norm": 0.1}
    ends = []
    for budget in ({"steps": 48}, {"epochs": 3}):
        problem = Problem.model_validate({"recipe": recipe | budget})
        (trace,) = train_all(DenseEngine(1), problem, [Job(2, 1)], record="full")
        assert trace.detail is not None
        ends.append(trace.detail.final_weights)
    assert all(np.array_equal(one, other) for one, other in zip(*ends, strict=True))


def test_the_loss_over_the_test_points_is_smoothed_as_the_training_loss() -> None:
    problem = problem_of({"label_smoothing": 0.2}, "digits")
    (trace,) = train_all(DenseEngine(1), problem, [Job(DEPTH, 1)], record="full")
    assert trace.detail is not None
    logarithms, labels = np.log(trace.detail.predictions), problem.data.load().y_test
    smoothed = 0.8 * logarithms[np.arange(len(labels)), labels].mean() + 0.2 * logarithms.mean()
    assert trace.detail.test_loss[-1] == pytest.approx(-smoothed, rel=1e-5)
    assert all(later < earlier for earlier, later in pairwise(trace.detail.test_loss[::5]))
