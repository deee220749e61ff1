"""The torch module of a dense family is the network that the engines train."""

from typing import Any

import pytest
import torch
from torch import nn

from depthsearch.data.base import DataSpec
from depthsearch.networks.activations import Activation, activation_names, activation_of, register_activation
from depthsearch.networks.base import Network
from depthsearch.networks.dense import DenseNetwork, as_dense
from depthsearch.networks.initialization import initial_weights
from depthsearch.training.modules.stack import NetworkStack

SPEC = DataSpec(shape=(3,), classes=4)


def dense(fields: dict[str, Any]) -> DenseNetwork:
    return as_dense(Network.of(fields))


GRID: list[dict[str, Any]] = [
    *(
        {"family": family, "normalization": norm}
        for family in ("ffnet", "preact", "resnet", "rezero")
        for norm in ("none", "batch", "layer")
    ),
    {"family": "fixup"},
    *({"activation": name} for name in activation_names()),
]


@pytest.mark.parametrize("fields", GRID, ids=str)
def test_the_built_module_computes_what_the_engines_stack_computes(fields: dict[str, Any]) -> None:
    network = dense(fields)
    plan = network.plan(SPEC, 3)
    weights = initial_weights(network, plan, 5)
    stack, module = NetworkStack(plan, [weights]), network.build(SPEC, 3)
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        for layer, (weight, bias) in zip(layers, weights, strict=True):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(bias))
    x = torch.randn(16, 3, generator=torch.Generator().manual_seed(0))

    torch.testing.assert_close(module(x), stack(x[None])[0])
    module.eval()
    stack.eval()
    torch.testing.assert_close(module(x), stack(x[None])[0])


@pytest.mark.parametrize("family", [name for name in Network.names() if issubclass(Network.entry(name), DenseNetwork)])
def test_a_built_module_has_as_many_parameters_as_the_counts_say(family: str) -> None:
    network = Network.of({"family": family, "width": 7})

    parameters = sum(parameter.numel() for parameter in network.build(SPEC, 4).parameters())

    assert parameters == network.layer_counts(SPEC, 4).parameters


def test_inputs_of_any_shape_are_flattened() -> None:
    module = dense({"family": "ffnet"}).build(DataSpec(shape=(2, 3), classes=2), 1)

    assert module(torch.zeros(5, 2, 3)).shape == (5, 1)


def test_an_activation_of_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(ValueError, match="activation 'tanh' is declared twice"):
        register_activation(Activation("tanh", "torch.sin"))
    assert activation_of("tanh").function is torch.tanh
