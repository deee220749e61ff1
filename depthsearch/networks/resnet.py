"""The dense residual network: two dense layers, `depth` residual blocks, a dense layer, the output."""

from typing import ClassVar, Literal

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import Activation, Add, Dense, Layer, LayerCounts, Normalization, Plan, count_layers
from depthsearch.networks.dense import DenseNetwork, NormalizationName


class ResNet(DenseNetwork):
    """Depth is the number of residual blocks, each of two dense layers: x + f(f(norm(x))).

    - depth 1: Dense, Dense, [norm, Dense, Dense, add], Dense, output;
    - depth 2: the bracket twice.

    Every dense layer but the output carries its activation, so the addition comes after the activation.
    """

    unit: ClassVar[str] = "residual block"
    family: Literal["resnet"] = "resnet"
    normalization: NormalizationName = "batch"

    def plan(self, spec: DataSpec, depth: int) -> Plan:
        """2 depth + 4 dense layers, the output counted."""
        layers: list[Layer] = []

        def dense(name: str, inputs: int) -> None:
            layers.append(Dense(name, inputs, self.width))
            layers.append(Activation(f"{name} {self.activation}", self.activation))

        dense("input 1", spec.features)
        dense("input 2", self.width)
        for k in range(1, depth + 1):
            block_input = len(layers) - 1
            if self.normalization != "none":
                layers.append(Normalization(f"block {k} norm", self.normalization, self.width))
            dense(f"block {k} first", self.width)
            dense(f"block {k} second", self.width)
            layers.append(Add(f"block {k} add", block_input))
        dense("last hidden", self.width)
        return (*layers, Dense("output", self.width, spec.outputs))

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """Keras counts 4 depth + 5 layers: the input and the additions too; 3 depth + 5 without a normalization."""
        per_block = 3 if self.normalization == "none" else 4
        return count_layers(self.plan(spec, depth), keras=per_block * depth + 5)
