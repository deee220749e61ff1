"""The kernels themselves: their functions against NumPy's, and an identity that theory gives exactly."""

import threading
from collections.abc import Callable

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from depthsearch.problem.problem import Problem
from depthsearch.training.dense import activations as dense_activations
from depthsearch.training.dense import lanes as dense_lanes
from depthsearch.training.dense.engine import Floats, _Run
from depthsearch.training.dense.program import LANES
from depthsearch.training.engine import Job

# Kernels work on rows of points: a function is compiled over the rows of an array to be looked at.
FUNCTIONS = {
    "tanh": (dense_activations.tanh32, np.tanh, -12, 12),
    "exp": (dense_activations.exp32, np.exp, -87, 87),
    "expm1": (dense_activations.expm1_32, np.expm1, -87, 0),
    "log1p": (dense_activations.log1p_32, np.log1p, 0, 1),
    "erf": (dense_activations.erf32, scipy.special.erf, -6, 6),
}


def by_row(function: Callable[..., object]) -> Callable[[Floats], Floats]:
    @njit
    def over(rows):  # type: ignore[no-untyped-def]
        for index in range(rows.shape[0]):
            dense_lanes.store(rows, index, function(dense_lanes.load(rows, index)))

    def applied(x: Floats) -> Floats:
        rows = np.zeros((-(-len(x) // LANES), LANES), np.float32)
        rows.ravel()[: len(x)] = x
        over(rows)
        return rows.ravel()[: len(x)]

    return applied


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_right_to_a_few_units_in_the_last_place(name: str) -> None:
    ours, truth, low, high = FUNCTIONS[name]
    small = np.geomspace(1e-30, 1, 500)
    x = np.concatenate([np.linspace(low, high, 20_001), small, -small]).astype(np.float32)
    x = x[(x >= low) & (x <= high)]
    np.testing.assert_allclose(by_row(ours)(x), truth(x.astype(np.float64)), rtol=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_not_a_number_stays_so(name: str) -> None:
    assert np.isnan(by_row(FUNCTIONS[name][0])(np.array([np.nan], np.float32))).all()


@pytest.mark.parametrize(("name", "x", "limit"), [
    ("tanh", np.inf, 1), ("tanh", -np.inf, -1), ("exp", np.inf, np.inf), ("exp", -np.inf, 0), ("expm1", -np.inf, -1),
    ("erf", np.inf, 1), ("erf", -np.inf, -1),
])  # fmt: skip
def test_infinities_end_at_the_functions_limits(name: str, x: float, limit: float) -> None:
    (value,) = by_row(FUNCTIONS[name][0])(np.array([x], np.float32))
    assert value == pytest.approx(limit, abs=1e-6) or (value > 3e38 and limit == np.inf)


def test_sums_and_products_over_a_row() -> None:
    @njit
    def figures(rows):  # type: ignore[no-untyped-def]
        v = dense_lanes.load(rows, 0)
        return dense_lanes.total(v), dense_lanes.total_of_squares(v), dense_lanes.product(v)

    values = np.random.default_rng(0).uniform(0.5, 2, (1, LANES)).astype(np.float32)
    wide = values.astype(np.float64)
    np.testing.assert_allclose(figures(values), [wide.sum(), (wide**2).sum(), wide.prod()], rtol=1e-6)
    huge = np.full((1, LANES), 1e30, np.float32)
    assert figures(huge)[1] == pytest.approx(LANES * 1e60)


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
    run = _Run(problem, problem.data.load(), Job(depth, seed))
    run.train(lambda _: 0, threading.Event())
    products, sizes = [], []
    for first, units, inputs in run.program.weight_offsets:
        weights, gradients = (array[first : first + units * inputs].astype(np.float64) for array in (run.P, run.D))
        products.append(float(weights @ gradients))
        sizes.append(float(np.linalg.norm(weights) * np.linalg.norm(gradients)))
    # Rounding is in proportion to the vectors, whose product may be small beside them.
    np.testing.assert_allclose(products, products[-1], rtol=1e-4, atol=2e-5 * max(sizes))
