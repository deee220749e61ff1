"""What one run shows in words: its verdict, from the evidence, and how a replay differs from its record."""

from collections.abc import Sequence
from typing import Any

from depthsearch.detection.verdict import Evidence, Verdict, VerdictKind
from depthsearch.reporting.sentences.words import count_of, in_words, plural, the_last
from depthsearch.results.inspection import Difference

_STUCK = "{stuck} and"
_ALIKE = (
    "the last hidden layer's outputs correlate by {correlation}; {outputs} differ by no more than {output_range:.2g}"
)
_DEAD = "inactive at {points} {when}"

_TEMPLATES: dict[tuple[VerdictKind, str], str] = {
    (VerdictKind.TRAINED, "final_score"): (
        "{score_name} is {final_score:.3f} or more in {last}, and the threshold is {final_score_threshold:.3f}"
    ),
    (VerdictKind.SLOW, "improving_below_the_bar"): "{ended}, and the loss was still falling as the budget ended",
    (VerdictKind.UNSTABLE, "fell_below_the_bar"): "{ended}, which it had reached for {row}",
    (VerdictKind.DEGRADED, "below_the_bar"): "{ended}, and rises no further",
    (VerdictKind.UNSTABLE, "lost_again"): (
        "{score_name} rose to {best_accuracy:.3f}, fell below {best_accuracy_threshold:.3f} in {entry} {fell_in_epoch} "
        "and ended at {last_accuracy:.3f}"
    ),
    (VerdictKind.EXPLODED, "loss"): "the loss reached {loss:.3g} in {entry} {epoch}",
    (VerdictKind.EXPLODED, "activation_gradient_ratio"): (
        "the gradient grows {activation_gradient_ratio:.3g} times on its way from the last hidden layer to the first"
    ),
    (VerdictKind.BORN_DEAD, "dead_layer"): f"every unit of {{layer!r}} is {_DEAD}",
    (VerdictKind.DIED, "dead_layer"): f"every unit of {{layer!r}} is {_DEAD}",
    (VerdictKind.BORN_DEAD, "dead_units"): f"{{never_active_share:.0%}} of the hidden units are {_DEAD}",
    (VerdictKind.DIED, "dead_units"): f"{{never_active_share:.0%}} of the hidden units are {_DEAD}",
    (VerdictKind.SATURATED, "steps_too_large"): (
        "the steps are too large: weights of {moved_most!r} moved by {largest_change:.2g} times their size, those of "
        "the first layer by {first_layer_change:.2g}, and {gradient_ratio_left:.2g} of the gradient that once reached "
        "the first layer still does; try a learning rate of {smaller_rate:.2g}"
    ),
    (VerdictKind.SLOW, "signal_grows"): (
        "{stuck}, but its signal is growing: at this rate it learns within some {more_epochs} more {entries}"
    ),
    (VerdictKind.VANISHED, "activation_gradient_ratio"): (
        f"{_STUCK} {{activation_gradient_ratio:.2g}} of the gradient at the last hidden layer reaches the first"
    ),
    (VerdictKind.VANISHED, "reach"): f"{_STUCK} the first layer's gradient {{reach_words}}",
    (VerdictKind.VANISHED, "weights_unchanged"): (
        f"{_STUCK} the first layer's weights changed by only {{first_layer_change:.2g}} of their size"
    ),
    (VerdictKind.VANISHED, "lost_both_ways"): (
        f"{{stuck}}; the gradient is lost on the way back ({{back}}) and the input on the way forward ({_ALIKE})"
    ),
    (VerdictKind.INPUT_BLIND, "input_correlation"): (
        "the last hidden layer's outputs for different inputs correlate by {input_correlation:.4f}, and their "
        "{outputs} differ by no more than {output_range:.2g}"
    ),
    (VerdictKind.INPUT_BLIND, "lost_both_ways"): (
        f"the input is lost on the way forward ({_ALIKE}) and the gradient on the way back ({{back}})"
    ),
    (VerdictKind.SLOW, "begins_to_distinguish"): (
        "for most of the budget all outputs were the same ({outputs} differed by {output_range_before:.2g}), and they "
        "began to differ as it ended (by {output_range:.2g})"
    ),
    (VerdictKind.SLOW, "crossed_at_the_end"): (
        "{score_name} rose above {best_accuracy_threshold:.3f} only as the budget ended, at {last_accuracy:.3f}"
    ),
    (VerdictKind.UNSTABLE, "crossed_without_holding"): (
        "{score_name} rose to {best_accuracy:.3f} and ended at {last_accuracy:.3f}; it was above "
        "{best_accuracy_threshold:.3f} in {above}, but never for {longest_row_above_threshold} running"
    ),
    (VerdictKind.UNSTABLE, "swings"): (
        "{score_name} swings by {swing_counted_from:.3f} or more from one {entry} to the next in {swing_share:.0%} of "
        "the {entries}"
    ),
    (VerdictKind.SLOW, "still_improving"): (
        "the loss was still falling as the budget ended, at {last_loss:.3f}, by {improvement:.1f} standard errors"
    ),
    (VerdictKind.FLAT, "none_of_the_others"): (
        "the best {score_name} is {best_accuracy:.3f}, never above {best_accuracy_threshold:.3f}, and no other rule "
        "explains it"
    ),
}
"""What each rule found, in the figures' names; a threshold has its figure's name with "_threshold"."""


def run_sentence(verdict: Verdict) -> str:
    """The sentence of a run's verdict: the stored one where an earlier version gave it, otherwise from its evidence."""
    return verdict.sentence or verdict_sentence(verdict.kind, verdict.evidence)


