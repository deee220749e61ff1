"""Bayesian threshold search: a posterior over curves, the depth that tells most, and when to stop."""

from depthsearch.search.threshold.method import PosteriorMethod, ThresholdSearch

__all__ = ["PosteriorMethod", "ThresholdSearch"]
