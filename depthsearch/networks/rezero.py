"""The dense network with ReZero: each layer is added to its input, times a learned number that begins at zero."""

from typing import ClassVar, Literal

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import (
    Activation,
    Add,
    Dense,
    Layer,
    LayerCounts,
    Normalization,
    Plan,
    Scalar,
    count_layers,
)
from depthsearch.networks.dense import DenseNetwork


class ReZero(DenseNetwork):
    """Depth is the number of residual layers: x + a f(W x), where the learned number a begins at 0.

    - depth 1: Dense, f, [Dense, f, times a, add], output;
    - depth 2: the bracket twice, each with a number for itself.

    At the start every residual layer passes its input on unchanged, whatever the depth. A normalization comes between a
    dense layer and its activation.

    Source: Bachlechner et al. 2020, ReZero is all you need: fast convergence at large depth, arXiv 2003.04887.
    """

    unit: ClassVar[str] = "residual layer"
    family: Literal["rezero"] = "rezero"

    def plan(self, spec: DataSpec, depth: int) -> Plan:
        """Depth + 2 dense layers, the output counted."""
        layers: list[Layer] = []

        def dense(name: str, inputs: int) -> None:
            layers.append(Dense(name, inputs, self.width))
            if self.normalization != "none":
                layers.append(Normalization(f"{name} norm", self.normalization, self.width))
            layers.append(Activation(f"{name} {self.activation}", self.activation))

        dense("input", spec.features)
        for k in range(1, depth + 1):
            layer_input = len(layers) - 1
            dense(f"residual {k}", self.width)
            layers.append(Scalar(f"residual {k} scale", "scale", 0.0))
            layers.append(Add(f"residual {k} add", layer_input))
        return (*layers, Dense("output", self.width, spec.outputs))

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """Keras has no layer that is a learned number, and so no count."""
        return count_layers(self.plan(spec, depth), keras=None)
