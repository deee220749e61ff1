"""Figures of a trace that the rules hold against thresholds. Pure functions; None where a figure is undefined."""

import math

import numpy as np
from numpy.typing import NDArray

from depthsearch.detection.trained import STANDARD_ERRORS, chance_bar_of, reached
from depthsearch.problem.criterion import Criterion
from depthsearch.training.trace import Trace

FLAT_CHANGE = 0.01


SWING, SWING_SHARE = 0.03, 0.2
"""Of the accuracy between two entries, and the share of the entries that it is seen in (AutoTrainer's oscillation)."""

FIFTH = 5

LEAST_FALL = 1e-3
"""Share of its size by which a loss has to fall to be improving, where a snapshot shows one batch: the entries of a
network that tells no inputs apart have so nearly equal losses that a fall of 1e-5 is many standard errors.
"""


def crossed(trace: Trace, criterion: Criterion) -> bool:
    """Whether any entry reached the chance bar."""
    return bool(reached(trace, chance_bar_of(trace, criterion)).any())


def is_flat(trace: Trace, criterion: Criterion) -> bool:
    """Never at the chance bar, and no trend of more than 0.01 an entry."""
    accuracy = trace.score
    if not len(accuracy) or crossed(trace, criterion):
        return False
    if len(accuracy) == 1:
        return True
    slope = np.polynomial.polynomial.polyfit(np.arange(len(accuracy)), accuracy.astype(np.float64), 1)[1]
    return bool(abs(slope) <= FLAT_CHANGE)


def hidden_layers(trace: Trace) -> list[int]:
    """The layers before the last one whose outputs' gradients are seen, first to last."""
    return [layer for layer in range(len(trace.layers) - 1) if layer not in trace.facts.unseen]


def first_layer(trace: Trace) -> int:
    """The first layer whose output's gradient is seen."""
    return next((layer for layer in range(len(trace.layers)) if layer not in trace.facts.unseen), 0)


def gradient_ratio(trace: Trace, snapshot: int) -> float | None:
    """|dL/dh| at the first hidden layer over that at the last, in one snapshot; None where it is undefined."""
    hidden = hidden_layers(trace)
    if not len(trace.snapshots) or not hidden:
        return None
    gradients = trace.snapshots.activation_gradient_norm[snapshot].astype(np.float64)
    first, last = float(gradients[hidden[0]]), float(gradients[hidden[-1]])
    if not math.isfinite(first) or not math.isfinite(last) or last == 0:
        return None
    return first / last


def shows_batches(trace: Trace) -> bool:
    """Whether each snapshot shows one batch, as those of torch modules do, and not the whole training set.

    Then the start decides nothing: modules that train can start with a gradient ratio of 1e-4 or of 200, and with the
    same output for every input. What a run comes to is read from more than one snapshot (see `end_value`).
    """
    return trace.facts.snapshot_points is not None


def second_half(trace: Trace) -> list[int]:
    """The snapshots of a run's second half, the last one included."""
    epochs = trace.snapshots.epochs
    return [index for index in range(len(epochs)) if 2 * epochs[index] >= epochs[-1]]


def end_value(trace: Trace, values: NDArray[np.float64], *, largest: bool) -> float | None:
    """What a figure [S] of the snapshots comes to; None where it is undefined.

    That of the last snapshot. Where a snapshot shows one batch: the larger of the last one's and the median of the
    second half's, or the smaller of both, so that a sign counts which both of them show.
    """
    if not len(values):
        return None
    last = float(values[-1])
    if shows_batches(trace):
        later = values[second_half(trace)]
        defined = later[~np.isnan(later)]
        both = [last, float(np.median(defined))] if len(defined) else [math.nan]
        last = max(both) if largest else min(both)
    return None if math.isnan(last) else last


def end_ratio(trace: Trace, *, largest: bool) -> float | None:
    """What the gradient ratio comes to (see `end_value`)."""
    ratios = (gradient_ratio(trace, index) for index in range(len(trace.snapshots)))
    return end_value(trace, np.array([math.nan if ratio is None else ratio for ratio in ratios]), largest=largest)


