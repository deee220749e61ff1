"""Given depths, one after another: for a curve rather than a threshold."""

from collections.abc import Sequence

from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial, TrialState

from depthsearch.search.optuna_internals import contains
from depthsearch.search.sampler import DepthSampler


class DepthGridSampler(DepthSampler):
    """Tries each of `settings.depths` in turn, and the one tried least again once all were.

    Args:
        settings: `depths` is used; those outside the parameter's range are left out.
        parameter: Name of the integer parameter that is the depth. Every other parameter is drawn at random.
    """

    def next_depth(self, earlier: Sequence[FrozenTrial], depths: IntDistribution) -> int:
        """The depth of the trial after these."""
        asked = [depth for depth in self.settings.depths or () if contains(depths, depth)]
        asked = asked or [depths.low]
        tried = [
            int(trial.params[self.parameter])
            for trial in earlier
            if self.parameter in trial.params and trial.state is not TrialState.FAIL
        ]
        # A running trial without a depth yet takes the first that is tried least, before this one does.
        for trial in earlier:
            if trial.state is TrialState.RUNNING and self.parameter not in trial.params:
                tried.append(min(asked, key=tried.count))
        return min(asked, key=tried.count)
