"""The rules that name why a network did not train, tried in order; the first that applies decides.

Thresholds are the literature's where it has them: a loss of 1e3 and a gradient ratio of 70 for exploding, 1e-3 for
vanishing, 70 % of the units for dead networks (AutoTrainer, Zhang et al., ICSE 2021). Ratios are those
of ACTIVATION gradients, first hidden layer to last: with zero biases the weight gradients of all layers
vanish together, and their ratio shows nothing. The other thresholds were chosen here: benchmarks/README.md shows where
runs lie relative to each.
"""

import math
from collections.abc import Callable

import numpy as np

from depthsearch.detection.figures import (
    SWING_SHARE,
    crossed,
    first_layer,
    gradient_ratio,
    hidden_layers,
    improvement,
    is_flat,
    reach,
    swing_share,
    swing_threshold,
)
from depthsearch.detection.trained import (
    bar_of,
    chance_bar_of,
    final_score,
    last_entries,
    learned,
    longest_row,
    reached,
    reaches,
)
from depthsearch.detection.verdict import Figures, Finding, Thresholds, Verdict, VerdictKind
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

IMPROVING = 3.0
"""Standard errors by which the loss has to fall between the last two fifths of the budget."""


def verdict_of(trace: Trace, criterion: Criterion) -> Verdict:
    """What the trace of a finished run shows, with the evidence that decided it.

    A run that reached the bar in the last entries of its budget has trained. One that learned and lost it is judged by
    what it came to; one whose last entries beat chance and miss a higher bar, by how it got there; all others by the
    first rule that applies.
    """
    score = final_score(trace, criterion)
    if reaches(score, bar_of(trace, criterion)):
        finding: Finding | None = _trained(trace, criterion)
    elif reaches(score, chance_bar_of(trace, criterion)):
        finding = _short_of_the_bar(trace, criterion)
    elif learned(trace, criterion):
        finding = loss_exploded(trace, criterion) or dead(trace, criterion) or _lost(trace, criterion)
    else:
        # What is exactly known comes before what a ratio suggests: a network that exploded once and died is dead.
        found = (rule(trace, criterion) for rule in _RULES)
        finding = next((one for one in found if one is not None), None)
    return (finding or _flat(trace, criterion)).verdict(trace, criterion)


def _trained(trace: Trace, criterion: Criterion) -> Finding:
    figures: Figures = {
        "baseline": trace.baseline,
        "last_entries": last_entries(criterion),
        "entry": trace.facts.entry,
    }
    return Finding(VerdictKind.TRAINED, "final_score", figures)


def _short_of_the_bar(trace: Trace, criterion: Criterion) -> Finding:
    """The last entries beat chance and miss a higher bar."""
    row = longest_row(reached(trace, bar_of(trace, criterion)))
    figures: Figures = {
        "best_accuracy": float(trace.score.max()),
        "longest_row_above": row,
        "improvement": improvement(trace),
        "entry": trace.facts.entry,
    }
    if _still_improving(trace):
        return Finding(VerdictKind.SLOW, "improving_below_the_bar", figures, {"improvement": IMPROVING})
    if row >= last_entries(criterion):
        limits: Thresholds = {"longest_row_above": last_entries(criterion)}
        return Finding(VerdictKind.UNSTABLE, "fell_below_the_bar", figures, limits)
    return Finding(VerdictKind.DEGRADED, "below_the_bar", figures)


def _lost(trace: Trace, criterion: Criterion) -> Finding:
    """It learned, and is no better than chance in the end, though its units are active."""
    limit, last = chance_bar_of(trace, criterion), last_entries(criterion)
    good = reached(trace, limit)
    rows = np.lib.stride_tricks.sliding_window_view(good, last).all(axis=1)
    return Finding(
        VerdictKind.UNSTABLE,
        "lost_again",
        {
            "longest_row_above": longest_row(good),
            "best_accuracy": float(trace.score.max()),
            "last_accuracy": float(trace.score[-1]),
            "fell_in_epoch": int(np.flatnonzero(rows)[-1]) + last + 1,
            "entry": trace.facts.entry,
            "activation_gradient_ratio_at_start": gradient_ratio(trace, 0),
            "activation_gradient_ratio_at_end": gradient_ratio(trace, -1),
        },
        {"longest_row_above": last, "best_accuracy": limit},
    )


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


def _gradient_exploded(trace: Trace, criterion: Criterion) -> Finding | None:
    if crossed(trace, criterion):
        return None
    start, end = gradient_ratio(trace, 0), gradient_ratio(trace, -1)
    ratio = max((value for value in (start, end) if value is not None), default=0.0)
    if ratio <= EXPLODED_RATIO:
        return None
    return Finding(
        VerdictKind.EXPLODED,
        "activation_gradient_ratio",
        {"activation_gradient_ratio": ratio, "ratio_at_start": start, "ratio_at_end": end},
        {"activation_gradient_ratio": EXPLODED_RATIO},
    )


def dead(trace: Trace, criterion: Criterion) -> Finding | None:
    """A constant output because a layer is dead, or most units of the network dead; at the start, or since."""
    snapshots, seen = trace.snapshots, hidden_layers(trace)
    if not len(snapshots) or not seen:
        return None
    for index, kind in ((0, VerdictKind.BORN_DEAD), (-1, VerdictKind.DIED)):
        if kind is VerdictKind.BORN_DEAD and crossed(trace, criterion):
            continue  # it learned for a while, so its units were active
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
        if len(layers) and snapshots.output_range[index] == 0:
            limits: Thresholds = {"dead_layers": 1, "output_range": 0}
            return Finding(kind, "dead_layer", figures | {"layer": trace.layers[seen[layers[0]]]}, limits)
        if share >= DEAD_SHARE:
            return Finding(kind, "dead_units", figures, {"never_active_share": DEAD_SHARE})
    return None


