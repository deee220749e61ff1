"""A text file, one character at a time: predict the next one."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from depthsearch.data.base import Dataset, DataSpec, split_arrays
from depthsearch.data.file_source import PathSource
from depthsearch.data.files import existing_file, translate_file_errors, translate_lack_of_memory
from depthsearch.errors import InvalidValue, UnreadableData

LEAST_WINDOWS = 40
"""Inputs that a text must yield: with a share of 0.05 for test, two are tested."""


class TextFile(PathSource):
    """The characters of a text file in UTF-8: the target at a position is the character that follows it.

    The text is cut into inputs of `length` characters, none of which lies in two. The first of them are for training,
    the end of the text is for test; the seed moves the first cut. A network must not read ahead.

    Attributes:
        length: Characters of one input.
    """

    endings: ClassVar[tuple[str, ...]] = (".txt",)

    name: Literal["text"] = "text"
    length: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 64

    def files(self) -> Mapping[str, Path]:
        """The one file."""
        return {"file": existing_file(self.path)}

    @property
    def spec(self) -> DataSpec:
        """The file is read for it: each of its characters is a class."""
        characters, _ = _encoded(self.path, self.stamp())
        return DataSpec(shape=(self.length,), task="sequence", classes=len(characters), vocabulary=len(characters))

    def draw(self) -> Dataset:
        """Characters [inputs, length] as numbers in the order of their code points, and those that follow them."""
        characters, codes = _encoded(self.path, self.stamp())
        begin = int(np.random.default_rng(self.seed).integers(self.length))
        windows = (len(codes) - 1 - begin) // self.length
        if windows < LEAST_WINDOWS:
            reason = (
                f"must be small enough for {LEAST_WINDOWS} inputs, but got {self.length} for a text of {len(codes)} "
            )
            raise InvalidValue(f"{reason}characters", path="data.length", value=self.length)
        end = begin + windows * self.length
        inputs = codes[begin:end].reshape(windows, self.length)
        following = codes[begin + 1 : end + 1].reshape(windows, self.length)
        return split_arrays(inputs.copy(), following.copy(), test_share=self.test_share, classes=len(characters))


@lru_cache(maxsize=2)
def _encoded(path: str, _stamp: str) -> tuple[str, NDArray[np.int64]]:
    """The different characters in order, and the text as their places in it."""
    with translate_lack_of_memory(path):
        return _read(existing_file(path))


def _read(file: Path) -> tuple[str, NDArray[np.int64]]:
    try:
        with translate_file_errors(file):
            text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableData(file, f"is no UTF-8 text: {error.reason} at byte {error.start}") from None
    points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    if len(points) == 0 or points.min() == points.max():
        raise UnreadableData(file, "must hold at least two different characters")
    characters, codes = np.unique(points, return_inverse=True)
    return "".join(map(chr, characters)), codes.astype(np.int64)
