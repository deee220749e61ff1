"""Stores of every revision, as the commands show them: each file in tests/store/assets was written by a release."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from depthsearch.cli.main import run

ASSETS = Path(__file__).parents[1] / "store" / "assets"
HELD = ["0001", "0002"]
"""Those whose runs were judged by the rule that a run has trained once it held the accuracy for a while."""


@pytest.fixture(params=sorted(path.stem for path in ASSETS.glob("*.sql")))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str, str]:
    """The revision, the URL of a store made from its file, and the name of the study in it."""
    file = tmp_path / "studies.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.executescript((ASSETS / f"{request.param}.sql").read_text())
        (name,) = connection.execute("SELECT study_name FROM studies").fetchone()
    return request.param, f"sqlite:///{file}", name


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that succeeds prints."""
    assert run(arguments) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_an_old_store_lists_shows_and_exports(old: tuple[str, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    revision, url, name = old
    assert name in output(capsys, "studies", "list", "--storage", url)
    shown = output(capsys, "studies", "show", name, "--storage", url, "--details")
    assert "max depth" in shown
    assert ("the rule of an earlier version" in " ".join(shown.split())) == (revision in HELD)
    answer = json.loads(output(capsys, "studies", "show", name, "--storage", url, "--json"))
    assert (answer["criterion"]["kind"] == "held") == (revision in HELD)
    assert (answer["useful_depth"] is None, answer["confirmed"]) == (True, False)
    assert 0.5 < answer["bar"] < 0.7
    rows = json.loads(output(capsys, "studies", "export", name, "--storage", url, "--json"))
    assert len(rows) == answer["cost"]["runs"]
    assert all((row["final_score"] is None) == (revision in HELD) for row in rows)


def test_an_old_store_has_a_report(
    old: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    revision, url, name = old
    page = tmp_path / "page.html"
    output(capsys, "report", name, "--storage", url, "--output", str(page))
    assert ("judged by the rule of an earlier version" in page.read_text()) == (revision in HELD)


def test_a_run_of_an_old_store_is_trained_again_and_judged_by_the_rule_of_today(
    old: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    _, url, name = old
    arguments = ("inspect", "--study", name, "--trial", "0", "--run", "0", "--storage", url, "--json")
    found = json.loads(output(capsys, *arguments))
    assert found["evidence"]["thresholds"]["final_score"] == found["bar"]
    assert found["replay"]["recorded"] == "trained"


def test_the_command_that_began_a_study_resumes_it_unless_an_earlier_rule_judged_it(
    old: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    revision, url, name = old
    before = output(capsys, "studies", "export", name, "--storage", url)
    answer = json.loads(output(capsys, "studies", "show", name, "--storage", url, "--json"))
    problem, recipe, settings = answer["problem"], answer["problem"]["recipe"], answer["settings"]
    command = (
        "find", "--act", problem["activation"], "--width", str(problem["width"]), "--epochs", str(recipe["epochs"]),
        "--lr", str(recipe["learning_rate"]), "--sampler", settings["sampler"], "--max-runs", "4",
        "--reliability", str(settings["reliability"]), "--storage", url, "--quiet",
    )  # fmt: skip
    if revision in HELD:
        assert run([*command, "--study", name]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert f"study {name!r} was judged by the rule of an earlier version and can be read, not resumed" in error
    output(capsys, *command)
    names = [row["study"] for row in json.loads(output(capsys, "studies", "list", "--storage", url, "--json"))]
    assert (names[0], len(names)) == (name, 2 if revision in HELD else 1)
    assert output(capsys, "studies", "export", name, "--storage", url) == before
