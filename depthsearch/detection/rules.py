"""The rules that name why a network did not train, asked in order; the first that applies decides.

Thresholds are the literature's where it has them: a loss of 1e3 and a gradient ratio of 70 for exploding, 1e-3 for
vanishing, 70 % of the units for dead networks (AutoTrainer, Zhang et al., ICSE 2021). Ratios are those
of ACTIVATION gradients, first hidden layer to last: with zero biases the weight gradients of all layers
vanish together, and their ratio shows nothing. The reach and the unchanged weights are our own.
"""

import math
from dataclasses import dataclass

import numpy as np

from depthsearch.core.problem import ADAM_EPSILON, Criterion
from depthsearch.core.trace import Trace
from depthsearch.core.verdict import Evidence, Verdict, VerdictKind
from depthsearch.core.words import count_of, in_words
from depthsearch.detection.criterion import epoch_trained, threshold_of

EXPLODED_LOSS = 1e3
EXPLODED_RATIO = 70.0
DEAD_SHARE = 0.7
VANISHED_RATIO = 1e-3
VANISHED_REACH = 1.0
UNCHANGED = 1e-3
FLAT_CHANGE = 0.01

Figures = dict[str, float | int | str | None]


@dataclass(frozen=True)
class _Finding:
    kind: VerdictKind
    rule: str
    sentence: str
    figures: Figures
    thresholds: dict[str, float | int]


def verdict_of(trace: Trace, criterion: Criterion) -> Verdict:
    """What the trace shows, with the evidence that decided it."""
    trained = epoch_trained(trace, criterion)
    if trained is not None:
        return _trained(trace, criterion, trained)
    finding = (
        _exploded(trace, criterion)
        or _dead(trace, criterion)
        or _vanished(trace, criterion)
        or _unstable_or_slow(trace, criterion)
        or _flat(trace, criterion)
    )
    return Verdict(
        kind=finding.kind,
        epoch=trace.epochs,
        sentence=finding.sentence,
        evidence=Evidence(rule=finding.rule, figures=finding.figures, thresholds=finding.thresholds),
    )


def _trained(trace: Trace, criterion: Criterion, epoch: int) -> Verdict:
    threshold = threshold_of(trace, criterion)
    lost = np.flatnonzero(trace.train_accuracy[:epoch] <= threshold)
    hold = min(epoch - int(lost[-1]) - 1 if len(lost) else epoch, criterion.hold(trace.budget_epochs))
    held = trace.train_accuracy[epoch - hold : epoch]
    return Verdict(
        kind=VerdictKind.TRAINED,
        epoch=epoch,
        sentence=f"trained: accuracy above {threshold:.3f} held for {hold} epochs, at epoch {epoch}",
        evidence=Evidence(
            rule="accuracy_held",
            figures={"lowest_accuracy_held": float(held.min()), "majority_rate": trace.majority_rate},
            thresholds={"accuracy": threshold, "hold_epochs": hold},
        ),
    )


def _exploded(trace: Trace, criterion: Criterion) -> _Finding | None:
    loss = trace.train_loss
    worst = float(loss.max()) if len(loss) and np.isfinite(loss).all() else math.inf if len(loss) else 0.0
    if worst >= EXPLODED_LOSS:
        epoch = int((~(loss < EXPLODED_LOSS)).argmax()) + 1
        reached = float(loss[epoch - 1])
        return _Finding(
            VerdictKind.EXPLODED,
            "loss",
            f"exploded: the loss reached {reached:.3g} in epoch {epoch}",
            {"loss": reached, "epoch": epoch},
            {"loss": EXPLODED_LOSS},
        )
    if crossed(trace, criterion):
        return None
    start, end = gradient_ratio(trace, 0), gradient_ratio(trace, -1)
    ratio = max((value for value in (start, end) if value is not None), default=0.0)
    if ratio > EXPLODED_RATIO:
        return _Finding(
            VerdictKind.EXPLODED,
            "activation_gradient_ratio",
            f"exploded: the gradient grows {ratio:.3g} times on its way from the last hidden layer to the first",
            {"ratio_at_start": start, "ratio_at_end": end},
            {"ratio": EXPLODED_RATIO},
        )
    return None


def _dead(trace: Trace, criterion: Criterion) -> _Finding | None:
    """A constant output because a layer is dead, or most units of the network dead; at the start, or since."""
    snapshots = trace.snapshots
    if not len(snapshots):
        return None
    for index, kind, when in ((0, VerdictKind.BORN_DEAD, "at the start"), (-1, VerdictKind.DIED, "at the end")):
        if kind is VerdictKind.BORN_DEAD and crossed(trace, criterion):
            continue  # it learned for a while, so it was alive
        hidden = snapshots.never_active[index, :-1]
        # Shares such as 7 of 10 are not exact in float32.
        share, layers = round(float(hidden.mean(dtype=np.float64)), 6), np.flatnonzero(hidden == 1)
        figures: Figures = {
            "never_active_share": share,
            "dead_layers": len(layers),
            "output_range": float(snapshots.output_range[index]),
            "epoch": int(snapshots.epochs[index]),
        }
        thresholds: dict[str, float | int] = {"never_active_share": DEAD_SHARE, "output_range": 0}
        if len(layers) and snapshots.output_range[index] == 0:
            name = trace.layers[layers[0]]
            sentence = f"{in_words(kind)}: every unit of {name!r} is inactive at all training points {when}"
            return _Finding(kind, "dead_layer", sentence, figures | {"layer": name}, thresholds)
        if share >= DEAD_SHARE:
            sentence = f"{in_words(kind)}: {share:.0%} of the hidden units are inactive at all training points {when}"
            return _Finding(kind, "dead_units", sentence, figures, thresholds)
    return None


