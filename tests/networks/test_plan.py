from hypothesis import given
from hypothesis import strategies as st

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import (
    FAMILIES,
    NORMALIZATIONS,
    Activation,
    Add,
    Dense,
    LayerCounts,
    Normalization,
    Plan,
    count,
    output_indices,
    weight_layers,
)
from depthsearch.networks.ffnet import FFNet
from depthsearch.networks.resnet import ResNet
from depthsearch.problem.problem import Problem

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


def test_a_normalization_has_a_scale_and_a_shift_for_each_unit() -> None:
    assert count(BLOCK, keras=9) == LayerCounts(hidden=2, weight_layers=3, keras=9, parameters=9 + 6 + 12 + 4)


def test_families_are_found_by_name() -> None:
    assert isinstance(family_of("ffnet"), FFNet)
    assert isinstance(family_of("resnet"), ResNet)


@given(
    family=st.sampled_from(FAMILIES),
    normalization=st.sampled_from(NORMALIZATIONS),
    width=st.integers(1, 50),
    depth=st.integers(1, 40),
    data_spec=st.builds(DataSpec, features=st.integers(1, 100), classes=st.integers(2, 12)),
)
def test_every_dense_layer_takes_what_the_one_before_gives(
    family: str, normalization: str, width: int, depth: int, data_spec: DataSpec
) -> None:
    problem = Problem(family=family, width=width, normalization=normalization)

    dense = weight_layers(problem.network.plan(data_spec, depth))

    assert [layer.inputs for layer in dense] == [data_spec.features, *(layer.units for layer in dense[:-1])]
    assert {layer.units for layer in dense[:-1]} == {width}
    assert dense[-1].units == data_spec.outputs


@given(family=st.sampled_from(FAMILIES), normalization=st.sampled_from(NORMALIZATIONS), depth=st.integers(1, 40))
def test_no_two_layers_have_one_name(family: str, normalization: str, depth: int) -> None:
    problem = Problem(family=family, normalization=normalization)

    names = [layer.name for layer in problem.network.plan(DataSpec(shape=(2,), classes=2), depth)]

    assert len(set(names)) == len(names)


@given(family=st.sampled_from(FAMILIES), normalization=st.sampled_from(NORMALIZATIONS), depth=st.integers(1, 40))
def test_every_hidden_layer_has_an_activation_and_the_output_has_none(
    family: str, normalization: str, depth: int
) -> None:
    problem = Problem(family=family, normalization=normalization)

    plan = problem.network.plan(DataSpec(shape=(2,), classes=2), depth)

    assert [isinstance(plan[index], Activation) for index in output_indices(plan)] == [
        *[True] * (len(weight_layers(plan)) - 1),
        False,
    ]
