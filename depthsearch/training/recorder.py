"""Gathers what a run records into a Trace. The engines share it; no torch here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depthsearch.data.base import Dataset
from depthsearch.networks.base import Plan, weight_layers
from depthsearch.problem.problem import Problem
from depthsearch.training.detail import DetailRecorder
from depthsearch.training.trace import Snapshot, Trace, TrainingFacts, snapshot_epochs

PER_LAYER = (
    "weight_gradient_norm",
    "mean_abs_gradient",
    "activation_gradient_norm",
    "weight_norm",
    "weight_change",
    "never_active",
)


PER_NETWORK = ("output_range", "input_correlation", "test_accuracy")


@dataclass(frozen=True)
class RunFacts:
    """What a recorder knows of its run before anything is trained.

    Attributes:
        training: How it is trained.
        layers: [L] names of the layers, first to last.
        depth: In the family's units.
        seed: Of the run.
        baseline: The score of a constant guess.
        points: Inputs in the training set.
        steps_per_epoch: Optimizer steps in one pass over them.
        ends: [E] the optimizer steps after which each entry of the budget ends.
        snapshots: The entries that a snapshot is taken at; by default log-spaced.
        tested: Whether the test score is taken at every snapshot, rather than for the detail and at the end only.
    """

    training: TrainingFacts
    layers: tuple[str, ...]
    depth: int
    seed: int
    baseline: float
    points: int
    steps_per_epoch: int
    ends: Sequence[int]
    snapshots: tuple[int, ...]
    tested: bool = True

    @classmethod
    def of_plan(cls, problem: Problem, plan: Plan, data: Dataset, *, depth: int, seed: int) -> "RunFacts":
        """Of a planned network of the problem."""
        ends = problem.recipe.entry_ends(data.points)
        return cls(
            training=TrainingFacts.of(problem, points=data.points),
            layers=tuple(layer.name for layer in weight_layers(plan)),
            depth=depth,
            seed=seed,
            baseline=data.baseline,
            points=data.points,
            steps_per_epoch=problem.recipe.steps_per_epoch(data.points),
            ends=ends,
            snapshots=snapshot_epochs(len(ends)),
        )


class Recorder:
    """One run's growing record.

    Args:
        facts: Of the run.
        detail: Records what Trace.detail holds; None for a summary.
    """

    def __init__(self, facts: RunFacts, detail: DetailRecorder | None = None) -> None:
        self.facts, self.detail = facts, detail
        self.ends, self.steps_per_epoch = facts.ends, facts.steps_per_epoch
        self.budget_steps, self.budget_epochs = self.ends[-1], len(self.ends)
        self._snapshot_epochs = frozenset(facts.snapshots)
        self._losses: list[float] = []
        self._accuracies: list[float] = []
        self._epochs: list[int] = []
        self._snapshots: dict[str, list[ArrayLike]] = {name: [] for name in (*PER_LAYER, *PER_NETWORK)}

    @property
    def epoch(self) -> int:
        """The last entry recorded; 0 before the first."""
        return len(self._losses)

    @property
    def steps(self) -> int:
        """The optimizer steps taken so far."""
        return self.ends[self.epoch - 1] if self.epoch else 0

    def snapshot_due(self) -> bool:
        """Whether a snapshot is missing at the present entry: at the log-spaced entries, or at each for the detail."""
        wanted = self.detail is not None or self.log_spaced
        return wanted and self._epochs[-1:] != [self.epoch]

    @property
    def log_spaced(self) -> bool:
        """Whether the present entry is one of the log-spaced ones."""
        return self.epoch in self._snapshot_epochs

    def epochs_to_snapshot(self) -> int:
        """How many entries there are from the present one to the next that wants a snapshot."""
        if self.detail is not None:
            return 1
        return min(epoch for epoch in self._snapshot_epochs if epoch > self.epoch) - self.epoch

    def cut(self, epoch: int) -> None:
        """Forget the entries after `epoch`, all of them without a snapshot."""
        del self._losses[epoch:], self._accuracies[epoch:]

    def add_epoch(self, loss: float, accuracy: float) -> None:
        """The running means over one entry's batches."""
        self._losses.append(loss)
        self._accuracies.append(accuracy)

    def add_snapshot(self, figures: Mapping[str, ArrayLike]) -> None:
        """The figures of `Snapshot` for the present entry: [L] for a layer's, a number for the network's."""
        self._epochs.append(self.epoch)
        for name, values in self._snapshots.items():
            values.append(figures[name])

    def state(self) -> dict[str, Any]:
        """The record so far as plain values; without a detail, which is not kept."""
        figures = {name: [np.asarray(value).tolist() for value in values] for name, values in self._snapshots.items()}
        return {"losses": self._losses, "scores": self._accuracies, "epochs": self._epochs, "snapshots": figures}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._losses, self._accuracies = list(state["losses"]), list(state["scores"])
        self._epochs, self._snapshots = list(state["epochs"]), dict(state["snapshots"])

    def trace(self, final_test_accuracy: float = float("nan")) -> Trace:
        """The record so far."""
        every = Snapshot(
            epochs=np.asarray(self._epochs, dtype=np.int64),
            **{name: _floats(values) for name, values in self._snapshots.items()},
        )
        summary = every.at_epochs(self._snapshot_epochs) if self.detail else every
        if not self.facts.tested:
            summary = replace(summary, test_accuracy=np.full(len(summary), np.nan, np.float32))
        return Trace(
            facts=self.facts.training,
            depth=self.facts.depth,
            seed=self.facts.seed,
            layers=self.facts.layers,
            loss=_floats(self._losses),
            score=_floats(self._accuracies),
            snapshots=summary,
            final_test_accuracy=final_test_accuracy,
            steps=self.steps,
            budget_epochs=self.budget_epochs,
            budget_steps=self.budget_steps,
            baseline=self.facts.baseline,
            points=self.facts.points,
            detail=self.detail.detail(every) if self.detail else None,
        )


def _floats(values: ArrayLike | list[ArrayLike]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what explodes is infinite in single precision
        return np.asarray(values, dtype=np.float32)


ORDER_STREAM = 1
"""Which of a seed's streams the batches are drawn from; weights have another (see initialization)."""


class EpochOrders:
    """One permutation of range(points) for each epoch, counted from 0. Batches are consecutive slices of it.

    Args:
        points: In the training set.
        seed: Of the run.
    """

    def __init__(self, points: int, seed: int) -> None:
        self._points = np.arange(points)
        self._rng = np.random.default_rng([seed, ORDER_STREAM])
        self._drawn = 0
        self._latest = self._points[None]

    def of_epochs(self, first: int, last: int) -> NDArray[np.int64]:
        """[last - first + 1, points] the orders of those epochs, the same however many are taken at a time.

        Epochs are taken one after another; only the last one that was taken may be taken again.
        """
        again = self._latest if first < self._drawn else self._latest[:0]
        drawn = self._rng.permuted(np.tile(self._points, (last + 1 - self._drawn, 1)), axis=1)
        orders = np.concatenate([again, drawn])
        self._drawn, self._latest = last + 1, orders[-1:]
        return orders