def _vanished(trace: Trace, criterion: Criterion) -> Finding | None:
    if not len(trace.snapshots) or not is_flat(trace, criterion):
        return None
    ratios = [value for value in (gradient_ratio(trace, 0), gradient_ratio(trace, -1)) if value is not None]
    ratio = min(ratios, default=None)
    moved = reach(trace)
    change = float(trace.snapshots.weight_change[-1, first_layer(trace)]) if trace.complete else None
    figures: Figures = {
        "activation_gradient_ratio": ratio,
        "reach": moved,
        "first_layer_change": change,
        "best_accuracy": float(trace.score.max()),
        "optimizer": trace.facts.optimizer,
    }
    flat: Thresholds = {"best_accuracy": chance_bar_of(trace, criterion)}
    # Adam divides a gradient by its size: there a small ratio hinders nothing.
    if ratio is not None and ratio < VANISHED_RATIO and trace.facts.optimizer == "sgd":
        limits = flat | {"activation_gradient_ratio": VANISHED_RATIO}
        return Finding(VerdictKind.VANISHED, "activation_gradient_ratio", figures, limits)
    if ratio is not None and ratio >= SHRINKING:
        return None
    limits = flat | {"activation_gradient_ratio": SHRINKING}
    if moved is not None and moved < VANISHED_REACH and not _still_improving(trace):
        return Finding(VerdictKind.VANISHED, "reach", figures, limits | {"reach": VANISHED_REACH})
    if change is not None and change < UNCHANGED:
        limits = limits | {"first_layer_change": UNCHANGED}
        return Finding(VerdictKind.VANISHED, "weights_unchanged", figures, limits)
    return None


def _input_blind(trace: Trace, criterion: Criterion) -> Finding | None:
    """Gradients arrive, yet the network gives every input the same output."""
    snapshots = trace.snapshots
    if not len(snapshots) or crossed(trace, criterion) or _still_improving(trace):
        return None
    correlation, spread = float(snapshots.input_correlation[-1]), float(snapshots.output_range[-1])
    if not (correlation > BLIND_CORRELATION and spread < BLIND_RANGE):
        return None
    return Finding(
        VerdictKind.INPUT_BLIND,
        "input_correlation",
        {
            "input_correlation": correlation,
            "input_correlation_at_start": float(snapshots.input_correlation[0]),
            "output_range": spread,
            "activation_gradient_ratio_at_end": gradient_ratio(trace, -1),
            "reach": reach(trace),
        },
        {"input_correlation": BLIND_CORRELATION, "output_range": BLIND_RANGE},
    )


def _at_the_bar_at_times(trace: Trace, criterion: Criterion) -> Finding | None:
    """At the chance bar at times, but never for long enough to have learned: lost again, or reached too late."""
    if not crossed(trace, criterion):
        return None
    limit, last = chance_bar_of(trace, criterion), last_entries(criterion)
    above = reached(trace, limit)
    figures: Figures = {
        "best_accuracy": float(trace.score.max()),
        "last_accuracy": float(trace.score[-1]),
        "epochs_above": int(above.sum()),
        "longest_row_above": longest_row(above),
        "entry": trace.facts.entry,
        "activation_gradient_ratio_at_start": gradient_ratio(trace, 0),
        "activation_gradient_ratio_at_end": gradient_ratio(trace, -1),
    }
    thresholds: Thresholds = {"best_accuracy": limit, "longest_row_above": last}
    if above[-1]:
        return Finding(VerdictKind.SLOW, "crossed_at_the_end", figures, thresholds)
    return Finding(VerdictKind.UNSTABLE, "crossed_without_holding", figures, thresholds)


def _swings(trace: Trace, _criterion: Criterion) -> Finding | None:
    share, swing = swing_share(trace), swing_threshold(trace)
    if share < SWING_SHARE:
        return None
    return Finding(
        VerdictKind.UNSTABLE,
        "swings",
        {
            "swing_share": share,
            "swing_counted_from": swing,
            "best_accuracy": float(trace.score.max()),
            "entry": trace.facts.entry,
        },
        {"swing_share": SWING_SHARE},
    )


def _still_improving(trace: Trace) -> bool:
    """Whether the loss still falls as the budget ends: then small steps add up, and nothing has stopped."""
    errors = improvement(trace) if trace.complete else None
    return errors is not None and errors >= IMPROVING


def _improving(trace: Trace, _criterion: Criterion) -> Finding | None:
    errors = improvement(trace)
    if errors is None or not _still_improving(trace):
        return None
    return Finding(
        VerdictKind.SLOW,
        "still_improving",
        {
            "improvement": errors,
            "last_loss": float(trace.loss[-1]),
            "best_accuracy": float(trace.score.max()),
            "reach": reach(trace),
        },
        {"improvement": IMPROVING},
    )


def _flat(trace: Trace, criterion: Criterion) -> Finding:
    best = float(trace.score.max()) if trace.epochs else trace.baseline
    threshold = chance_bar_of(trace, criterion)
    return Finding(
        VerdictKind.FLAT,
        "none_of_the_others",
        {
            "best_accuracy": best,
            "activation_gradient_ratio_at_start": gradient_ratio(trace, 0),
            "activation_gradient_ratio_at_end": gradient_ratio(trace, -1),
            "reach": reach(trace),
        },
        {"best_accuracy": threshold},
    )


_RULES: tuple[Callable[[Trace, Criterion], Finding | None], ...] = (
    loss_exploded,
    dead,
    _gradient_exploded,
    _vanished,
    _input_blind,
    _at_the_bar_at_times,
    _swings,
    _improving,
)