def verdict_sentence(kind: VerdictKind, evidence: Evidence) -> str:
    """ "unstable: accuracy rose to 0.750, fell below 0.600 in epoch 11 and ended at 0.500".

    Evidence of a rule of another version, whose figures have no words here, is given by the rule's name.
    """
    try:
        found = _TEMPLATES[kind, evidence.rule].format(**_values(kind, evidence))
    except (KeyError, TypeError, ValueError):
        found = f"by the rule {in_words(evidence.rule)}"
    return f"{in_words(kind)}: {found}"


def _values(kind: VerdictKind, evidence: Evidence) -> dict[str, Any]:
    """What a template may name: the figures, the thresholds, and words made of several of them."""
    values: dict[str, Any] = {name: _number(figure) for name, figure in evidence.figures.items()}
    values |= {f"{name}_threshold": threshold for name, threshold in evidence.thresholds.items()}
    values["when"] = "at the start" if kind is VerdictKind.BORN_DEAD else "at the end"
    values["score_name"] = name = values.get("score_name", "accuracy")
    values["outputs"] = "outputs" if name == "explained variance" else "logits"
    values["points"] = f"all {values['snapshot_points']} points of a batch" if "snapshot_points" in values else _ALL
    if values.get("input_correlation") is not None:
        values["correlation"] = _correlation_words(values)
    ratio = values.get("activation_gradient_ratio")
    values["back"] = "none arrives" if ratio is None else f"{ratio:.2g} of it reaches the first layer"
    values["ended"] = "{score_name} ended at {final_score:.3f}, short of {final_score_threshold:.3f}".format(**values)
    values["stuck"] = _stuck_words(values)
    if "learning_rate" in values:
        values["smaller_rate"] = values["learning_rate"] / 10
    if "entry" in values:
        entry = values["entry"]
        values["entries"] = plural(entry)
        counts = {"row": "longest_row_above", "above": "epochs_above"}
        values |= {word: count_of(values[name], entry) for word, name in counts.items() if name in values}
        if "last_entries" in values:
            values["last"] = the_last(values["last_entries"], entry)
    if values.get("reach") is not None and "optimizer" in values:
        values["reach_words"] = _reach_words(values["reach"], values["optimizer"])
    return values


def _stuck_words(values: dict[str, Any]) -> str | None:
    """ "accuracy stays below 0.600", or "accuracy is above 0.600 in only 3% of the epochs"."""
    bar, share = values.get("chance_bar", values.get("best_accuracy_threshold")), values.get("share_at_the_bar") or 0.0
    if bar is None:
        return None
    if share > 0:
        entries = plural(values.get("entry", "epoch"))
        return f"{values['score_name']} is above {bar:.3f} in only {share:.0%} of the {entries}"
    return f"{values['score_name']} stays below {bar:.3f}"


def _correlation_words(values: dict[str, Any]) -> str:
    """ "1.0000", or "1.0000, at the start by 0.6900" where they differed then."""
    start, end = values.get("input_correlation_at_start"), f"{values['input_correlation']:.4f}"
    differed = start is not None and start < values["input_correlation_threshold"]
    return f"{end}, at the start by {start:.4f}" if differed else end


def _reach_words(reach: float, optimizer: str) -> str:
    if optimizer == "sgd":
        return f"can move it by no more than {reach:.2g} in the whole budget (reach)"
    whose = "Adam's" if optimizer.startswith("adam") else "the optimizer's"
    return f"falls to {reach:.2g} of {whose} epsilon (reach), where steps shrink"


def _number(figure: float | int | str | None) -> float | int | str | None:
    """Evidence holds what is not finite as text."""
    return float(figure) if figure in ("nan", "inf", "-inf") else figure


_ALL = "all training points"

NAMED = 3
"""Differences that are named one by one; of more, the others are counted."""


def difference_words(found: Sequence[Difference], entry: str = "epoch") -> str | None:
    """ "loss from epoch 2 on, by at most 0.1; steps was 30, and is 40; 2 more figures"; None where nothing differs.

    Args:
        found: What differs.
        entry: What an entry of the trace is called.
    """
    rest = [count_of(len(found) - NAMED, "more figure")] if len(found) > NAMED else []
    return "; ".join([*(_words(difference, entry) for difference in found[:NAMED]), *rest]) or None


def _words(difference: Difference, entry: str) -> str:
    name, recorded, replayed = difference.figure, difference.recorded, difference.replayed
    if difference.apart is not None:
        return f"{name} from {entry} {difference.epoch} on, by at most {difference.apart:.2g}"
    if name == "epochs" and isinstance(recorded, int):
        return f"{count_of(recorded, entry)} were recorded, and the budget has {replayed}"
    if name == "snapshots":
        return f"snapshots were taken at {plural(entry)} {recorded}, and are at {replayed}"
    return f"{name} was {recorded}, and is {replayed}"


def stack_sentence(name: str, *, count: int, kind: str, called: str) -> str:
    """ "depth is the length of layers[0:6], 6 blocks of Block in model(): ..." """
    return (
        f"depth is the length of {name}, {count} blocks of {kind} in {called}(), which is called again for more; what "
        f"depends on their number, such as a scale of weights, stays that of {count}: else write {called}(depth)"
    )


def equal_weights_sentence(first: str, second: str) -> str:
    """A warning: two layers of a module start with equal weights."""
    return (
        f"warning: {first} and {second} start with equal weights (nn.TransformerEncoder copies its layer, see pytorch "
        "issues 72253 and 86274): draw the weights of each layer anew"
    )
