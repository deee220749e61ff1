"""The rules that ask what layers and outputs show: exploded, dead, vanished, input blind, and on their way to see.

Thresholds are the literature's where it has them: a loss of 1e3 and a gradient ratio of 70 for exploding, 1e-3 for
vanishing, 70 % of the units for dead networks (AutoTrainer, Zhang et al., ICSE 2021). Ratios are those
of ACTIVATION gradients, first hidden layer to last: with zero biases the weight gradients of all layers
vanish together, and their ratio shows nothing. The other thresholds were chosen here: benchmarks/README.md shows where
runs lie relative to each.

The snapshots of torch modules show one batch each, and modules that train can start with signs of every cause: there
causes are read from the second half of the run (see `figures.end_value`), and the start only tells a network that
never saw its inputs from one that training collapsed.
"""

import math

import numpy as np

from depthsearch.detection.figures import (
    AT_THE_BAR,
    budgets_to_learn,
    crossed,
    end_ratio,
    end_value,
    first_layer,
    flatness,
    gradient_ratio,
    hidden_layers,
    improvement,
    is_flat,
    largest_ratio,
    most_moved,
    reach,
    reach_at_start,
    second_half,
    shows_batches,
)
from depthsearch.detection.trained import chance_bar_of, reached
from depthsearch.detection.verdict import Figures, Finding, Thresholds, VerdictKind
from depthsearch.problem.criterion import Criterion
from depthsearch.training.trace import Trace

EXPLODED_LOSS = 1e3
EXPLODED_RATIO = 70.0
DEAD_SHARE = 0.7
VANISHED_RATIO = 1e-3
VANISHED_REACH = 1.0
UNCHANGED = 1e-3

SHRINKING = 0.1
"""Share of the last hidden layer's gradient. Where more reaches the first layer and yet hardly moves it, the steps are
too small for any layer, and nothing vanished.
"""

BLIND_CORRELATION, BLIND_RANGE = 0.999, 0.1
"""Of the last hidden layer's outputs for two inputs, and the largest difference of two logits. The rule needs both:
outputs of a few units that are never negative point the same way even where the network distinguishes its inputs.
"""

COLLAPSED, MOVED, THROWN = 0.03, 0.03, 0.2
"""What is left of the largest gradient ratio of the run, and by how much, relative to their size, the weights of the
first layer and those of the layer that moved most have changed (benchmarks/detector.py).
"""

BUDGETS = 6.0
"""As many more budgets as a signal may take at its present rate, which itself grows (benchmarks/detector.py): networks
that train within four budgets in all need up to twice as many by their rate in the first.
"""

ARRIVES = 0.01
"""Share of the last hidden layer's gradient from which on gradients arrive at the first: a network that tells no inputs
apart is then blind, and nothing vanished.
"""

IMPROVING = 3.0
"""Standard errors by which the loss has to fall between the last two fifths of the budget."""


def still_improving(trace: Trace) -> bool:
    """Whether the loss still falls as the budget ends: then small steps add up, and nothing has stopped."""
    errors = improvement(trace) if trace.complete else None
    return errors is not None and errors >= IMPROVING


def loss_exploded(trace: Trace, _criterion: Criterion) -> Finding | None:
    """The loss of some entry was 1e3 or more, or not a number."""
    loss = trace.loss
    worst = float(loss.max()) if len(loss) and np.isfinite(loss).all() else math.inf if len(loss) else 0.0
    if worst < EXPLODED_LOSS:
        return None
    epoch = int((~(loss < EXPLODED_LOSS)).argmax()) + 1
    return Finding(
        VerdictKind.EXPLODED,
        "loss",
        {"loss": float(loss[epoch - 1]), "epoch": epoch, "entry": trace.facts.entry},
        {"loss": EXPLODED_LOSS},
    )


def gradient_exploded(trace: Trace, criterion: Criterion) -> Finding | None:
    """The gradient grows more than 70 times on its way to the first hidden layer, and nothing was learned.

    Where a snapshot shows one batch, it does so at the end: batch norm makes deep networks that train start with
    ratios of hundreds.
    """
    if crossed(trace, criterion):
        return None
    start, end = gradient_ratio(trace, 0), end_ratio(trace, largest=False)
    judged = (end,) if shows_batches(trace) else (start, end)
    ratio = max((value for value in judged if value is not None), default=0.0)
    if ratio <= EXPLODED_RATIO:
        return None
    return Finding(
        VerdictKind.EXPLODED,
        "activation_gradient_ratio",
        {"activation_gradient_ratio": ratio, "ratio_at_start": start, "ratio_at_end": end},
        {"activation_gradient_ratio": EXPLODED_RATIO},
    )


def dead(trace: Trace, criterion: Criterion) -> Finding | None:
    """A constant output because a layer is dead, or most units of the network dead; at the start, or since.

    Where a snapshot shows one batch, what is dead at the start must be dead at the end as well.
    """
    if not len(trace.snapshots) or not hidden_layers(trace):
        return None
    late = _dead_at(trace, _least_dead(trace), VerdictKind.DIED)
    if shows_batches(trace) and late is None:
        return None
    # A network that learned for a while was not born dead.
    start = None if crossed(trace, criterion) else _dead_at(trace, 0, VerdictKind.BORN_DEAD)
    return start or late


