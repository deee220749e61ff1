"""Files that data come from: found, opened, hashed, and refused in one line that begins with their name."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from depthsearch.errors import InvalidValue, UnreadableData
from depthsearch.schema import canonical_json, sha256

BLOCK = 1 << 20
"""Bytes that are read at a time."""

MOST_BYTES = 1 << 36
"""Of a data set in memory: 64 GiB. A damaged file may promise any size."""

_GZIP = b"\x1f\x8b"


class Readable(Protocol):
    """An open file, or the unpacked side of one."""

    def read(self, size: int, /) -> bytes:
        """At most so many of the bytes that follow; none at the end."""


def exists(path: str) -> bool:
    """Whether there is a file or folder of that path, in which ~ is the home folder; False where it can be none."""
    try:
        return Path(path).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False


def existing_file(path: str) -> Path:
    """The file of that path, in which ~ is the home folder.

    Raises:
        UnreadableData: There is none.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise UnreadableData(file, "is a folder, where a file is due" if file.is_dir() else "does not exist")
    return file


def existing_folder(path: str) -> Path:
    """The folder of that path, in which ~ is the home folder.

    Raises:
        UnreadableData: There is none.
    """
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise UnreadableData(folder, "is a file, where a folder is due" if folder.is_file() else "does not exist")
    return folder


@contextmanager
def translate_file_errors(file: Path) -> Iterator[None]:
    """A block that reads a file: errors of the system and of damaged gzip streams become UnreadableData."""
    try:
        yield
    except EOFError:
        raise UnreadableData(file, "is truncated: its gzip stream has no end") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableData(file, f"is damaged: {error}") from None
    except OSError as error:
        raise UnreadableData(file, f"cannot be read: {error.strerror or error}") from None


@contextmanager
def translate_lack_of_memory(path: object) -> Iterator[None]:
    """A block that reads what lies at a path: a lack of memory becomes UnreadableData."""
    try:
        yield
    except MemoryError:
        raise UnreadableData(path, "needs more memory than there is") from None


@contextmanager
def opened(file: Path) -> Iterator[Readable]:
    """The bytes of a file, those of a gzipped one unpacked, whatever its name.

    Raises:
        UnreadableData: It cannot be read, or the gzip stream is damaged.
    """
    with translate_file_errors(file), file.open("rb") as plain:
        packed = plain.read(len(_GZIP)) == _GZIP
        plain.seek(0)
        if packed:
            with gzip.GzipFile(fileobj=plain) as unpacked:
                yield unpacked
        else:
            yield plain


def read_due(source: Readable, due: int, file: Path, *, of: str) -> bytes:
    """The rest of a file, which is `due` bytes.

    Args:
        source: The open file.
        due: Bytes that follow.
        file: Its name.
        of: What they hold, for the message.

    Raises:
        UnreadableData: There are fewer, or more.
    """
    check_size(file, due)
    blocks, left = [], due + 1
    while left and (block := source.read(min(left, BLOCK))):
        blocks.append(block)
        left -= len(block)
    found = due + 1 - left
    if found < due:
        raise UnreadableData(file, f"is truncated: {of} take {due} bytes, but {found} follow")
    if found > due:
        raise UnreadableData(file, f"is damaged: {of} take {due} bytes, but more follow")
    return b"".join(blocks)


def check_size(file: Path, due: int) -> None:
    """Refuse a file of so many bytes, unpacked, if that is more than MOST_BYTES.

    Raises:
        UnreadableData: It is.
    """
    if due > MOST_BYTES:
        raise UnreadableData(file, f"would take {due >> 30} GiB in memory: {MOST_BYTES >> 30} GiB is the most")


def check_memory(numbers: int) -> None:
    """Refuse a data set of so many numbers of 4 bytes, if that is more than MOST_BYTES.

    Raises:
        InvalidValue: It is.
    """
    if 4 * numbers > MOST_BYTES:
        reason = f"must be given: all of the data would take {4 * numbers >> 30} GiB in memory"
        raise InvalidValue(reason, path="data.points")


def digest(file: Path) -> str:
    """SHA-256 of a file's bytes, a gzipped file's unpacked; computed again once its size or time has changed.

    Raises:
        UnreadableData: It cannot be read.
    """
    with translate_file_errors(file):
        state = file.stat()
    return _digest(str(file.absolute()), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1 << 18)
def _digest(path: str, _size: int, _mtime: int) -> str:
    found = hashlib.sha256()
    with opened(Path(path)) as source:
        while block := source.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def content_hash(files: Mapping[str, Path]) -> str:
    """SHA-256 of the content of files, and of the names by which the format knows them, never of where they lie.

    Raises:
        UnreadableData: One cannot be read.
    """
    return sha256(canonical_json({name: digest(file) for name, file in files.items()}))


def stamp_of(files: Mapping[str, Path]) -> str:
    """A short text that changes when a file's size or its time of change does.

    Raises:
        UnreadableData: One cannot be read.
    """
    found = hashlib.sha256()
    for name, file in files.items():
        with translate_file_errors(file):
            state = file.stat()
        found.update(f"{name}\0{file.absolute()}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return found.hexdigest()
