"""The dense residual network with Fixup: no normalization, but an initialization that holds at any depth."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.base import Activation, Add, Dense, Layer, LayerCounts, Plan, Scalar, count_layers
from depthsearch.networks.dense import DenseNetwork


class Fixup(DenseNetwork):
    """Depth is the number of residual blocks, each of two dense layers: f(x + a W f(V x)).

    - depth 1: Dense, f, [shift, Dense, f, shift, Dense, times a, add, f], shift, output;
    - depth 2: the bracket twice, each with numbers for itself.

    The three rules of the paper, for blocks of two layers: the second dense layer of each block and the output begin at
    zero; the first one of each block begins with the drawn weights divided by the square root of the depth; each block
    has a learned number `a` that begins at 1, and each dense layer after the first has a learned shift of its input,
    which begins at 0. The shift before an activation is the bias of the dense layer there.

    Source: Zhang et al. 2019, Fixup initialization: residual learning without normalization, arXiv 1901.09321.
    """

    unit: ClassVar[str] = "residual block"
    family: Literal["fixup"] = "fixup"

    @model_validator(mode="after")
    def _has_no_normalization(self) -> Self:
        if self.normalization != "none":
            expected = "'none' for fixup, which does without"
            raise InvalidValue(path="network.normalization", value=self.normalization, expected=expected)
        return self

    def plan(self, spec: DataSpec, depth: int) -> Plan:
        """2 depth + 2 dense layers, the output counted."""
        layers: list[Layer] = [
            Dense("input", spec.features, self.width),
            Activation(f"input {self.activation}", self.activation),
        ]
        for k in range(1, depth + 1):
            block_input = len(layers) - 1
            layers += [
                Scalar(f"block {k} first shift", "shift", 0.0),
                Dense(f"block {k} first", self.width, self.width, gain=depth**-0.5),
                Activation(f"block {k} first {self.activation}", self.activation),
                Scalar(f"block {k} second shift", "shift", 0.0),
                Dense(f"block {k} second", self.width, self.width, gain=0.0),
                Scalar(f"block {k} scale", "scale", 1.0),
                Add(f"block {k} add", block_input),
                Activation(f"block {k} {self.activation}", self.activation),
            ]
        layers.append(Scalar("output shift", "shift", 0.0))
        return (*layers, Dense("output", self.width, spec.outputs, gain=0.0))

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """Keras has no layer that is a learned number, and so no count."""
        return count_layers(self.plan(spec, depth), keras=None)
