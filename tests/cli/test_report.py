"""depthsearch report: a page from the store."""

import sqlite3
from pathlib import Path

import pytest

from depthsearch.cli.main import run

QUICK = ["--act", "relu", "--width", "2", "--epochs", "8", "--lr", "0.05", "--seeds", "2", "--cap", "12", "--quiet"]
FILE = """
title = "A <report>"
[defaults]
width = 2
recipe = { epochs = 8, learning_rate = 0.05 }
[settings]
cap = 12
[[problems]]
name = "first"
activation = "relu"
reported = { depth = 4, note = "by hand", rows = [{ depth = 2, train_accuracy = 0.9 }] }
"""
UNSEARCHED = '[[problems]]\nname = "second"\nactivation = "tanh"\n'


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with a finished study of the file's first problem, and one that its budget ended."""
    file = tmp_path_factory.mktemp("stored") / "studies.db"
    place = ["--storage", f"sqlite:///{file}"]
    assert run(["find", *QUICK, *place, "--study", "<b>x"]) == 0
    assert run(["find", *QUICK, *place, "--study", "short", "--seed", "1", "--max-runs", "4"]) == 0
    return file.read_bytes()


@pytest.fixture(autouse=True)
def _with_a_study_file(_in_a_folder_with_the_store: None) -> None:
    Path("study.toml").write_text(FILE)


def page(*arguments: str) -> str:
    assert run(["report", *arguments, "--output", "page.html"]) == 0
    return Path("page.html").read_text(encoding="utf-8")


def changed(statement: str) -> None:
    connection = sqlite3.connect("depthsearch.db")
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_page_says_what_was_found_and_names_are_plain_text() -> None:
    text = page("<b>x")
    assert len(text) < 6_000_000
    assert "<h1>ffnet relu on moons" in text
    assert "&lt;b&gt;x in sqlite:///depthsearch.db" in text
    assert "<b>" not in text.partition("<script>")[0]


def test_a_file_that_is_there_is_written_anew() -> None:
    Path("page.html").write_text("old")
    assert page("short").startswith("<!doctype html>")


def test_a_study_whose_budget_ended_says_so() -> None:
    assert "The budget ended before the search did" in page("short")


def test_several_studies_on_one_page_each_once() -> None:
    text = page("short", "<b>x", "short")
    assert "<h1>2 studies</h1>" in text
    assert text.count("<h2>") == 2
    for seed in (0, 1):
        assert f"<h2>ffnet relu on moons, seed {seed}</h2>" in text
        assert f'<p class="lead">ffnet relu on moons, seed {seed}: ' in text


def test_the_studies_of_a_study_file_stand_beside_what_was_reported() -> None:
    text = page("--compare", "study.toml")
    assert "<h1>A &lt;report&gt;</h1>" in text
    assert "4 hidden layers (by hand)" in text


def test_a_study_file_finds_what_was_searched_from_another_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["studies", "delete", "<b>x", "--yes"]) == 0
    assert "short in sqlite:///depthsearch.db" in page("--compare", "study.toml")


def test_an_empty_study_has_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    changed("DELETE FROM ds_runs")
    changed("DELETE FROM trials")
    assert "No run is finished yet." in page("short")
    assert capsys.readouterr().err == ""


def test_a_study_that_is_running_says_so() -> None:
    changed("UPDATE trials SET state = 'RUNNING' WHERE number = 3")
    changed("DELETE FROM trials WHERE number > 3")
    text = page("<b>x")
    assert "Under way, or interrupted, when this page was written: 1 trial." in text
    assert "The search is not finished" in text


def test_a_study_whose_every_trial_failed_says_so() -> None:
    changed("UPDATE trials SET state = 'FAIL'")
    text = page("short")
    assert "No run is finished yet. " in text
    assert "2 trials failed; what they trained is not kept." in text


@pytest.mark.parametrize(
    ("version", "words"),
    [("'0.0.7'", "Begun with depthsearch 0.0.7, and"), ("NULL", "Begun with a depthsearch that did not record its")],
)
def test_a_study_of_another_version_says_so(version: str, words: str) -> None:
    assert "Begun with" not in page("short")
    changed(f"UPDATE ds_studies SET version = {version}")
    assert words in page("short")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ds_runs SET evidence = '{'",
        "UPDATE ds_runs SET verdict = 'lost'",
        "DELETE FROM trial_user_attributes WHERE key = 'seconds'",
        "UPDATE ds_studies SET problem = '{}x'",
        "DROP TABLE ds_runs",
    ],
)
def test_a_damaged_study_has_a_page_that_says_so(statement: str, capsys: pytest.CaptureFixture[str]) -> None:
    changed(statement)
    assert "This study cannot be read: " in page("short")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("note: short cannot be read, and the page says so: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "--output", "page.html"], "give the names of studies, or --compare with a study file"),
        (["report", "short", "--compare", "study.toml"], "but got 'short' and --compare 'study.toml'"),
        (["report", "short"], "--output is missing: give the HTML file to write, as in --output report.html"),
        (["report", "dne", "--output", "page.html"], "there is no study 'dne' in sqlite:///depthsearch.db"),
        (
            ["report", "short", "--output", "none/page.html"],
            "--output 'none/page.html' cannot be written: No such file",
        ),
        (
            ["report", "--compare", "unsearched.toml", "--output", "page.html"],
            "problem 'second' has no study in sqlite",
        ),
        (["report", "short", "--output", "page.html", "--storage", "sqlite:///none.db"], "does not exist yet"),
    ],
)
def test_misuse_is_one_line_exit_2_and_writes_nothing(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("unsearched.toml").write_text(UNSEARCHED)
    assert run(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not Path("page.html").exists()
