"""MNIST, Fashion-MNIST, and any other images in four IDX files, gzipped or not."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from depthsearch.data.file_source import FileContents, Part, PublishedImages
from depthsearch.data.files import existing_folder, opened, read_due
from depthsearch.errors import UnreadableData

UNSIGNED_BYTE = 8
"""IDX's code for the type of the numbers; an IDX file begins with two zeros, this, and the number of axes."""

FILES = {
    "training images": ("train-images", 3),
    "training labels": ("train-labels", 1),
    "test images": ("t10k-images", 3),
    "test labels": ("t10k-labels", 1),
}
"""What a file holds, the beginning of its name, and its number of axes."""


class IdxImages(PublishedImages):
    """Grey images of one size in the four files of MNIST."""

    def files(self) -> Mapping[str, Path]:
        """The four files, by what they hold."""
        folder = existing_folder(self.path)
        return {what: _file(folder, start, axes) for what, (start, axes) in FILES.items()}

    def read(self) -> FileContents:
        """The images [N, 1, height, width] and their labels."""
        files = self.files()
        parts = [_part(files, of) for of in ("training", "test")]
        shapes = [part.x[0].shape[1:] for part in parts]
        if shapes[0] != shapes[1]:
            reason = f"holds images of {_size(shapes[1])} pixels, but those for training have {_size(shapes[0])}"
            raise UnreadableData(files["test images"], reason)
        classes = int(max(part.y.max() for part in parts)) + 1
        if classes < 2:  # noqa: PLR2004
            raise UnreadableData(files["training labels"], "holds one class: at least 2 are needed")
        return FileContents(parts[0], parts[1], classes, image=True)


class Mnist(IdxImages):
    """Handwritten digits, 60,000 grey images of 28 x 28 pixels for training and 10,000 for test, in ten classes.

    Source: LeCun et al. 1998, https://doi.org/10.1109/5.726791
    """

    name: Literal["mnist"] = "mnist"


class FashionMnist(IdxImages):
    """Pieces of clothing, as many grey images of the same size as in MNIST, in ten classes.

    Source: Xiao et al. 2017, arXiv 1708.07747
    """

    name: Literal["fashion_mnist"] = "fashion_mnist"


def _file(folder: Path, start: str, axes: int) -> Path:
    usual = f"{start}-idx{axes}-ubyte"
    names = [usual, f"{usual}.gz", f"{start}.idx{axes}-ubyte", f"{start}.idx{axes}-ubyte.gz"]
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise UnreadableData(folder, f"holds no file {usual}, nor {usual}.gz")
    return found


def _part(files: Mapping[str, Path], of: str) -> Part:
    images, labels = files[f"{of} images"], files[f"{of} labels"]
    x, y = read_idx(images, axes=3), read_idx(labels, axes=1)
    if len(x) != len(y):
        raise UnreadableData(labels, f"holds {len(y)} labels, but {images.name} holds {len(x)} images")
    if not x.size:
        raise UnreadableData(images, "holds no images")
    return Part([x[:, None]], y)


def read_idx(file: Path, *, axes: int) -> NDArray[np.uint8]:
    """The bytes of an IDX file, in an array of so many axes.

    Raises:
        UnreadableData: It is no such file, or its size is not what its beginning says.
    """
    length = 4 + 4 * axes
    with opened(file) as source:
        head = source.read(length)
        magic = bytes((0, 0, UNSIGNED_BYTE, axes))
        if head[:4] != magic[: len(head)] or not head:
            raise UnreadableData(
                file, f"is no IDX file of bytes in {axes} axes: it begins with {_hex(head[:4])}, not {_hex(magic)}"
            )
        if len(head) < length:
            raise UnreadableData(file, f"is truncated: it ends within its first {length} bytes")
        shape = struct.unpack(f">{axes}I", head[4:])
        due = int(np.prod(shape, dtype=object))
        content = read_due(source, due, file, of=f"{_size(shape)} numbers")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape[-2:] if len(shape) == 3 and shape[0] == 1 else shape))  # noqa: PLR2004


def _hex(content: bytes) -> str:
    return content.hex(" ") or "nothing"
