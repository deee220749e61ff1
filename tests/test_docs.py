"""The commands and listings of README.md and docs/*.md run, and print what the pages show.

- A `console` block holds commands after `$ ` and, below each, what it prints. The commands run in this process, exit
  with 0, and print the labels of the lines shown, in the same order (see `labels`). Numbers are not compared: the last
  digits differ between machines, and with them whether a run trains.
- A `python` block runs, after the blocks above it on its page, in one namespace. tests/test_extending.py and
  tests/test_readme.py run the others (see `elsewhere`). One whose first line is a comment with a file's name is
  written to that file, for the commands below it.
- A `toml` block is a study file: it is read, and is `study.toml` for the commands below it.
- An `sh` block takes minutes, asks for extras, or runs until it is stopped: its `depthsearch` commands are parsed only.

Each page has a directory, with a copy of the folder `studies`.
"""

import re
import shlex
from pathlib import Path

import click
import pytest

from depthsearch.cli.main import cli, run
from depthsearch.detection.verdict import VerdictKind
from depthsearch.problem.study_file import TABLES, InspectPlan, Reported, ReportedRow, read_study_file
from depthsearch.results.answer import Answer, Outcome
from docs.commands import PAGE, page
from docs.transcripts import ROOT, WIDTH, blocks, pages, prepare
from tests import test_extending

PAGES = {name: path.read_text(encoding="utf-8") for name, path in pages().items()}

FILES = [text.strip() for name, text in vars(test_extending).items() if name.isupper() and isinstance(text, str)]


def labels(shown: str) -> list[str]:
    """The words that begin each line, up to its first number, other sign, or gap of two spaces.

    "max depth  20 hidden layers" has the label "max depth". A line of a chart, a row of numbers, and an indented line,
    such as the rest of a long cell, have none.
    """
    starts = (re.match(r" ?([a-zA-Z](?:[a-zA-Z _-]*[a-zA-Z])?)(?=[^a-zA-Z]|$)", line) for line in shown.splitlines())
    return [start[1].split("  ")[0] for start in starts if start is not None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", WIDTH)
    monkeypatch.delenv("DEPTHSEARCH_STORAGE", raising=False)
    prepare(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_and_listings_of_a_page_run(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, object] = {}
    for block in blocks(PAGES[name]):
        if block.language == "console":
            for command, shown in block.commands:
                words = shlex.split(command, comments=True)
                assert words[0] == "depthsearch", f"{words} is not run: write it in a block of `sh`"
                check_command(words[1:], shown, capsys)
        elif block.file is not None:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python" and not elsewhere(block.text):
            exec(compile(block.text, name, "exec"), namespace)
        elif block.language == "toml":
            (folder / "study.toml").write_text(block.text, encoding="utf-8")
            read_study_file("study.toml")
        elif block.language == "sh":
            for line in re.findall(r"^(?:\$ )?depthsearch (.*)", block.text, flags=re.MULTILINE):
                parse(shlex.split(line, comments=True))


def elsewhere(listing: str) -> bool:
    """Whether another test runs it: a new file of the package, or the search that is checked against its truth."""
    return listing.strip() in FILES or "ThresholdSampler(" in listing


def check_command(words: list[str], shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    code = run(words)
    printed = capsys.readouterr()
    assert code == 0, f"{shlex.join(words)}: {printed.err}"
    text, place = " ".join((printed.out + printed.err).split()), 0
    for label in labels(shown):
        found = text.find(label, place)
        assert found >= 0, f"{shlex.join(words)} no longer prints {label!r} there:\n{printed.out}"
        place = found + len(label)


def parse(words: list[str]) -> None:
    """Read the words as the command line does, without running the command."""
    command: click.Command = cli
    context = click.Context(cli, info_name="depthsearch")
    while isinstance(command, click.Group):
        name = words[0]
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name!r}"
        command, words = found, words[1:]
    command.make_context(command.name, words, parent=context)


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


@pytest.mark.parametrize("name", PAGES)
def test_every_link_to_a_file_leads_somewhere(name: str) -> None:
    folder = ROOT if name == "README.md" else ROOT / "docs"
    links = re.findall(r"\]\(([^)#]+)[^)]*\)|src=\"([^\"]+)\"", PAGES[name])
    for link in (first or second for first, second in links):
        assert "://" in link or (folder / link).exists(), link


def test_the_readme_is_short_and_its_picture_small() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 200
    (picture,) = re.findall(r"src=\"([^\"]+)\"", PAGES["README.md"])
    assert (ROOT / picture).stat().st_size < 200_000


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("answers.md", [outcome.value for outcome in Outcome]),
        ("answers.md", list(Answer.model_fields)),
        ("verdicts.md", [kind.value for kind in VerdictKind]),
        ("study-files.md", [*TABLES, *InspectPlan.model_fields, *Reported.model_fields, *ReportedRow.model_fields]),
    ],
    ids=["outcomes", "fields of an answer", "verdicts", "fields of a study file"],
)
def test_the_manual_explains_each_of(name: str, words: list[str]) -> None:
    missing = [word for word in words if f"`{word}`" not in PAGES[name] and f"`[{word}]`" not in PAGES[name]]
    assert missing == []
