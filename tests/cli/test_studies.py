"""depthsearch studies: list, show, export, delete."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from depthsearch.cli.main import run

STORE = ["--storage", "sqlite:///depthsearch.db"]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with one finished study, and one that its budget ended."""
    file = tmp_path_factory.mktemp("stored") / "studies.db"
    quick = ["find", "--act", "relu", "--width", "2", "--epochs", "8", "--lr", "0.05", "--seeds", "2", "--quiet"]
    quick += ["--sampler", "bisect", "--reliability", "0.5"]
    place = ["--storage", f"sqlite:///{file}"]
    assert run([*quick, *place, "--study", "done"]) == 0
    assert run([*quick, *place, "--study", "short", "--seed", "1", "--max-runs", "4"]) == 0
    return file.read_bytes()


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_store(stored: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEPTHSEARCH_STORAGE", raising=False)
    Path("depthsearch.db").write_bytes(stored)


@pytest.fixture(autouse=True)
def _after_the_store_was_made(stored: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["studies", *arguments]) == 0
    return capsys.readouterr().out


def test_list_has_a_line_for_each_study(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "list").splitlines()
    (done,) = [line for line in lines if line.strip().startswith("done")]
    (short,) = [line for line in lines if line.strip().startswith("short")]
    assert "found" in done
    assert "budget ended" in short


def test_a_damaged_study_is_told_beside_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect("depthsearch.db")) as connection, connection:
        connection.execute("UPDATE ds_studies SET problem = '{' WHERE study_id = 1")
    assert run(["studies", "list"]) == 0
    shown = capsys.readouterr()
    assert "short" in shown.out
    assert "done" not in shown.out
    (line,) = shown.err.splitlines()
    assert line.startswith("note: study 'done' is damaged in the store")


def test_list_as_json_and_csv_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    as_json = json.loads(output(capsys, "list", "--json"))
    as_csv = list(csv.DictReader(io.StringIO(output(capsys, "list", "--csv"))))
    assert [row["study"] for row in as_json] == [row["study"] for row in as_csv] == ["done", "short"]
    assert [str(row["runs"]) for row in as_json] == [row["runs"] for row in as_csv]


def test_show_is_the_answer_that_find_gave(capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(output(capsys, "show", "done", "--json"))
    assert shown["outcome"] == "found"
    assert f"max depth    {shown['max_depth']} hidden layers" in output(capsys, "show", "done")


def test_export_has_a_row_for_each_run(capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(output(capsys, "show", "done", "--json"))
    as_csv = list(csv.DictReader(io.StringIO(output(capsys, "export", "done"))))
    as_json = json.loads(output(capsys, "export", "done", "--json"))
    assert len(as_csv) == len(as_json) == shown["cost"]["runs"]
    for text, value in zip(as_csv, as_json, strict=True):
        assert text["seed"] == str(value["seed"])
        assert json.loads(text["evidence"]) == value["evidence"]
        assert value["purpose"] in ("search", "sentinel", "tail", "confirm")


def test_export_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    printed = output(capsys, "export", "done", "--csv")
    assert output(capsys, "export", "done", "--output", "runs.csv") == ""
    assert Path("runs.csv").read_text() == printed


def test_delete_takes_one_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys, "delete", "short", "--yes") == "deleted short\n"
    assert [row["study"] for row in json.loads(output(capsys, "list", "--json"))] == ["done"]


def test_an_empty_list_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("done", "short"):
        output(capsys, "delete", name, "--yes")
    assert output(capsys, "list") == "no studies yet in sqlite:///depthsearch.db\n"


def test_answering_no_keeps_the_study(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthsearch.cli.studies.sys.stdin", _Terminal("n\n"))
    assert output(capsys, "delete", "short").endswith("kept short\n")
    assert len(json.loads(output(capsys, "list", "--json"))) == 2


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "dne"], "there is no study 'dne' in sqlite:///depthsearch.db: it holds done, short"),
        (["delete", "dne", "--yes"], "there is no study 'dne'"),
        (["delete", "done"], "study 'done' is kept, since there is no terminal to ask on: give --yes to delete it"),
        (["export", "done", "--output", "none/runs.csv"], "--output 'none/runs.csv' cannot be written"),
        (["export", "done", "--csv", "--json"], "--json and --csv were both given: choose one"),
        (["list", "--storage", "sqlite:///none.db"], "'sqlite:///none.db' does not exist yet"),
    ],
)
def test_misuse_is_one_line_exit_2_and_deletes_nothing(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run(["studies", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert message in line
    assert len(json.loads(output(capsys, "list", "--json"))) == 2
