"""Search under noise: from the trials so far to the next depth, and to what is known of the threshold.

Useful without any network, to whoever has a noisy threshold to find. Imports core, numpy and optuna; never torch.
"""

from depthsearch.core.curve import Conclusion, Curve, CurvePoint
from depthsearch.core.settings import SearchSettings
from depthsearch.search.bisection import BisectionSampler
from depthsearch.search.estimate import estimate
from depthsearch.search.seeds import draw_seeds

__all__ = [
    "BisectionSampler",
    "Conclusion",
    "Curve",
    "CurvePoint",
    "SearchSettings",
    "draw_seeds",
    "estimate",
]
