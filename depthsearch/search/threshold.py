"""Bayesian threshold search as an Optuna sampler without a state of its own."""

from collections.abc import Sequence

from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial

from depthsearch.search.depth_sampler import DepthSampler
from depthsearch.search.picking import next_pick


class ThresholdSampler(DepthSampler):
    """Tries the depth that tells most of the threshold for its cost, and looks out for curves that dip or revive.

    The belief is a posterior over curves of P(success | depth), and the next depth the one that reduces the
    variance of ln(threshold) most for its cost (see search.acquisition). It is never deeper than twice the deepest
    success. Now and then a trial is a sentinel at a random shallower depth; and once a stopping rule holds, the depths
    beyond the threshold are looked at, so that a revival would be seen.

    The next depth is a pure function of the finished trials and of the running ones with a lower number, so a restart
    changes nothing, and workers in lockstep pick what one batch would. Convergence is `estimate`'s to say.

    Args:
        settings: `reliability`, `tolerance`, `runs_per_trial`, `parallel_trials`, `max_runs` and `seed` are used; the
            deepest depth is the parameter's own upper bound.
        parameter: Name of the integer parameter that is the depth. Every other parameter is drawn at random.
    """

    def next_depth(self, earlier: Sequence[FrozenTrial], depths: IntDistribution) -> int:
        """The depth of the trial after these."""
        return next_pick(earlier, depths, self.settings, parameter=self.parameter).depth
