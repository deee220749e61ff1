"""Results written to a file: refused before the work where they could not be, and never left half written."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from depthsearch.errors import InvalidValue


def check_writable(output: str) -> None:
    """Refuse a file that could not be written once the work is done.

    Raises:
        InvalidValue: Its folder is missing or cannot be written to, or it is a folder itself.
    """
    try:
        place = Path(output)
        if not output or place.is_dir():
            raise InvalidValue(f"--output {output!r} is not a file: give the HTML file to write, as in run.html")
        if _is_special(place):
            return
        place.exists()  # a name that is too long raises here
        with tempfile.TemporaryFile(dir=place.resolve().parent):
            pass
    except (OSError, ValueError) as error:
        raise _unwritable(output, error) from None


def write_file(output: str, text: str) -> None:
    """Write a text, under another name first, so that a file that is there is replaced whole or not at all.

    A link is followed, the file keeps its mode, and a device or a pipe is written to as it is.

    Raises:
        InvalidValue: It cannot be written.
    """
    try:
        if _is_special(Path(output)):
            Path(output).write_text(text, encoding="utf-8")
            return
        place = Path(output).resolve()
        new = place.with_name(f".{os.getpid()}.depthsearch")
        try:
            new.write_text(text, encoding="utf-8")
            if place.exists():
                new.chmod(stat.S_IMODE(place.stat().st_mode))
            new.replace(place)
        finally:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise _unwritable(output, error) from None


def _is_special(place: Path) -> bool:
    """Whether it is there and is neither a file nor a folder: nothing beside it could become it."""
    return (place.exists() and not place.is_file() and not place.is_dir()) or place.resolve().is_relative_to("/proc")


def _unwritable(output: str, error: Exception) -> InvalidValue:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return InvalidValue(f"--output {output!r} cannot be written: {reason}; give another file, in a folder that exists")
