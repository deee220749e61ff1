"""What data sets in files share: how they are named, identity by content, what is kept in memory, augmentation."""

import os
from pathlib import Path

import numpy as np
import pytest

from depthsearch.data.augment import AUGMENTATIONS, augmented
from depthsearch.data.base import Dataset, DataSource
from depthsearch.errors import InvalidValue, UnknownName, UnreadableData
from depthsearch.networks.base import Network
from depthsearch.problem.problem import Problem
from depthsearch.schema import Registered
from tests.data.writers import IDX, grey, write_mnist


def problem(data: object, **fields: object) -> Problem:
    return Problem.model_validate({"family": "ffnet", "data": data} | fields)


# NAME:PATH.


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("mnist:DIR", {"name": "mnist", "path": "DIR"}),
        ("csv:some/file.csv", {"name": "csv", "path": "some/file.csv"}),
        (r"npz:C:\data\arrays.npz", {"name": "npz", "path": r"C:\data\arrays.npz"}),
        ("images:a:b", {"name": "images", "path": "a:b"}),
    ],
)
def test_a_name_and_a_path_in_one_text(text: str, table: dict[str, str]) -> None:
    assert DataSource.of(text) == DataSource.of({"name": text}) == DataSource.of(table)


def test_options_may_stand_next_to_the_text() -> None:
    found = DataSource.of({"name": "csv:a.csv", "target": "y", "path": "a.csv"})

    assert found.model_dump(include={"name", "path", "target"}) == {"name": "csv", "path": "a.csv", "target": "y"}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("mnist", "path is missing: it says where the data are, as in mnist:PATH"),
        ("mnist:", "path is missing: it says where the data are, as in mnist:PATH"),
        ("moons:DIR", "name 'moons' reads no file, but got 'moons:DIR'"),
        ("minst:DIR", "unknown data set 'minst': did you mean 'mnist'? accepted: moons, cifar10"),
        ("nothing:DIR", "unknown data set 'nothing': accepted: moons, cifar10"),
        (r"C:\a.csv", r"name must be a name before the path, as in csv:PATH, but got 'C:\\a.csv'"),
        ("a/Fruit.CSV", "name must be a name before the path, as in csv:a/Fruit.CSV, but got 'a/Fruit.CSV'"),
        ("fruit.csv.gz", "name must be a name before the path, as in csv:fruit.csv.gz, but got"),
        ("a.parquet", "name must be a name before the path, as in parquet:a.parquet, but got"),
        ({"name": "a.npz"}, "name must be a name before the path, as in npz:a.npz, but got"),
        ("a.txt", "name must be a name before the path, as in text:a.txt, but got"),
        ("a" * 5000, "unknown data set 'aaa"),
        ({"name": "csv:a", "path": "b"}, "path is given twice, as 'a' and as 'b': leave one out"),
        ({"name": "mnist:a", "noise": 0.1}, "noise is not an option of the data 'mnist', but got 0.1"),
    ],
)
def test_a_text_that_names_no_data_set_is_refused_in_one_line(given: object, line: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        DataSource.of(given)

    assert str(raised.value).startswith(line)


def test_a_file_or_folder_without_the_name_of_a_data_set_gets_the_list_of_those_that_read_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("fruit", "digit", "moons"):
        (tmp_path / name).mkdir()

    with pytest.raises(InvalidValue, match=r"path, as in NAME:fruit, where NAME is one of cifar10, .*, text, but got"):
        DataSource.of("fruit")
    with pytest.raises(InvalidValue, match="unknown data set 'digit': did you mean 'digits'"):
        DataSource.of("digit")
    assert DataSource.of("moons").name == "moons"


@pytest.mark.parametrize("registry", [DataSource, Network])
def test_a_message_lists_no_key_of_a_users_code(registry: type[Registered]) -> None:
    with pytest.raises(UnknownName) as raised:
        registry.of("nothing")

    assert {"user", "elsewhere", "model", "external"}.isdisjoint(raised.value.valid)
    assert raised.value.valid == registry.offered()
    assert set(registry.offered()) < set(registry.names())


# Identity by content.


def test_a_question_is_about_the_content_wherever_it_lies(tmp_path: Path) -> None:
    plain, zipped = write_mnist(tmp_path / "a"), write_mnist(tmp_path / "b", zipped=True)
    other = write_mnist(tmp_path / "c", train=31)
    questions = [problem(f"mnist:{folder}").question() for folder in (plain, zipped, other)]

    assert questions[0] == questions[1] != questions[2]
    assert str(tmp_path) not in str(problem(f"mnist:{plain}").data.identity())
    assert problem(f"mnist:{plain}").canonical_json() != problem(f"mnist:{zipped}").canonical_json()


def test_an_option_is_part_of_the_question(tmp_path: Path) -> None:
    folder = str(write_mnist(tmp_path))
    data = {"name": "mnist", "path": folder}

    assert problem(data).question() != problem(data | {"augment": "flip"}).question()


def test_the_names_of_classes_belong_to_the_content(tmp_path: Path) -> None:
    for folder, names in (("a", ("cat", "dog")), ("b", ("dog", "cat"))):
        for name, content in zip(names, (b"1", b"2"), strict=True):
            (tmp_path / folder / name).mkdir(parents=True)
            (tmp_path / folder / name / "x.png").write_bytes(content)

    assert problem(f"images:{tmp_path}/a").question() != problem(f"images:{tmp_path}/b").question()


def test_a_file_is_hashed_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_mnist(tmp_path)
    asked = problem(f"mnist:{folder}")
    question = asked.question()
    monkeypatch.setattr("depthsearch.data.files.opened", lambda file: pytest.fail("read again"))
    assert asked.question() == question
    monkeypatch.undo()

    images = folder / IDX["train"][0]
    content = bytearray(images.read_bytes())
    content[-1] ^= 1
    images.write_bytes(content)
    os.utime(images, ns=(0, images.stat().st_mtime_ns + 10**9))
    assert asked.question() != question


def test_a_question_on_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableData, match="none does not exist"):
        problem(f"mnist:{tmp_path}/none").question()


