"""Which sampler names the depths: ours, or one of Optuna's over the same trials."""

import warnings
from collections.abc import Sequence

import numpy as np
from optuna import Trial
from optuna.distributions import IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from depthsearch.core.events import Purpose
from depthsearch.core.settings import ResolvedSettings
from depthsearch.search import BisectionSampler, DepthGridSampler, ThresholdSampler
from depthsearch.search import trials as trial_fields
from depthsearch.search.picking import next_pick, runs_for

OPTUNAS = ("tpe", "gp", "random")
TRIALS_BY_DEFAULT = 40
"""Of Optuna's samplers, which know no end of their own."""


def make_sampler(settings: ResolvedSettings, trials: int) -> BaseSampler:
    """The sampler that the settings name; Optuna's are seeded by how many trials there are, so as not to repeat."""
    seed = int(np.random.SeedSequence([settings.seed, trials]).generate_state(1)[0])
    match settings.sampler:
        case "threshold":
            return ThresholdSampler(settings)
        case "bisect":
            return BisectionSampler(settings)
        case "grid":
            return DepthGridSampler(settings)
        case "tpe":
            return TPESampler(seed=seed)
        case "gp":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                return GPSampler(seed=seed)
        case "random":
            return RandomSampler(seed=seed)


def with_budget(settings: ResolvedSettings) -> ResolvedSettings:
    """With a budget where the sampler knows no end of its own and none is given."""
    if settings.sampler not in OPTUNAS or settings.max_runs is not None or settings.max_seconds is not None:
        return settings
    return settings.model_copy(update={"max_runs": TRIALS_BY_DEFAULT * settings.runs_per_trial})


def suggest(trial: Trial, settings: ResolvedSettings, depths: IntDistribution) -> int:
    """The depth of a trial that was just asked for."""
    # Optuna's samplers know nothing of depths: on a logarithmic scale they waste less on the deepest.
    return trial.suggest_int(trial_fields.DEPTH, depths.low, depths.high, log=settings.sampler in OPTUNAS)


def runs_and_purpose(trials: Sequence[FrozenTrial], number: int, settings: ResolvedSettings) -> tuple[int, Purpose]:
    """How many fresh runs a trial gets that has its depth, and why it is made. `trials` are all, sorted by number."""
    trial = trials[number]
    purpose = trial_fields.purpose_of(trial)
    if purpose is Purpose.CONFIRM or settings.sampler != "threshold":
        return runs_for(purpose, settings), purpose
    pick = next_pick(trials[:number], trial.distributions[trial_fields.DEPTH], settings)  # type: ignore[arg-type]
    return pick.runs, pick.purpose
