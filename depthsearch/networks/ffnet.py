"""The plain feed-forward network: input, `depth` hidden layers of one width, output."""

from typing import ClassVar, Literal

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import Activation, Dense, Layer, LayerCounts, Normalization, Plan, count_layers
from depthsearch.networks.dense import DenseNetwork


class FFNet(DenseNetwork):
    """Depth is the number of hidden layers.

    - depth 1: Dense(width), output;
    - depth 2: Dense(width), Dense(width), output.

    A description as "one dense layer, then n more" has depth n + 1.
    A normalization comes between each dense layer and its activation.
    """

    unit: ClassVar[str] = "hidden layer"
    family: Literal["ffnet"] = "ffnet"

    def plan(self, spec: DataSpec, depth: int) -> Plan:
        """Dense, [normalization], activation, `depth` times; then the output layer."""
        layers: list[Layer] = []
        inputs = spec.features
        for k in range(1, depth + 1):
            layers.append(Dense(f"hidden {k}", inputs, self.width))
            if self.normalization != "none":
                layers.append(Normalization(f"norm {k}", self.normalization, self.width))
            layers.append(Activation(f"hidden {k} {self.activation}", self.activation))
            inputs = self.width
        return (*layers, Dense("output", inputs, spec.outputs))

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """Keras counts the input, `depth` dense layers and the output; with a normalization between a dense
        layer and its activation, those are three layers.
        """
        plain = self.normalization == "none"
        return count_layers(self.plan(spec, depth), keras=(depth if plain else 3 * depth) + 2)
