"""The engines train the dense variants of the skip connection: gradients by autograd in float64, and learning."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from depthsearch.networks.base import Plan, output_indices
from depthsearch.networks.dense import as_dense
from depthsearch.networks.initialization import initial_weights
from depthsearch.problem.problem import Problem
from depthsearch.training.dense.engine import DenseEngine
from depthsearch.training.engine import Engine, Job, train_all
from depthsearch.training.modules.stacked_engine import TorchEngine

JOB = Job(4, 11)
BATCH: dict[str, Any] = {"family": "preact", "activation": "relu"}
PLAIN: dict[str, Any] = {"family": "preact", "normalization": "none"}


def plan_of(problem: Problem) -> Plan:
    return as_dense(problem.network).plan(problem.data.spec, JOB.depth)


def module_of(problem: Problem) -> nn.Module:
    """The built network at the weights of the job, in float64."""
    network = as_dense(problem.network)
    module = network.build(problem.data.spec, JOB.depth).double()
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        for layer, (weight, bias) in zip(layers, initial_weights(network, plan_of(problem), JOB.seed), strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
    return module


@pytest.mark.parametrize(
    ("engine", "fields"),
    [
        (DenseEngine(1), BATCH),
        (DenseEngine(1), BATCH | {"normalization": "layer"}),
        (TorchEngine("cpu"), BATCH),
        (TorchEngine("cpu"), PLAIN),
        (TorchEngine("cpu"), {"family": "rezero"}),
        (TorchEngine("cpu"), {"family": "fixup", "activation": "relu"}),
    ],
    ids=lambda value: value.name if isinstance(value, DenseEngine | TorchEngine) else " ".join(value.values()),
)
def test_gradients_at_the_start_are_those_of_the_built_network(engine: Engine, fields: dict[str, Any]) -> None:
    problem = Problem.model_validate(fields | {"recipe": {"epochs": 3}})
    (trace,) = train_all(engine, problem, [JOB])
    data, module = problem.data.load(), module_of(problem)
    steps: list[torch.Tensor] = []
    x = torch.tensor(data.x_train, dtype=torch.float64)
    for layer, step in zip(plan_of(problem), module.get_submodule("layers").children(), strict=True):
        x = x + steps[layer.source] if hasattr(layer, "source") else _applied(layer, step, x)
        steps.append(x)
    loss = functional.binary_cross_entropy_with_logits(x[:, 0], torch.tensor(data.y_train).double())
    weights = [step.weight for step in module.modules() if isinstance(step, nn.Linear)]
    kept = [steps[index] for index in output_indices(plan_of(problem))]
    gradients = [float(part.norm()) for part in torch.autograd.grad(loss, [*weights, *kept])]

    snapshot = trace.snapshots
    np.testing.assert_allclose(snapshot.weight_gradient_norm[0], gradients[: len(weights)], rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(snapshot.activation_gradient_norm[0], gradients[len(weights) :], rtol=1e-4, atol=1e-9)


def _applied(layer: object, step: nn.Module, x: torch.Tensor) -> torch.Tensor:
    function = getattr(layer, "function", None)
    output: torch.Tensor = {"relu": torch.relu, "tanh": torch.tanh}[function](x) if function else step(x)
    return output


@pytest.mark.parametrize("family", ["preact", "rezero", "fixup"])
def test_they_train_at_a_depth_where_plain_networks_do_not(family: str) -> None:
    problem = Problem.model_validate({"family": family, "activation": "relu", "recipe": {"epochs": 15}})
    engine = DenseEngine(1) if family == "preact" else TorchEngine("cpu")

    (trace,) = train_all(engine, problem, [Job(30, 0)])

    assert trace.score[-1] > 0.8
    assert bool(np.isfinite(trace.snapshots.weight_change).all())


def test_layers_that_start_at_zero_changed_by_their_whole_size_once_they_moved() -> None:
    problem = Problem.model_validate({"family": "fixup", "recipe": {"epochs": 3}})
    (trace,) = train_all(TorchEngine("cpu"), problem, [Job(2, 0)])

    output = trace.snapshots.weight_change[:, -1]
    assert output[0] == 0
    assert output[-1] == pytest.approx(1)
