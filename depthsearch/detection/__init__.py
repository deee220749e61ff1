"""Detection: from a trace to a verdict, as pure functions. Imports core alone, and numpy."""

from depthsearch.detection.criterion import accuracy_threshold, epoch_trained
from depthsearch.detection.relapse import relapse_of
from depthsearch.detection.rules import verdict_of
from depthsearch.detection.watch import settled_epoch

__all__ = ["accuracy_threshold", "epoch_trained", "relapse_of", "settled_epoch", "verdict_of"]
