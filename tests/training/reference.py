"""An independent reference in float64: the networks as the report describes them, written out by hand.

It shares no code with the package: no plan, no module, no optimizer.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

EPSILON = 1e-3
Gradients: TypeAlias = list[NDArray[np.float64]]


def batch_norm(x: Tensor) -> Tensor:
    """Keras's formula for a batch in training, gamma 1 and beta 0: (x - mean) / sqrt(biased variance + epsilon)."""
    mean = x.sum(0) / len(x)
    variance = ((x - mean) ** 2).sum(0) / len(x)
    return (x - mean) / torch.sqrt(variance + EPSILON)


class Reference:
    """ffnet or resnet with float64 leaves `weights` and `biases`, in the order of the dense layers."""

    def __init__(self, family: str, depth: int, activation: str, initial: Sequence[tuple[NDArray, NDArray]]) -> None:  # type: ignore[type-arg]
        self.family, self.depth = family, depth
        self.activation = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}[activation]
        self.weights = [torch.tensor(weight, dtype=torch.float64, requires_grad=True) for weight, _ in initial]
        self.biases = [torch.tensor(bias, dtype=torch.float64, requires_grad=True) for _, bias in initial]
        self.hidden: list[Tensor] = []

    def _dense(self, k: int, x: Tensor) -> Tensor:
        return x @ self.weights[k].T + self.biases[k]

    def _hidden(self, k: int, x: Tensor) -> Tensor:
        output = self.activation(self._dense(k, x))
        self.hidden.append(output)
        return output

    def logits(self, x: Tensor) -> Tensor:
        self.hidden = []
        if self.family == "ffnet":
            for k in range(self.depth):
                x = self._hidden(k, x)
        else:
            x = self._hidden(1, self._hidden(0, x))
            for block in range(self.depth):
                x = x + self._hidden(2 * block + 3, self._hidden(2 * block + 2, batch_norm(x)))
            x = self._hidden(2 * self.depth + 2, x)
        return self._dense(len(self.weights) - 1, x)

    def loss(self, x: NDArray[np.float32], y: NDArray[np.int64]) -> Tensor:
        """Binary cross-entropy, or the multi-class one where there are several outputs."""
        logits = self.logits(torch.tensor(x, dtype=torch.float64))
        labels = torch.tensor(y)
        if logits.shape[1] == 1:
            p = torch.sigmoid(logits[:, 0])
            return -(labels * torch.log(p) + (1 - labels) * torch.log(1 - p)).mean()
        shares = torch.exp(logits) / torch.exp(logits).sum(1, keepdim=True)
        return -torch.log(shares[torch.arange(len(labels)), labels]).mean()

    def gradients(self, x: NDArray[np.float32], y: NDArray[np.int64]) -> tuple[Gradients, Gradients, Gradients]:
        """dL/dW, dL/db and dL/dh, layer by layer."""
        loss = self.loss(x, y)
        parts = torch.autograd.grad(loss, [*self.weights, *self.biases, *self.hidden])
        n = len(self.weights)
        arrays = [part.numpy() for part in parts]
        return arrays[:n], arrays[n : 2 * n], arrays[2 * n :]
