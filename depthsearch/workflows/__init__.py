"""The one place where search, training, detection and the store meet."""

from depthsearch.workflows.answer import answer_of
from depthsearch.workflows.compare import compare
from depthsearch.workflows.dry_run import dry_run
from depthsearch.workflows.find import find
from depthsearch.workflows.inspect import inspect, inspect_stored
from depthsearch.workflows.stored import read_checked
from depthsearch.workflows.survey import checked_plan, survey

__all__ = [
    "answer_of",
    "checked_plan",
    "compare",
    "dry_run",
    "find",
    "inspect",
    "inspect_stored",
    "read_checked",
    "survey",
]
