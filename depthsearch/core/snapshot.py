"""The state of a network at some moments of its training."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state of a network at the end of some epochs (0 is before the first step).

    S snapshots, L weight layers (first to last, the output layer included). Gradients are those of the mean
    loss over the whole training set, batch norm using that set's own statistics.

    Attributes:
        epochs: [S] the epochs, log-spaced: 0, 1, 2, 4, 8, ... and the last of the budget.
        weight_gradient_norm: [S, L] Euclidean norm of dL/dW, biases left out.
        mean_abs_gradient: [S, L] mean of |dL/dW| over the weights.
        activation_gradient_norm: [S, L] Euclidean norm, over all training points, of dL/dh, h being the layer's
            output after its activation (the logits, for the output layer).
        weight_norm: [S, L] Euclidean norm of W.
        weight_change: [S, L] |W - W at the start| / |W at the start|.
        never_active: [S, L] share of the layer's units whose activation is flat (exactly zero slope) at every
            training point: ReLU units that are never above zero. 0 for activations without a flat part.
        output_range: [S] largest difference between the logits of any two training points, over all outputs.
        input_correlation: [S] cosine between the last hidden layer's outputs for two different training points,
            averaged over all pairs: 1 where the network no longer tells its inputs apart. Points for which that
            output is zero are left out; NaN where fewer than two remain.
        test_accuracy: [S] share of test points classified correctly.
    """

    epochs: Ints
    weight_gradient_norm: Floats
    mean_abs_gradient: Floats
    activation_gradient_norm: Floats
    weight_norm: Floats
    weight_change: Floats
    never_active: Floats
    output_range: Floats
    input_correlation: Floats
    test_accuracy: Floats

    def __len__(self) -> int:
        return len(self.epochs)

    def at_epochs(self, epochs: Collection[int]) -> "Snapshot":
        """Those taken at the given epochs alone."""
        kept = np.isin(self.epochs, list(epochs))
        return Snapshot(**{field.name: getattr(self, field.name)[kept] for field in fields(self)})


def snapshot_epochs(budget: int) -> tuple[int, ...]:
    """0, the powers of two below the budget, and the budget's last epoch."""
    powers = [1 << k for k in range(budget.bit_length()) if 1 << k < budget]
    return (0, *powers, budget)
