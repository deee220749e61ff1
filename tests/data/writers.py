"""Files in the published formats, written as their publishers describe them."""

import gzip
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

IDX = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def grey(points: int, *, seed: int = 0, side: int = 6) -> NDArray[np.uint8]:
    """[points, side, side]"""
    return np.random.default_rng(seed).integers(0, 256, (points, side, side)).astype(np.uint8)


def idx(array: NDArray[np.uint8]) -> bytes:
    """Big-endian: two zeros, 8 for unsigned bytes, the number of axes; their lengths; the bytes."""
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return head + array.tobytes()


def write_mnist(folder: Path, *, zipped: bool = False, train: int = 30, test: int = 10) -> Path:
    folder.mkdir(exist_ok=True)
    for part, points in (("train", train), ("test", test)):
        images = grey(points, seed=len(part))
        labels = (np.arange(points) % 10).astype(np.uint8)
        for name, array in zip(IDX[part], (images, labels), strict=True):
            if zipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array), mtime=0))
            else:
                (folder / name).write_bytes(idx(array))
    return folder


def cifar_records(points: int, *, labels: int, classes: int, seed: int = 0) -> NDArray[np.uint8]:
    """[points, labels + 3072]: a byte for each label, the class last; then red, green and blue, line by line."""
    records = np.random.default_rng(seed).integers(0, 256, (points, labels + 3072)).astype(np.uint8)
    records[:, :labels] = 0
    records[:, labels - 1] = np.arange(points) % classes
    return records


def write_cifar10(folder: Path, *, points: int = 8) -> Path:
    folder.mkdir(exist_ok=True)
    for k, name in enumerate([*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]):
        (folder / name).write_bytes(cifar_records(points, labels=1, classes=10, seed=k).tobytes())
    return folder


def write_cifar100(folder: Path, *, train: int = 20, test: int = 10) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "train.bin").write_bytes(cifar_records(train, labels=2, classes=100).tobytes())
    (folder / "test.bin").write_bytes(cifar_records(test, labels=2, classes=100, seed=1).tobytes())
    return folder
