"""CIFAR-10 and CIFAR-100: the binary release, whose files hold records of labels and pixels."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from depthsearch.data.file_source import FileContents, Part, PublishedImages
from depthsearch.data.files import BLOCK, existing_folder, opened
from depthsearch.errors import UnreadableData

SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32


class CifarImages(PublishedImages):
    """Colour images of 32 x 32 pixels.

    Attributes:
        archive: The file that is published.
        folder: What it is unpacked to, which the path may leave out.
        pickled: The folder of the Python release.
        training: Names of the files for training.
        test: Name of the file for test.
        labels: Bytes before the pixels of a record, the last of which is the class.
        classes: How many there are.
    """

    archive: ClassVar[str]
    folder: ClassVar[str]
    pickled: ClassVar[str]
    training: ClassVar[tuple[str, ...]]
    test: ClassVar[str]
    labels: ClassVar[int] = 1
    classes: ClassVar[int]

    def files(self) -> Mapping[str, Path]:
        """The files of the release, by name."""
        given = existing_folder(self.path)
        folder = given / self.folder if (given / self.folder).is_dir() else given
        names = (*self.training, self.test)
        missing = [name for name in names if not (folder / name).is_file()]
        if not missing:
            return {name: folder / name for name in names}
        if (given / self.pickled).is_dir() or any((folder / Path(name).stem).is_file() for name in names):
            raise UnreadableData(
                given, f"holds the Python release, which is pickled and not read: get the binary one, {self.archive}"
            )
        raise UnreadableData(folder, f"holds no file {missing[0]}, which is one of {self.archive}")

    def read(self) -> FileContents:
        """The images [N, 3, 32, 32] and their classes."""
        files = self.files()
        return FileContents(
            self._part([files[name] for name in self.training]),
            self._part([files[self.test]]),
            self.classes,
            image=True,
        )

    def _part(self, files: list[Path]) -> Part:
        records = [_records(file, self.labels + PIXELS) for file in files]
        for file, record in zip(files, records, strict=True):
            highest = int(record[:, self.labels - 1].max())
            if highest >= self.classes:
                reason = f"is damaged: a record is of class {highest}, but classes go to {self.classes - 1}"
                raise UnreadableData(file, reason)
        labels = np.concatenate([record[:, self.labels - 1] for record in records])
        return Part([record[:, self.labels :].reshape(-1, *SHAPE) for record in records], labels)


class Cifar10(CifarImages):
    """Colour images of 32 x 32 pixels, 50,000 for training and 10,000 for test, in ten classes.

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images"
    """

    name: Literal["cifar10"] = "cifar10"
    archive: ClassVar[str] = "cifar-10-binary.tar.gz"
    folder: ClassVar[str] = "cifar-10-batches-bin"
    pickled: ClassVar[str] = "cifar-10-batches-py"
    training: ClassVar[tuple[str, ...]] = tuple(f"data_batch_{k}.bin" for k in range(1, 6))
    test: ClassVar[str] = "test_batch.bin"
    classes: ClassVar[int] = 10


class Cifar100(CifarImages):
    """Colour images of 32 x 32 pixels, 50,000 for training and 10,000 for test, in the hundred fine classes.

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images"
    """

    name: Literal["cifar100"] = "cifar100"
    archive: ClassVar[str] = "cifar-100-binary.tar.gz"
    folder: ClassVar[str] = "cifar-100-binary"
    pickled: ClassVar[str] = "cifar-100-python"
    training: ClassVar[tuple[str, ...]] = ("train.bin",)
    test: ClassVar[str] = "test.bin"
    labels: ClassVar[int] = 2
    classes: ClassVar[int] = 100


def _records(file: Path, length: int) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """[records, length] the bytes of a file."""
    with opened(file) as source:
        content = b"".join(iter(lambda: source.read(BLOCK), b""))
    if not content or len(content) % length:
        state = "is empty" if not content else "is truncated or damaged"
        raise UnreadableData(file, f"{state}: records of {length} bytes do not fill its {len(content)}")
    return np.frombuffer(content, np.uint8).reshape(-1, length)
