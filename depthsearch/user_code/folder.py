"""The working folder, which a user's code may leave and this package does not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_kept: list[Path] = []
"""To which the blocks under way go back, the outermost first."""


def working_folder() -> Path:
    """The working folder of the process, wherever the code that runs at this moment has moved to."""
    return _kept[0] if _kept else Path.cwd()


@contextmanager
def working_folder_kept() -> Iterator[None]:
    """A block after which the working folder is as before, if it is still there."""
    try:
        before = Path.cwd()
    except OSError:  # it was removed
        yield
        return
    _kept.append(before)
    try:
        yield
    finally:
        _kept.pop()
        with suppress(OSError):
            os.chdir(before)
