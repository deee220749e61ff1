"""Initial weights, drawn from the NumPy stream of a run, so that every engine starts at the same numbers.

No torch here: engines copy these arrays.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from depthsearch.networks.base import Dense, Plan, weight_layers

Array = NDArray[np.float64]


Weights = tuple[NDArray[np.float32], NDArray[np.float32]]

# Standard deviation of a standard normal cut off at two deviations, by which Keras divides.
TRUNCATED_DEVIATION = 0.8796256610342398


WEIGHT_STREAM = 0
"""Which of a seed's streams the weights are drawn from; batches have another (see batches)."""


INITIALIZATIONS = (
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_normal",
    "orthogonal",
    "torch_default",
    "normal",
)


class Scheme(Protocol):
    """What says how weights are drawn: a dense network, for example."""

    @property
    def initialization(self) -> str:
        """One of INITIALIZATIONS."""

    @property
    def sigma_w2(self) -> float | None:
        """For `normal`: fan_in times the variance of the weights."""

    @property
    def sigma_b2(self) -> float | None:
        """For `normal`: the variance of the biases."""


def initial_weights(scheme: Scheme, plan: Plan, seed: int) -> list[Weights]:
    """(W [units, inputs], b [units]) of every dense layer, first to last, in float32.

    Drawn layer by layer, a layer's weights before its biases, in float64. `torch_default` is
    the rule of torch.nn.Linear: weights and biases uniform within 1 / sqrt(fan_in). `glorot_*`, `he_*` and
    `lecun_normal` are Keras's, with zero biases; their normals are cut off at two deviations and keep the named
    variance. `orthogonal` is Saxe et al. 2014 (arXiv 1312.6120) with gain 1. `normal` draws weights of variance
    sigma_w2 / fan_in and biases of variance sigma_b2. A layer's gain multiplies what is drawn for it.
    """
    rng = np.random.default_rng([seed, WEIGHT_STREAM])
    return [_layer(scheme, layer, rng) for layer in weight_layers(plan)]


def _layer(scheme: Scheme, layer: Dense, rng: np.random.Generator) -> Weights:
    shape, fan_in = (layer.units, layer.inputs), layer.inputs
    bias = np.zeros(layer.units)
    if scheme.initialization == "normal":
        weight = rng.standard_normal(shape) * np.sqrt((scheme.sigma_w2 or 0.0) / fan_in)
        bias = rng.standard_normal(layer.units) * np.sqrt(scheme.sigma_b2 or 0.0)
    elif scheme.initialization == "orthogonal":
        weight = _orthogonal(rng, shape)
    elif scheme.initialization == "torch_default":
        weight = rng.uniform(-1, 1, shape) / np.sqrt(fan_in)
        bias = rng.uniform(-1, 1, layer.units) / np.sqrt(fan_in)
    else:
        variance, draw = _VARIANCE_SCALING[scheme.initialization]
        weight = draw(rng, shape) * np.sqrt(variance(layer))
    return (layer.gain * weight).astype(np.float32), (layer.gain * bias).astype(np.float32)


def _uniform(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return rng.uniform(-np.sqrt(3), np.sqrt(3), shape)


def _truncated_normal(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    from scipy.special import ndtr, ndtri  # noqa: PLC0415 - naming an initialization needs no scipy

    # By the inverse distribution function: one draw for each value, so that the stream never depends on chance.
    low, high = ndtr(-2.0), ndtr(2.0)
    return np.asarray(ndtri(rng.uniform(low, high, shape)) / TRUNCATED_DEVIATION)


def _orthogonal(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    rows, columns = max(shape), min(shape)
    q, r = np.linalg.qr(rng.standard_normal((rows, columns)))
    q = q * np.sign(np.diag(r))
    return np.ascontiguousarray(q if shape[0] >= shape[1] else q.T)


def _glorot(layer: Dense) -> float:
    return 2 / (layer.inputs + layer.units)


def _he(layer: Dense) -> float:
    return 2 / layer.inputs


def _lecun(layer: Dense) -> float:
    return 1 / layer.inputs


# Variance of a weight, and how to draw numbers of variance 1.
_VARIANCE_SCALING: dict[
    str, tuple[Callable[[Dense], float], Callable[[np.random.Generator, tuple[int, int]], Array]]
] = {
    "glorot_uniform": (_glorot, _uniform),
    "glorot_normal": (_glorot, _truncated_normal),
    "he_uniform": (_he, _uniform),
    "he_normal": (_he, _truncated_normal),
    "lecun_normal": (_lecun, _truncated_normal),
}
