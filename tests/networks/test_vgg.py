from typing import Any

import pytest
import torch
from torch import nn

from depthsearch.networks.base import LayerCounts
from depthsearch.networks.vgg import VGG
from tests.networks.modules import CIFAR, DIGITS, built, digits_learned, parameters_built


@pytest.mark.parametrize(
    ("fields", "depth", "parameters"),
    [
        ({}, 0, 59_716),
        ({}, 5, 336_196),
        ({"residual": True}, 5, 336_196),
        ({"normalization": "batch"}, 5, 338_500),
        ({"normalization": "batch", "residual": True}, 5, 338_500),
    ],
    ids=["VGG08", "VGG38", "VGG38 RC", "VGG38 BN", "VGG38 BN+RC"],
)
def test_the_networks_of_the_report_have_its_parameters(fields: dict[str, Any], depth: int, parameters: int) -> None:
    network = VGG.model_validate(fields)

    layers = {0: 8, 5: 38}[depth]
    counts = LayerCounts(hidden=layers - 1, weight_layers=layers, parameters=parameters)

    assert parameters_built(network, CIFAR, depth) == parameters
    assert network.layer_counts(CIFAR, depth) == counts


@pytest.mark.parametrize("depth", [0, 1, 4])
def test_other_stages_and_filters_are_counted_too(depth: int) -> None:
    network = VGG(stages=2, filters=5, normalization="batch", residual=True)

    assert parameters_built(network, DIGITS, depth) == network.layer_counts(DIGITS, depth).parameters


def test_depth_is_told_in_blocks_per_stage() -> None:
    assert [VGG().depth_words(depth) for depth in (0, 1, 5)] == [
        "0 blocks per stage",
        "1 block per stage",
        "5 blocks per stage",
    ]


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_a_residual_block_adds_its_input_before_its_last_activation(normalization: str) -> None:
    network = VGG.model_validate({"filters": 4, "residual": True, "normalization": normalization})
    block = built(network, DIGITS, 1).get_submodule("network.stage1_block1")
    for layer in block.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
    x = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0))

    torch.testing.assert_close(block(x), nn.functional.leaky_relu(x, 0.01))


def test_without_residual_connections_nothing_is_added() -> None:
    block = built(VGG(filters=4), DIGITS, 1).get_submodule("network.stage1_block1")
    for layer in block.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)

    assert not block(torch.ones(3, 4, 8, 8)).any()


def test_the_entry_has_a_batch_norm_although_the_blocks_have_none() -> None:
    norms = [name for name, layer in built(VGG(), DIGITS, 2).named_modules() if isinstance(layer, nn.BatchNorm2d)]

    assert norms == ["network.entry.norm"]


def test_the_shallowest_network_learns_the_digits() -> None:
    assert digits_learned(VGG(filters=16), 0, steps=100) > 0.3
