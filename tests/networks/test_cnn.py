from typing import Any

import pytest
import torch
from torch import nn

from depthsearch.networks.cnn import CNN
from tests.networks.modules import CIFAR, DIGITS, built, digits_learned, parameters_built


@pytest.mark.parametrize(
    ("depth", "blocks"), [(1, (1, 0, 0)), (2, (1, 1, 0)), (3, (1, 1, 1)), (4, (2, 1, 1)), (11, (4, 4, 3))]
)
def test_blocks_are_spread_over_the_stages_the_earlier_first(depth: int, blocks: tuple[int, ...]) -> None:
    assert CNN().blocks_of_stages(depth) == blocks


@pytest.mark.parametrize("fields", [{}, {"residual": True}, {"normalization": "batch"}, {"stages": 1, "filters": 7}])
@pytest.mark.parametrize("depth", [1, 5])
def test_the_counts_are_those_of_the_built_network(fields: dict[str, Any], depth: int) -> None:
    network = CNN.model_validate(fields)

    assert parameters_built(network, CIFAR, depth) == network.layer_counts(CIFAR, depth).parameters
    convolutions = [layer for layer in built(network, DIGITS, depth).modules() if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == network.layer_counts(CIFAR, depth).hidden


def test_plain_and_residual_networks_start_at_the_same_weights() -> None:
    plain, residual = (built(CNN(residual=flag), DIGITS, 3, seed=4) for flag in (False, True))

    for one, other in zip(plain.parameters(), residual.parameters(), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(plain(torch.ones(2, 64)), residual(torch.ones(2, 64)))


@pytest.mark.parametrize(
    ("initialization", "variance"), [("he_normal", 2 / 144), ("glorot_uniform", 1 / 144), ("torch_default", 1 / 432)]
)
def test_convolutions_have_the_named_variance(initialization: str, variance: float) -> None:
    module = built(CNN.model_validate({"initialization": initialization}), DIGITS, 8)
    weights = torch.cat([one.weight.detach().flatten() for one in module.modules() if isinstance(one, nn.Conv2d)][1:])

    assert float(weights.var()) == pytest.approx(variance, rel=0.03)


def test_a_residual_block_adds_its_input_before_its_last_activation() -> None:
    x = torch.randn(3, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    for residual, expected in ((True, torch.relu(x)), (False, torch.zeros_like(x))):
        block = built(CNN(residual=residual), DIGITS, 1).get_submodule("network.stage1_block1")
        for layer in block.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.zeros_(layer.weight)
        torch.testing.assert_close(block(x), expected)


def test_a_shallow_one_learns_the_digits() -> None:
    assert digits_learned(CNN(normalization="batch", residual=True), 2, steps=50) > 0.4