def _least_dead(trace: Trace) -> int:
    """The last snapshot; of those that show one batch, the one of the second half with the fewest dead units."""
    if not shows_batches(trace):
        return -1
    shares = trace.snapshots.never_active[:, hidden_layers(trace)].mean(axis=1)
    return min(reversed(second_half(trace)), key=lambda index: float(shares[index]))


def _dead_at(trace: Trace, index: int, kind: VerdictKind) -> Finding | None:
    snapshots, seen = trace.snapshots, hidden_layers(trace)
    hidden = snapshots.never_active[index, seen]
    # Shares such as 7 of 10 are not exact in float32.
    share, layers = round(float(hidden.mean(dtype=np.float64)), 6), np.flatnonzero(hidden == 1)
    figures: Figures = {
        "never_active_share": share,
        "dead_layers": len(layers),
        "output_range": float(snapshots.output_range[index]),
        "epoch": int(snapshots.epochs[index]),
        "activation_gradient_ratio_at_start": gradient_ratio(trace, 0),
    }
    if trace.facts.snapshot_points is not None:
        figures["snapshot_points"] = trace.facts.snapshot_points
    if len(layers) and snapshots.output_range[index] == 0:
        limits: Thresholds = {"dead_layers": 1, "output_range": 0}
        return Finding(kind, "dead_layer", figures | {"layer": trace.layers[seen[layers[0]]]}, limits)
    if share >= DEAD_SHARE:
        return Finding(kind, "dead_units", figures, {"never_active_share": DEAD_SHARE})
    return None


def saturated(trace: Trace, criterion: Criterion) -> Finding | None:
    """The steps threw the network out of its working range: gradients arrived, until training itself cut them off.

    The gradient ratio fell to 3 % of its largest value, and weights moved far. A gradient that has vanished is
    small from the start, and no step goes far.
    """
    if not trace.complete or len(trace.snapshots) < 2 or reached(trace, chance_bar_of(trace, criterion))[-1]:  # noqa: PLR2004 - two ends
        return None
    largest, end, moved = largest_ratio(trace), end_ratio(trace, largest=True), most_moved(trace)
    change = float(trace.snapshots.weight_change[-1, first_layer(trace)])
    if not largest or end is None or moved is None:
        return None
    left = end / largest
    if not (left < COLLAPSED and change > MOVED and moved[1] > THROWN):
        return None
    return Finding(
        VerdictKind.SATURATED,
        "steps_too_large",
        {
            "gradient_ratio_left": left,
            "first_layer_change": change,
            "largest_change": moved[1],
            "moved_most": moved[0],
            "activation_gradient_ratio_at_start": gradient_ratio(trace, 0),
            "activation_gradient_ratio_at_end": end,
            "output_range": float(trace.snapshots.output_range[-1]),
            "learning_rate": trace.facts.learning_rate,
            "entry": trace.facts.entry,
            **flatness(trace, criterion),
        },
        {"gradient_ratio_left": COLLAPSED, "first_layer_change": MOVED, "largest_change": THROWN},
    )


def vanished(trace: Trace, criterion: Criterion) -> Finding | None:
    """Hardly any gradient reaches the first layer, or moves it, and the score stays flat."""
    if not len(trace.snapshots) or not is_flat(trace, criterion):
        return None
    ratio = _smallest_ratio(trace)
    moved = reach(trace)
    change = float(trace.snapshots.weight_change[-1, first_layer(trace)]) if trace.complete else None
    figures: Figures = {
        "activation_gradient_ratio": ratio,
        "reach": moved,
        "first_layer_change": change,
        "optimizer": trace.facts.optimizer,
        **flatness(trace, criterion),
    }
    flat: Thresholds = {"share_at_the_bar": AT_THE_BAR}
    # Adam divides a gradient by its size: there a small ratio hinders nothing.
    if ratio is not None and ratio < VANISHED_RATIO and trace.facts.optimizer == "sgd":
        limits = flat | {"activation_gradient_ratio": VANISHED_RATIO}
        return _with_blindness(trace, Finding(VerdictKind.VANISHED, "activation_gradient_ratio", figures, limits))
    if ratio is not None and ratio >= SHRINKING:
        return None
    limits = flat | {"activation_gradient_ratio": SHRINKING}
    if moved is not None and moved < VANISHED_REACH and not still_improving(trace):
        limits = limits | {"reach": VANISHED_REACH}
        return _with_blindness(trace, Finding(VerdictKind.VANISHED, "reach", figures, limits))
    if change is not None and change < UNCHANGED:
        limits = limits | {"first_layer_change": UNCHANGED}
        return _with_blindness(trace, Finding(VerdictKind.VANISHED, "weights_unchanged", figures, limits))
    return None


