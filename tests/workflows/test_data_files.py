"""Searches on data in files: found again wherever the files lie, refused where their content has changed."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from depthsearch.cli.main import run
from depthsearch.errors import StudyConflict
from depthsearch.problem.problem import Problem
from depthsearch.results.answer import Answer
from depthsearch.search.settings import SearchSettings
from depthsearch.store import open_store
from depthsearch.workflows import find
from depthsearch.workflows.inspect import inspect_stored
from depthsearch.workflows.studies import study_rows
from tests.data.writers import IDX, grey, idx

SETTINGS = SearchSettings(sampler="bisect", cap=2, runs_per_trial=2, reliability=0.5)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three classes by the sum of two numbers."""
    x = np.random.default_rng(0).normal(size=(300, 2))
    kinds = np.array(["low", "middle", "high"])[np.digitize(x.sum(axis=1), (-0.6, 0.6))]
    pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "kind": kinds}).to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def problem(file: Path) -> Problem:
    data = {"name": f"csv:{file}", "target": "kind"}
    recipe = {"epochs": 5, "optimizer": "adam", "learning_rate": 0.01}
    return Problem.model_validate({"width": 10, "data": data, "recipe": recipe})


def search(file: Path, folder: Path, study: str | None = None) -> Answer:
    return find(problem(file), SETTINGS, storage=f"sqlite:///{folder}/store.db", study=study)


def test_the_same_table_in_another_place_is_the_same_study(table: Path, tmp_path: Path) -> None:
    first = search(table, tmp_path)
    moved = search(table.rename(tmp_path / "moved.csv"), tmp_path)

    assert (first.max_depth, moved.study, moved.cost) == (2, first.study, first.cost)
    assert search(tmp_path / "moved.csv", tmp_path, study=first.study).cost == first.cost


def test_a_changed_table_is_another_study_and_no_replay(table: Path, tmp_path: Path) -> None:
    first = search(table, tmp_path)
    place = f"sqlite:///{tmp_path}/store.db"
    assert inspect_stored(first.study, 0, 0, storage=place).replay is not None
    table.write_text(table.read_text() + "0.1,0.2,middle\n")

    with pytest.raises(
        StudyConflict, match=rf"cannot be replayed: the content of its data, {table}, has changed since"
    ):
        inspect_stored(first.study, 0, 0, storage=place)
    with pytest.raises(StudyConflict, match=r"asks something else .the content of its data has changed"):
        search(table, tmp_path, study=first.study)
    assert search(table, tmp_path).study != first.study


def test_an_answer_outlives_its_files(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = search(table, tmp_path)
    place = f"sqlite:///{tmp_path}/store.db"
    table.unlink()

    with open_store(place, create=False) as store:
        rows, damaged = study_rows(store)
    assert ([row.question for row in rows], damaged) == ([first.question], [])
    assert run(["studies", "show", first.study, "--storage", place, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["question"], shown["max_depth"], shown["layers"]) == (first.question, 2, None)
    assert run(["studies", "show", first.study, "--storage", place, "--details"]) == 0
    assert "max depth  2 hidden layers" in capsys.readouterr().out
    assert run(["inspect", "--study", first.study, "--trial", "0", "--run", "0", "--storage", place]) == 2
    assert capsys.readouterr().err == f"error: {table} does not exist\n"


@pytest.mark.parametrize("engine", ["dense", "torch"])
def test_dense_networks_train_on_images(engine: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten classes, each with its image and some noise."""
    for part, points in (("train", 200), ("test", 50)):
        labels = (np.arange(points) % 10).astype(np.uint8)
        images = grey(10)[labels] // 2 + grey(points, seed=points) // 2
        for name, array in zip(IDX[part], (images, labels), strict=True):
            (tmp_path / name).write_bytes(idx(array))
    words = f"inspect --data mnist:{tmp_path} --width 32 --act relu --optimizer adam --lr 0.01 --depth 2 --epochs 5"

    assert run([*words.split(), "--engine", engine, "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "trained"
    assert run([*words.split(), "--engine", engine, "--augment", "flip"]) == 2
    assert "does not train ffnet relu on mnist: choose the engine 'module'" in capsys.readouterr().err


def test_a_column_that_is_not_there_is_refused_by_its_option(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = f"inspect --data csv:{table} --data-target missing --depth 1 --epochs 3"

    assert run(words.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        rf"error: --data-target must be a column of {table}: accepted: a, b, kind, but got 'missing'", line
    )
