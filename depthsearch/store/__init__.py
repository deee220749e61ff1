"""The store: what is remembered of every search. Optuna keeps the trials; our own tables keep the rest.

Imports core alone, optuna and SQLAlchemy; it knows nothing of training.
"""

from depthsearch.store.errors import damage_said
from depthsearch.store.store import Store, check_name, open_store
from depthsearch.store.study import StoredRun, StoredStudy
from depthsearch.store.summary import StudySummary
from depthsearch.store.urls import shown_url

__all__ = ["Store", "StoredRun", "StoredStudy", "StudySummary", "check_name", "damage_said", "open_store", "shown_url"]
