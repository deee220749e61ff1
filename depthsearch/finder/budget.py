"""How much a study may still spend."""

from optuna.trial import TrialState

from depthsearch.search import trials as trial_fields
from depthsearch.store import StoredStudy


def runs_left(stored: StoredStudy) -> float:
    """Runs that the budget still allows; infinite where there is none."""
    if stored.settings.max_runs is None:
        return float("inf")
    finished = stored.optuna_study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    made: int = sum(trial.user_attrs[trial_fields.RUNS] for trial in finished)
    return stored.settings.max_runs - made


def budget_left(stored: StoredStudy) -> bool:
    """Whether one more trial fits: its runs are known beforehand, its seconds are not, so those may overrun."""
    settings = stored.settings
    if runs_left(stored) < settings.runs_each:
        return False
    if settings.max_seconds is None:
        return True
    finished = stored.optuna_study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    spent: float = sum(trial.user_attrs[trial_fields.SECONDS] for trial in finished)
    return spent < settings.max_seconds
