"""Optuna's samplers as search methods: they look for the deepest feasible depth, and never stop by themselves."""

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from depthsearch.search.exclusion import OpenSteps
from depthsearch.search.method import Pick
from depthsearch.search.threshold.method import PosteriorMethod
from depthsearch.search.trial import DEPTH, State, Trial

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import IntDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial


class OptunaMethod(PosteriorMethod):
    """One of Optuna's samplers, over a study in memory that holds the trials.

    A new sampler makes each pick, seeded by the number of trials before it, so that a search which was stopped goes on
    as if it had not been. On a logarithmic scale these samplers waste less on the deepest depths.
    """

    default_trials: ClassVar[int | None] = 40
    logarithmic: ClassVar[bool] = True

    @abstractmethod
    def sampler(self, seed: int) -> "BaseSampler":
        """Optuna's sampler, seeded."""

    def next_picks(self, trials: Sequence[Trial], most: int) -> tuple[Pick, ...]:
        """Optuna's choices."""
        allowed = self.open_steps(trials)
        distribution = self._distribution(allowed)
        study = self._study(trials, distribution)

        def depth(place: int) -> int:
            asked = self._ask(study, place, distribution)
            return self.depths.at(allowed.instead_of(self.depths.step_of(asked)))

        place = 0
        for trial in trials:
            if trial.state is State.RUNNING and trial.depth is None:
                depth(place)
            place += trial.state is not State.FAILED
        runs = self.settings.runs_per_trial
        return tuple(Pick(depth(place + further), runs) for further in range(most))

    def _ask(self, study: "Study", place: int, distribution: "IntDistribution") -> int:
        """The depth of a new trial of the study, which then is pending."""
        import numpy as np  # noqa: PLC0415

        study.sampler = self.sampler(int(np.random.SeedSequence([self.settings.seed, place]).generate_state(1)[0]))
        return int(study.ask({DEPTH: distribution}).params[DEPTH])

    def _study(self, trials: Sequence[Trial], distribution: "IntDistribution") -> "Study":
        import optuna  # noqa: PLC0415 - settings are checked without Optuna

        from depthsearch.search.optuna_internals import quiet_optuna  # noqa: PLC0415

        with quiet_optuna():
            study = optuna.create_study(direction="maximize")
        counted = [trial for trial in trials if self._counts(trial, distribution.high)]
        study.add_trials([_frozen(trial, distribution, self.settings.reliability) for trial in counted])
        return study

    def _counts(self, trial: Trial, deepest: int) -> bool:
        if trial.state not in (State.RUNNING, State.COMPLETE) or trial.depth is None or trial.purpose.is_ladder:
            return False
        return trial.depth in self.depths and trial.depth <= deepest

    def _distribution(self, allowed: OpenSteps) -> "IntDistribution":
        """The range down to the deepest depth for which there is memory."""
        from optuna.distributions import IntDistribution  # noqa: PLC0415

        low, high, step = self.depths.low, self.depths.at(max(allowed.last, 1)), self.depths.step
        return IntDistribution(low, high, log=low > 0 and step == 1, step=step)


def _frozen(trial: Trial, distribution: "IntDistribution", reliability: float) -> "FrozenTrial":
    from optuna.trial import TrialState, create_trial  # noqa: PLC0415

    from depthsearch.search.optuna_internals import CONSTRAINTS  # noqa: PLC0415

    finished = trial.state is State.COMPLETE
    constraints = {}
    if finished and trial.runs is not None and trial.trained is not None:
        constraints = {CONSTRAINTS: [reliability - trial.trained / trial.runs]}
    return create_trial(
        state=TrialState.COMPLETE if finished else TrialState.RUNNING,
        value=trial.depth if finished else None,
        params={DEPTH: trial.depth},
        distributions={DEPTH: distribution},
        system_attrs=constraints,
    )


class Tpe(OptunaMethod):
    """Tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011)."""

    name: ClassVar[str] = "tpe"

    def sampler(self, seed: int) -> "BaseSampler":
        """Optuna's TPESampler."""
        from optuna.samplers import TPESampler  # noqa: PLC0415

        return TPESampler(seed=seed)


class GaussianProcess(OptunaMethod):
    """Bayesian optimization with a Gaussian process."""

    name: ClassVar[str] = "gp"

    def sampler(self, seed: int) -> "BaseSampler":
        """Optuna's GPSampler, without its warning that it is experimental."""
        from optuna.exceptions import ExperimentalWarning  # noqa: PLC0415
        from optuna.samplers import GPSampler  # noqa: PLC0415

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return GPSampler(seed=seed)


class Random(OptunaMethod):
    """Depths drawn at random."""

    name: ClassVar[str] = "random"

    def sampler(self, seed: int) -> "BaseSampler":
        """Optuna's RandomSampler."""
        from optuna.samplers import RandomSampler  # noqa: PLC0415

        return RandomSampler(seed=seed)
