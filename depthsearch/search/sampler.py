"""Search methods as Optuna samplers for one whole number, the depth, and the estimate from an Optuna study."""

from collections.abc import Sequence
from typing import Any, ClassVar

from optuna import Study
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState

from depthsearch.errors import InvalidValue
from depthsearch.search import optuna_internals
from depthsearch.search.bisection import Bisection
from depthsearch.search.curve import Curve
from depthsearch.search.grid import Grid
from depthsearch.search.method import SearchMethod, method_class
from depthsearch.search.settings import ResolvedSettings, SearchSettings
from depthsearch.search.threshold.method import ThresholdSearch
from depthsearch.search.trial import DEPTH, Depths, Trial, counts_of, purpose_of

INFEASIBLE = 1.0
"""The constraint of a trial that is never the best."""


def trials_of(study: Study, parameter: str = DEPTH) -> list[Trial]:
    """Every trial of a study as a plain value, sorted by number."""
    return [Trial.of(trial, parameter) for trial in optuna_internals.all_trials(study)]


class MethodSampler(BaseSampler):
    """Chooses the depth of each trial by a search method, from the trials with lower numbers.

    It keeps no state: running trials count as pending, and the pick of one that has no depth yet is computed first, so
    a restart changes nothing, and workers in lockstep pick what one batch would. `estimate` says when to stop.

    Args:
        settings: How the search is done. The deepest depth is the parameter's upper bound, not the cap.
        parameter: Name of the integer parameter that is the depth. Every other parameter is drawn at random.

    Attributes:
        method: The search method; None for the one that the settings name.
    """

    method: ClassVar[type[SearchMethod] | None] = None

    def __init__(self, settings: SearchSettings | None = None, *, parameter: str = DEPTH) -> None:
        self.settings: ResolvedSettings = (settings or SearchSettings()).resolved()
        self.parameter = parameter
        self._others = RandomSampler(seed=self.settings.seed % 2**32)

    @property
    def method_class(self) -> type[SearchMethod]:
        """The search method that chooses."""
        return self.method or method_class(self.settings.sampler)

    def next_depth(self, study: Study, trial: FrozenTrial, distribution: IntDistribution) -> int:
        """The depth of a trial.

        Raises:
            InvalidValue: Every depth is excluded.
        """
        earlier = [
            Trial.of(other, self.parameter)
            for other in optuna_internals.all_trials(study)
            if other.number < trial.number
        ]
        method = self.method_class(self.settings, Depths.of(distribution))
        if not method.has_open_depths(earlier):
            low, high = distribution.low, distribution.high
            raise InvalidValue(f"no depth is left to try: all from {low} to {high} are excluded by failed trials")
        (pick,) = method.next_picks(earlier, 1)
        return pick.depth

    def reseed_rng(self) -> None:
        """Give parameters other than the depth another random stream, for parallel `optimize`."""
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
        return self.next_depth(study, trial, param_distribution)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Write the constraint, reliability - trained / runs, so that Optuna's best trial is the deepest that passes.

        It is feasible where at most 0. A trial of the ladder never is; one that does not say how it went gets none.
        """
        counted = counts_of(trial)
        if state is TrialState.COMPLETE and purpose_of(trial).is_ladder:
            optuna_internals.write_constraint(study, trial, INFEASIBLE)
        elif state is TrialState.COMPLETE and counted is not None:
            runs, trained = counted
            optuna_internals.write_constraint(study, trial, self.settings.reliability - trained / runs)


class ThresholdSampler(MethodSampler):
    """Bayesian threshold search: tries the depth that tells most of the threshold for its cost.

    Args:
        settings: `reliability`, `tolerance`, `runs_per_trial`, `parallel_trials`, `max_runs` and `seed` are used.
        parameter: Name of the integer parameter that is the depth. Every other parameter is drawn at random.
    """

    method = ThresholdSearch


class BisectionSampler(MethodSampler):
    """Doubles the depth until it fails, then bisects.

    Args:
        settings: `reliability` is used.
        parameter: Name of the integer parameter that is the depth. Every other parameter is drawn at random.
    """

    method = Bisection


class DepthGridSampler(MethodSampler):
    """Tries each of the given depths in turn.

    Args:
        settings: `depths` is used.
        parameter: Name of the integer parameter that is the depth. Every other parameter is drawn at random.
    """

    method = Grid


def estimate(
    study: Study,
    settings: SearchSettings,
    *,
    parameter: str = DEPTH,
    depths: Depths | None = None,
    curves: int | None = None,
) -> Curve:
    """The curve of P(trained | depth) and the depth that it names.

    The method that the settings name estimates it. A posterior holds whichever method chose the depths; so where the
    study's sampler is of a method that claims no interval, such as bisection, that method estimates.

    Args:
        study: An Optuna study whose trials carry `runs` and `trained`.
        settings: `sampler`, `reliability`, `tolerance`, `cap` and `max_runs` are used.
        parameter: Name of the integer parameter that is the depth.
        depths: The depths that may be tried; by default those of the trials, up to the settings' cap.
        curves: How many of the posterior's curves `p`, `low` and `high` of the points are taken from; by default all.
    """
    settings = settings.resolved()
    method = method_class(settings.sampler)
    sampler = study.sampler
    if isinstance(sampler, MethodSampler) and not sampler.method_class.claims_interval:
        method = sampler.method_class
    depths = depths or _depths_of(study, settings, parameter)
    return method(settings, depths).estimate(trials_of(study, parameter), curves=curves)


def _depths_of(study: Study, settings: ResolvedSettings, parameter: str) -> Depths:
    """The range that the trials of the search were suggested from, up to the cap."""
    found = [
        distribution
        for trial in optuna_internals.all_trials(study)
        if not purpose_of(trial).is_ladder
        and isinstance(distribution := trial.distributions.get(parameter), IntDistribution)
    ]
    if not found:
        return Depths(1, settings.cap)
    low, high, step = min(one.low for one in found), max(one.high for one in found), found[-1].step
    return Depths.of(IntDistribution(low, max(low, min(high, settings.cap)), step=step))
