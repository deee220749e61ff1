"""Which depths a search may try."""

from collections.abc import Sequence

from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial

from depthsearch.core.problem import Problem
from depthsearch.core.settings import ResolvedSettings
from depthsearch.families import family_of
from depthsearch.search.trials import probes


def depths_of(problem: Problem, settings: ResolvedSettings, trials: Sequence[FrozenTrial]) -> IntDistribution:
    """From the family's shallowest to the cap, or to the deepest that was tried if a lower cap was given since.

    What is known of deeper networks is not forgotten by asking for less.
    """
    tried = [probe.depth for probe in probes(trials)]
    shallowest = family_of(problem.family).shallowest
    return IntDistribution(shallowest, max(shallowest, settings.cap, *tried))
