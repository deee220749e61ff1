"""The rules that name why a network did not train, tried in order; the first that applies decides.

Those that ask layers and outputs are in `detection.layers`; the others look at losses and scores.
"""

from collections.abc import Callable

import numpy as np

from depthsearch.detection.figures import (
    SWING_SHARE,
    crossed,
    gradient_ratio,
    improvement,
    reach,
    swing_share,
    swing_threshold,
)
from depthsearch.detection.layers import (
    IMPROVING,
    begins_to_distinguish,
    dead,
    gradient_exploded,
    grows,
    input_blind,
    loss_exploded,
    saturated,
    still_improving,
    vanished,
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
    if still_improving(trace):
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


def _improving(trace: Trace, _criterion: Criterion) -> Finding | None:
    errors = improvement(trace)
    if errors is None or not still_improving(trace):
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
    gradient_exploded,
    saturated,
    grows,
    vanished,
    input_blind,
    _at_the_bar_at_times,
    _swings,
    _improving,
    begins_to_distinguish,
)
