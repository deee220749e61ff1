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
"""Share of its size by which a loss has to fall to be improving: the entries of a network that tells no inputs apart
have so nearly equal losses that a fall of 1e-5 is many standard errors.
"""


LEARNING_RANGE, ROUNDED = 0.3, 1e-6
"""The largest difference between two logits from which on networks learn, and one that may be rounding alone."""

AT_THE_BAR = 0.1
"""Share of the entries that reach the chance bar from which on a run was there at times; fewer are chance."""


def crossed(trace: Trace, criterion: Criterion) -> bool:
    """Whether a tenth of the entries reached the chance bar, or the last one did."""
    above = reached(trace, chance_bar_of(trace, criterion))
    return bool(len(above)) and (bool(above[-1]) or float(above.mean()) >= AT_THE_BAR)


def flatness(trace: Trace, criterion: Criterion) -> dict[str, float]:
    """How far the scores came: the best, the share of the entries at the chance bar, and that bar."""
    bar = chance_bar_of(trace, criterion)
    best, share = (
        (float(trace.score.max()), float(reached(trace, bar).mean())) if trace.epochs else (trace.baseline, 0.0)
    )
    return {"best_accuracy": best, "share_at_the_bar": share, "chance_bar": bar}


def is_flat(trace: Trace, criterion: Criterion) -> bool:
    """Not at the chance bar (see `crossed`), and no trend of more than 0.01 an entry."""
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


def largest_ratio(trace: Trace) -> float | None:
    """The largest gradient ratio, without that of the start where a snapshot shows one batch; None for none."""
    first = 1 if shows_batches(trace) else 0
    ratios = (gradient_ratio(trace, index) for index in range(first, len(trace.snapshots)))
    return max((ratio for ratio in ratios if ratio is not None), default=None)


def most_moved(trace: Trace) -> tuple[str, float] | None:
    """The layer whose weights changed most relative to their size, and that change; None where it is undefined."""
    changes = trace.snapshots.weight_change[-1].astype(np.float64)
    if np.isnan(changes).all():
        return None
    layer = int(np.nanargmax(changes))
    return trace.layers[layer], float(changes[layer])


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


def budgets_to_learn(trace: Trace) -> float | None:
    """In how many more budgets the signal of a network on a plateau has grown to a size at which networks learn.

    The signal is the spread of the outputs and the gradient of the first layer's weights. Small signals grow
    exponentially (Saxe et al. 2014, arXiv 1312.6120), so that the faster of both rates, over the budget's second half,
    is held. None where neither grows, where the gradient did not grow in the quarter before either, where outputs are,
    or once were, far enough apart, or where they differ by rounding alone.
    """
    snapshots, half = trace.snapshots, second_half(trace)
    if not trace.complete or len(half) < 2:  # noqa: PLR2004 - a rate needs two
        return None
    first, last = half[0], half[-1]
    before = int(np.flatnonzero(2 * snapshots.epochs <= snapshots.epochs[first])[-1])
    spread = snapshots.output_range.astype(np.float64)
    gradient = snapshots.weight_gradient_norm[:, first_layer(trace)].astype(np.float64)
    if not np.nanmax(spread) < LEARNING_RANGE or spread[last] <= ROUNDED:
        return None
    if _growth(gradient[before], gradient[first]) <= 0:
        return None
    growth = max(_growth(gradient[first], gradient[last]), _growth(spread[first], spread[last]))
    rate = growth / (snapshots.epochs[last] - snapshots.epochs[first]) * trace.budget_epochs
    return float(math.log(LEARNING_RANGE / spread[last]) / rate) if rate > 0 else None


def _growth(before: float, after: float) -> float:
    """The logarithm of how many times as large a figure became; 0 where it is undefined."""
    return math.log(after / before) if 0 < before < math.inf and 0 < after < math.inf else 0.0


def improvement(trace: Trace) -> float | None:
    """By how many standard errors the loss fell from the budget's last fifth but one to its last; None if too short."""
    fifth = trace.epochs // FIFTH
    if fifth < 2 or not np.isfinite(trace.loss[-2 * fifth :]).all():  # noqa: PLR2004 - a variance needs two
        return None
    losses = trace.loss[-2 * fifth :].astype(np.float64)
    before, after = losses[:fifth], losses[fifth:]
    error = math.sqrt((before.var(ddof=1) + after.var(ddof=1)) / fifth)
    fall = float(before.mean() - after.mean())
    if fall < LEAST_FALL * abs(float(before.mean())):
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
