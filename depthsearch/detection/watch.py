"""When a run may stop: its verdict can no longer change."""

import numpy as np

from depthsearch.core.problem import Criterion
from depthsearch.core.trace import Trace
from depthsearch.detection.criterion import epoch_trained


def settled_epoch(trace: Trace, criterion: Criterion) -> int | None:
    """The epoch at which the verdict was settled, or None while it is open.

    - it trained (never revoked);
    - the loss is NaN or infinite: no step can bring it back;
    - it was born dead beyond recovery (see `cannot_move`).
    """
    candidates = [epoch for epoch in (epoch_trained(trace, criterion), _epoch_not_finite(trace)) if epoch is not None]
    if candidates:
        return min(candidates)
    return 0 if cannot_move(trace) else None


def cannot_move(trace: Trace) -> bool:
    """Whether, at the start, some layer gives the same output for every training point and never will change.

    Every unit of the layer is inactive at every training point, so the layer and all before it have exactly
    zero gradients; without weight decay, and with the optimizer's state still empty, none of their weights ever
    moves, and all that comes after sees a constant. With batch norm this holds for the whole training set but
    not for a batch, whose statistics differ, so nothing is claimed then.
    """
    problem, snapshots = trace.problem, trace.snapshots
    if problem.recipe.weight_decay or problem.normalization == "batch" or not len(snapshots):
        return False
    dead_layers = np.flatnonzero(snapshots.never_active[0] == 1)
    if not len(dead_layers) or snapshots.output_range[0] != 0:
        return False
    upto = slice(0, dead_layers[-1] + 1)
    # The activation's own gradient may be non-zero in the dead layer: its slope is what blocks it.
    return not snapshots.weight_gradient_norm[0, upto].any()


def _epoch_not_finite(trace: Trace) -> int | None:
    broken = ~np.isfinite(trace.train_loss)
    return int(broken.argmax()) + 1 if broken.any() else None
