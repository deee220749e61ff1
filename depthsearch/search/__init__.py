"""Search under noise: from the trials so far to the next depth, and to what is known of the threshold.

Useful without any network, to anyone who has a noisy threshold to find. The public names are loaded when they are first
used (PEP 562), so that the settings are there without Optuna.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from depthsearch.search.curve import Conclusion as Conclusion
    from depthsearch.search.curve import Crossing as Crossing
    from depthsearch.search.curve import Curve as Curve
    from depthsearch.search.curve import CurvePoint as CurvePoint
    from depthsearch.search.method import Pick as Pick
    from depthsearch.search.method import SearchMethod as SearchMethod
    from depthsearch.search.sampler import BisectionSampler as BisectionSampler
    from depthsearch.search.sampler import DepthGridSampler as DepthGridSampler
    from depthsearch.search.sampler import MethodSampler as MethodSampler
    from depthsearch.search.sampler import ThresholdSampler as ThresholdSampler
    from depthsearch.search.sampler import estimate as estimate
    from depthsearch.search.settings import SearchSettings as SearchSettings
    from depthsearch.search.threshold.method import PosteriorMethod as PosteriorMethod
    from depthsearch.search.trial import Depths as Depths
    from depthsearch.search.trial import Purpose as Purpose
    from depthsearch.search.trial import Trial as Trial
    from depthsearch.search.trial import draw_seeds as draw_seeds

_HOME = {
    "BisectionSampler": "sampler",
    "Conclusion": "curve",
    "Crossing": "curve",
    "Curve": "curve",
    "CurvePoint": "curve",
    "DepthGridSampler": "sampler",
    "Depths": "trial",
    "MethodSampler": "sampler",
    "Pick": "method",
    "PosteriorMethod": "threshold.method",
    "Purpose": "trial",
    "SearchMethod": "method",
    "SearchSettings": "settings",
    "ThresholdSampler": "sampler",
    "Trial": "trial",
    "draw_seeds": "trial",
    "estimate": "sampler",
}
__all__ = [
    "BisectionSampler",
    "Conclusion",
    "Crossing",
    "Curve",
    "CurvePoint",
    "DepthGridSampler",
    "Depths",
    "MethodSampler",
    "Pick",
    "PosteriorMethod",
    "Purpose",
    "SearchMethod",
    "SearchSettings",
    "ThresholdSampler",
    "Trial",
    "draw_seeds",
    "estimate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
