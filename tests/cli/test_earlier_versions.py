"""The rule of earlier versions: no search uses it, whatever asks for it. Old stores are read in test_old_stores."""

import json
from pathlib import Path

import pytest

from depthsearch.cli.main import run
from tests.store.old_stores import HELD, restore

STUDY = "ffnet-relu-moons-e2d10ea1"
ASKED = ["--act", "relu", "--width", "2", "--epochs", "4", "--lr", "0.05", "--seeds", "2", "--cap", "4"]
ASKED += ["--sampler", "bisect", "--reliability", "0.5", "--quiet"]
FILE = """
[settings]
sampler = "bisect"
reliability = 0.5
cap = 4
[[problems]]
name = "first"
activation = "relu"
width = 2
recipe = { epochs = 4, learning_rate = 0.05 }
criterion = { hold_share = 0.1, hold_epochs = 3 }
"""

pytestmark = pytest.mark.usefixtures("_in_a_folder_with_the_store")


@pytest.fixture(scope="module", params=HELD)
def stored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The database that a version left behind."""
    file = tmp_path_factory.mktemp("stored") / "studies.db"
    restore(request.param, file)
    return file.read_bytes()


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(arguments) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def test_its_file_declares_problems_that_a_page_compares(capsys: pytest.CaptureFixture[str]) -> None:
    Path("held.toml").write_text(FILE)
    assert output(capsys, "report", "--compare", "held.toml", "--output", "page.html") == ""
    assert f"{STUDY} in sqlite:///depthsearch.db" in Path("page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["find", *ASKED, "--study", STUDY],
            "was judged by the rule of an earlier version and can be read, not resumed",
        ),
        (["find", "held.toml", "--quiet"], "criterion 'held' is of studies of earlier versions, which can be read and"),
        (
            ["compare", "held.toml", "--quiet"],
            "criterion 'held' is of studies of earlier versions, which can be read and",
        ),
        (["find", *ASKED, "--criterion", "held"], "criterion 'held' is of studies of earlier versions"),
    ],
    ids=["its name", "its file", "its file compared", "its rule"],
)
def test_no_search_goes_on_with_it(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("held.toml").write_text(FILE)
    before = json.loads(output(capsys, "studies", "list", "--json"))
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert message in line
    assert json.loads(output(capsys, "studies", "list", "--json")) == before


def test_the_same_search_today_is_a_study_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(output(capsys, "find", *ASKED, "--json"))
    assert (found["study"] != STUDY, found["criterion"]["kind"]) == (True, "chance")
    assert [row["study"] for row in json.loads(output(capsys, "studies", "list", "--json"))] == [STUDY, found["study"]]
