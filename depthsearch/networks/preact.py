"""The dense residual network with pre-activation: normalization and activation come before each dense layer."""

from typing import ClassVar, Literal

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import Activation, Add, Dense, Layer, LayerCounts, Normalization, Plan, count_layers
from depthsearch.networks.dense import DenseNetwork, NormalizationName


class PreActivation(DenseNetwork):
    """Depth is the number of residual blocks, each of two dense layers: x + W f(norm(W f(norm(x)))).

    - depth 1: Dense, norm, f, [Dense, norm, f, Dense, add], norm, f, output;
    - depth 2: [norm, f, Dense, norm, f, Dense, add] comes after the first block.

    No layer lies between the sums, so a gradient reaches every block unchanged through the additions. As in the paper,
    the first block leaves out the normalization and the activation that the first layer already has, and the last sum
    is followed by both.

    Source: He et al. 2016, Identity mappings in deep residual networks, arXiv 1603.05027.
    """

    unit: ClassVar[str] = "residual block"
    family: Literal["preact"] = "preact"
    normalization: NormalizationName = "batch"

    def plan(self, spec: DataSpec, depth: int) -> Plan:
        """2 depth + 2 dense layers, the output counted."""
        layers: list[Layer] = []

        def normalize_and_activate(name: str) -> None:
            if self.normalization != "none":
                layers.append(Normalization(f"{name} norm", self.normalization, self.width))
            layers.append(Activation(f"{name} {self.activation}", self.activation))

        layers.append(Dense("input", spec.features, self.width))
        normalize_and_activate("input")
        for k in range(1, depth + 1):
            block_input = len(layers) - 1
            if k > 1:
                normalize_and_activate(f"block {k} begin")
            layers.append(Dense(f"block {k} first", self.width, self.width))
            normalize_and_activate(f"block {k} first")
            layers.append(Dense(f"block {k} second", self.width, self.width))
            layers.append(Add(f"block {k} add", block_input))
        normalize_and_activate("last")
        return (*layers, Dense("output", self.width, spec.outputs))

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """Keras counts the input, dense layers, normalizations and additions, and the activations.

        Without a normalization, an activation right after a dense layer is a part of it.
        """
        plan = self.plan(spec, depth)
        inside = 0 if self.normalization != "none" else depth + 1
        return count_layers(plan, keras=1 + len(plan) - inside)
