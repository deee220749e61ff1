"""The dense variants of the skip connection: pre-activation, ReZero, Fixup."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.base import Activation, Add, Dense, LayerCounts, Network, Normalization, Plan, Scalar
from depthsearch.networks.dense import DenseNetwork, as_dense
from depthsearch.networks.fixup import Fixup
from depthsearch.networks.initialization import initial_weights
from depthsearch.networks.preact import PreActivation
from depthsearch.networks.rezero import ReZero
from depthsearch.training.dense.program import claims
from depthsearch.training.modules.stack import NetworkStack

PLANE = DataSpec(shape=(2,), classes=2)
FAMILIES = ["preact", "rezero", "fixup"]


def dense(family: str, **options: Any) -> DenseNetwork:
    return as_dense(Network.of({"family": family} | options))


def hidden(network: DenseNetwork, plan: Plan, x: torch.Tensor, seed: int = 3) -> list[torch.Tensor]:
    """The output of every layer at the start, each [points, units]."""
    stack = NetworkStack(plan, [initial_weights(network, plan, seed)])
    return [output[0].detach() for output in stack.outputs(x[None])]


def test_preact_of_depth_one() -> None:
    assert PreActivation(normalization="layer", activation="relu").plan(PLANE, 1) == (
        Dense("input", 2, 5),
        Normalization("input norm", "layer", 5),
        Activation("input relu", "relu"),
        Dense("block 1 first", 5, 5),
        Normalization("block 1 first norm", "layer", 5),
        Activation("block 1 first relu", "relu"),
        Dense("block 1 second", 5, 5),
        Add("block 1 add", 2),
        Normalization("last norm", "layer", 5),
        Activation("last relu", "relu"),
        Dense("output", 5, 1),
    )


def test_in_preact_nothing_stands_between_the_sums() -> None:
    plan = PreActivation().plan(PLANE, 3)

    sums = [index for index, layer in enumerate(plan) if isinstance(layer, Add)]

    assert [plan[index].source for index in sums[1:]] == sums[:-1]  # type: ignore[union-attr]


@pytest.mark.parametrize(("normalization", "keras"), [("none", 1 + 6 + 2 + 2), ("batch", 1 + 6 + 2 + 5 + 5)])
def test_keras_has_a_layer_for_each_activation_but_right_after_a_dense_one(normalization: str, keras: int) -> None:
    """Depth 2: the input, 6 dense layers, 2 additions; activations of both sums; with a normalization 5 of each."""
    counts = dense("preact", normalization=normalization).layer_counts(PLANE, 2)

    assert (counts.hidden, counts.weight_layers, counts.keras) == (5, 6, keras)


def test_rezero_of_depth_one() -> None:
    assert ReZero().plan(PLANE, 1) == (
        Dense("input", 2, 5),
        Activation("input tanh", "tanh"),
        Dense("residual 1", 5, 5),
        Activation("residual 1 tanh", "tanh"),
        Scalar("residual 1 scale", "scale", 0.0),
        Add("residual 1 add", 1),
        Dense("output", 5, 1),
    )


def test_fixup_of_depth_four_divides_the_first_weights_of_a_block_by_two() -> None:
    layers = [layer for layer in Fixup().plan(PLANE, 4) if isinstance(layer, Dense)]

    assert [layer.gain for layer in layers] == [1.0, *[0.5, 0.0] * 4, 0.0]


@pytest.mark.parametrize("family", ["rezero", "fixup"])
@pytest.mark.parametrize("depth", [1, 50])
def test_at_the_start_the_blocks_pass_their_input_on(family: str, depth: int) -> None:
    network = dense(family, activation="relu", width=7)
    plan = network.plan(PLANE, depth)
    x = torch.randn(11, 2, generator=torch.Generator().manual_seed(0))

    outputs = hidden(network, plan, x)

    for index, layer in enumerate(plan):
        if isinstance(layer, Add):
            torch.testing.assert_close(outputs[index], outputs[1])


def test_at_the_start_all_logits_of_fixup_are_zero() -> None:
    network = Fixup()

    assert not hidden(network, network.plan(PLANE, 3), torch.ones(4, 2))[-1].any()


@pytest.mark.parametrize(
    ("family", "depth", "parameters"),
    [("rezero", 3, 15 + 3 * 31 + 6), ("fixup", 3, 15 + 3 * (60 + 3) + 1 + 6), ("preact", 3, 15 + 3 * 60 + 7 * 10 + 6)],
)
def test_scalars_and_normalizations_are_parameters(family: str, depth: int, parameters: int) -> None:
    assert dense(family).layer_counts(PLANE, depth).parameters == parameters


@given(
    family=st.sampled_from(FAMILIES),
    depth=st.integers(1, 20),
    width=st.integers(1, 20),
    features=st.integers(1, 9),
    classes=st.integers(2, 5),
)
def test_every_plan_fits_together_and_names_each_layer_once(
    family: str, depth: int, width: int, features: int, classes: int
) -> None:
    plan = dense(family, width=width).checked_plan(DataSpec(shape=(features,), classes=classes), depth)

    assert len({layer.name for layer in plan}) == len(plan)


@pytest.mark.parametrize(("normalization", "claimed"), [("none", False), ("batch", True), ("layer", True)])
def test_the_dense_engine_trains_preact_with_a_normalization(normalization: str, claimed: bool) -> None:
    assert claims(dense("preact", normalization=normalization).plan(PLANE, 3)) is claimed


@pytest.mark.parametrize("family", ["rezero", "fixup"])
def test_networks_with_learned_scalars_are_left_to_torch(family: str) -> None:
    assert not claims(dense(family).plan(PLANE, 3))


def test_fixup_refuses_a_normalization() -> None:
    with pytest.raises(
        InvalidValue, match="normalization must be 'none' for fixup, which does without, but got 'batch'"
    ):
        Fixup(normalization="batch")


def test_keras_has_no_learned_scalars_and_so_no_count() -> None:
    assert ReZero().layer_counts(PLANE, 2) == LayerCounts(hidden=3, weight_layers=4, parameters=15 + 2 * 31 + 6)
    assert Fixup().layer_counts(PLANE, 2).keras is None
