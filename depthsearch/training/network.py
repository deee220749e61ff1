"""A plan built as a torch module."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from depthsearch.core.names import ActivationName
from depthsearch.families.plan import Activation, Add, Dense, Layer, Normalization, Plan
from depthsearch.training.initialization import Weights

EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.99

ACTIVATIONS: dict[ActivationName, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.01),
    "sigmoid": torch.sigmoid,
    "elu": functional.elu,
    "selu": functional.selu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softplus": functional.softplus,
    "softsign": functional.softsign,
    "identity": lambda x: x,
}


class BatchNorm(nn.Module):
    """Batch normalization with Keras's semantics: epsilon 1e-3, moving averages with momentum 0.99.

    While training, each of the `units` features is normalized with the batch's mean and (biased) variance,
    which also enter the moving averages; otherwise with the moving averages.
    """

    moving_mean: Tensor
    moving_variance: Tensor

    def __init__(self, units: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(units))
        self.shift = nn.Parameter(torch.zeros(units))
        self.register_buffer("moving_mean", torch.zeros(units))
        self.register_buffer("moving_variance", torch.ones(units))
        self.frozen = False

    def forward(self, x: Tensor) -> Tensor:
        """[batch, units] to [batch, units]."""
        if not self.training:
            mean, variance = self.moving_mean, self.moving_variance
        else:
            variance, mean = torch.var_mean(x, dim=0, correction=0)
            if not self.frozen:
                with torch.no_grad():
                    self.moving_mean.lerp_(mean, 1 - BATCH_NORM_MOMENTUM)
                    self.moving_variance.lerp_(variance, 1 - BATCH_NORM_MOMENTUM)
        return (x - mean) * torch.rsqrt(variance + EPSILON) * self.scale + self.shift


class Network(nn.Module):
    """A plan as a module, from inputs [batch, features] to logits [batch, outputs].

    Attributes:
        plan: The plan, layer by layer.
        dense: The layers with a weight matrix, first to last.
    """

    def __init__(self, plan: Plan, weights: Sequence[Weights]) -> None:
        super().__init__()
        self.plan = plan
        remaining = iter(weights)
        self.steps = nn.ModuleList([_module(layer, remaining) for layer in plan])
        self.dense = [step for step in self.steps if isinstance(step, nn.Linear)]

    def forward(self, x: Tensor) -> Tensor:
        """[batch, features] to logits [batch, outputs]."""
        return self.outputs(x)[-1]

    def outputs(self, x: Tensor) -> list[Tensor]:
        """The output of every layer of the plan, each [batch, units]."""
        outputs: list[Tensor] = []
        for layer, step in zip(self.plan, self.steps, strict=True):
            x = x + outputs[layer.source] if isinstance(layer, Add) else step(x)
            outputs.append(x)
        return outputs

    def freeze_statistics(self, frozen: bool) -> None:
        """While frozen, a forward pass leaves the moving averages of batch norm as they are."""
        for step in self.steps:
            if isinstance(step, BatchNorm):
                step.frozen = frozen


class _Function(nn.Module):
    def __init__(self, function: ActivationName) -> None:
        super().__init__()
        self.function = ACTIVATIONS[function]

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def _module(layer: Layer, weights: Iterator[Weights]) -> nn.Module:
    match layer:
        case Dense():
            # Built without values, so that torch's global random generator is never drawn from.
            linear: nn.Linear = nn.utils.skip_init(nn.Linear, layer.inputs, layer.units)  # type: ignore[no-untyped-call]
            weight, bias = next(weights)
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(weight))
                linear.bias.copy_(torch.from_numpy(bias))
            return linear
        case Normalization(kind="batch"):
            return BatchNorm(layer.units)
        case Normalization():
            return nn.LayerNorm(layer.units, eps=EPSILON)
        case Activation():
            return _Function(layer.function)
        case Add():
            return nn.Identity()
