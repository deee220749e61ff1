"""depthsearch: how deep can this kind of network be before it stops training, and why does it stop?

The public names are loaded when they are first used (PEP 562), so that importing the package is instant.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from depthsearch.errors import DepthsearchError as DepthsearchError
    from depthsearch.problem.criterion import Criterion as Criterion
    from depthsearch.problem.problem import Problem as Problem
    from depthsearch.problem.recipe import Recipe as Recipe
    from depthsearch.problem.study_file import read_study_file as read_study_file
    from depthsearch.problem.study_file import write_study_file as write_study_file
    from depthsearch.reporting.figures.plot import plot as plot
    from depthsearch.results.answer import Answer as Answer
    from depthsearch.results.answer import Outcome as Outcome
    from depthsearch.results.check import Gate as Gate
    from depthsearch.results.check import gate as gate
    from depthsearch.results.comparison import Comparison as Comparison
    from depthsearch.results.dry_run import DryRun as DryRun
    from depthsearch.results.inspection import Inspection as Inspection
    from depthsearch.search.settings import SearchSettings as SearchSettings
    from depthsearch.workflows import compare as compare
    from depthsearch.workflows import dry_run as dry_run
    from depthsearch.workflows import find as find
    from depthsearch.workflows import inspect as inspect
    from depthsearch.workflows import inspect_stored as inspect_stored
    from depthsearch.workflows import survey as survey

__version__ = "0.1.0"

_HOME = {
    "Answer": "depthsearch.results.answer",
    "Outcome": "depthsearch.results.answer",
    "Comparison": "depthsearch.results.comparison",
    "DryRun": "depthsearch.results.dry_run",
    "DepthsearchError": "depthsearch.errors",
    "Gate": "depthsearch.results.check",
    "gate": "depthsearch.results.check",
    "Inspection": "depthsearch.results.inspection",
    "Criterion": "depthsearch.problem.criterion",
    "Problem": "depthsearch.problem.problem",
    "Recipe": "depthsearch.problem.recipe",
    "SearchSettings": "depthsearch.search.settings",
    "read_study_file": "depthsearch.problem.study_file",
    "write_study_file": "depthsearch.problem.study_file",
    "compare": "depthsearch.workflows",
    "dry_run": "depthsearch.workflows",
    "find": "depthsearch.workflows",
    "inspect": "depthsearch.workflows",
    "inspect_stored": "depthsearch.workflows",
    "survey": "depthsearch.workflows",
    "plot": "depthsearch.reporting.figures.plot",
}
__all__ = [
    "Answer",
    "Comparison",
    "Criterion",
    "DepthsearchError",
    "DryRun",
    "Gate",
    "Inspection",
    "Outcome",
    "Problem",
    "Recipe",
    "SearchSettings",
    "__version__",
    "compare",
    "dry_run",
    "find",
    "gate",
    "inspect",
    "inspect_stored",
    "plot",
    "read_study_file",
    "survey",
    "write_study_file",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
