"""What one run recorded. Arrays of NumPy, written once by an engine and never changed."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthsearch.core.problem import Problem

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


@dataclass(frozen=True, eq=False)
class Trace:
    """One run: what happened to one network of one depth from one seed.

    E is the number of epochs recorded: the whole budget, or fewer where the watcher settled the run.

    Attributes:
        problem: What was trained.
        depth: In the family's units.
        seed: From which the initial weights and the order of the batches were drawn.
        layers: [L] names of the weight layers, first to last.
        train_loss: [E] mean loss over the epoch's batches, each with the weights of its moment.
        train_accuracy: [E] likewise (Keras's `history`).
        snapshots: Per-layer figures at log-spaced epochs.
        final_test_accuracy: Test accuracy at the end of the last recorded epoch.
        steps: Optimizer steps taken in the recorded epochs.
        budget_epochs: Epochs that the whole budget holds.
        budget_steps: Optimizer steps that the whole budget holds.
        majority_rate: Share of the commonest class in the training set: the score of a constant guess.
        points: Points in the training set.
        features: Numbers in one input.
    """

    problem: Problem
    depth: int
    seed: int
    layers: tuple[str, ...]
    train_loss: Floats
    train_accuracy: Floats
    snapshots: Snapshot
    final_test_accuracy: float
    steps: int
    budget_epochs: int
    budget_steps: int
    majority_rate: float
    points: int
    features: int

    @property
    def epochs(self) -> int:
        """Epochs recorded."""
        return len(self.train_loss)

    @property
    def complete(self) -> bool:
        """Whether the whole budget was trained."""
        return self.epochs >= self.budget_epochs


def snapshot_epochs(budget: int) -> tuple[int, ...]:
    """0, the powers of two below the budget, and the budget's last epoch."""
    powers = [1 << k for k in range(budget.bit_length()) if 1 << k < budget]
    return (0, *powers, budget)
