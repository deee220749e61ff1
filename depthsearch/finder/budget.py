"""How much a study may still spend."""

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from depthsearch.core.names import SEEDS
from depthsearch.core.settings import ResolvedSettings
from depthsearch.search import trials as trial_fields


def runs_left(trials: Sequence[FrozenTrial], settings: ResolvedSettings) -> float:
    """Runs that the budget still allows, those under way left out; infinite where there is none."""
    if settings.max_runs is None:
        return float("inf")
    made = sum(trial.user_attrs[trial_fields.RUNS] for trial in trials if trial.state is TrialState.COMPLETE)
    asked = sum(len(trial.user_attrs.get(SEEDS, ())) for trial in trials if trial.state is TrialState.RUNNING)
    return float(settings.max_runs - made - asked)


def budget_left(trials: Sequence[FrozenTrial], settings: ResolvedSettings) -> bool:
    """Whether one more trial fits: its runs are known beforehand, its seconds are not, so those may overrun."""
    if runs_left(trials, settings) < settings.runs_per_trial:
        return False
    spent = sum(trial.user_attrs[trial_fields.SECONDS] for trial in trials if trial.state is TrialState.COMPLETE)
    return settings.max_seconds is None or spent < settings.max_seconds
