"""The plain feed-forward network: input, `depth` hidden layers of one width, output."""

from depthsearch.core.answer import LayerCounts
from depthsearch.core.problem import DataSpec, Problem
from depthsearch.core.words import count_of
from depthsearch.families.plan import Activation, Dense, Layer, Normalization, Plan, count


class FFNet:
    """Depth is the number of hidden layers.

    - depth 1: Dense(width), output;
    - depth 2: Dense(width), Dense(width), output.

    A description as "one dense layer, then n more" has depth n + 1.
    With a normalization, it stands between each dense layer and its activation.
    """

    unit = "hidden layers"
    shallowest = 1
    reliability = 0.9

    def units(self, depth: int) -> str:
        """ "1 hidden layer", "7 hidden layers"."""
        return count_of(depth, "hidden layer")

    def plan(self, problem: Problem, data_spec: DataSpec, depth: int) -> Plan:
        """Dense, [normalization], activation, `depth` times; then the output layer."""
        layers: list[Layer] = []
        inputs = data_spec.features
        for k in range(1, depth + 1):
            layers.append(Dense(f"hidden {k}", inputs, problem.width))
            if problem.normalization != "none":
                layers.append(Normalization(f"norm {k}", problem.normalization, problem.width))
            layers.append(Activation(f"hidden {k} {problem.activation}", problem.activation))
            inputs = problem.width
        return (*layers, Dense("output", inputs, data_spec.outputs))

    def counts(self, problem: Problem, data_spec: DataSpec, depth: int) -> LayerCounts:
        """Keras counts the input, `depth` dense layers and the output; with a normalization between a dense
        layer and its activation, those are three layers.
        """
        plain = problem.normalization == "none"
        return count(self.plan(problem, data_spec, depth), keras=(depth if plain else 3 * depth) + 2)
