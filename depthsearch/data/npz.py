"""Arrays that numpy.savez wrote: x and y, or x_train, y_train, x_test and y_test."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from depthsearch.data.file_source import FileContents, ImageSource, Part
from depthsearch.data.files import check_size, existing_file, translate_file_errors
from depthsearch.data.targets import TargetColumn, TargetTask
from depthsearch.errors import UnreadableData

WHOLE, PARTS = ("x", "y"), ("x_train", "y_train", "x_test", "y_test")
CHANNELS = (1, 3, 4)


class NpzFile(ImageSource):
    """Arrays in a file of numpy.savez: x and y, or x_train, y_train, x_test and y_test.

    x is [points, ...] numbers. Images are [points, channels, height, width], [points, height, width, channels] with 1,
    3 or 4 channels, or bytes [points, height, width]. y is [points] labels, or numbers to predict, [points] or
    [points, targets].

    Attributes:
        task: What is learned: classification or regression. By default regression where the targets are fractions.
    """

    endings: ClassVar[tuple[str, ...]] = (".npz",)

    name: Literal["npz"] = "npz"
    task: TargetTask | None = None

    def files(self) -> Mapping[str, Path]:
        """The one file."""
        return {"file": existing_file(self.path)}

    def read(self) -> FileContents:
        """The arrays."""
        file = existing_file(self.path)
        arrays = _arrays(file)
        keys = PARTS if set(PARTS) <= arrays.keys() else WHOLE
        inputs, images = _inputs(file, {key: arrays[key] for key in keys if key.startswith("x")})
        targets = {key: arrays[key] for key in keys if key.startswith("y")}
        for (x_key, x), (y_key, y) in zip(inputs.items(), targets.items(), strict=True):
            if y.ndim == 0 or len(x) != len(y):
                shapes = f"{y_key} has the shape {y.shape}, and {x_key} {arrays[x_key].shape}"
                raise UnreadableData(file, f"must hold one target for each input, but {shapes}")
        ys, classes = _targets(file, list(targets.values()), self.task)
        parts = [Part([x], y) for x, y in zip(inputs.values(), ys, strict=True)]
        return FileContents(parts[0], parts[1] if len(parts) > 1 else None, classes, image=images)


def _arrays(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays that are used, by name."""
    try:
        with translate_file_errors(file), zipfile.ZipFile(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        keys = next((keys for keys in (PARTS, WHOLE) if set(keys) <= members.keys()), None)
        if keys is None:
            holds = ", ".join(sorted(members)) or "nothing"
            raise UnreadableData(
                file, f"must hold {', '.join(WHOLE)}, or {', '.join(PARTS[:-1])} and {PARTS[-1]}, but holds {holds}"
            )
        check_size(file, sum(members[key].file_size for key in keys))
        with translate_file_errors(file), zipfile.ZipFile(file) as archive:
            for key in keys:
                with archive.open(members[key]) as member:
                    _check_shape(file, key, member, members[key].file_size)
        with translate_file_errors(file), np.load(file, allow_pickle=False) as archive:
            return {key: _array(file, key, archive) for key in keys}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError):
        raise UnreadableData(file, "is damaged, or no file of numpy.savez") from None
    except ValueError as error:
        raise UnreadableData(file, f"is damaged: {' '.join(str(error).split())}") from None


def _array(file: Path, key: str, archive: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    try:
        return archive[key]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        remedy = f"labels as texts, {key}.astype(str)" if key.startswith("y") else f"numbers, {key}.astype(float)"
        raise UnreadableData(file, f"holds Python objects as {key}: save {remedy}") from None


def _check_shape(file: Path, key: str, member: IO[bytes], size: int) -> None:
    """Refuse an array whose header promises more numbers than follow: room is made for them before they are read."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    reader = readers.get(np.lib.format.read_magic(member))
    if reader is None:  # of a later version, which only arrays with named fields need
        return
    shape, _, kind = reader(member)
    due = int(np.prod(shape, dtype=object)) * kind.itemsize
    check_size(file, due)
    if due > size and not kind.hasobject:
        raise UnreadableData(file, f"is truncated: {key} of shape {shape} takes {due} bytes, but {size} follow")


def _inputs(file: Path, arrays: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], bool]:
    """The inputs, images with their channels first, and whether they are images."""
    found: dict[str, NDArray[Any]] = {}
    images: list[bool] = []
    for key, array in arrays.items():
        if array.dtype.kind not in "buif":
            raise UnreadableData(file, f"must hold numbers, but {key} is of the type {array.dtype}")
        if array.ndim < 2 or not array.size:  # noqa: PLR2004
            raise UnreadableData(file, f"must hold a row of numbers for each input, but {key} has shape {array.shape}")
        _check_finite(file, key, array)
        found[key], image = _as_image(array)
        images.append(image)
    shapes = [array.shape[1:] for array in found.values()]
    if len(set(shapes)) > 1 or len(set(images)) > 1:
        raise UnreadableData(file, f"has inputs of shape {shapes[0]} for training and {shapes[1]} for test")
    return found, images[0]


def _as_image(array: NDArray[Any]) -> tuple[NDArray[Any], bool]:
    axes = array.ndim
    if axes == 3 and array.dtype == np.uint8:  # noqa: PLR2004
        return array[:, None], True
    if axes != 4:  # noqa: PLR2004
        return array, False
    if array.shape[1] in CHANNELS:
        return array, True
    return (array.transpose(0, 3, 1, 2), True) if array.shape[3] in CHANNELS else (array, False)


def _check_finite(file: Path, key: str, array: NDArray[Any]) -> None:
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            bad = np.argwhere(~np.isfinite(array.astype(np.float32, copy=False)))
        if len(bad):
            place = tuple(int(k) for k in bad[0])
            where = ", ".join(map(str, place))
            raise UnreadableData(file, f"must hold finite numbers, but {key}[{where}] is {array[place]}")


def _targets(file: Path, arrays: list[NDArray[Any]], task: TargetTask | None) -> tuple[list[NDArray[Any]], int | None]:
    """The targets of each part, as labels from 0 or as numbers, and the number of classes."""
    import pandas as pd  # noqa: PLC0415 - takes a while to import

    flat = [array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array for array in arrays]  # noqa: PLR2004
    for array in flat:
        if array.dtype.kind not in "buifUS" or array.ndim > 2 or not array.size:  # noqa: PLR2004
            raise UnreadableData(file, f"must hold labels or numbers as y, but got {array.dtype} of {array.shape}")
        _check_finite(file, "y", array)
    several = any(array.ndim == 2 for array in flat)  # noqa: PLR2004
    if several and task != "classification" and all(array.dtype.kind in "buif" for array in flat):
        if len({array.shape[1:] for array in flat}) > 1:
            raise UnreadableData(file, f"has targets of the shapes {' and '.join(str(a.shape) for a in flat)}")
        return flat, None
    if several:
        raise UnreadableData(file, f"must hold one class for each input, but y has shape {flat[0].shape}")
    column = TargetColumn(file, "y", task)
    for array in flat:
        column.add(pd.Series(array), texts_are_numbers=False)
    y, classes = column.values()
    return np.split(y, np.cumsum([len(array) for array in flat])[:-1]), classes
