"""Which data the families of image networks and the transformer take, and how they read them."""

import re

import pytest
import torch

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.base import Network
from depthsearch.problem.problem import Problem
from depthsearch.training.select import choose_engine
from tests.networks.modules import DIGITS, PLANE, built

FAMILIES = ["vgg", "cnn", "resnet_image", "transformer"]
IMAGES = FAMILIES[:3]


def message(family: str, spec: DataSpec) -> str:
    with pytest.raises(InvalidValue) as caught:
        Network.of(family).check(spec)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(InvalidValue, match=re.escape(str(caught.value))):
        Network.of(family).build(spec, 2)
    with pytest.raises(InvalidValue, match=re.escape(str(caught.value))):
        Network.of(family).layer_counts(spec, 2)
    return str(caught.value)


@pytest.mark.parametrize("family", IMAGES)
def test_data_without_images_are_refused_in_one_line(family: str) -> None:
    assert message(family, PLANE) == f"family {family!r} reads images, but an input of the data has shape (2,)"


def test_the_transformer_refuses_data_without_rows_or_tokens() -> None:
    assert "reads tokens, the rows of an image, or inputs of shape (positions, numbers)" in message(
        "transformer", PLANE
    )


@pytest.mark.parametrize(("family", "least"), [("vgg", 8), ("cnn", 4), ("resnet_image", 5)])
def test_images_that_are_too_small_for_the_stages_are_refused(family: str, least: int) -> None:
    too_small, enough = (
        DataSpec(shape=(size, least), classes=3, image=(1, size, least)) for size in (least - 1, least)
    )

    assert f"at least {least} x {least} pixels here, but got images of {least - 1} x {least}" in message(
        family, too_small
    )
    assert built(Network.of(family), enough, 1)(torch.zeros(2, least, least)).shape == (2, 3)


@pytest.mark.parametrize("family", IMAGES)
def test_a_target_for_each_position_is_refused_by_image_networks(family: str) -> None:
    spec = DataSpec(shape=(64,), task="sequence", classes=10, image=(1, 8, 8))

    assert "gives one output for each image, but got the task 'sequence'" in message(family, spec)


@pytest.mark.parametrize("family", FAMILIES)
def test_images_in_a_row_are_read_as_images(family: str) -> None:
    module = built(Network.of(family), DIGITS, 1).eval()
    images = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(1))

    torch.testing.assert_close(module(images.flatten(1)), module(images))


@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_are_predicted_in_regression(family: str) -> None:
    spec = DataSpec(shape=(64,), task="regression", targets=3, image=(1, 8, 8))

    assert built(Network.of(family), spec, 1)(torch.zeros(2, 64)).shape == (2, 3)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_seed_builds_the_same_network(family: str) -> None:
    one, same, other = (built(Network.of(family), DIGITS, 2, seed=seed) for seed in (0, 0, 1))

    x = torch.randn(4, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(one(x), same(x))
    assert not torch.equal(one(x), other(x))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_search_of_data_that_the_family_does_not_take_is_refused_before_any_run(family: str) -> None:
    with pytest.raises(InvalidValue, match=f"family '{family}' reads"):
        choose_engine(Problem.model_validate({"family": family, "data": "moons"}))


@pytest.mark.parametrize("family", FAMILIES)
def test_half_of_the_runs_are_enough_by_default(family: str) -> None:
    assert Network.entry(family).reliability == 0.5
