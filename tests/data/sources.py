"""Data sets that are read from a path."""

from pathlib import Path

import pytest

from depthsearch.data.base import DataSource
from depthsearch.errors import InvalidValue


def source(name: str, path: Path, **options: object) -> DataSource:
    return DataSource.of({"name": name, "path": str(path)} | options)


def refused(name: str, path: Path, **options: object) -> str:
    """The one line by which the data set is refused."""
    with pytest.raises(InvalidValue) as raised:
        source(name, path, **options).load()
    line = str(raised.value)
    assert "\n" not in line
    return line
