from typing import Any

import pytest
import torch

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.base import LayerCounts, Network
from depthsearch.networks.resnet_image import ResNetImage
from tests.networks.modules import CIFAR, IMAGENET, built, digits_learned, parameters_built


@pytest.mark.parametrize(
    ("like", "depth", "layers", "parameters"),
    [
        (18, 2, 18, 11_689_512),
        (34, 6, 34, 21_797_672),
        (50, 6, 50, 25_557_032),
        (50, 23, 101, 44_549_160),
        (101, 23, 101, 44_549_160),
        (152, 36, 152, 60_192_808),
    ],
)
def test_the_published_networks_have_their_parameters(like: int, depth: int, layers: int, parameters: int) -> None:
    network = ResNetImage(like=like)

    assert parameters_built(network, IMAGENET, depth) == parameters
    expected = LayerCounts(hidden=layers - 1, weight_layers=layers, parameters=parameters)
    assert network.layer_counts(IMAGENET, depth) == expected


def test_without_a_published_network_each_stage_has_as_many_blocks_as_the_depth_says() -> None:
    assert ResNetImage().blocks_of_stages(3) == (3, 3, 3, 3)
    assert ResNetImage(like=50).blocks_of_stages(9) == (3, 4, 9, 3)
    assert ResNetImage().layer_counts(IMAGENET, 2) == ResNetImage(like=18).layer_counts(IMAGENET, 2)


def test_depth_is_told_in_the_blocks_that_it_counts() -> None:
    assert ResNetImage().depth_words(1) == "1 block per stage"
    assert ResNetImage(like=50).depth_words(1) == "1 block in stage 3"
    assert ResNetImage(like=50).depth_words(6) == "6 blocks in stage 3"


@pytest.mark.parametrize(
    "fields",
    [{}, {"block": "bottleneck"}, {"like": 50, "filters": 4}, {"stem": "7x7"}, {"filters": 3, "block": "bottleneck"}],
)
@pytest.mark.parametrize("spec", [CIFAR, IMAGENET], ids=["small", "large"])
def test_the_counts_are_those_of_the_built_network(fields: dict[str, Any], spec: DataSpec) -> None:
    network = ResNetImage.model_validate(fields)

    assert parameters_built(network, spec, 2) == network.layer_counts(spec, 2).parameters


@pytest.mark.parametrize(("size", "channels", "kernel"), [(32, 3, 3), (63, 3, 3), (64, 3, 7)])
def test_the_stem_follows_the_size_of_the_image(size: int, channels: int, kernel: int) -> None:
    spec = DataSpec(shape=(channels, size, size), classes=10, image=(channels, size, size))

    with torch.device("meta"):
        stem = ResNetImage(filters=2).build(spec, 1).get_parameter("network.stem.conv.weight")

    assert stem.shape == (2, channels, kernel, kernel)


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
@pytest.mark.parametrize("size", [5, 8, 33])
def test_every_size_that_is_accepted_gives_logits(block: str, size: int) -> None:
    spec = DataSpec(shape=(1, size, size), classes=10, image=(1, size, size))
    network = ResNetImage.model_validate({"block": block, "filters": 2})

    assert built(network, spec, 2)(torch.zeros(3, 1, size, size)).shape == (3, 10)


def test_like_brings_its_block_and_refuses_another() -> None:
    assert ResNetImage(like=101).block == "bottleneck"
    with pytest.raises(InvalidValue, match="block must be 'bottleneck', the block of ResNet-50, but got 'basic'"):
        ResNetImage(like=50, block="basic")


def test_a_network_that_was_not_published_is_refused() -> None:
    with pytest.raises(InvalidValue, match="like must be one of 18, 34, 50, 101, 152, but got 20"):
        ResNetImage(like=20)


def test_a_small_one_learns_the_digits() -> None:
    assert digits_learned(ResNetImage(filters=4), 1, steps=40) > 0.8


def test_the_fewest_fields_make_the_network_again() -> None:
    network = ResNetImage(like=50)

    assert network.fewest_fields() == {"family": "resnet_image", "like": 50}
    assert Network.of(network.fewest_fields()) == network
