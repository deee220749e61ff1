"""Studies over plain functions: no network is trained here."""

from collections.abc import Callable

import optuna
from optuna import Study, Trial
from optuna.samplers import BaseSampler

from depthsearch.search import estimate
from depthsearch.search.settings import ResolvedSettings


def new_study(sampler: BaseSampler) -> Study:
    return optuna.create_study(direction="maximize", sampler=sampler)


def ask(study: Study, settings: ResolvedSettings, low: int = 1) -> tuple[Trial, int]:
    trial = study.ask()
    return trial, trial.suggest_int("depth", low, settings.cap)


def tell(study: Study, trial: Trial, *, runs: int, trained: int) -> None:
    trial.set_user_attr("runs", runs)
    trial.set_user_attr("trained", trained)
    study.tell(trial, trial.params["depth"])


def search(study: Study, settings: ResolvedSettings, trained_of: Callable[[int], int], low: int = 1) -> list[int]:
    """Search until concluded; `trained_of(depth)` of each trial's runs train. Returns the depths tried."""
    depths = []
    while estimate(study, settings).concluded is None:
        trial, depth = ask(study, settings, low)
        depths.append(depth)
        tell(study, trial, runs=settings.runs_per_trial, trained=trained_of(depth))
    return depths