def _vanished(trace: Trace, criterion: Criterion) -> _Finding | None:
    if not len(trace.snapshots) or not _is_flat(trace, criterion):
        return None
    ratios = [value for value in (gradient_ratio(trace, 0), gradient_ratio(trace, -1)) if value is not None]
    ratio = min(ratios, default=None)
    moved = reach(trace)
    change = float(trace.snapshots.weight_change[-1, 0]) if trace.complete else None
    figures: Figures = {
        "activation_gradient_ratio": ratio,
        "reach": moved,
        "first_layer_change": change,
        "best_accuracy": float(trace.train_accuracy.max()),
    }
    thresholds: dict[str, float | int] = {
        "activation_gradient_ratio": VANISHED_RATIO,
        "reach": VANISHED_REACH,
        "first_layer_change": UNCHANGED,
        "accuracy": threshold_of(trace, criterion),
    }
    stuck = f"vanished: accuracy stays below {thresholds['accuracy']:.3f} and"
    if ratio is not None and ratio < VANISHED_RATIO:
        sentence = f"{stuck} {ratio:.2g} of the gradient at the last hidden layer reaches the first"
        return _Finding(VerdictKind.VANISHED, "activation_gradient_ratio", sentence, figures, thresholds)
    if moved is not None and moved < VANISHED_REACH:
        sentence = f"{stuck} the first layer's reach is {moved:.2g}: how far its gradient can move it in the budget"
        return _Finding(VerdictKind.VANISHED, "reach", sentence, figures, thresholds)
    if change is not None and change < UNCHANGED:
        sentence = f"{stuck} the first layer's weights changed by only {change:.2g} of their size"
        return _Finding(VerdictKind.VANISHED, "weights_unchanged", sentence, figures, thresholds)
    return None


def _unstable_or_slow(trace: Trace, criterion: Criterion) -> _Finding | None:
    """Above the criterion's accuracy at times, but never for long enough: lost again, or reached too late."""
    if not crossed(trace, criterion):
        return None
    threshold, hold = threshold_of(trace, criterion), criterion.hold(trace.budget_epochs)
    above = trace.train_accuracy > threshold
    best, last = float(trace.train_accuracy.max()), float(trace.train_accuracy[-1])
    figures: Figures = {
        "best_accuracy": best,
        "last_accuracy": last,
        "epochs_above": int(above.sum()),
        "activation_gradient_ratio_at_start": gradient_ratio(trace, 0),
        "activation_gradient_ratio_at_end": gradient_ratio(trace, -1),
    }
    thresholds: dict[str, float | int] = {"accuracy": threshold, "hold_epochs": hold}
    if above[-1]:
        sentence = f"slow: accuracy rose above {threshold:.3f} only as the budget ended, at {last:.3f}"
        return _Finding(VerdictKind.SLOW, "crossed_at_the_end", sentence, figures, thresholds)
    sentence = (
        f"unstable: accuracy rose to {best:.3f} and ended at {last:.3f}; it was above {threshold:.3f} in "
        f"{count_of(int(above.sum()), 'epoch')}, but never for {hold} running"
    )
    return _Finding(VerdictKind.UNSTABLE, "crossed_without_holding", sentence, figures, thresholds)


def _flat(trace: Trace, criterion: Criterion) -> _Finding:
    best = float(trace.train_accuracy.max()) if trace.epochs else trace.majority_rate
    threshold = threshold_of(trace, criterion)
    return _Finding(
        VerdictKind.FLAT,
        "none_of_the_others",
        f"flat: the best accuracy is {best:.3f}, never above {threshold:.3f}, and no other rule explains it",
        {
            "best_accuracy": best,
            "activation_gradient_ratio_at_start": gradient_ratio(trace, 0),
            "activation_gradient_ratio_at_end": gradient_ratio(trace, -1),
            "reach": reach(trace),
        },
        {"accuracy": threshold},
    )


def crossed(trace: Trace, criterion: Criterion) -> bool:
    """Whether any epoch was above the criterion's accuracy."""
    return bool((trace.train_accuracy > threshold_of(trace, criterion)).any())


def _is_flat(trace: Trace, criterion: Criterion) -> bool:
    """Never above the criterion's accuracy, and no trend of more than 0.01 an epoch."""
    accuracy = trace.train_accuracy
    if not len(accuracy) or crossed(trace, criterion):
        return False
    if len(accuracy) == 1:
        return True
    slope = np.polynomial.polynomial.polyfit(np.arange(len(accuracy)), accuracy.astype(np.float64), 1)[1]
    return bool(abs(slope) <= FLAT_CHANGE)


def gradient_ratio(trace: Trace, snapshot: int) -> float | None:
    """|dL/dh| at the first hidden layer over that at the last, in one snapshot; None where it is undefined."""
    if not len(trace.snapshots):
        return None
    gradients = trace.snapshots.activation_gradient_norm[snapshot].astype(np.float64)
    first, last = float(gradients[0]), float(gradients[-2])
    if not math.isfinite(first) or not math.isfinite(last) or last == 0:
        return None
    return first / last


def reach(trace: Trace) -> float | None:
    """How far the first layer's weights could move in the whole budget at the gradient of the start.

    learning rate / (1 - momentum) x steps x |dL/dW1| for SGD. Adam divides the gradient by its own size, so
    there it is the root mean square of dL/dW1 over Adam's epsilon, below which steps shrink.
    """
    if not len(trace.snapshots):
        return None
    recipe, gradient = trace.problem.recipe, float(trace.snapshots.weight_gradient_norm[0, 0])
    if recipe.optimizer == "sgd":
        return recipe.learning_rate / (1 - (recipe.momentum or 0.0)) * trace.budget_steps * gradient
    return gradient / math.sqrt(trace.features * trace.problem.width) / ADAM_EPSILON
