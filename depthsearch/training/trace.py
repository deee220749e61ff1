"""What one run recorded. Arrays of NumPy, written once by an engine and never changed."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthsearch.networks.dense import as_dense
from depthsearch.problem.problem import Problem

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Counts: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state of a network at the end of some epochs (0 is before the first step).

    S snapshots, L weight layers (first to last, the output layer included). Gradients are those of the mean
    loss over the whole training set, batch norm using the statistics of that set.

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
        """Only those taken at the given epochs."""
        kept = np.isin(self.epochs, list(epochs))
        return Snapshot(**{field.name: getattr(self, field.name)[kept] for field in fields(self)})


def snapshot_epochs(budget: int) -> tuple[int, ...]:
    """0, the powers of two below the budget, and the budget's last epoch."""
    powers = [1 << k for k in range(budget.bit_length()) if 1 << k < budget]
    return (0, *powers, budget)


def evenly_spaced(budget: int) -> tuple[int, ...]:
    """0, every second of the budget's entries, and its last: for budgets in steps."""
    return tuple(sorted({*range(0, budget + 1, 2), budget}))


@dataclass(frozen=True, eq=False)
class Histograms:
    """How a quantity of each layer is spread, epoch by epoch: B equal bins between the least and the largest value.

    E + 1 epochs (0 is before the first step), L weight layers. Values that are not finite are in no bin; low and
    high are NaN where a layer has no other.

    Attributes:
        low: [E + 1, L] the least finite value.
        high: [E + 1, L] the largest.
        counts: [E + 1, L, B] values in each bin; a bin holds its lower edge, the last one both.
        total: [E + 1, L] sum of the finite values.
        squares: [E + 1, L] sum of their squares.
    """

    low: Floats
    high: Floats
    counts: Counts
    total: Doubles
    squares: Doubles

    @property
    def means(self) -> Doubles:
        """[E + 1, L] means of the finite values; NaN where a layer has none."""
        with np.errstate(all="ignore"):
            return np.asarray(self.total / self.counts.sum(axis=2))

    @property
    def deviations(self) -> Doubles:
        """[E + 1, L] standard deviations of the finite values; NaN where a layer has none."""
        with np.errstate(all="ignore"):
            means = self.means
            return np.asarray(np.sqrt(np.maximum(self.squares / self.counts.sum(axis=2) - means * means, 0)))

    def edges(self, epoch: int, layer: int) -> Floats:
        """[B + 1] the edges of one layer's bins at the end of an epoch."""
        bins = self.counts.shape[2]
        return np.linspace(self.low[epoch, layer], self.high[epoch, layer], bins + 1, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Regions:
    """What the network predicts over a rectangle of the plane, for data of two features.

    Attributes:
        epochs: [S] the epochs of the trace's snapshots.
        x: [K] first coordinates of the grid.
        y: [K] second coordinates.
        probabilities: [S, K, K, classes] of each class at (x[j], y[i]) under [:, i, j].
        points: [test points, 2] the test points.
    """

    epochs: Ints
    x: Floats
    y: Floats
    probabilities: Floats
    points: Floats


@dataclass(frozen=True, eq=False)
class Detail:
    """The whole budget of one run, recorded after every epoch.

    Attributes:
        snapshots: As those of the trace, for every epoch from 0 to the last.
        test_loss: [E + 1] mean loss over the test points.
        weights: Of each layer's W.
        gradients: Of each layer's dL/dW, L being the mean loss over the training set.
        initial_weights: Each layer's W [units, inputs] before the first step.
        final_weights: Each layer's W at the end.
        predictions: [test points, classes] probability of each class at the end; empty where no classes are learned.
        predicted: [test points] the class that is predicted there, as the accuracy counts it: by the logits, which
            differ where probabilities are rounded to the same number.
        labels: [test points] the class of each. For a sequence, points are positions that count, the first 10,000 of
            them.
        regions: The plane as the network sees it; None for data of other than two features.
    """

    snapshots: Snapshot
    test_loss: Floats
    weights: Histograms
    gradients: Histograms
    initial_weights: tuple[Floats, ...]
    final_weights: tuple[Floats, ...]
    predictions: Floats
    predicted: Ints
    labels: Ints
    regions: Regions | None


@dataclass(frozen=True)
class TrainingFacts:
    """What the detection needs to know of how a run was trained.

    Attributes:
        optimizer: sgd, adam, adamw, rmsprop or adagrad.
        learning_rate: The mean over the steps of the budget: times their number, it is how far a constant gradient
            moves a weight, whatever the schedule.
        momentum: Of sgd; 0 for the others.
        weight_decay: As the optimizer defines it, decoupled or L2: either moves weights that have no gradient. 0 for
            none.
        first_weights: Numbers in the first layer's W.
        batch_statistics: Whether a layer's output depends on the other points of the batch.
        entry: What people call an entry of the trace: "epoch" or "entry".
        points_per_entry: The fewest different training points, or positions of a sequence, that an entry's score is
            taken over; None where the score is no share of right predictions and has no binomial error.
        snapshot_points: Points of the batch that a snapshot shows; None for the whole training set.
        unseen: Layers whose outputs' gradients are not seen: containers that hold parameters apart from those of
            their layers, and layers whose weights are used without calling them.
        score_name: What the score is: "accuracy", "explained variance", or "score" where a user's code defines it.
        epsilon: What an adaptive optimizer adds to the number by which it divides a step; None for sgd.
    """

    optimizer: str
    learning_rate: float
    momentum: float
    weight_decay: float
    first_weights: int
    batch_statistics: bool
    entry: str
    points_per_entry: int | None
    snapshot_points: int | None = None
    unseen: tuple[int, ...] = ()
    score_name: str = "accuracy"
    epsilon: float | None = None

    @classmethod
    def of(cls, problem: Problem, *, points: int) -> "TrainingFacts":
        """The facts of a planned network of the problem, trained on so many points."""
        network = as_dense(problem.network)
        return cls.of_recipe(
            problem,
            first_weights=problem.data.spec.features * network.width,
            batch_statistics=network.normalization == "batch",
            points_per_entry=problem.recipe.points_per_entry(points),
            points=points,
        )

    @classmethod
    def of_recipe(
        cls, problem: Problem, *, first_weights: int, batch_statistics: bool, points_per_entry: int | None, points: int
    ) -> "TrainingFacts":
        """The facts that the recipe gives for so many training points, with those that only the network shows."""
        recipe = problem.recipe
        return cls(
            optimizer=recipe.optimizer,
            learning_rate=recipe.mean_learning_rate(recipe.total_steps(points)),
            momentum=recipe.momentum or 0.0,
            weight_decay=recipe.weight_decay,
            first_weights=first_weights,
            batch_statistics=batch_statistics,
            entry="epoch" if recipe.steps is None else "entry",
            points_per_entry=points_per_entry,
            epsilon=recipe.adaptive.epsilon,
        )


@dataclass(frozen=True, eq=False)
class Trace:
    """One run: what happened to one network of one depth from one seed. Detection reads nothing else.

    A trace has one entry for each epoch or, where the budget is in steps, for each twentieth of it; what is called an
    epoch here is such an entry. E is the number of entries recorded: the whole budget, or fewer where the watcher
    settled the run.

    Attributes:
        facts: How it was trained.
        depth: In the family's units.
        seed: From which the initial weights and the order of the batches were drawn.
        layers: [L] names of the weight layers, first to last.
        loss: [E] mean loss over the entry's batches, each with the weights of its moment.
        score: [E] mean accuracy over the same batches, as in Keras's `history`.
        baseline: The score of a constant guess: the share of the commonest class in the training set.
        snapshots: Per-layer figures at log-spaced entries.
        final_test_accuracy: Test accuracy at the end of the last recorded entry.
        steps: Optimizer steps taken in the recorded entries.
        budget_epochs: Entries that the whole budget holds.
        budget_steps: Optimizer steps that the whole budget holds.
        points: Points in the training set.
        detail: What record="full" adds; never stored, since a run can be trained again.
    """

    facts: TrainingFacts
    depth: int
    seed: int
    layers: tuple[str, ...]
    loss: Floats
    score: Floats
    baseline: float
    snapshots: Snapshot
    final_test_accuracy: float
    steps: int
    budget_epochs: int
    budget_steps: int
    points: int
    detail: Detail | None = None

    @property
    def epochs(self) -> int:
        """Entries recorded."""
        return len(self.loss)

    @property
    def complete(self) -> bool:
        """Whether the whole budget was trained."""
        return self.epochs >= self.budget_epochs
