"""The one place where search, training, detection and the store meet."""

from depthsearch.finder.answering import answer_of
from depthsearch.finder.checking import read_checked
from depthsearch.finder.compare import compare
from depthsearch.finder.find import find
from depthsearch.finder.inspecting import inspect, inspect_stored
from depthsearch.finder.surveying import checked_plan, survey

__all__ = ["answer_of", "checked_plan", "compare", "find", "inspect", "inspect_stored", "read_checked", "survey"]
