"""The dense residual network: two dense layers, `depth` residual blocks, a dense layer, the output."""

from depthsearch.core.answer import LayerCounts
from depthsearch.core.problem import DataSpec, Problem
from depthsearch.core.words import count_of
from depthsearch.families.plan import Activation, Add, Dense, Layer, Normalization, Plan, count


class ResNet:
    """Depth is the number of residual blocks, each of two dense layers: x + f(f(norm(x))).

    - depth 1: Dense, Dense, [norm, Dense, Dense, add], Dense, output;
    - depth 2: the bracket twice.

    Every dense layer but the output carries its activation, so the addition comes after the activation.
    """

    unit = "residual blocks"
    shallowest = 1
    reliability = 0.9

    def units(self, depth: int) -> str:
        """ "1 residual block", "7 residual blocks"."""
        return count_of(depth, "residual block")

    def plan(self, problem: Problem, data_spec: DataSpec, depth: int) -> Plan:
        """2 depth + 4 dense layers, the output counted."""
        layers: list[Layer] = []

        def dense(name: str, inputs: int) -> None:
            layers.append(Dense(name, inputs, problem.width))
            layers.append(Activation(f"{name} {problem.activation}", problem.activation))

        dense("input 1", data_spec.features)
        dense("input 2", problem.width)
        for k in range(1, depth + 1):
            block_input = len(layers) - 1
            if problem.normalization != "none":
                layers.append(Normalization(f"block {k} norm", problem.normalization, problem.width))
            dense(f"block {k} first", problem.width)
            dense(f"block {k} second", problem.width)
            layers.append(Add(f"block {k} add", block_input))
        dense("last hidden", problem.width)
        return (*layers, Dense("output", problem.width, data_spec.outputs))

    def counts(self, problem: Problem, data_spec: DataSpec, depth: int) -> LayerCounts:
        """Keras counts 4 depth + 5 layers: the input and the additions too; 3 depth + 5 without a normalization."""
        per_block = 3 if problem.normalization == "none" else 4
        return count(self.plan(problem, data_spec, depth), keras=per_block * depth + 5)
