"""Pages written to a file: refused before the work where they could not be, and never left half written."""

import contextlib
import os
import tempfile
from pathlib import Path

from depthsearch.core.errors import InvalidValue


def check_writable(output: str) -> None:
    """Refuse a file that could not be written once the work is done.

    Raises:
        InvalidValue: Its folder is missing or cannot be written to, or it is a folder itself.
    """
    try:
        place = Path(output)
        if not output or place.is_dir():
            raise InvalidValue(f"--output {output!r} is not a file: give the HTML file to write, as in run.html")
        with tempfile.TemporaryFile(dir=place.parent):
            pass
    except (OSError, ValueError) as error:
        raise _unwritable(output, error) from None


def write_page(output: str, text: str) -> None:
    """Write a page, under another name first, so that one that is there is replaced whole or not at all.

    Raises:
        InvalidValue: It cannot be written.
    """
    place = Path(output)
    check_writable(output)
    if place.exists() and not place.is_file():
        # A device or a pipe has no place beside it that could become it.
        try:
            place.write_text(text, encoding="utf-8")
        except OSError as error:
            raise _unwritable(output, error) from None
        return
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(place)
    except OSError as error:
        raise _unwritable(output, error) from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def _unwritable(output: str, error: Exception) -> InvalidValue:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return InvalidValue(f"--output {output!r} cannot be written: {reason}; give a file in a folder that exists")
