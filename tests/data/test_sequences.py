"""Data sets whose inputs are tokens: the copying task, and the characters of a text."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthsearch.data.base import NO_TARGET, DataSource, DataSpec
from depthsearch.errors import InvalidValue

TEXT = "the cat sat on the mat, and the rat sat on the cat. " * 12


def source(name: str, **options: Any) -> DataSource:
    return DataSource.of({"name": name} | options)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cats.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


# Copying.


def test_the_symbols_follow_the_separator_a_second_time() -> None:
    data = source("copy").load()

    assert (data.x_train.shape, data.y_train.shape) == ((1000, 16), (1000, 16))
    assert np.array_equal(data.x_train[:, 8], np.full(1000, 10))
    assert np.array_equal(data.x_train[:, 9:], data.x_train[:, :7])
    assert source("copy").spec == DataSpec(shape=(16,), task="sequence", classes=10, vocabulary=11)


def test_a_target_is_the_token_that_follows_and_the_first_half_has_none() -> None:
    data = source("copy", symbols=5, length=3, points=60).load()

    assert (data.y_train[:, :3] == NO_TARGET).all()
    assert np.array_equal(data.y_train[:, 3:-1], data.x_train[:, 4:])
    assert np.array_equal(data.y_train[:, 3:], data.x_train[:, :3])


def test_masked_no_target_is_among_the_tokens_that_follow() -> None:
    plain, masked = source("copy").load(), source("copy", masked=True).load()

    assert np.array_equal(masked.x_train[:, :9], plain.x_train[:, :9])
    assert (masked.x_train[:, 9:] == 11).all()
    assert np.array_equal(masked.y_train, plain.y_train)
    assert source("copy", masked=True).spec.vocabulary == 12


def test_the_baseline_counts_the_positions_that_have_a_target() -> None:
    assert source("copy").load().baseline == pytest.approx(0.1, abs=0.01)


def test_the_question_of_the_copying_task_holds_whether_it_is_masked() -> None:
    assert source("copy").canonical_json() != source("copy", masked=True).canonical_json()


# Text.


def test_each_character_is_followed_by_its_target(file: Path) -> None:
    data = source("text", path=str(file), length=10).load()
    characters = sorted(set(TEXT))

    assert data.x_train.dtype == data.y_train.dtype == np.int64
    assert np.array_equal(data.x_train[:, 1:], data.y_train[:, :-1])
    inputs = np.vstack((data.x_train, data.x_test)).reshape(-1)
    begin = int(np.random.default_rng(0).integers(10))
    assert "".join(characters[code] for code in inputs) == TEXT[begin : begin + len(inputs)]
    assert data.classes == len(characters)


def test_a_text_says_its_characters_and_the_length_of_an_input(file: Path) -> None:
    classes = len(set(TEXT))

    spec = source("text", path=str(file), length=7).spec

    assert spec == DataSpec(shape=(7,), task="sequence", classes=classes, vocabulary=classes)


def test_the_end_of_a_text_is_for_test(file: Path) -> None:
    data = source("text", path=str(file), length=10, test_share=0.25).load()

    assert (len(data.x_train), len(data.x_test)) == (45, 16)
    assert data.y_train[-1, -1] == data.x_test[0, 0]


def test_another_seed_cuts_the_text_elsewhere(file: Path) -> None:
    first, second = (source("text", path=str(file), length=10, seed=seed).load().x_train for seed in (1, 2))

    assert not np.array_equal(first, second)


def test_a_text_is_identified_by_its_content_and_not_by_its_path(file: Path, tmp_path: Path) -> None:
    copied, changed = tmp_path / "copied.txt", tmp_path / "changed.txt"
    copied.write_text(TEXT, encoding="utf-8")
    changed.write_text(TEXT + "!", encoding="utf-8")
    one, same, other = (source("text", path=str(path)).identity() for path in (file, copied, changed))

    assert one == same
    assert one["content"] != other["content"]
    assert str(file) not in str(one)


def test_a_text_that_changed_is_read_again(file: Path) -> None:
    text = source("text", path=str(file), length=5)
    before = text.spec, text.identity()
    file.write_text(TEXT + "xyz" * 5, encoding="utf-8")
    os.utime(file, ns=(1, 1))

    assert (text.spec.classes or 0) > (before[0].classes or 0)
    assert text.identity() != before[1]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "does not exist"),
        (b"", "at least two different characters"),
        (b"aaaa", "at least two different characters"),
        (b"caf\xe9", "is no UTF-8 text"),
    ],
    ids=["missing", "empty", "one character", "latin-1"],
)
def test_a_text_that_cannot_be_read_is_refused_in_one_line(
    content: bytes | None, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.txt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InvalidValue) as refused:
        source("text", path=str(path)).load()
    assert expected in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_text_needs_a_path() -> None:
    with pytest.raises(InvalidValue, match="path is missing: it says where the data are, as in text:PATH"):
        source("text")


def test_inputs_that_are_too_long_for_their_text_are_refused(file: Path) -> None:
    with pytest.raises(
        InvalidValue, match=f"length must be small enough for 40 inputs, but got 64 for a text of {len(TEXT)}"
    ):
        source("text", path=str(file)).load()


def test_a_text_is_named_with_its_file(file: Path) -> None:
    assert DataSource.of(f"text:{file}") == source("text", path=str(file))
