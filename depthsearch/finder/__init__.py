"""The one place where search, training, detection and the store meet."""

from depthsearch.finder.answering import answer_of
from depthsearch.finder.compare import compare
from depthsearch.finder.find import find

__all__ = ["answer_of", "compare", "find"]
