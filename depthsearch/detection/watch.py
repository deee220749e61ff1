"""When a run may stop: its verdict can no longer change."""

import numpy as np

from depthsearch.training.trace import Trace


def settled_epoch(trace: Trace) -> int | None:
    """The entry at which the verdict was settled, or None while it is open.

    Whether a run has trained shows only at the end of the budget, so only two things settle it before:

    - the loss is NaN or infinite: no step can bring it back;
    - no weight that the output depends on can move any more (see `cannot_move`).
    """
    broken = ~np.isfinite(trace.loss)
    if broken.any():
        return int(broken.argmax()) + 1
    return trace.epochs if cannot_move(trace) else None


def cannot_move(trace: Trace) -> bool:
    """Whether some layer gives the same output for every training point and never will change.

    Every unit of the layer is inactive at every training point, so the layer and all before it have exactly
    zero gradients; without weight decay, and with the optimizer's state empty, none of their weights ever
    moves, and all that comes after sees a constant. The state is empty before the first step, and always where SGD has
    no momentum. With batch norm this holds for the whole training set but not for a batch, whose statistics differ, so
    nothing is claimed then, nor where a snapshot shows one batch.
    """
    facts, snapshots = trace.facts, trace.snapshots
    if facts.weight_decay or facts.batch_statistics or facts.snapshot_points is not None or not len(snapshots):
        return False
    stateless = facts.optimizer == "sgd" and not facts.momentum
    if snapshots.epochs[-1] != trace.epochs or (trace.epochs and not stateless):
        return False
    dead_layers = np.flatnonzero(snapshots.never_active[-1] == 1)
    if not len(dead_layers) or snapshots.output_range[-1] != 0:
        return False
    upto = slice(0, dead_layers[-1] + 1)
    # The activation's gradient may be non-zero in the dead layer: its slope is what blocks it.
    return not snapshots.weight_gradient_norm[-1, upto].any()