def reach(trace: Trace) -> float | None:
    """How far the first layer's weights could move in the whole budget at the gradient of the start.

    mean learning rate / (1 - momentum) x steps x |dL/dW1| for SGD. Adam divides the gradient by its size, so there it
    is the root mean square of dL/dW1 over Adam's epsilon, below which steps shrink: the smaller of start and end.
    Where a snapshot shows one batch, the start decides nothing: the largest gradient of the run for SGD, that of its
    end for Adam. Clipping can only shorten the way, and weight decay moves weights without teaching them: both are left
    out, so that the figure is an upper limit.
    """
    if not len(trace.snapshots):
        return None
    gradients = trace.snapshots.weight_gradient_norm[:, first_layer(trace)].astype(np.float64)
    if trace.facts.optimizer == "sgd":
        return _reach(trace, float(np.fmax.reduce(gradients)) if shows_batches(trace) else float(gradients[0]))
    end = end_value(trace, gradients, largest=True) if shows_batches(trace) else float(gradients[[0, -1]].min())
    return None if end is None else _reach(trace, end)


def reach_at_start(trace: Trace) -> float:
    """The reach by the gradient of the start."""
    return _reach(trace, float(trace.snapshots.weight_gradient_norm[0, first_layer(trace)]))


def _reach(trace: Trace, gradient: float) -> float:
    facts = trace.facts
    if facts.epsilon is None:
        return float(facts.learning_rate / (1 - facts.momentum) * trace.budget_steps * gradient)
    return gradient / math.sqrt(facts.first_weights) / facts.epsilon


def step_share(trace: Trace) -> float | None:
    """How large the first layer's steps under Adam end, next to the learning rate; None where it is undefined.

    Adam divides a gradient by the root mean square of those before, which it forgets over some thousand steps: a
    gradient that fell to a thousandth of its size moves a layer by a thousandth of the learning rate. Both sizes are
    those of the snapshots; for the end, see `end_value`.
    """
    gradients = trace.snapshots.weight_gradient_norm[:, first_layer(trace)].astype(np.float64)
    end = end_value(trace, gradients, largest=True)
    if end is None or not np.isfinite(gradients).all():
        return None
    steps = trace.snapshots.epochs * (trace.budget_steps / max(trace.budget_epochs, 1))
    decay = trace.facts.second_decay
    kept = (1.0 if decay is None else decay) ** (steps[-1] - steps)
    past = math.sqrt(float((kept * gradients**2).sum() / kept.sum()))
    return end / past if past > 0 else None


def improvement(trace: Trace) -> float | None:
    """By how many standard errors the loss fell from the budget's last fifth but one to its last; None if too short."""
    fifth = trace.epochs // FIFTH
    if fifth < 2 or not np.isfinite(trace.loss[-2 * fifth :]).all():  # noqa: PLR2004 - a variance needs two
        return None
    losses = trace.loss[-2 * fifth :].astype(np.float64)
    before, after = losses[:fifth], losses[fifth:]
    error = math.sqrt((before.var(ddof=1) + after.var(ddof=1)) / fifth)
    fall = float(before.mean() - after.mean())
    if shows_batches(trace) and fall < LEAST_FALL * abs(float(before.mean())):
        return min(fall, 0.0) / error if error > 0 else 0.0
    return fall / error if error > 0 else 0.0


def swing_threshold(trace: Trace) -> float:
    """How far the accuracy must move between two entries to count: 0.03, or what chance moves it, if more.

    Chance: three standard errors of the difference between two shares of an entry's points.
    """
    rate = trace.baseline
    if trace.facts.points_per_entry is None:
        return SWING
    return max(SWING, STANDARD_ERRORS * math.sqrt(2 * rate * (1 - rate) / trace.facts.points_per_entry))


def swing_share(trace: Trace) -> float:
    """Share of the entries whose accuracy differs from the entry before by more than `swing_threshold`."""
    if trace.epochs < 2:  # noqa: PLR2004 - a pair
        return 0.0
    return float(np.mean(np.abs(np.diff(trace.score.astype(np.float64))) >= swing_threshold(trace)))
