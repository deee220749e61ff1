import pytest

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import Activation, Dense, Normalization
from depthsearch.networks.ffnet import FFNet

PLANE = DataSpec(shape=(2,), classes=2)
DIGITS = DataSpec(shape=(64,), classes=10)


def test_depth_one_is_one_hidden_layer_and_the_output() -> None:
    assert FFNet(width=5).plan(PLANE, 1) == (
        Dense("hidden 1", 2, 5),
        Activation("hidden 1 tanh", "tanh"),
        Dense("output", 5, 1),
    )


def test_depth_two_is_two_hidden_layers_and_the_output() -> None:
    assert FFNet(width=5, activation="relu").plan(PLANE, 2) == (
        Dense("hidden 1", 2, 5),
        Activation("hidden 1 relu", "relu"),
        Dense("hidden 2", 5, 5),
        Activation("hidden 2 relu", "relu"),
        Dense("output", 5, 1),
    )


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_a_normalization_stands_between_a_dense_layer_and_its_activation(normalization: str) -> None:
    plan = FFNet.model_validate({"width": 3, "normalization": normalization}).plan(PLANE, 1)

    assert [type(layer) for layer in plan] == [Dense, Normalization, Activation, Dense]
    assert plan[1] == Normalization("norm 1", "batch" if normalization == "batch" else "layer", 3)


def test_ten_classes_have_ten_outputs() -> None:
    assert FFNet(width=5).plan(DIGITS, 1)[-1] == Dense("output", 5, 10)


@pytest.mark.parametrize("further", [0, 5, 7, 10, 20, 30])
def test_a_first_layer_and_n_more_are_n_plus_1_hidden_layers_and_n_plus_3_of_keras(further: int) -> None:
    counts = FFNet().layer_counts(PLANE, depth=further + 1)

    assert (counts.hidden, counts.weight_layers, counts.keras) == (further + 1, further + 2, further + 3)


@pytest.mark.parametrize(
    ("depth", "data_spec", "parameters"),
    [
        (1, PLANE, 15 + 6),
        (2, PLANE, 15 + 30 + 6),
        (3, PLANE, 15 + 30 + 30 + 6),
        (1, DIGITS, 325 + 60),
        (2, DIGITS, 325 + 30 + 60),
    ],
)
def test_parameters_are_weights_and_biases(depth: int, data_spec: DataSpec, parameters: int) -> None:
    assert FFNet(width=5).layer_counts(data_spec, depth).parameters == parameters


def test_a_normalization_adds_two_parameters_a_unit() -> None:
    assert FFNet(width=5, normalization="batch").layer_counts(PLANE, 2).parameters == 51 + 2 * 10


def test_keras_counts_dense_normalization_and_activation_apart() -> None:
    assert FFNet(normalization="batch").layer_counts(PLANE, 4).keras == 1 + 3 * 4 + 1


@pytest.mark.parametrize(("depth", "words"), [(1, "1 hidden layer"), (7, "7 hidden layers")])
def test_depth_in_words(depth: int, words: str) -> None:
    assert FFNet().depth_words(depth) == words
