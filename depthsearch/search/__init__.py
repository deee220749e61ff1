"""Search under noise: from the trials so far to the next depth, and to what is known of the threshold.

Useful without any network, to whoever has a noisy threshold to find. Imports core, numpy and optuna; never torch.
"""

from depthsearch.core.curve import Conclusion, Crossing, Curve, CurvePoint
from depthsearch.core.settings import SearchSettings
from depthsearch.search.bisection import BisectionSampler
from depthsearch.search.estimate import estimate
from depthsearch.search.grid import DepthGridSampler
from depthsearch.search.seeds import draw_seeds
from depthsearch.search.threshold import ThresholdSampler

__all__ = [
    "BisectionSampler",
    "Conclusion",
    "Crossing",
    "Curve",
    "CurvePoint",
    "DepthGridSampler",
    "SearchSettings",
    "ThresholdSampler",
    "draw_seeds",
    "estimate",
]
