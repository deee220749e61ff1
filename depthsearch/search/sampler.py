"""What our samplers share: an Optuna sampler for one whole number, the depth."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState

from depthsearch.search.optuna_internals import all_trials
from depthsearch.search.settings import SearchSettings
from depthsearch.search.trial import DEPTH, write_constraint


class DepthSampler(BaseSampler):
    """Names the depth of each trial from the trials before it alone.

    Args:
        settings: How the search is done.
        parameter: Name of the integer parameter that is the depth. Every other parameter is drawn at random.
    """

    def __init__(self, settings: SearchSettings | None = None, *, parameter: str = DEPTH) -> None:
        self.settings = (settings or SearchSettings()).resolved()
        self.parameter = parameter
        self._others = RandomSampler(seed=self.settings.seed % 2**32)

    @abstractmethod
    def next_depth(self, earlier: Sequence[FrozenTrial], depths: IntDistribution) -> int:
        """The depth of the trial after these, which are those with lower numbers, sorted."""

    def reseed_rng(self) -> None:
        """Give parameters other than the depth another random stream (asked for by parallel `optimize`)."""
        self._others.reseed_rng()

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Nothing is sampled relative to other parameters.

        Raises:
            ValueError: The study has several objectives.
        """
        self._raise_error_if_multi_objective(study)
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing is sampled relative to other parameters.

        Raises:
            ValueError: The study has several objectives.
        """
        self._raise_error_if_multi_objective(study)
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """The next depth, a Python int within the distribution; another parameter is drawn at random.

        Raises:
            ValueError: The study has several objectives.
        """
        self._raise_error_if_multi_objective(study)
        if param_name != self.parameter or not isinstance(param_distribution, IntDistribution):
            return self._others.sample_independent(study, trial, param_name, param_distribution)
        earlier = [other for other in all_trials(study) if other.number < trial.number]
        return self.next_depth(earlier, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Write the constraint of a finished trial, so that Optuna's best trial is the deepest that passes."""
        if state is TrialState.COMPLETE:
            write_constraint(study, trial, self.settings.reliability)
