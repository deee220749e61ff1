"""Whether a study may still spend runs or seconds."""

from optuna.trial import TrialState

from depthsearch.search import trials as trial_fields
from depthsearch.store import StoredStudy


def budget_left(stored: StoredStudy) -> bool:
    """Whether one more trial fits: its runs are known beforehand, its seconds are not, so those may overrun."""
    settings = stored.settings
    finished = stored.optuna_study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    runs = sum(trial.user_attrs[trial_fields.RUNS] for trial in finished)
    seconds = sum(trial.user_attrs[trial_fields.SECONDS] for trial in finished)
    runs_left = settings.max_runs is None or runs + settings.runs_per_trial <= settings.max_runs
    return runs_left and (settings.max_seconds is None or seconds < settings.max_seconds)
