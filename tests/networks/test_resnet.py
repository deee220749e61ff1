import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import Activation, Add, Dense, Normalization
from depthsearch.networks.resnet import ResNet

PLANE = DataSpec(shape=(2,), classes=2)
DIGITS = DataSpec(shape=(64,), classes=10)


def test_depth_one_is_one_block_between_two_layers_and_one() -> None:
    assert ResNet(width=5).plan(PLANE, 1) == (
        Dense("input 1", 2, 5),
        Activation("input 1 tanh", "tanh"),
        Dense("input 2", 5, 5),
        Activation("input 2 tanh", "tanh"),
        Normalization("block 1 norm", "batch", 5),
        Dense("block 1 first", 5, 5),
        Activation("block 1 first tanh", "tanh"),
        Dense("block 1 second", 5, 5),
        Activation("block 1 second tanh", "tanh"),
        Add("block 1 add", 3),
        Dense("last hidden", 5, 5),
        Activation("last hidden tanh", "tanh"),
        Dense("output", 5, 1),
    )


def test_in_depth_two_the_second_block_starts_from_the_sum_of_the_first() -> None:
    plan = ResNet(width=5).plan(PLANE, 2)

    assert plan[10:16] == (
        Normalization("block 2 norm", "batch", 5),
        Dense("block 2 first", 5, 5),
        Activation("block 2 first tanh", "tanh"),
        Dense("block 2 second", 5, 5),
        Activation("block 2 second tanh", "tanh"),
        Add("block 2 add", 9),
    )


@given(depth=st.integers(1, 60), normalization=st.sampled_from(("none", "batch", "layer")))
def test_every_addition_adds_its_blocks_input(depth: int, normalization: str) -> None:
    plan = ResNet.model_validate({"normalization": normalization}).plan(PLANE, depth)
    length = 5 if normalization == "none" else 6

    sources = {index: layer.source for index, layer in enumerate(plan) if isinstance(layer, Add)}

    # A block's input is the layer just before its first: the second activation, then each sum in turn.
    assert sources == {3 + length * k: 3 + length * (k - 1) for k in range(1, depth + 1)}


def test_without_a_normalization_a_block_is_two_layers_and_the_sum() -> None:
    plan = ResNet(normalization="none").plan(PLANE, 1)

    assert [type(layer) for layer in plan[4:9]] == [Dense, Activation, Dense, Activation, Add]


def test_layer_normalization_stands_where_batch_normalization_does() -> None:
    assert ResNet(normalization="layer").plan(PLANE, 1)[4] == Normalization("block 1 norm", "layer", 5)


def test_ten_classes_have_ten_outputs() -> None:
    assert ResNet().plan(DIGITS, 1)[-1] == Dense("output", 5, 10)


@pytest.mark.parametrize("blocks", [1, 2, 25, 50, 65, 66, 74, 75])
def test_n_blocks_are_2n_plus_4_dense_layers_and_4n_plus_5_of_keras(blocks: int) -> None:
    counts = ResNet().layer_counts(PLANE, blocks)

    assert (counts.hidden, counts.weight_layers, counts.keras) == (2 * blocks + 3, 2 * blocks + 4, 4 * blocks + 5)


@pytest.mark.parametrize(("blocks", "keras"), [(50, 205), (75, 305)])
def test_keras_counts_205_and_305_layers_for_50_and_75_blocks(blocks: int, keras: int) -> None:
    assert ResNet(activation="tanh").layer_counts(PLANE, blocks).keras == keras


def test_without_a_normalization_keras_counts_one_layer_less_a_block() -> None:
    assert ResNet(normalization="none").layer_counts(PLANE, 10).keras == 3 * 10 + 5


@pytest.mark.parametrize(
    ("depth", "normalization", "data_spec", "parameters"),
    [
        (1, "batch", PLANE, 15 + 30 + (10 + 60) + 30 + 6),
        (2, "batch", PLANE, 15 + 30 + 2 * (10 + 60) + 30 + 6),
        (1, "layer", PLANE, 15 + 30 + (10 + 60) + 30 + 6),
        (1, "none", PLANE, 15 + 30 + 60 + 30 + 6),
        (1, "batch", DIGITS, 325 + 30 + (10 + 60) + 30 + 60),
    ],
)
def test_parameters_are_weights_biases_scales_and_shifts(
    depth: int, normalization: str, data_spec: DataSpec, parameters: int
) -> None:
    network = ResNet.model_validate({"width": 5, "normalization": normalization})

    assert network.layer_counts(data_spec, depth).parameters == parameters


@pytest.mark.parametrize(("depth", "words"), [(1, "1 residual block"), (66, "66 residual blocks")])
def test_depth_in_words(depth: int, words: str) -> None:
    assert ResNet().depth_words(depth) == words
