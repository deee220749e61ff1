"""Search under noise: from the trials so far to the next depth, and to what is known of the threshold.

Useful without any network, to anyone who has a noisy threshold to find. The public names are loaded when they are first
used (PEP 562), so that the settings are there without Optuna.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from depthsearch.search.bisection import BisectionSampler as BisectionSampler
    from depthsearch.search.curve import Conclusion as Conclusion
    from depthsearch.search.curve import Crossing as Crossing
    from depthsearch.search.curve import Curve as Curve
    from depthsearch.search.curve import CurvePoint as CurvePoint
    from depthsearch.search.estimation import estimate as estimate
    from depthsearch.search.grid import DepthGridSampler as DepthGridSampler
    from depthsearch.search.settings import SearchSettings as SearchSettings
    from depthsearch.search.threshold.sampler import ThresholdSampler as ThresholdSampler
    from depthsearch.search.trial import draw_seeds as draw_seeds

_HOME = {
    "BisectionSampler": "bisection",
    "Conclusion": "curve",
    "Crossing": "curve",
    "Curve": "curve",
    "CurvePoint": "curve",
    "DepthGridSampler": "grid",
    "SearchSettings": "settings",
    "ThresholdSampler": "threshold.sampler",
    "draw_seeds": "trial",
    "estimate": "estimation",
}
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


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