# In memory.


def test_files_are_read_once_until_they_change(tmp_path: Path) -> None:
    folder = write_mnist(tmp_path)
    source = DataSource.of(f"mnist:{folder}")
    first = source.load()

    assert source.load() is first
    write_mnist(folder, train=20)
    assert (source.load().points, first.points) == (20, 30)


def test_dense_networks_see_each_image_as_a_row_of_the_same_memory(tmp_path: Path) -> None:
    data = DataSource.of(f"mnist:{write_mnist(tmp_path)}").load()
    flat = data.flattened()

    assert isinstance(flat, Dataset)
    assert (flat.x_train.shape, flat.x_test.shape) == ((30, 36), (10, 36))
    assert np.shares_memory(flat.x_train, data.x_train)


def test_what_is_shared_cannot_be_written_to(tmp_path: Path) -> None:
    data = DataSource.of(f"mnist:{write_mnist(tmp_path)}").load()

    with pytest.raises(ValueError, match="read-only"):
        data.x_train[0] = 0


# Augmentation.


BATCH = grey(400, side=8).astype(np.float32)[:, None].repeat(3, axis=1) + 1


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_augmentation_is_a_function_of_the_batch_and_the_generator(name: str) -> None:
    before = BATCH.copy()
    first, again, other = (augmented(BATCH, name, np.random.default_rng(seed)) for seed in (0, 0, 1))

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (first.shape, first.dtype.name) == (BATCH.shape, "float32")
    np.testing.assert_array_equal(BATCH, before)


def test_a_crop_is_the_padded_image_moved_by_up_to_four_pixels_with_every_offset_as_likely() -> None:
    found = augmented(BATCH, "crop", np.random.default_rng(0))
    padded = np.pad(BATCH, ((0, 0), (0, 0), (4, 4), (4, 4)))
    offsets = []
    for image, wide in zip(found, padded, strict=True):
        at = [(i, j) for i in range(9) for j in range(9) if np.array_equal(image, wide[:, i : i + 8, j : j + 8])]
        assert len(at) == 1
        offsets.append(at[0])

    # 400 draws from 9 rows and 9 columns: each is expected 44 times, with a standard deviation of 6.3.
    for axis in (0, 1):
        assert np.abs(np.bincount(np.array(offsets)[:, axis], minlength=9) - 400 / 9).max() < 5 * 6.3


def test_a_flip_mirrors_half_of_the_images() -> None:
    found = augmented(BATCH, "flip", np.random.default_rng(0))
    same = (found == BATCH).all(axis=(1, 2, 3))
    mirrored = (found == BATCH[..., ::-1]).all(axis=(1, 2, 3))

    assert (same ^ mirrored).all()
    assert abs(int(mirrored.sum()) - 200) < 5 * 10
