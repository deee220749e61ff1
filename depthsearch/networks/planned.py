"""A plan as a torch module: what `build` of every dense family returns.

torch is imported inside the functions: it takes seconds, and most who name a network do not build it.
"""

from typing import TYPE_CHECKING

from depthsearch.networks.activations import activation_of
from depthsearch.networks.base import (
    BATCH_NORM_MOMENTUM,
    EPSILON,
    Activation,
    Add,
    Dense,
    Layer,
    Normalization,
    Plan,
    Scalar,
)

if TYPE_CHECKING:
    from torch import Tensor, nn


def planned_module(plan: Plan) -> "nn.Module":
    """The plan as a module, from inputs [batch, ...] to logits [batch, outputs]; its weights are torch's."""
    import torch  # noqa: PLC0415
    from torch import nn  # noqa: PLC0415

    class PlannedNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([_layer_module(layer) for layer in plan])

        def forward(self, x: "Tensor") -> "Tensor":
            outputs: list[Tensor] = []
            x = torch.flatten(x, 1)
            for layer, step in zip(plan, self.layers, strict=True):
                if isinstance(layer, Add):
                    x = x + outputs[layer.source]
                elif isinstance(layer, Activation):
                    x = activation_of(layer.function).function(x)
                else:
                    x = step(x)
                outputs.append(x)
            return x

    return PlannedNetwork()


def _layer_module(layer: Layer) -> "nn.Module":
    """The parameters of one layer; nothing for additions and activations."""
    from torch import nn  # noqa: PLC0415

    match layer:
        case Dense():
            return nn.Linear(layer.inputs, layer.units)
        case Normalization(kind="batch"):
            return _batch_norm(layer.units)
        case Normalization():
            return nn.LayerNorm(layer.units, eps=EPSILON)
        case Scalar():
            return scalar_module(layer)
        case _:
            return nn.Identity()


def scalar_module(layer: Scalar) -> "nn.Module":
    """A learned number that multiplies its input, or is added to it, of any shape."""
    import torch  # noqa: PLC0415
    from torch import nn  # noqa: PLC0415

    class LearnedScalar(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.value = nn.Parameter(torch.tensor(layer.initial))

        def forward(self, x: "Tensor") -> "Tensor":
            return x * self.value if layer.kind == "scale" else x + self.value

    return LearnedScalar()


def _batch_norm(units: int) -> "nn.Module":
    """Keras's batch norm: its moving variance averages the biased variances, where torch's averages unbiased ones."""
    import torch  # noqa: PLC0415
    from torch import nn  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    class BatchNorm(nn.BatchNorm1d):
        def forward(self, input: "Tensor") -> "Tensor":  # noqa: A002 - the base class calls it so
            if not self.training:
                return super().forward(input)
            variance, mean = torch.var_mean(input, dim=0, correction=0)
            with torch.no_grad():
                for average, value in ((self.running_mean, mean), (self.running_var, variance)):
                    assert average is not None
                    average.lerp_(value, 1 - BATCH_NORM_MOMENTUM)
            return functional.batch_norm(input, None, None, self.weight, self.bias, training=True, eps=EPSILON)

    return BatchNorm(units, eps=EPSILON)
