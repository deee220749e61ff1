"""depthsearch studies: list, show, export, delete."""

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from depthsearch.cli.main import run

STORE = ["--storage", "sqlite:///depthsearch.db"]
QUICK = ["find", "--act", "relu", "--width", "2", "--epochs", "8", "--lr", "0.05", "--seeds", "2", "--quiet"]
QUICK += ["--sampler", "bisect", "--reliability", "0.5"]


NAME = "深度"

pytestmark = pytest.mark.usefixtures("_in_a_folder_with_the_store")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with one finished study, and one that its budget ended."""
    file = tmp_path_factory.mktemp("stored") / "studies.db"
    place = ["--storage", f"sqlite:///{file}"]
    assert run([*QUICK, *place, "--study", "done"]) == 0
    assert run([*QUICK, *place, "--study", "short", "--seed", "1", "--max-runs", "4"]) == 0
    return file.read_bytes()


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["studies", *arguments]) == 0
    return capsys.readouterr().out


def test_list_has_a_line_for_each_study(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output(capsys, "list").splitlines()
    (done,) = [line for line in lines if line.strip().startswith("done")]
    (short,) = [line for line in lines if line.strip().startswith("short")]
    assert "found" in done
    assert "budget ended" in short


def test_the_list_labels_studies_by_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(output(capsys, "list", "--json"))
    assert [row["problem"] for row in rows] == ["ffnet relu on moons, seed 0", "ffnet relu on moons, seed 1"]
    assert "ffnet relu on moons, seed 1" in " ".join(output(capsys, "list").split())
    assert {row["unit"] for row in rows} == {"hidden layers"}


def test_a_damaged_study_is_named_beside_the_others(capsys: pytest.CaptureFixture[str]) -> None:
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


def test_who_trains_nothing_does_not_wait_for_scikit_learn() -> None:
    code = "import sys; from depthsearch.cli.main import run; run(sys.argv[1:]); print('sklearn' in sys.modules)"
    for arguments in (["studies", "list"], ["studies", "show", "done"], ["report", "done", "--output", "page.html"]):
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "False"


def test_show_is_the_answer_that_find_gave(capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(output(capsys, "show", "done", "--json"))
    assert shown["outcome"] == "found"
    text = output(capsys, "show", "done")
    assert re.search(rf"^max depth  {shown['max_depth']} hidden layers", text, re.MULTILINE)
    assert len(text.splitlines()) <= 23
    assert run(["find", *QUICK[1:], "--study", "done"]) == 0
    assert capsys.readouterr().out == text


def test_show_adds_the_details_where_they_are_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    text, detailed = output(capsys, "show", "done"), output(capsys, "show", "done", "--details")
    assert detailed.startswith(text)
    names = [line.split("  ")[0] for line in detailed.removeprefix(text).splitlines()]
    assert {"layers", "fresh seeds", "runs", "ended", "passes", "criterion"} <= set(names)
    assert "share that trained" in detailed
    assert "share that trained" not in text
    shown = json.loads(output(capsys, "show", "done", "--json", "--details"))
    assert shown == json.loads(output(capsys, "show", "done", "--json"))


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
    output(capsys, "export", "done", "--output", "runs.json")
    assert json.loads(Path("runs.json").read_text()) == json.loads(output(capsys, "export", "done", "--json"))
    output(capsys, "export", "done", "--csv", "--output", "runs.json")
    assert Path("runs.json").read_text() == printed


def test_an_export_that_cannot_be_written_whole_leaves_the_file_that_was_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("runs.csv").write_text("before")

    def fail(*_arguments: Any, **_more: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    assert run(["studies", "export", "done", "--output", "runs.csv"]) == 2
    assert "--output 'runs.csv' cannot be written: No space left on device" in capsys.readouterr().err
    assert Path("runs.csv").read_text() == "before"
    assert sorted(path.name for path in Path().iterdir() if "runs" in path.name or "depthsearch" in path.suffix) == [
        "runs.csv"
    ]


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["list", "--csv"], ["list", "--json"], ["show", NAME], ["show", NAME, "--json"], ["export", NAME]],
)
def test_a_name_that_the_output_cannot_show_ends_no_command(arguments: list[str]) -> None:
    with closing(sqlite3.connect("depthsearch.db")) as connection, connection:
        connection.execute("UPDATE studies SET study_name = ? WHERE study_name = 'short'", [NAME])
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "depthsearch", "studies", *arguments]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"??" in done.stdout or b"\\u6df1\\u5ea6" in done.stdout


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


DAMAGE = [
    ("UPDATE ds_runs SET verdict = 'confused'", "run 0 of trial 0: 'confused' is not a valid VerdictKind"),
    ("UPDATE ds_runs SET evidence = '{bad'", "run 0 of trial 0: Expecting property name"),
    ("UPDATE ds_runs SET evidence = '[]'", "run 0 of trial 0: value must be a table of rule, figures"),
    ("UPDATE ds_runs SET epochs = 'many'", "run 0 of trial 0: invalid literal for int() with base 10: 'many'"),
    ("UPDATE trial_user_attributes SET value_json = '{bad'", "Expecting property name"),
    ("UPDATE trial_user_attributes SET value_json = 'null'", "trial 0: its seeds are None, not a list"),
    ("DELETE FROM trial_user_attributes", "trial 0: it does not say how many of its runs trained"),
    ("DELETE FROM trial_user_attributes WHERE key = 'seconds'", "trial 0: its seconds are None, not a number"),
    ("UPDATE trial_user_attributes SET value_json = '\"x\"' WHERE key = 'purpose'", "'x' is not a valid Purpose"),
    ("DELETE FROM trial_params", "trial 0: its depth is missing"),
    ("UPDATE trials SET state = 'BOGUS'", "'BOGUS' is not among the defined enum values"),
    ("UPDATE trials SET number = 99 WHERE number = 0", "there is no trial 0 although there is a trial 1"),
    ("DELETE FROM study_directions", "it does not have the one direction, maximize"),
    ("UPDATE ds_studies SET created = 'bogus'", "Invalid isoformat string: 'bogus'"),
]


@pytest.mark.parametrize(("statement", "reason"), DAMAGE)
def test_whatever_is_damaged_of_a_study_is_one_line(
    statement: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect("depthsearch.db")) as connection, connection:
        connection.execute(statement)
    search = [*QUICK, "--study", "done", *STORE]
    replay = ["inspect", "--study", "done", "--trial", "0", "--run", "0", "--quiet"]
    for arguments in (["studies", "show", "done"], ["studies", "export", "done"], replay, search):
        assert run(arguments) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        (line,) = printed.err.splitlines()
        assert line.startswith("error: study 'done' is damaged in the store (")
        assert reason in line
    assert run(["studies", "list", "--json"]) == 0
    printed = capsys.readouterr()
    assert "done" not in [row["study"] for row in json.loads(printed.out)]
    assert printed.err.startswith("note: study 'done' is damaged in the store (")


@pytest.mark.parametrize("value", ["x'00'", "substr(trace, 1, length(trace) / 2)"])
def test_a_damaged_trace_is_one_line(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect("depthsearch.db")) as connection, connection:
        connection.execute(f"UPDATE ds_runs SET trace = {value}")
    assert run(["inspect", "--study", "done", "--trial", "0", "--run", "1", "--quiet"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: study 'done' is damaged in the store (trace of run 1 of trial 0: ")


@pytest.mark.parametrize(
    ("where", "ending"),
    [("TRUE", "it holds none"), ("run = 0", "has no run 0: it holds run 1")],
)
def test_runs_that_are_missing_are_named(where: str, ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect("depthsearch.db")) as connection, connection:
        connection.execute(f"DELETE FROM ds_runs WHERE trial_number = 0 AND {where}")
    assert run(["inspect", "--study", "done", "--trial", "0", "--run", "0", "--quiet"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(ending)
