"""The kernels themselves: their functions against NumPy's, and an identity that theory gives exactly."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthsearch.core.problem import Problem
from depthsearch.datasets import load
from depthsearch.training.dense_activations import exp32, tanh32
from depthsearch.training.dense_engine import _Run
from depthsearch.training.engine import Job


def test_the_rational_tanh_is_tanh_to_a_few_units_in_the_last_place() -> None:
    x = np.concatenate([np.linspace(-12, 12, 20_001), np.geomspace(1e-30, 1, 500)]).astype(np.float32)
    ours = np.array([tanh32(value) for value in x])
    np.testing.assert_allclose(ours, np.tanh(x.astype(np.float64)), rtol=5e-7)


def test_the_polynomial_exp_is_exp() -> None:
    x = np.linspace(-87, 88, 20_001).astype(np.float32)
    np.testing.assert_allclose([exp32(value) for value in x], np.exp(x.astype(np.float64)), rtol=5e-7)


@pytest.mark.parametrize("function", [tanh32, exp32])
def test_what_is_not_a_number_stays_so(function: object) -> None:
    assert np.isnan(function(np.float32(np.nan)))  # type: ignore[operator]


@pytest.mark.parametrize(("x", "tanh", "exp"), [(np.inf, 1, np.inf), (-np.inf, -1, 0)])
def test_infinities_end_at_the_functions_limits(x: float, tanh: float, exp: float) -> None:
    assert tanh32(np.float32(x)) == pytest.approx(tanh, abs=1e-6)
    assert exp32(np.float32(x)) == pytest.approx(exp, abs=1e-37) or exp32(np.float32(x)) > 3e38


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["relu", "leaky_relu", "identity"]),
    st.integers(1, 12),
    st.integers(1, 14),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["moons", "digits"]),
)
def test_without_biases_weights_and_gradients_have_the_same_product_in_every_layer(
    activation: str, width: int, depth: int, seed: int, data: str
) -> None:
    """<W_l, dL/dW_l> is the same for every l where the activation is homogeneous (He initialization, zero biases)."""
    problem = Problem.model_validate(
        {"activation": activation, "width": width, "data": data, "initialization": "he_normal", "recipe": {"epochs": 3}}
    )
    run = _Run(problem, load(problem.data), Job(depth, seed))
    run.train(lambda _: 0, threading.Event())
    products, sizes = [], []
    for first, units, inputs in run.program.weight_offsets:
        weights, gradients = (array[first : first + units * inputs].astype(np.float64) for array in (run.P, run.D))
        products.append(float(weights @ gradients))
        sizes.append(float(np.linalg.norm(weights) * np.linalg.norm(gradients)))
    # Rounding is in proportion to the vectors, whose product may be small beside them.
    np.testing.assert_allclose(products, products[-1], rtol=1e-4, atol=2e-5 * max(sizes))