def _smallest_ratio(trace: Trace) -> float | None:
    """The gradient ratio of the start or the end; only of the end where a snapshot shows one batch."""
    end = end_ratio(trace, largest=True)
    ratios = (end,) if shows_batches(trace) else (gradient_ratio(trace, 0), end)
    return min((value for value in ratios if value is not None), default=None)


def _with_blindness(trace: Trace, found: Finding) -> Finding | None:
    """What vanished, with the figures of blindness where that holds as well.

    A module whose gradient arrived at the start, and whose training made it blind, is left to the next rule: once all
    outputs are the same, little is left of any gradient.
    """
    blindness = _blindness(trace)
    if blindness is None:
        return found
    if shows_batches(trace) and not _lost_at_start(trace):
        return None
    ratio = end_ratio(trace, largest=True)
    if ratio is not None and ratio >= ARRIVES and not shows_batches(trace):
        return None
    limits = found.thresholds | {"input_correlation": BLIND_CORRELATION, "output_range": BLIND_RANGE}
    return Finding(found.kind, "lost_both_ways", found.figures | blindness, limits)


def _lost_at_start(trace: Trace) -> bool:
    """Whether hardly any gradient reached the first layer, or moved it, at the start."""
    ratio = gradient_ratio(trace, 0)
    return ratio is None or ratio < VANISHED_RATIO or reach_at_start(trace) < VANISHED_REACH


def _blindness(trace: Trace) -> Figures | None:
    """Correlation and range of the outputs where the network ends with the same output for every input."""
    snapshots = trace.snapshots
    correlation = end_value(trace, snapshots.input_correlation.astype(np.float64), largest=False)
    spread = end_value(trace, snapshots.output_range.astype(np.float64), largest=True)
    if correlation is None or spread is None or not (correlation > BLIND_CORRELATION and spread < BLIND_RANGE):
        return None
    return {"input_correlation": correlation, "output_range": spread}


def input_blind(trace: Trace, criterion: Criterion) -> Finding | None:
    """The network gives every input the same output, whether or not gradients arrive."""
    snapshots = trace.snapshots
    if not len(snapshots) or crossed(trace, criterion) or still_improving(trace):
        return None
    blindness = _blindness(trace)
    if blindness is None:
        return None
    ratio, at_start = end_ratio(trace, largest=True), float(snapshots.input_correlation[0])
    limits: Thresholds = {"input_correlation": BLIND_CORRELATION, "output_range": BLIND_RANGE}
    figures: Figures = {**blindness, "input_correlation_at_start": at_start}
    if ratio is not None and ratio < VANISHED_RATIO:
        figures |= {"activation_gradient_ratio": ratio, "reach": reach(trace)}
        limits |= {"activation_gradient_ratio": VANISHED_RATIO}
        return Finding(VerdictKind.INPUT_BLIND, "lost_both_ways", figures, limits)
    figures |= {"activation_gradient_ratio_at_end": ratio, "reach": reach(trace)}
    return Finding(VerdictKind.INPUT_BLIND, "input_correlation", figures, limits)


def grows(trace: Trace, criterion: Criterion) -> Finding | None:
    """On a plateau, where the signal is small and grows so fast that some more budgets suffice."""
    needed = budgets_to_learn(trace)
    if needed is None or needed > BUDGETS or crossed(trace, criterion):
        return None
    return Finding(
        VerdictKind.SLOW,
        "signal_grows",
        {
            "budgets_to_learn": needed,
            "more_epochs": math.ceil(needed * trace.budget_epochs),
            "output_range": float(trace.snapshots.output_range[-1]),
            "activation_gradient_ratio_at_end": end_ratio(trace, largest=True),
            "entry": trace.facts.entry,
            **flatness(trace, criterion),
        },
        {"budgets_to_learn": BUDGETS},
    )


def begins_to_distinguish(trace: Trace, criterion: Criterion) -> Finding | None:
    """A module that gave every input the same output from the start does so no more as the budget ends.

    Twice the budget trains such networks: those of the family `vgg` leave their plateau this way.
    """
    if not shows_batches(trace) or crossed(trace, criterion) or _blindness(trace):
        return None
    correlations, spreads = trace.snapshots.input_correlation, trace.snapshots.output_range
    if len(spreads) < 2:  # noqa: PLR2004 - a start and an end
        return None
    before = float(np.median(correlations[:-1])), float(np.median(spreads[:-1]))
    if not all(
        correlation > BLIND_CORRELATION and spread < BLIND_RANGE
        for correlation, spread in ((float(correlations[0]), float(spreads[0])), before)
    ):
        return None
    return Finding(
        VerdictKind.SLOW,
        "begins_to_distinguish",
        {
            "input_correlation_before": before[0],
            "output_range_before": before[1],
            "input_correlation": float(correlations[-1]),
            "output_range": float(spreads[-1]),
            "best_accuracy": float(trace.score.max()),
            "activation_gradient_ratio_at_start": gradient_ratio(trace, 0),
            "activation_gradient_ratio_at_end": gradient_ratio(trace, -1),
            "entry": trace.facts.entry,
        },
        {"input_correlation_before": BLIND_CORRELATION, "output_range_before": BLIND_RANGE},
    )
