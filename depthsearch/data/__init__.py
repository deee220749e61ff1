"""Data sets: from a name and its options to points and labels."""

from depthsearch.data.base import Dataset, DataSource, DataSpec

__all__ = ["DataSource", "DataSpec", "Dataset"]
