"""A text file, one character at a time: predict the next one."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from depthsearch.data.base import Dataset, DataSource, DataSpec, split_arrays
from depthsearch.data.files import content_hash, existing_file, stamp_of, translate_file_errors
from depthsearch.errors import InvalidValue, UnreadableData

LEAST_WINDOWS = 40
"""Inputs that a text must yield: with a share of 0.05 for test, two are tested."""


class TextFile(DataSource):
    """The characters of a text file in UTF-8: the target at a position is the character that follows it.

    The text is cut into inputs of `length` characters, none of which lies in two. The first of them are for training,
    the end of the text is for test; the seed moves the first cut. A network must not read ahead.

    Attributes:
        path: Folder or file that the data set is read from.
        length: Characters of one input.
    """

    name: Literal["text"] = "text"
    path: Annotated[str, Field(strict=True, min_length=1)]
    length: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 64

    @model_validator(mode="before")
    @classmethod
    def _path_is_given(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("path") is None:
            raise InvalidValue("is missing: it says where the text is, as in text:PATH", path="path")
        return data

    def identity(self) -> dict[str, Any]:
        """The options, with the content of the file in the place of its path."""
        fields = super().identity()
        del fields["path"]
        return fields | {"content": content_hash(self._files())}

    def stamp(self) -> str:
        """Changes with the size of the file and the time of its last change."""
        return stamp_of(self._files())

    def _files(self) -> dict[str, Path]:
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
    file = existing_file(path)
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
