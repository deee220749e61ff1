"""The store: what is remembered of every search. Optuna keeps the trials; our tables keep the rest."""

from depthsearch.store.errors import raise_study_damaged
from depthsearch.store.location import checkpoint_folder, shown_url
from depthsearch.store.store import Store, open_store
from depthsearch.store.study import StoredRun, StoredStudy
from depthsearch.store.summary import StudySummary, check_name

__all__ = [
    "Store",
    "StoredRun",
    "StoredStudy",
    "StudySummary",
    "check_name",
    "checkpoint_folder",
    "open_store",
    "raise_study_damaged",
    "shown_url",
]
