"""Which depths a search may try."""

from optuna.distributions import IntDistribution

from depthsearch.core.problem import Problem
from depthsearch.core.settings import SearchSettings
from depthsearch.families import family_of


def depths_of(problem: Problem, settings: SearchSettings) -> IntDistribution:
    """From the family's shallowest to the cap."""
    shallowest = family_of(problem.family).shallowest
    return IntDistribution(shallowest, max(shallowest, settings.cap))
