"""depthsearch: how deep can this kind of network be before it stops training, and why does it stop?

The public names are loaded when they are first used (PEP 562), so that importing the package is instant.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from depthsearch.core.answer import Answer as Answer
    from depthsearch.core.answer import Outcome as Outcome
    from depthsearch.core.comparison import Comparison as Comparison
    from depthsearch.core.errors import DepthsearchError as DepthsearchError
    from depthsearch.core.gate import Gate as Gate
    from depthsearch.core.gate import gate as gate
    from depthsearch.core.inspection import Inspection as Inspection
    from depthsearch.core.problem import Criterion as Criterion
    from depthsearch.core.problem import DataOptions as DataOptions
    from depthsearch.core.problem import Problem as Problem
    from depthsearch.core.problem import Recipe as Recipe
    from depthsearch.core.settings import SearchSettings as SearchSettings
    from depthsearch.core.study_file import read_study_file as read_study_file
    from depthsearch.core.study_file import write_study_file as write_study_file
    from depthsearch.finder import compare as compare
    from depthsearch.finder import find as find
    from depthsearch.finder import inspect as inspect
    from depthsearch.finder import inspect_stored as inspect_stored
    from depthsearch.finder import survey as survey
    from depthsearch.reporting.plot import plot as plot

__version__ = "0.1.0"

_HOME = {
    "Answer": "depthsearch.core.answer",
    "Outcome": "depthsearch.core.answer",
    "Comparison": "depthsearch.core.comparison",
    "DepthsearchError": "depthsearch.core.errors",
    "Gate": "depthsearch.core.gate",
    "gate": "depthsearch.core.gate",
    "Inspection": "depthsearch.core.inspection",
    "Criterion": "depthsearch.core.problem",
    "DataOptions": "depthsearch.core.problem",
    "Problem": "depthsearch.core.problem",
    "Recipe": "depthsearch.core.problem",
    "SearchSettings": "depthsearch.core.settings",
    "read_study_file": "depthsearch.core.study_file",
    "write_study_file": "depthsearch.core.study_file",
    "compare": "depthsearch.finder",
    "find": "depthsearch.finder",
    "inspect": "depthsearch.finder",
    "inspect_stored": "depthsearch.finder",
    "survey": "depthsearch.finder",
    "plot": "depthsearch.reporting.plot",
}
__all__ = [
    "Answer",
    "Comparison",
    "Criterion",
    "DataOptions",
    "DepthsearchError",
    "Gate",
    "Inspection",
    "Outcome",
    "Problem",
    "Recipe",
    "SearchSettings",
    "__version__",
    "compare",
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
