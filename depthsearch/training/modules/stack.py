"""A plan built as a torch module: several networks of it, side by side."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

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
from depthsearch.networks.initialization import Weights


class StackedLinear(nn.Module):
    """One dense layer of each of R networks: [R, batch, inputs] to [R, batch, units].

    Attributes:
        weight: [R, inputs, units], the transpose of each network's W.
        bias: [R, 1, units].
    """

    def __init__(self, weights: Sequence[Weights]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.from_numpy(np.stack([weight.T for weight, _ in weights])))
        self.bias = nn.Parameter(torch.from_numpy(np.stack([bias[None] for _, bias in weights])))

    def forward(self, x: Tensor) -> Tensor:
        """[R, batch, inputs] to [R, batch, units]."""
        return torch.baddbmm(self.bias, x, self.weight)


class BatchNorm(nn.Module):
    """Batch normalization with Keras's semantics: epsilon 1e-3, moving averages with momentum 0.99.

    While training, each of the `units` features of each of R networks is normalized with the batch's mean and
    (biased) variance, which also enter the moving averages; otherwise with the moving averages.
    """

    moving_mean: Tensor
    moving_variance: Tensor

    def __init__(self, networks: int, units: int) -> None:
        super().__init__()
        shape = (networks, 1, units)
        self.scale = nn.Parameter(torch.ones(shape))
        self.shift = nn.Parameter(torch.zeros(shape))
        self.register_buffer("moving_mean", torch.zeros(shape))
        self.register_buffer("moving_variance", torch.ones(shape))
        self.frozen = False

    def forward(self, x: Tensor) -> Tensor:
        """[R, batch, units] to [R, batch, units]."""
        if not self.training:
            mean, variance = self.moving_mean, self.moving_variance
        else:
            # In float32 also where the layers before it compute in fewer bits.
            variance, mean = torch.var_mean(x.float(), dim=1, correction=0, keepdim=True)
            if not self.frozen:
                with torch.no_grad():
                    self.moving_mean.lerp_(mean, 1 - BATCH_NORM_MOMENTUM)
                    self.moving_variance.lerp_(variance, 1 - BATCH_NORM_MOMENTUM)
        return (x - mean) * torch.rsqrt(variance + EPSILON) * self.scale + self.shift


class StackedLayerNorm(nn.Module):
    """Layer normalization of each of R networks, epsilon 1e-3."""

    def __init__(self, networks: int, units: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(networks, 1, units))
        self.shift = nn.Parameter(torch.zeros(networks, 1, units))

    def forward(self, x: Tensor) -> Tensor:
        """[R, batch, units] to [R, batch, units]."""
        return functional.layer_norm(x, x.shape[-1:], eps=EPSILON) * self.scale + self.shift


class StackedScalar(nn.Module):
    """One learned number of each of R networks, which multiplies the input or is added to it."""

    def __init__(self, networks: int, layer: Scalar) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.full((networks, 1, 1), layer.initial))
        self.scales = layer.kind == "scale"

    def forward(self, x: Tensor) -> Tensor:
        """[R, batch, units] to [R, batch, units]."""
        return x * self.value if self.scales else x + self.value


class NetworkStack(nn.Module):
    """R networks of one plan side by side, from inputs [R, batch, features] to logits [R, batch, outputs].

    No network sees another: every operation keeps the first axis apart.

    Args:
        plan: The plan, layer by layer.
        weights: For each network, (W, b) of every dense layer.
    """

    def __init__(self, plan: Plan, weights: Sequence[Sequence[Weights]]) -> None:
        super().__init__()
        self.plan = plan
        by_layer = iter(zip(*weights, strict=True))
        self.steps = nn.ModuleList([_module(layer, by_layer, len(weights)) for layer in plan])
        self.dense = [step for step in self.steps if isinstance(step, StackedLinear)]

    def forward(self, x: Tensor) -> Tensor:
        """[R, batch, features] to logits [R, batch, outputs]."""
        return self.outputs(x)[-1]

    def outputs(self, x: Tensor) -> list[Tensor]:
        """The output of every layer of the plan, each [R, batch, units]."""
        outputs: list[Tensor] = []
        for layer, step in zip(self.plan, self.steps, strict=True):
            x = x + outputs[layer.source] if isinstance(layer, Add) else step(x)
            outputs.append(x)
        return outputs

    def keep(self, places: Tensor) -> None:
        """Leave only the networks at these places of the first axis."""
        for tensor in (*self.parameters(), *self.buffers()):
            tensor.data = tensor.data[places]

    def freeze_statistics(self, frozen: bool) -> None:
        """While frozen, a forward pass leaves the moving averages of batch norm as they are."""
        for step in self.steps:
            if isinstance(step, BatchNorm):
                step.frozen = frozen


class _Function(nn.Module):
    def __init__(self, function: str) -> None:
        super().__init__()
        self.function = activation_of(function).function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def _module(layer: Layer, by_layer: Iterator[Sequence[Weights]], networks: int) -> nn.Module:
    match layer:
        case Dense():
            return StackedLinear(next(by_layer))
        case Normalization(kind="batch"):
            return BatchNorm(networks, layer.units)
        case Normalization():
            return StackedLayerNorm(networks, layer.units)
        case Activation():
            return _Function(layer.function)
        case Scalar():
            return StackedScalar(networks, layer)
        case Add():
            return nn.Identity()
