"""MNIST, CIFAR and folders of images: read back from files in the published formats, and from damaged ones."""

import gzip
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthsearch.data.base import Dataset, DataSpec
from depthsearch.errors import UnreadableData
from tests.data.sources import refused, source
from tests.data.writers import IDX, cifar_records, grey, idx, write_cifar10, write_cifar100, write_mnist


def assert_standardized(data: Dataset, raw: np.ndarray, axes: tuple[int, ...] = (0, 2, 3)) -> None:
    """Training inputs are `raw`, scaled by its mean and deviation."""
    raw = raw.astype(np.float64)
    expected = (raw - raw.mean(axis=axes, keepdims=True)) / raw.std(axis=axes, keepdims=True)
    np.testing.assert_allclose(data.x_train, expected, atol=1e-5)


# MNIST.


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_idx_files_are_read_back_standardized(name: str, zipped: bool, tmp_path: Path) -> None:
    found = source(name, write_mnist(tmp_path, zipped=zipped))
    data = found.load()

    assert found.spec == DataSpec(shape=(1, 6, 6), classes=10, image=(1, 6, 6))
    assert_standardized(data, grey(30, seed=5)[:, None])
    train = grey(30, seed=5)
    np.testing.assert_allclose(data.x_test, (grey(10, seed=4)[:, None] - train.mean()) / train.std(), atol=1e-5)
    assert data.y_train.tolist() == [k % 10 for k in range(30)]
    assert (len(data.y_test), data.classes) == (10, 10)
    assert (data.x_train.dtype.name, data.y_train.dtype.name) == ("float32", "int64")


def test_a_subset_takes_both_published_parts_in_proportion_at_random(tmp_path: Path) -> None:
    folder = write_mnist(tmp_path)
    first, again, other = (source("mnist", folder, points=20, seed=seed).load() for seed in (0, 0, 1))

    assert (len(first.y_train), len(first.y_test)) == (15, 5)
    np.testing.assert_array_equal(first.x_train, again.x_train)
    assert first.y_train.tolist() != other.y_train.tolist()


def damage_of(what: str, folder: Path) -> str:
    """Damage one file of MNIST; what its line must say."""
    images, labels = (folder / name for name in IDX["train"])
    content = images.read_bytes()
    lines: dict[str, tuple[Callable[[], object], str]] = {
        "missing": (images.unlink, "holds no file train-images-idx3-ubyte, nor train-images-idx3-ubyte.gz"),
        "magic": (
            lambda: images.write_bytes(b"\x89PNG" + content[4:]),
            f"{images} is no IDX file of bytes in 3 axes: it begins with 89 50 4e 47, not 00 00 08 03",
        ),
        "axes": (lambda: images.write_bytes(labels.read_bytes()), "begins with 00 00 08 01, not 00 00 08 03"),
        "empty": (lambda: images.write_bytes(b""), f"{images} is no IDX file of bytes in 3 axes: it begins with noth"),
        "head": (lambda: images.write_bytes(content[:9]), f"{images} is truncated: it ends within its first 16 bytes"),
        "truncated": (
            lambda: images.write_bytes(content[:-1]),
            f"{images} is truncated: 30 x 6 x 6 numbers take 1080 bytes, but 1079 follow",
        ),
        "longer": (lambda: images.write_bytes(content + b"\0"), "take 1080 bytes, but more follow"),
        "huge": (lambda: images.write_bytes(content[:4] + b"\xff" * 12), "would take"),
        "count": (
            lambda: labels.write_bytes(idx(np.zeros(29, np.uint8))),
            f"{labels} holds 29 labels, but train-images-idx3-ubyte holds 30 images",
        ),
        "no images": (
            lambda: (images.write_bytes(idx(grey(0))), labels.write_bytes(idx(np.zeros(0, np.uint8)))),
            f"{images} holds no images",
        ),
        "one class": (
            lambda: [
                (folder / IDX[part][1]).write_bytes(idx(np.zeros(points, np.uint8)))
                for part, points in (("train", 30), ("test", 10))
            ],
            "holds one class: at least 2 are needed",
        ),
        "shape": (
            lambda: (folder / IDX["test"][0]).write_bytes(idx(grey(10, side=5))),
            "holds images of 5 x 5 pixels, but those for training have 6 x 6",
        ),
        "gzip": (lambda: images.write_bytes(gzip.compress(content)[:-40]), f"{images} is truncated: its gzip stream"),
        "gzip content": (
            lambda: images.write_bytes(gzip.compress(content)[:60] + bytes(50) + gzip.compress(content)[110:]),
            f"{images} is damaged: ",
        ),
    }  # fmt: skip
    act, line = lines[what]
    act()
    return line


