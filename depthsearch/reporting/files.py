"""The one writer of files: pages, exports and images are replaced whole or not at all."""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Callable, Sequence
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


def write_file(output: str | Path, content: str | bytes) -> None:
    """Write text or bytes, under another name first, so that a file that is there is replaced whole or not at all.

    A link is followed, the file keeps its mode, and a device or a pipe is written to as it is.

    Raises:
        InvalidValue: It cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if _is_special(Path(output)):
            Path(output).write_bytes(data)
            return
        place = Path(output).resolve()
        new = place.with_name(f".{os.getpid()}.depthsearch")
        try:
            new.write_bytes(data)
            if place.exists():
                new.chmod(stat.S_IMODE(place.stat().st_mode))
            new.replace(place)
        finally:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise _unwritable(str(output), error) from None


def _is_special(place: Path) -> bool:
    """Whether it is there and is neither a file nor a folder, and so cannot be replaced by renaming another file."""
    return (place.exists() and not place.is_file() and not place.is_dir()) or place.resolve().is_relative_to("/proc")


def _unwritable(output: str, error: Exception) -> InvalidValue:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return InvalidValue(f"--output {output!r} cannot be written: {reason}; give another file, in a folder that exists")


def check_folder(folder: str) -> None:
    """Make a folder where it is missing, and refuse one that files could not be written to.

    Raises:
        InvalidValue: It cannot be made or written to.
    """
    if not folder:
        raise InvalidValue("--figures '' is no folder: give one, as in --figures figures")
    try:
        Path(folder).mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        raise _unwritable_folder(folder, error) from None


def write_files(folder: str, names: Sequence[str], make: Callable[[list[Path]], None]) -> list[Path]:
    """Write several files to a folder, all of them or none.

    They are made in a folder next to those that are there already, and replace them once all are complete.

    Args:
        folder: Made where it is missing; what it is in must be there.
        names: Of the files.
        make: Writes the files at the paths that it is given, one for each name.

    Raises:
        InvalidValue: The folder cannot be written to.
    """
    check_folder(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=".depthsearch-", dir=folder) as made:
            make([Path(made) / name for name in names])
            for name in names:
                if (Path(folder) / name).is_dir():
                    raise IsADirectoryError(errno.EISDIR, f"{name} is a folder")
            return [(Path(made) / name).replace(Path(folder) / name) for name in names]
    except OSError as error:
        raise _unwritable_folder(folder, error) from None


def _unwritable_folder(folder: str, error: Exception) -> InvalidValue:
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return InvalidValue(f"--figures {folder!r} cannot be written: {reason}; give a folder that can be")
