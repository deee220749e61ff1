"""Detection: from a trace to a verdict, as pure functions of the trace and the criterion."""

from depthsearch.detection.rules import verdict_of
from depthsearch.detection.trained import bar, bar_of, final_score
from depthsearch.detection.watch import settled_epoch

__all__ = ["bar", "bar_of", "final_score", "settled_epoch", "verdict_of"]
