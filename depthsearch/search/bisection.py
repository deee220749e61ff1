"""Bisection as an Optuna sampler without a state of its own."""

from collections.abc import Sequence
from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState

from depthsearch.core.events import Purpose
from depthsearch.core.settings import SearchSettings
from depthsearch.search.bracket import Bracket, bracket, next_step
from depthsearch.search.trials import DEPTH, Probe, all_trials, pooled, probes, write_constraint


class BisectionSampler(BaseSampler):
    """Doubles the depth until it fails, then bisects; halves it first where the start is too deep.

    The next depth is a pure function of the finished trials and of the running ones with a lower number, so a
    restart changes nothing, and several workers in lockstep pick what one batch would. A depth passes where
    at least `settings.reliability` of its runs trained. It takes at most 2 ceil(log2 D) + 2 depths to bracket a
    threshold at D. No interval is claimed: one unlucky depth sends it astray, which is why the depth found is
    worth trying again. Once nothing is left to bracket, it names the two edges again, the one tried less first.

    Args:
        settings: `reliability` is used; the deepest depth is the parameter's own upper bound.
        parameter: Name of the integer parameter that is the depth. Every other parameter is drawn at random.
    """

    def __init__(self, settings: SearchSettings | None = None, *, parameter: str = DEPTH) -> None:
        self._settings = settings or SearchSettings()
        self._parameter = parameter
        self._others = RandomSampler(seed=self._settings.seed % 2**32)

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
        if param_name != self._parameter or not isinstance(param_distribution, IntDistribution):
            return self._others.sample_independent(study, trial, param_name, param_distribution)
        earlier = [other for other in all_trials(study) if other.number < trial.number]
        return next_depth(earlier, param_distribution, self._settings.reliability, parameter=self._parameter)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Write the constraint of a finished trial, so that Optuna's best trial is the deepest that passes."""
        if state is TrialState.COMPLETE:
            write_constraint(study, trial, self._settings.reliability)


def next_depth(
    earlier: Sequence[FrozenTrial], distribution: IntDistribution, reliability: float, *, parameter: str = DEPTH
) -> int:
    """The depth that bisection tries next, after the trials `earlier` (sorted by number).

    A running trial counts as pending; where it has no depth yet, its own pick is worked out first.
    """
    grid = _Grid(distribution)
    finished = probes(earlier, parameter, purpose=Purpose.SEARCH)
    found = grid.bracket(finished, reliability)
    tried = [probe.depth for probe in finished]
    pending: list[int] = []
    for trial in earlier:
        if trial.state is TrialState.RUNNING:
            pending.append(
                int(trial.params[parameter]) if parameter in trial.params else _pick(grid, found, pending, tried)
            )
    return _pick(grid, found, pending, tried)


def bracket_of(
    finished: Sequence[Probe], distribution: IntDistribution, reliability: float
) -> tuple[int | None, int | None, bool]:
    """(deepest depth that passes, shallowest that fails, whether nothing is left to try)."""
    grid = _Grid(distribution)
    found = grid.bracket(finished, reliability)
    return (
        grid.depth(found.passes) if found.passes else None,
        grid.depth(found.fails) if found.fails else None,
        found.closed,
    )


class _Grid:
    """Depths as steps from 1: the distribution's lower bound is step 1."""

    def __init__(self, distribution: IntDistribution) -> None:
        self.low, self.width = distribution.low, distribution.step
        self.last = (distribution.high - distribution.low) // distribution.step + 1

    def depth(self, step: int) -> int:
        return self.low + (step - 1) * self.width

    def step(self, depth: int) -> int:
        return (depth - self.low) // self.width + 1

    def bracket(self, finished: Sequence[Probe], reliability: float) -> Bracket:
        outcomes = [(self.step(probe.depth), probe.passes(reliability)) for probe in pooled(finished)]
        return bracket(outcomes, self.last)


def _pick(grid: _Grid, found: Bracket, pending: Sequence[int], tried: Sequence[int]) -> int:
    step = next_step(found, [grid.step(depth) for depth in pending])
    if step is not None:
        return grid.depth(step)
    edges = [grid.depth(edge) for edge in (found.passes, found.fails) if edge]
    return min(edges, key=lambda depth: (tried.count(depth) + pending.count(depth), depth))
