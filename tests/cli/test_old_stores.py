"""Stores of every revision, as the commands show them: each file in tests/store/assets was written by a release."""

import json
from pathlib import Path

import pytest

from depthsearch.cli.main import run
from depthsearch.store import open_store
from tests.store.old_stores import HELD, REVISIONS, restore


@pytest.fixture(params=REVISIONS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str, str]:
    """The revision, the URL of a store made from its file, and the name of the study in it."""
    url = restore(request.param, tmp_path / "studies.db")
    with open_store(url) as store:
        (study,) = store.studies()
    return request.param, url, study.name


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
    network, recipe, settings = answer["problem"]["network"], answer["problem"]["recipe"], answer["settings"]
    command = (
        "find", "--act", network["activation"], "--width", str(network["width"]), "--epochs", str(recipe["epochs"]),
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


def test_an_interrupted_search_of_an_earlier_version_goes_on_as_the_search_that_was_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The study of revision 0003 keeps its name and its runs, and ends with the answer of a search from scratch."""
    command = ["find", "--act", "relu", "--width", "2", "--epochs", "8", "--lr", "0.05", "--seeds", "2", "--quiet"]
    command += ["--sampler", "bisect", "--reliability", "0.5", "--max-runs", "30", "--json"]
    old, new = restore("0003", tmp_path / "old.db"), f"sqlite:///{tmp_path}/new.db"
    resumed, fresh = (json.loads(output(capsys, *command, "--storage", url)) for url in (old, new))
    assert (resumed["study"], resumed["cost"]["runs"] > 10) == ("ffnet-relu-moons-e8fe7d27", True)
    # Runs that were judged by an earlier version keep the cause that it named.
    assert resumed["verdicts"]["trained"] == fresh["verdicts"]["trained"]
    assert sum(resumed["verdicts"].values()) == sum(fresh["verdicts"].values())
    for name in ("max_depth", "outcome", "curve", "question", "code", "settings"):
        assert resumed[name] == fresh[name], name