@pytest.mark.parametrize(
    "what",
    [
        "missing", "magic", "axes", "empty", "head", "truncated", "longer", "huge", "count", "no images", "one class",
        "shape", "gzip", "gzip content",
    ],
)  # fmt: skip
def test_a_damaged_idx_file_is_refused_in_one_line(what: str, tmp_path: Path) -> None:
    write_mnist(tmp_path)
    expected = damage_of(what, tmp_path)

    assert expected in refused("mnist", tmp_path)


def test_a_missing_folder_and_a_file_in_its_place_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert refused("mnist", tmp_path / "none") == f"{tmp_path}/none does not exist"
    assert refused("cifar10", tmp_path / "file") == f"{tmp_path}/file is a file, where a folder is due"


def test_options_that_published_images_cannot_have(tmp_path: Path) -> None:
    folder = write_mnist(tmp_path)

    assert refused("mnist", folder, test_share=0.2) == (
        "test_share cannot be chosen where the files hold a test part, but got 0.2"
    )
    assert refused("mnist", folder, points=41) == f"points must be at most 40, which {folder} holds, but got 41"
    assert "unknown augment 'crops': did you mean 'crop'?" in refused("mnist", folder, augment="crops")


# CIFAR.


def test_cifar10_is_read_from_its_binary_files(tmp_path: Path) -> None:
    found = source("cifar10", write_cifar10(tmp_path))
    data = found.load()

    records = np.concatenate([cifar_records(8, labels=1, classes=10, seed=k) for k in range(5)])
    assert found.spec == DataSpec(shape=(3, 32, 32), classes=10, image=(3, 32, 32))
    assert_standardized(data, records[:, 1:].reshape(-1, 3, 32, 32))
    assert data.y_train.tolist() == list(range(8)) * 5
    assert data.y_test.tolist() == list(range(8))


def test_cifar100_has_the_fine_label_and_may_lie_in_the_folder_that_its_archive_makes(tmp_path: Path) -> None:
    write_cifar100(tmp_path / "cifar-100-binary")
    data = source("cifar100", tmp_path).load()

    assert (data.classes, data.y_train.tolist(), data.x_test.shape) == (100, list(range(20)), (10, 3, 32, 32))


@pytest.mark.parametrize(
    ("name", "folder", "archive"),
    [
        ("cifar10", "cifar-10-batches-py", "cifar-10-binary.tar.gz"),
        ("cifar100", "cifar-100-python", "cifar-100-binary.tar.gz"),
    ],
)
@pytest.mark.parametrize("inside", [True, False], ids=["unpacked here", "the folder itself"])
def test_the_pickled_release_gets_a_line_that_names_the_binary_one(
    name: str, folder: str, archive: str, inside: bool, tmp_path: Path
) -> None:
    place = tmp_path / folder
    place.mkdir()
    for file in ("data_batch_1", "test_batch", "train", "test", "meta"):
        (place / file).write_bytes(pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 1]}))
    given = tmp_path if inside else place

    assert refused(name, given) == (
        f"{given} holds the Python release, which is pickled and not read: get the binary one, {archive}"
    )


def test_damaged_cifar_files_are_refused(tmp_path: Path) -> None:
    folder = write_cifar10(tmp_path)
    batch = folder / "data_batch_3.bin"
    content = batch.read_bytes()

    batch.write_bytes(content[:-1])
    assert refused("cifar10", folder) == (
        f"{batch} is truncated or damaged: records of 3073 bytes do not fill its 24583"
    )
    batch.write_bytes(b"\x0a" + content[1:])
    assert refused("cifar10", folder) == f"{batch} is damaged: a record is of class 10, but classes go to 9"
    batch.write_bytes(b"")
    assert "is empty" in refused("cifar10", folder)
    batch.unlink()
    assert refused("cifar10", folder) == (
        f"{folder} holds no file data_batch_3.bin, which is one of cifar-10-binary.tar.gz"
    )


# Folders of images.


