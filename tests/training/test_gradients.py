"""Gradients at the start, and optimizer steps, against a float64 reference written out by hand."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from depthsearch.networks.dense import as_dense
from depthsearch.networks.initialization import initial_weights
from depthsearch.problem.problem import Problem
from depthsearch.training.dense.engine import DenseEngine
from depthsearch.training.engine import Engine, Job, train_all
from depthsearch.training.modules.stacked_engine import TorchEngine
from depthsearch.training.recorder import EpochOrders
from tests.training.reference import Reference

Array = NDArray[np.float64]


def reference(problem: Problem, depth: int, seed: int) -> Reference:
    network = as_dense(problem.network)
    plan = network.plan(problem.data.spec, depth)
    return Reference(network.family, depth, network.activation, initial_weights(network, plan, seed))


def hidden_outputs(network: Reference, x: NDArray[np.float32]) -> Array:
    """[points, width] of the last hidden layer; points with an output of zero left out."""
    with torch.no_grad():
        network.logits(torch.tensor(x, dtype=torch.float64))
        outputs = network.hidden[-1].numpy()
    return np.asarray(outputs[np.linalg.norm(outputs, axis=1) > 0])


@pytest.mark.parametrize(
    ("family", "activation", "depth", "data"),
    [
        ("ffnet", "tanh", 20, "moons"),
        ("ffnet", "relu", 6, "moons"),
        ("ffnet", "sigmoid", 5, "circles"),
        ("ffnet", "tanh", 8, "digits"),
        ("resnet", "tanh", 10, "moons"),
        ("resnet", "relu", 10, "moons"),
        ("resnet", "tanh", 3, "digits"),
    ],
)
def test_gradients_at_the_start_agree_with_float64_autograd(
    family: str, activation: str, depth: int, data: str
) -> None:
    problem = Problem.model_validate(
        {"family": family, "activation": activation, "data": data, "recipe": {"epochs": 3}}
    )
    (trace,) = train_all(TorchEngine("cpu"), problem, [Job(depth, 11)])
    points = problem.data.load()
    network = reference(problem, depth, 11)
    weights, _, hidden = network.gradients(points.x_train, points.y_train)
    snapshot = trace.snapshots
    expected = [np.linalg.norm(gradient) for gradient in weights]
    np.testing.assert_allclose(snapshot.weight_gradient_norm[0], expected, rtol=1e-4)
    np.testing.assert_allclose(snapshot.mean_abs_gradient[0], [np.abs(g).mean() for g in weights], rtol=1e-4)
    np.testing.assert_allclose(
        snapshot.activation_gradient_norm[0, :-1], [np.linalg.norm(gradient) for gradient in hidden], rtol=1e-4
    )
    last = hidden_outputs(network, points.x_train)
    unit = last / np.linalg.norm(last, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[~np.eye(len(unit), dtype=bool)]
    np.testing.assert_allclose(snapshot.input_correlation[0], cosines.mean(), rtol=1e-4)
    np.testing.assert_allclose(
        snapshot.weight_norm[0], [np.linalg.norm(w.detach().numpy()) for w in network.weights], rtol=1e-5
    )


def sgd(learning_rate: float, momentum: float, nesterov: bool) -> Callable[[list[Array]], list[Array]]:
    """Sutskever et al. 2013 as torch writes it: v = momentum v + g; w -= lr v, or lr (g + momentum v)."""
    velocity: list[Array] = []

    def step(gradients: list[Array]) -> list[Array]:
        velocity[:] = [momentum * v + g for v, g in zip(velocity or [0 * g for g in gradients], gradients, strict=True)]
        pushed = [g + momentum * v if nesterov else v for g, v in zip(gradients, velocity, strict=True)]
        return [-learning_rate * push for push in pushed]

    return step


def adam(
    learning_rate: float, first_decay: float = 0.9, second_decay: float = 0.999, epsilon: float = 1e-8
) -> Callable[[list[Array]], list[Array]]:
    """Algorithm 1 of Kingma and Ba 2015 (arXiv 1412.6980)."""
    first: list[Array] = []
    second: list[Array] = []
    count = 0

    def step(gradients: list[Array]) -> list[Array]:
        nonlocal count
        count += 1
        zeros = [0 * g for g in gradients]
        first[:] = [m + (1 - first_decay) * (g - m) for m, g in zip(first or zeros, gradients, strict=True)]
        second[:] = [v + (1 - second_decay) * (g**2 - v) for v, g in zip(second or zeros, gradients, strict=True)]
        return [
            -learning_rate * (m / (1 - first_decay**count)) / (np.sqrt(v / (1 - second_decay**count)) + epsilon)
            for m, v in zip(first, second, strict=True)
        ]

    return step


def divided(learning_rate: float, kept: float, added: float, epsilon: float) -> Callable[[list[Array]], list[Array]]:
    """v = kept v + added g^2; w -= lr g / (sqrt(v) + epsilon), without corrections.

    RMSprop has added = 1 - kept (Tieleman and Hinton 2012, lecture 6.5), Adagrad keeps and adds all (Duchi et al. 2011,
    https://jmlr.org/papers/v12/duchi11a.html).
    """
    second: list[Array] = []

    def step(gradients: list[Array]) -> list[Array]:
        zeros = [0 * g for g in gradients]
        second[:] = [kept * v + added * g**2 for v, g in zip(second or zeros, gradients, strict=True)]
        return [-learning_rate * g / (np.sqrt(v) + epsilon) for g, v in zip(gradients, second, strict=True)]

    return step


@pytest.mark.parametrize(
    ("recipe", "stepper", "decay"),
    [
        ({"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.0}, partial(sgd, 0.1, 0.0, False), 0.0),
        ({"optimizer": "sgd", "learning_rate": 0.1}, partial(sgd, 0.1, 0.9, False), 0.0),
        ({"optimizer": "sgd", "learning_rate": 0.1, "nesterov": True}, partial(sgd, 0.1, 0.9, True), 0.0),
        ({"optimizer": "adam", "learning_rate": 0.01}, partial(adam, 0.01), 0.0),
        ({"optimizer": "adamw", "learning_rate": 0.01, "weight_decay": 0.1}, partial(adam, 0.01), 0.01 * 0.1),
        (
            {"optimizer": "adam", "learning_rate": 0.01, "first_decay": 0.5, "second_decay": 0.7, "epsilon": 0.001},
            partial(adam, 0.01, 0.5, 0.7, 0.001),
            0.0,
        ),
        ({"optimizer": "rmsprop", "learning_rate": 0.001}, partial(divided, 0.001, 0.99, 0.01, 1e-8), 0.0),
        (
            {"optimizer": "rmsprop", "learning_rate": 0.001, "second_decay": 0.6, "epsilon": 0.01},
            partial(divided, 0.001, 0.6, 0.4, 0.01),
            0.0,
        ),
        ({"optimizer": "adagrad"}, partial(divided, 0.01, 1.0, 1.0, 1e-10), 0.0),
        ({"optimizer": "adagrad", "epsilon": 0.01}, partial(divided, 0.01, 1.0, 1.0, 0.01), 0.0),
    ],
    ids=[
        "sgd", "momentum", "nesterov", "adam", "adamw", "numbers-of-adam", "rmsprop", "numbers-of-rmsprop", "adagrad",
        "epsilon-of-adagrad",
    ],
)  # fmt: skip
@pytest.mark.parametrize("engine", [DenseEngine(1), TorchEngine("cpu")], ids=["dense", "torch"])
def test_steps_of_the_whole_set_follow_the_optimizers_formula(
    engine: Engine,
    recipe: dict[str, object],
    stepper: Callable[[], Callable[[list[Array]], list[Array]]],
    decay: float,
) -> None:
    problem, step = Problem.model_validate({"recipe": recipe | {"batch_size": 500, "epochs": 8}}), stepper()
    (trace,) = train_all(engine, problem, [Job(4, 5)])
    points = problem.data.load()
    network = reference(problem, 4, 5)
    start = [weight.detach().clone().numpy() for weight in network.weights]
    expected = []
    for _ in range(8):
        weights, biases, _ = network.gradients(points.x_train, points.y_train)
        moves = step([*weights, *biases])
        with torch.no_grad():
            for leaf, move in zip([*network.weights, *network.biases], moves, strict=True):
                leaf.mul_(1 - decay).add_(torch.from_numpy(move))
        expected.append(
            [
                np.linalg.norm(w.detach().numpy() - w0) / np.linalg.norm(w0)
                for w, w0 in zip(network.weights, start, strict=True)
            ]
        )
    wanted = [expected[epoch - 1] for epoch in trace.snapshots.epochs[1:]]
    np.testing.assert_allclose(trace.snapshots.weight_change[1:], wanted, rtol=1e-3)


@pytest.mark.parametrize("engine", [DenseEngine(1), TorchEngine("cpu")], ids=["dense", "torch"])
def test_the_entries_of_a_budget_in_steps_follow_the_reference_batch_by_batch(engine: Engine) -> None:
    """50 steps of 32 points in 20 entries: the first epoch of 16 steps ends in the middle of the seventh."""
    problem = Problem.model_validate({"recipe": {"steps": 50, "momentum": 0.0}})
    (trace,) = train_all(engine, problem, [Job(3, 5)])
    points, network = problem.data.load(), reference(problem, 3, 5)
    start = [weight.detach().clone().numpy() for weight in network.weights]
    order = EpochOrders(500, 5).of_epochs(0, 3)
    batches = [epoch[first : first + 32] for epoch in order for first in range(0, 500, 32)]
    ends = (2, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 30, 32, 35, 37, 40, 42, 45, 47, 50)
    losses, accuracies, changes = [], [], []
    for first, end in pairwise((0, *ends)):
        summed, right, seen = 0.0, 0, 0
        for step in range(first, end):
            x, y = points.x_train[batches[step]], points.y_train[batches[step]]
            with torch.no_grad():
                summed += float(network.loss(x, y)) * len(x)
                logits = network.logits(torch.tensor(x, dtype=torch.float64))[:, 0].numpy()
            right, seen = right + int(((logits > 0) == y).sum()), seen + len(x)
            weights, biases, _ = network.gradients(x, y)
            with torch.no_grad():
                for leaf, gradient in zip([*network.weights, *network.biases], [*weights, *biases], strict=True):
                    leaf.sub_(torch.from_numpy(0.01 * gradient))
        losses.append(summed / seen)
        accuracies.append(right / seen)
        if len(losses) in trace.snapshots.epochs:
            changes.append(
                [
                    np.linalg.norm(w.detach().numpy() - w0) / np.linalg.norm(w0)
                    for w, w0 in zip(network.weights, start, strict=True)
                ]
            )
    np.testing.assert_allclose(trace.loss, losses, rtol=1e-5)
    np.testing.assert_allclose(trace.score, accuracies, atol=1e-6)
    np.testing.assert_allclose(trace.snapshots.weight_change[1:], changes, rtol=1e-3)


def test_relu_without_biases_has_the_same_inner_product_in_every_layer() -> None:
    """<W_l, dL/dW_l> is the same for every l, exactly, for networks positively homogeneous in each layer."""
    problem = Problem(activation="relu", width=20)
    points = problem.data.load()
    network = reference(problem, 6, 3)
    with torch.no_grad():
        for bias in network.biases:
            bias.zero_()
    weights, _, _ = network.gradients(points.x_train, points.y_train)
    products = [float((w.detach().numpy() * g).sum()) for w, g in zip(network.weights, weights, strict=True)]
    np.testing.assert_allclose(products, products[0], rtol=1e-9)
