"""Folders of image files: one folder for each class, or train/ and test/ with one folder for each class."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from depthsearch.data.file_source import FileContents, ImageSource, Part
from depthsearch.data.files import existing_folder
from depthsearch.errors import InvalidValue, UnreadableData

if TYPE_CHECKING:
    from PIL.Image import Image

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""Files with other endings are passed over."""

GREY, COLOUR = ("1", "L", "LA"), ("CMYK", "P", "PA", "RGB", "RGBA", "YCbCr")
"""Pillow's modes with 8 bits or fewer for each number."""

TRAIN, TEST = "train", "test"


class ImageFolders(ImageSource):
    """Images in one folder for each class, named after it; a test part may lie apart, in the folders train and test.

    They are grey if all files are, else in colour; transparency is dropped. All have one size, unless `size` is given.

    Attributes:
        size: Pixels on each side, to which every image is scaled.
    """

    name: Literal["images"] = "images"
    size: Annotated[int, Field(strict=True, ge=1, le=4096)] | None = None

    def files(self) -> Mapping[str, Path]:
        """Every image file, by its path from the folder, as in cats/1.png."""
        root = existing_folder(self.path)
        folders = _folders(root)
        if {folder.name for folder in folders} == {TRAIN, TEST}:
            folders = [inner for part in (TRAIN, TEST) for inner in _classes(root / part)]
        else:
            folders = _classes(root)
        found: dict[str, Path] = {}
        for folder in folders:
            images = sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS and file.is_file())
            if not images:
                raise UnreadableData(folder, f"holds no image: accepted are files that end in {', '.join(ENDINGS)}")
            found |= {file.relative_to(root).as_posix(): file for file in images}
        return found

    def read(self) -> FileContents:
        """The images [N, channels, height, width], classes in alphabetical order."""
        files = self.files()
        heads = {name: _head(file) for name, file in files.items()}
        mode = "L" if all(mode in GREY for mode, _ in heads.values()) else "RGB"
        first = next(iter(heads))
        for name, (_, size) in heads.items():
            if self.size is None and size != heads[first][1]:
                a, b = (" x ".join(map(str, one)) for one in (size, heads[first][1]))
                reason = (
                    f"must be given: {files[name]} has {a} pixels, and {files[first]} has {b}; all are scaled to it"
                )
                raise InvalidValue(reason, path="data.size")
        named = {name: name.split("/")[-2] for name in files}
        classes = sorted(set(named.values()))
        parts: dict[str, list[str]] = {}
        for name in files:
            parts.setdefault(name.split("/")[0] if name.count("/") == 2 else TRAIN, []).append(name)  # noqa: PLR2004
        self._check_test_classes(named, parts)
        read = {
            part: Part(
                [_pixels(files[name], mode, self.size)[None] for name in names],
                np.array([classes.index(named[name]) for name in names]),
            )
            for part, names in parts.items()
        }
        return FileContents(read[TRAIN], read.get(TEST), len(classes), image=True)

    def _check_test_classes(self, named: Mapping[str, str], parts: Mapping[str, list[str]]) -> None:
        if TEST in parts:
            trained = {named[name] for name in parts[TRAIN]}
            for name in parts[TEST]:
                if named[name] not in trained:
                    folder = existing_folder(self.path) / TEST / named[name]
                    raise UnreadableData(folder, f"is a class that the folder {TRAIN} does not have")


def _folders(root: Path) -> list[Path]:
    return sorted(inner for inner in root.iterdir() if inner.is_dir() and not inner.name.startswith("."))


def _classes(root: Path) -> list[Path]:
    found = _folders(root)
    if len(found) < 2:  # noqa: PLR2004
        counted = f"one, {found[0].name}" if found else "none"
        raise UnreadableData(root, f"must hold a folder for each of at least 2 classes, but holds {counted}")
    return found


def _opened(file: Path) -> "Image":
    from PIL import Image  # noqa: PLC0415 - takes a while to import

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return Image.open(file)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise UnreadableData(file, f"has more than {Image.MAX_IMAGE_PIXELS} pixels") from None
        except (OSError, ValueError, SyntaxError) as error:
            reason = getattr(error, "strerror", None) or "no format that Pillow reads"
            raise UnreadableData(file, f"is no image: {reason}") from None


def _head(file: Path) -> tuple[str, tuple[int, int]]:
    """An image's mode and its width and height; its pixels are not read."""
    with _opened(file) as image:
        if image.mode not in (*GREY, *COLOUR):
            raise UnreadableData(file, f"has pixels of the kind {image.mode!r}, where numbers of 8 bits are due")
        return image.mode, image.size


def _pixels(file: Path, mode: str, size: int | None) -> NDArray[np.uint8]:
    """[channels, height, width]"""
    with _opened(file) as image:
        try:
            found = image.convert(mode)
        except (OSError, ValueError, SyntaxError, EOFError, IndexError) as error:
            raise UnreadableData(file, f"is truncated or damaged: {' '.join(str(error).split())}") from None
        if size is not None:
            found = found.resize((size, size), resample=2)  # bilinear, over the area of each new pixel
        pixels: NDArray[Any] = np.asarray(found, dtype=np.uint8)
        return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))  # noqa: PLR2004
