"""Initial weights: named variances, zero biases, and streams of the run's seed."""

import numpy as np
import pytest
import torch

from depthsearch.networks.base import Dense
from depthsearch.networks.ffnet import FFNet
from depthsearch.networks.initialization import INITIALIZATIONS, initial_weights

PLAN = (Dense("wide", 400, 600),)


def draw(name: str, seed: int = 0, **more: float) -> tuple[np.ndarray, np.ndarray]:
    scheme = FFNet.model_validate({"initialization": name} | more)
    ((weight, bias),) = initial_weights(scheme, PLAN, seed)
    return weight.astype(np.float64), bias.astype(np.float64)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / 1000),
        ("glorot_normal", 2 / 1000),
        ("he_uniform", 2 / 400),
        ("he_normal", 2 / 400),
        ("lecun_normal", 1 / 400),
        ("torch_default", 1 / (3 * 400)),
        ("normal", 1 / 400),
    ],
)
def test_weights_have_the_named_variance(name: str, variance: float) -> None:
    weight, _ = draw(name)
    # 240,000 weights: the standard error of the variance is below 0.3 %.
    assert weight.var() == pytest.approx(variance, rel=0.015)
    assert abs(weight.mean()) < 5 * np.sqrt(variance / weight.size)


@pytest.mark.parametrize(("name", "bound"), [("glorot_uniform", (6 / 1000) ** 0.5), ("he_uniform", (6 / 400) ** 0.5)])
def test_uniform_weights_keep_keras_bounds(name: str, bound: float) -> None:
    weight, _ = draw(name)
    assert np.abs(weight).max() == pytest.approx(bound, rel=1e-3)
    assert np.abs(weight).max() <= bound * (1 + 1e-6)


def test_keras_normals_are_cut_off_at_two_deviations() -> None:
    weight, _ = draw("he_normal")
    cut = 2 * np.sqrt(2 / 400) / 0.8796256610342398
    assert np.abs(weight).max() <= cut * (1 + 1e-6)
    assert np.abs(weight).max() > 0.99 * cut


@pytest.mark.parametrize("name", [name for name in INITIALIZATIONS if name != "torch_default"])
def test_biases_begin_at_zero(name: str) -> None:
    assert not draw(name)[1].any()


def test_torchs_default_has_torchs_bounds_and_spread() -> None:
    weight, bias = draw("torch_default")
    theirs = torch.nn.Linear(400, 600)
    for ours, one in ((weight, theirs.weight), (bias, theirs.bias)):
        assert np.abs(ours).max() <= 1 / np.sqrt(400)
        assert ours.std() == pytest.approx(float(one.detach().std()), rel=0.1)


def test_orthogonal_rows_are_orthonormal() -> None:
    weight, _ = draw("orthogonal")
    np.testing.assert_allclose(weight.T @ weight, np.eye(400), atol=1e-5)


def test_sigma_squared_sets_the_variances_of_normal() -> None:
    weight, bias = draw("normal", sigma_w2=2.5, sigma_b2=0.05)
    assert weight.var() == pytest.approx(2.5 / 400, rel=0.015)
    assert bias.var() == pytest.approx(0.05, rel=0.25)


@pytest.mark.parametrize("name", ["he_normal", "torch_default", "normal"])
def test_a_gain_multiplies_what_is_drawn(name: str) -> None:
    fields = {"initialization": name} | ({"sigma_b2": 0.5} if name == "normal" else {})
    scheme = FFNet.model_validate(fields)
    plain, half, zero = (
        initial_weights(scheme, (Dense("layer", 30, 20, gain=gain),), 3)[0] for gain in (1.0, 0.5, 0.0)
    )

    for drawn, halved, none in zip(plain, half, zero, strict=True):
        np.testing.assert_allclose(halved, 0.5 * drawn, rtol=1e-6)
        assert not none.any()


def test_the_same_seed_draws_the_same_weights_and_another_seed_others() -> None:
    assert np.array_equal(draw("he_normal", 3)[0], draw("he_normal", 3)[0])
    assert not np.array_equal(draw("he_normal", 3)[0], draw("he_normal", 4)[0])


def test_numpys_global_generator_is_not_touched() -> None:
    np.random.seed(0)  # noqa: NPY002 - the global state is what is looked at
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    draw("glorot_uniform")
    assert np.array_equal(before, np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002
