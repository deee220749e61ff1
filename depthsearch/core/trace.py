"""What one run recorded. Arrays of NumPy, written once by an engine and never changed."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthsearch.core.detail import Detail
from depthsearch.core.problem import Problem
from depthsearch.core.snapshot import Snapshot

Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Trace:
    """One run: what happened to one network of one depth from one seed.

    A trace has one entry for each epoch or, where the budget is in steps, for each twentieth of it; what is called an
    epoch here is such an entry. E is the number of entries recorded: the whole budget, or fewer where the watcher
    settled the run.

    Attributes:
        problem: What was trained.
        depth: In the family's units.
        seed: From which the initial weights and the order of the batches were drawn.
        layers: [L] names of the weight layers, first to last.
        train_loss: [E] mean loss over the entry's batches, each with the weights of its moment.
        train_accuracy: [E] likewise (Keras's `history`).
        snapshots: Per-layer figures at log-spaced entries.
        final_test_accuracy: Test accuracy at the end of the last recorded entry.
        steps: Optimizer steps taken in the recorded entries.
        budget_epochs: Entries that the whole budget holds.
        budget_steps: Optimizer steps that the whole budget holds.
        majority_rate: Share of the commonest class in the training set: the score of a constant guess.
        points: Points in the training set.
        features: Numbers in one input.
        detail: All that a run shows, where it was asked for; never stored, since a run can be trained again.
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
    detail: Detail | None = None

    @property
    def epochs(self) -> int:
        """Entries recorded."""
        return len(self.train_loss)

    @property
    def entry(self) -> str:
        """What people call an entry."""
        return "epoch" if self.problem.recipe.steps is None else "entry"

    @property
    def points_per_entry(self) -> int:
        """The fewest different training points that an entry's score is taken over."""
        return self.problem.recipe.points_per_entry(self.points)

    @property
    def complete(self) -> bool:
        """Whether the whole budget was trained."""
        return self.epochs >= self.budget_epochs
