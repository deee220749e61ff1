"""Tables and arrays: CSV, Parquet and npz, read back from files that pandas and numpy wrote, and from damaged ones."""

import gzip
import sys
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from depthsearch.data import tables
from depthsearch.data.base import Dataset, DataSpec
from tests.data.sources import refused, source

WRITERS = {"csv": lambda frame, file: frame.to_csv(file, index=False), "parquet": pd.DataFrame.to_parquet}


def table(rows: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "height": rng.normal(170, 10, rows).round(3),
            "age": rng.integers(1, 90, rows),
            "smokes": rng.random(rows) < 0.5,
            "kind": rng.choice(["red", "green", "blue"], rows),
        }
    )


def written(name: str, frame: pd.DataFrame, folder: Path) -> Path:
    file = folder / f"table.{name}"
    WRITERS[name](frame, file)
    return file


def both_parts(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate((data.x_train, data.x_test)), np.concatenate((data.y_train, data.y_test))


# Tables.


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_a_table_of_classes_is_read_back_in_the_order_of_the_seed(name: str, tmp_path: Path) -> None:
    frame = table()
    found = source(name, written(name, frame, tmp_path), target="kind", test_share=0.25, seed=3)
    data = found.load()

    order = np.arange(40, dtype=np.uint32)
    np.random.default_rng(3).shuffle(order)
    raw = frame[["height", "age", "smokes"]].to_numpy(np.float64)[order]
    expected = (raw - raw[:30].mean(axis=0)) / raw[:30].std(axis=0)
    x, y = both_parts(data)
    assert found.spec == DataSpec(shape=(3,), classes=3)
    assert (len(data.x_train), x.dtype.name, y.dtype.name) == (30, "float32", "int64")
    np.testing.assert_allclose(x, expected, atol=1e-5)
    assert y.tolist() == frame["kind"].map({"blue": 0, "green": 1, "red": 2})[order].tolist()


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_a_column_of_fractions_is_predicted_standardized(name: str, tmp_path: Path) -> None:
    frame = table().drop(columns="kind")
    found = source(name, written(name, frame, tmp_path), target="height")
    data = found.load()

    assert found.spec == DataSpec(shape=(2,), task="regression", targets=1)
    assert (data.y_train.shape, data.y_train.dtype.name, data.baseline) == ((20, 1), "float32", 0.0)
    _, y = both_parts(data)
    slope, offset = np.polyfit(np.sort(y[:, 0]), np.sort(frame["height"]), 1)
    assert (data.y_train.mean(), data.y_train.std()) == (pytest.approx(0, abs=1e-6), pytest.approx(1, abs=1e-5))
    np.testing.assert_allclose(np.sort(y[:, 0]) * slope + offset, np.sort(frame["height"]), atol=1e-3)


@pytest.mark.parametrize("name", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        ([7, 9, 7, 11] * 5, None, 3),
        ([True, False] * 10, None, 2),
        ([1.0, 0.0] * 10, None, None),
        ([1.0, 0.0] * 10, "classification", 2),
        ([7, 9, 7, 11] * 5, "regression", None),
    ],
    ids=["whole", "true and false", "fractions", "fractions as classes", "whole numbers as numbers"],
)
def test_the_values_decide_what_is_learned_unless_the_task_is_given(
    name: str, values: list[Any], task: str | None, classes: int | None, tmp_path: Path
) -> None:
    file = written(name, pd.DataFrame({"a": range(20), "y": values}), tmp_path)

    assert source(name, file, target="y", task=task).spec.classes == classes


def test_labels_are_numbered_in_numerical_order(tmp_path: Path) -> None:
    file = written("csv", pd.DataFrame({"a": range(6), "y": ["10", "9", "010", "9", "100", "10"]}), tmp_path)
    data = source("csv", file, target="y").load()
    x, y = both_parts(data)

    assert y[np.argsort(x[:, 0])].tolist() == [1, 0, 1, 0, 2, 1]


