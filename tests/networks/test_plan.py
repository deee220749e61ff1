import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.base import (
    Activation,
    Add,
    Dense,
    LayerCounts,
    Network,
    Normalization,
    Plan,
    Scalar,
    check_plan,
    count_layers,
    output_indices,
    weight_layers,
)
from depthsearch.networks.dense import DenseNetwork, as_dense
from depthsearch.networks.ffnet import FFNet
from depthsearch.networks.resnet import ResNet

FAMILIES, NORMALIZATIONS = st.sampled_from(["ffnet", "resnet"]), st.sampled_from(["none", "batch", "layer"])


def dense(family: str, **options: object) -> DenseNetwork:
    return as_dense(Network.of({"family": family} | options))


BLOCK: Plan = (
    Dense("a", 2, 3),
    Normalization("norm", "batch", 3),
    Activation("a tanh", "tanh"),
    Dense("b", 3, 3),
    Activation("b tanh", "tanh"),
    Add("add", 2),
    Dense("output", 3, 1),
)


def test_weight_layers_are_the_dense_ones_in_order() -> None:
    assert [layer.name for layer in weight_layers(BLOCK)] == ["a", "b", "output"]


def test_a_layers_output_is_its_activation_and_not_what_was_added_after() -> None:
    assert output_indices(BLOCK) == (2, 4, 6)


def test_the_activation_of_a_sum_belongs_to_no_layer() -> None:
    plan = (
        Dense("a", 2, 3),
        Activation("a tanh", "tanh"),
        Dense("b", 3, 3),
        Add("add", 1),
        Activation("sum tanh", "tanh"),
        Dense("output", 3, 1),
    )

    assert output_indices(plan) == (1, 2, 5)


def test_the_activation_of_what_a_sum_takes_without_it_belongs_to_no_layer() -> None:
    plan = (
        Dense("a", 2, 3),
        Activation("a tanh", "tanh"),
        Dense("b", 3, 3),
        Add("add", 0),
        Dense("output", 3, 1),
    )

    assert output_indices(plan) == (0, 2, 4)


def test_a_learned_scalar_is_one_parameter() -> None:
    plan = (Dense("a", 2, 3), Scalar("scale", "scale", 0.0), Dense("output", 3, 1))

    assert count_layers(plan, keras=None) == LayerCounts(hidden=1, weight_layers=2, parameters=9 + 1 + 4)


def test_a_normalization_has_a_scale_and_a_shift_for_each_unit() -> None:
    assert count_layers(BLOCK, keras=9) == LayerCounts(hidden=2, weight_layers=3, keras=9, parameters=9 + 6 + 12 + 4)


def test_families_are_found_by_name() -> None:
    assert Network.entry("ffnet") is FFNet
    assert Network.entry("resnet") is ResNet


@given(
    family=FAMILIES,
    normalization=NORMALIZATIONS,
    width=st.integers(1, 50),
    depth=st.integers(1, 40),
    data_spec=st.builds(DataSpec, shape=st.tuples(st.integers(1, 100)), classes=st.integers(2, 12)),
)
def test_every_dense_layer_takes_what_the_one_before_gives(
    family: str, normalization: str, width: int, depth: int, data_spec: DataSpec
) -> None:
    network = dense(family, width=width, normalization=normalization)

    layers = weight_layers(network.plan(data_spec, depth))

    assert [layer.inputs for layer in layers] == [data_spec.features, *(layer.units for layer in layers[:-1])]
    assert {layer.units for layer in layers[:-1]} == {width}
    assert layers[-1].units == data_spec.outputs


@given(family=FAMILIES, normalization=NORMALIZATIONS, depth=st.integers(1, 40))
def test_no_two_layers_have_one_name(family: str, normalization: str, depth: int) -> None:
    network = dense(family, normalization=normalization)

    names = [layer.name for layer in network.plan(DataSpec(shape=(2,), classes=2), depth)]

    assert len(set(names)) == len(names)


@given(family=FAMILIES, normalization=NORMALIZATIONS, depth=st.integers(1, 40))
def test_every_hidden_layer_has_an_activation_and_the_output_has_none(
    family: str, normalization: str, depth: int
) -> None:
    network = dense(family, normalization=normalization)

    plan = network.plan(DataSpec(shape=(2,), classes=2), depth)

    assert [isinstance(plan[index], Activation) for index in output_indices(plan)] == [
        *[True] * (len(weight_layers(plan)) - 1),
        False,
    ]


WRONG: list[tuple[Plan, str]] = [
    ((Dense("a", 3, 4), Dense("output", 4, 1)), "layer 'a' takes 3 units, but gets 2"),
    ((Dense("a", 2, 4), Normalization("n", "batch", 5), Dense("output", 4, 1)), "layer 'n' takes 5 units, but gets 4"),
    ((Dense("a", 2, 4), Add("s", 1), Dense("output", 4, 1)), "layer 's' adds layer 1, which does not come before it"),
    ((Dense("a", 2, 4), Add("s", -1), Dense("output", 4, 1)), "layer 's' adds layer -1, which does not come before it"),
    ((Dense("a", 2, 4), Dense("b", 4, 3), Add("s", 0), Dense("output", 3, 1)), "layer 's' adds 4 units to 3"),
    ((Dense("a", 2, 4), Activation("f", "tanh")), "the last layer must be dense with 1 units, the logits"),
    ((Dense("a", 2, 4),), "the last layer must be dense with 1 units, the logits"),
    ((), "the last layer must be dense with 1 units, the logits"),
]


@pytest.mark.parametrize(("plan", "message"), WRONG, ids=[message for _, message in WRONG])
def test_layers_that_do_not_fit_each_other_are_named(plan: Plan, message: str) -> None:
    with pytest.raises(InvalidValue, match=re.escape(message)):
        check_plan(plan, DataSpec(shape=(2,), classes=2))
