"""Bayesian threshold search: a posterior over curves, the depth that tells most, and when to stop."""

from depthsearch.search.threshold.method import PosteriorMethod, Threshold

__all__ = ["PosteriorMethod", "Threshold"]
