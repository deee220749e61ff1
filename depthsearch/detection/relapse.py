"""What became of a network that trained, and had lost what it learned by the end of its budget."""

import numpy as np

from depthsearch.core.problem import Criterion
from depthsearch.core.trace import Trace
from depthsearch.core.verdict import Verdict, VerdictKind
from depthsearch.detection.criterion import epoch_trained, threshold_of
from depthsearch.detection.figures import gradient_ratio
from depthsearch.detection.finding import Finding
from depthsearch.detection.rules import dead, loss_exploded


def relapse_of(trace: Trace, criterion: Criterion) -> Verdict | None:
    """What became of a network that trained, and by the end of its budget had lost what it learned.

    The verdict remains `trained`: a search ends a run there, and what comes later is seen only where a run is trained
    for its whole budget. As `hold_epochs` good epochs in the end are enough to train, as many bad ones are to lose it.

    Returns:
        Why: `exploded`, `died`, or `unstable` where neither shows. None for a run that did not train, that is not
        complete, or that was good to the last.
    """
    trained, threshold = epoch_trained(trace, criterion), threshold_of(trace, criterion)
    good = trace.train_accuracy > threshold
    if trained is None or not trace.complete or good[-criterion.hold_epochs :].any():
        return None
    finding = loss_exploded(trace, criterion) or dead(trace, criterion) or _lost(trace, trained, threshold)
    return finding.verdict(trace)


def _lost(trace: Trace, trained: int, threshold: float) -> Finding:
    accuracy = trace.train_accuracy
    since = int(np.flatnonzero(accuracy > threshold)[-1]) + 1
    best, last = float(accuracy.max()), float(accuracy[-1])
    return Finding(
        VerdictKind.UNSTABLE,
        "lost_again",
        f"unstable: accuracy rose to {best:.3f}, was above {threshold:.3f} for the last time in epoch {since} and "
        f"ended at {last:.3f}",
        {
            "best_accuracy": best,
            "last_accuracy": last,
            "trained_at_epoch": trained,
            "last_good_epoch": since,
            "activation_gradient_ratio_at_start": gradient_ratio(trace, 0),
            "activation_gradient_ratio_at_end": gradient_ratio(trace, -1),
        },
        {"last_accuracy": threshold},
    )