def write_images(folder: Path, *, classes: tuple[str, ...] = ("cat", "dog"), points: int = 4, mode: str = "L") -> Path:
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for k in range(points):
            shape = (5, 7) if mode == "L" else (5, 7, len(mode))
            pixels = np.random.default_rng(10 * label + k).integers(0, 256, shape).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{k}.png")
    return folder


def test_grey_images_in_one_folder_for_each_class(tmp_path: Path) -> None:
    folder = write_images(tmp_path, points=10)
    (folder / "cat" / "notes.txt").write_text("no image")
    (folder / ".cache").mkdir()
    found = source("images", folder, test_share=0.25)
    data = found.load()

    assert found.spec == DataSpec(shape=(1, 5, 7), classes=2, image=(1, 5, 7))
    assert (len(data.y_train), len(data.y_test)) == (15, 5)
    assert sorted([*data.y_train, *data.y_test]) == [0] * 10 + [1] * 10
    assert data.x_train.mean() == pytest.approx(0, abs=1e-6)
    # Each input is its own file's pixels, up to the scale: the label follows the folder.
    image = np.asarray(Image.open(folder / "dog" / "3.png"), dtype=np.float64).ravel()
    x, y = np.concatenate((data.x_train, data.x_test)), np.concatenate((data.y_train, data.y_test))
    matches = [k for k, one in enumerate(x) if np.corrcoef(one.ravel(), image)[0, 1] > 1 - 1e-6]
    assert y[matches].tolist() == [1]


def test_colour_images_in_train_and_test_keep_to_their_parts(tmp_path: Path) -> None:
    write_images(tmp_path / "train", points=6, mode="RGB")
    write_images(tmp_path / "test", points=2, mode="RGB")
    data = source("images", tmp_path).load()

    assert (data.x_train.shape, data.x_test.shape) == ((12, 3, 5, 7), (4, 3, 5, 7))
    assert data.y_train.tolist() == [0] * 6 + [1] * 6
    raw = [np.asarray(Image.open(tmp_path / "train" / name / f"{k}.png")) for name in ("cat", "dog") for k in range(6)]
    assert_standardized(data, np.stack(raw).transpose(0, 3, 1, 2))
    assert refused("images", tmp_path, test_share=0.2).startswith("test_share cannot be chosen")


def test_a_folder_with_one_colour_image_is_in_colour_without_transparency(tmp_path: Path) -> None:
    write_images(tmp_path)
    Image.fromarray(np.zeros((5, 7, 4), np.uint8)).save(tmp_path / "cat" / "9.png")

    assert source("images", tmp_path).spec.image == (3, 5, 7)


def test_images_of_several_sizes_need_a_size(tmp_path: Path) -> None:
    folder = write_images(tmp_path)
    Image.fromarray(grey(1, side=9)[0]).save(folder / "dog" / "large.jpg")

    assert refused("images", folder) == (
        f"size must be given: {folder}/dog/large.jpg has 9 x 9 pixels, and {folder}/cat/0.png has 7 x 5; "
        "all are scaled to it"
    )
    assert source("images", folder, size=4).spec.image == (1, 4, 4)


def test_damaged_images_and_folders_are_refused(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "all")
    file = folder / "cat" / "2.png"
    content = file.read_bytes()

    file.write_bytes(content[: len(content) // 2])
    assert f"{file} is truncated or damaged: " in refused("images", folder)
    file.write_bytes(b"not an image")
    assert refused("images", folder) == f"{file} is no image: no format that Pillow reads"
    Image.fromarray(np.zeros((5, 7), np.uint16)).save(file)
    assert "has pixels of the kind 'I;16', where numbers of 8 bits are due" in refused("images", folder)
    file.write_bytes(content)
    (folder / "eel").mkdir()
    assert refused("images", folder).startswith(f"{folder}/eel holds no image: accepted are files that end in .bmp")
    assert refused("images", folder / "cat") == (
        f"{folder}/cat must hold a folder for each of at least 2 classes, but holds none"
    )


def test_a_class_of_the_test_part_alone_is_refused(tmp_path: Path) -> None:
    write_images(tmp_path / "train")
    write_images(tmp_path / "test", classes=("cat", "eel"))

    assert refused("images", tmp_path) == f"{tmp_path}/test/eel is a class that the folder train does not have"


def test_every_line_on_a_file_is_an_error_of_data(tmp_path: Path) -> None:
    with pytest.raises(UnreadableData, match="does not exist") as raised:
        source("images", tmp_path / "none").load()
    assert raised.value.exit_code == 2