@pytest.mark.parametrize("rows", [1, 3, 100])
@pytest.mark.parametrize("values", [["a", "7", "b", "7"] * 5, ["3", "2.5", "1", "1"] * 5, [3, 5, 3, 4] * 5])
def test_where_the_parts_of_a_file_end_changes_nothing(
    values: list[Any], rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written("csv", pd.DataFrame({"a": range(20), "y": values}), tmp_path)
    expected = source("csv", file, target="y").draw()
    monkeypatch.setattr(tables, "MOST_ROWS", rows)
    moved = file.rename(tmp_path / "again.csv")
    found = source("csv", moved, target="y").draw()

    assert isinstance(expected, Dataset)
    assert isinstance(found, Dataset)
    for ours, theirs in zip(both_parts(found), both_parts(expected), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_gzipped_table_and_a_subset(tmp_path: Path) -> None:
    file = tmp_path / "table.csv.gz"
    file.write_bytes(gzip.compress(table().to_csv(index=False).encode()))
    data = source("csv", file, target="kind", points=10, test_share=0.2).load()

    assert (len(data.x_train), len(data.x_test), data.classes) == (8, 2, 3)
    assert (
        refused("csv", file, target="kind", points=41) == f"points must be at most 40, which {file} holds, but got 41"
    )


def test_a_column_that_never_changes_in_training_is_zero(tmp_path: Path) -> None:
    file = written("csv", pd.DataFrame({"a": range(20), "same": [0.1] * 20, "y": [0, 1] * 10}), tmp_path)
    x, _ = both_parts(source("csv", file, target="y").load())

    assert not x[:, 1].any()


@pytest.mark.parametrize("name", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("change", "options", "line"),
    [
        ({}, {}, "target is missing: it names a column of {file}: accepted: height, age, smokes, kind"),
        ({}, {"target": "king"}, "target must be a column of {file}: accepted: height, age, smokes, kind, but got"),
        ({"city": ["Paris"] * 40}, {"target": "kind"}, "{file} holds 'Paris' in column 'city': every column but the"),
        ({"age": [1.0] * 39 + [np.nan]}, {"target": "kind"}, "{file} holds no number in row 40 of column 'age'"),
        ({"age": [1.0, np.inf] * 20}, {"target": "kind"}, "{file} holds inf in row 2 of column 'age'"),
        ({"age": [1.0, 1e300] * 20}, {"target": "kind"}, "{file} holds 1e+300 in row 2 of column 'age'"),
        ({"kind": ["a", None] * 20}, {"target": "kind"}, "{file} holds no target in row 2 of column 'kind'"),
        ({"kind": ["a"] * 40}, {"target": "kind"}, "{file} holds nothing but 'a' in column 'kind': at least 2 classes"),
        ({}, {"target": "kind", "task": "regression"}, "which is no number to predict"),
        ({}, {"target": "kind", "task": "rank"}, "task must be 'classification' or 'regression', but got 'rank'"),
    ],
    ids=[
        "no target", "unknown target", "words", "missing", "infinite", "too large", "missing target", "one class",
        "words to predict", "task",
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_refused_in_one_line(
    name: str, change: dict[str, Any], options: dict[str, Any], line: str, tmp_path: Path
) -> None:
    frame = table()
    for column, values in change.items():
        frame[column] = values
    file = written(name, frame, tmp_path)

    assert line.format(file=file) in refused(name, file, **options)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "is empty"),
        (b"a,y\n", "holds no rows"),
        (b"y\n1\n2\n", "holds no column besides the target 'y'"),
        (b"a,y\n1,2\n3,4,5\n", "is damaged: Expected 2 fields in line 3, saw 3"),
        (b"a,y\n1,2,3\n4,5,6\n", "is damaged: its rows are longer than its first line"),
        (b"a,b,y\n1,2,0\n1,3,1\n1\n", "holds no target in row 3 of column 'y'"),
        (b"a,y\n1,b\xff\n", "is no text in UTF-8: invalid start byte"),
        (b'a,y\n1,"b\n', "is damaged: EOF inside string starting at row 1"),
        (b"a,y\n1,0\n", "holds nothing but '0' in column 'y'"),
        (b"a;b;y\n1,5;2;0\n", "separates its columns by semicolons, 'a;b;y': commas are due"),
        (b"a\ty\n1\t0\n", "separates its columns by tabs, 'a\\ty': commas are due"),
    ],
    ids=[
        "empty",
        "no rows",
        "no features",
        "long row",
        "long rows",
        "truncated row",
        "encoding",
        "open quote",
        "one row",
        "semicolons",
        "tabs",
    ],
)
def test_a_damaged_csv_file_is_refused_in_one_line(content: bytes, line: str, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(content)

    assert f"{file} {line}" in refused("csv", file, target="y")


def test_too_few_rows_for_two_parts_are_refused(tmp_path: Path) -> None:
    file = written("csv", pd.DataFrame({"a": [1, 2], "y": [0, 1]}), tmp_path)

    assert refused("csv", file, target="y", test_share=0.9) == (
        f"{file} holds 2 points, too few for a training and a test part"
    )


def test_an_empty_column_is_refused(tmp_path: Path) -> None:
    file = written("parquet", pd.DataFrame({"a": [None, None], "y": [0, 1]}), tmp_path)

    assert f"{file} holds nothing in column 'a'" in refused("parquet", file, target="y")


def test_a_truncated_gzipped_table_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "table.csv.gz"
    file.write_bytes(gzip.compress(table().to_csv(index=False).encode())[:-30])

    assert f"{file} is truncated: its gzip stream has no end" in refused("csv", file, target="kind")


@pytest.mark.parametrize("end", [-1, 100, 0])
def test_a_truncated_parquet_file_is_refused(end: int, tmp_path: Path) -> None:
    file = written("parquet", table(), tmp_path)
    file.write_bytes(file.read_bytes()[:end])

    assert refused("parquet", file, target="kind").startswith(f"{file} is damaged: Parquet ")


def test_without_pyarrow_a_parquet_file_gets_a_line_on_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written("parquet", table(), tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    assert refused("parquet", file, target="kind") == (
        f"{file} is Parquet, which needs pyarrow: pip install 'depthsearch[parquet]'"
    )


def test_a_mixture_and_many_whole_numbers_need_a_task(tmp_path: Path) -> None:
    mixed = tmp_path / "mixed.csv"
    mixed.write_text("a,y\n1,1.5\n2,low\n3,1.5\n4,low\n")
    many = written("csv", pd.DataFrame({"a": range(1500), "y": range(1500)}), tmp_path)

    assert refused("csv", mixed, target="y") == (
        f"task must be given: {mixed} holds 1.5 and 'low' in column 'y', which may be classes or numbers to predict"
    )
    assert source("csv", mixed, target="y", task="classification").spec.classes == 2
    assert refused("csv", many, target="y") == (
        f"task must be given: {many} holds more than 1000 different values in column 'y', "
        "which may be classes or numbers to predict"
    )
    assert source("csv", many, target="y", task="regression").spec.task == "regression"


def test_reading_a_table_takes_at_most_three_times_its_size(tmp_path: Path) -> None:
    rows, line = 300_000, "0.1234,-1.2345,2.5,3.5,-4.5,5.5,0.5,1.5,{}\n"
    file = tmp_path / "table.csv"
    file.write_text("a,b,c,d,e,f,g,h,y\n" + (line.format("red") + line.format("blue")) * (rows // 2))
    found = source("csv", file, target="y")
    pd.read_csv(file, nrows=1)  # what pandas itself keeps is not the table's
    tracemalloc.start()
    try:
        data = found.load()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    held = sum(array.nbytes for array in (data.x_train, data.y_train, data.x_test, data.y_test))
    assert held == rows * (8 * 4 + 8)
    assert peak <= 3 * held


# Arrays.


def savez(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "arrays.npz", **arrays)
    return folder / "arrays.npz"


X = np.random.default_rng(0).normal(5, 3, (20, 4))
Y = np.arange(20) % 3


def test_arrays_that_are_split_and_arrays_that_are_not(tmp_path: Path) -> None:
    whole = source("npz", savez(tmp_path, x=X, y=Y), test_share=0.25).load()
    parts = source("npz", savez(tmp_path, x_train=X[:15], y_train=Y[:15], x_test=X[15:], y_test=Y[15:])).load()

    assert (len(whole.x_train), len(whole.x_test), whole.classes) == (15, 5, 3)
    np.testing.assert_allclose(parts.x_test, (X[15:] - X[:15].mean(axis=0)) / X[:15].std(axis=0), atol=1e-5)
    assert parts.y_train.tolist() == Y[:15].tolist()


@pytest.mark.parametrize(
    ("x", "spec"),
    [
        (np.zeros((20, 5, 6), np.uint8), DataSpec(shape=(1, 5, 6), classes=3, image=(1, 5, 6))),
        (np.zeros((20, 5, 6, 3), np.uint8), DataSpec(shape=(3, 5, 6), classes=3, image=(3, 5, 6))),
        (np.zeros((20, 3, 5, 6), np.float32), DataSpec(shape=(3, 5, 6), classes=3, image=(3, 5, 6))),
        (np.zeros((20, 5, 6), np.float32), DataSpec(shape=(5, 6), classes=3)),
        (np.zeros((20, 7), np.int32), DataSpec(shape=(7,), classes=3)),
    ],
    ids=["grey", "channels last", "channels first", "sequences", "rows"],
)
def test_the_shape_of_the_inputs_shows_what_they_are(x: np.ndarray, spec: DataSpec, tmp_path: Path) -> None:
    assert source("npz", savez(tmp_path, x=x, y=Y)).spec == spec


@pytest.mark.parametrize(
    ("y", "spec"),
    [
        (np.array(["b", "a"] * 10), DataSpec(shape=(4,), classes=2)),
        (np.array([[5], [7]] * 10), DataSpec(shape=(4,), classes=2)),
        (X[:, 0], DataSpec(shape=(4,), task="regression", targets=1)),
        (X[:, :2], DataSpec(shape=(4,), task="regression", targets=2)),
    ],
    ids=["words", "a column of classes", "fractions", "several numbers"],
)
def test_the_targets_show_what_is_learned(y: np.ndarray, spec: DataSpec, tmp_path: Path) -> None:
    found = source("npz", savez(tmp_path, x=X, y=y))

    assert found.spec == spec
    assert found.load().y_train.shape == ((10,) if spec.classes else (10, spec.targets))


@pytest.mark.parametrize(
    ("arrays", "line"),
    [
        ({"x": X, "z": Y}, "must hold x, y, or x_train, y_train, x_test and y_test, but holds x, z"),
        ({"x": X, "y": Y[:19]}, "must hold one target for each input, but y has the shape (19,), and x (20, 4)"),
        ({"x": X[:, 0], "y": Y}, "must hold a row of numbers for each input, but x has shape (20,)"),
        ({"x": X.astype(complex), "y": Y}, "must hold numbers, but x is of the type complex128"),
        ({"x": np.where(X[3, 1] == X, np.nan, X), "y": Y}, "must hold finite numbers, but x[3, 1] is nan"),
        ({"x": X, "y": np.where(Y == 2, np.inf, 0.5)}, "must hold finite numbers, but y[2] is inf"),
        ({"x": np.array([[{}]] * 20, dtype=object), "y": Y}, "holds Python objects as x: save numbers, x.astype"),
        (
            {"x": X, "y": np.array(["cat", "dog"] * 10, dtype=object)},
            "holds Python objects as y: save labels as texts, y.astype(str)",
        ),
        ({"x": X, "y": np.zeros(20, int)}, "holds nothing but '0' in column 'y': at least 2 classes are needed"),
        (
            {"x_train": X, "y_train": Y, "x_test": X[:, :3], "y_test": Y},
            "has inputs of shape (4,) for training and (3,) for test",
        ),
    ],
    ids=["names", "lengths", "rows", "complex", "nan", "infinite", "objects", "labels", "one class", "shapes"],
)
def test_arrays_that_cannot_be_used_are_refused_in_one_line(arrays: dict[str, Any], line: str, tmp_path: Path) -> None:
    file = savez(tmp_path, **arrays)

    assert f"{file} {line}" in refused("npz", file)


def test_a_damaged_npz_file_is_refused(tmp_path: Path) -> None:
    file = savez(tmp_path, x=X, y=Y)
    content = file.read_bytes()

    file.write_bytes(content[:-30])
    assert refused("npz", file) == f"{file} is damaged, or no file of numpy.savez"
    file.write_bytes(content[:300] + b"\0\1\2" + content[303:])
    assert f"{file} is damaged, or no file of numpy.savez" in refused("npz", file)


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ((10**10, 3), "would take 223 GiB in memory: 64 GiB is the most"),
        ((10**6, 3), "is truncated: x of shape (1000000, 3) takes 24000000 bytes, but 768 follow"),
    ],
    ids=["huge", "large"],
)
def test_an_array_that_promises_more_than_follows_is_refused_before_room_is_made(
    shape: tuple[int, int], line: str, tmp_path: Path
) -> None:
    file = tmp_path / "data.npz"
    with zipfile.ZipFile(file, "w") as archive:
        for key, array in {"x": X, "y": Y}.items():
            with archive.open(f"{key}.npy", "w") as member:
                declared = {"shape": shape if key == "x" else array.shape, "fortran_order": False}
                np.lib.format.write_array_header_1_0(member, {**declared, "descr": array.dtype.str})
                member.write(array.tobytes())

    assert refused("npz", file) == f"{file} {line}"


def test_a_lack_of_memory_as_a_file_is_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    file, text = savez(tmp_path, x=X, y=Y), tmp_path / "letters.txt"
    text.write_text("to be or not to be")
    monkeypatch.setattr(np, "load", full)
    monkeypatch.setattr(np, "frombuffer", full)

    assert refused("npz", file) == f"{file} needs more memory than there is"
    assert refused("text", text) == f"{text} needs more memory than there is"


def test_only_images_are_augmented(tmp_path: Path) -> None:
    file = savez(tmp_path, x=X, y=Y)

    assert refused("npz", file, augment="crop_flip") == f"augment changes images, but the inputs in {file} are none"


def test_targets_that_never_change_cannot_be_predicted(tmp_path: Path) -> None:
    file = savez(tmp_path, x=X, y=np.full(20, 0.5))

    assert refused("npz", file) == f"the numbers to predict in {file} never change in the training part"
