"""find --dry-run: two tables of eighty columns, or one JSON object."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from depthsearch.cli.main import run
from depthsearch.reporting.terminal.dry_run import duration_words, memory_words, span_words

FIND = ["find", "--epochs", "8", "--sampler", "bisect", "--seeds", "2", "--dry-run"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(import_module("depthsearch.workflows.dry_run"), "ENOUGH_SECONDS", 0.02)


def test_a_dry_run_fits_eighty_columns_and_stores_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(FIND) == 0
    text = capsys.readouterr().out
    assert "ffnet tanh on moons: a dry run, nothing is stored" in text
    assert "9 hidden layers" in text
    assert not re.search(r"\n *\n *\n", text)  # one empty line between the tables
    assert "if they train to" in text
    assert re.search(r"timed: \d of 8 and \d of 8 epochs with the engine dense on the CPU", text)
    assert max(map(len, text.splitlines())) <= 80
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_as_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*FIND, "--json", "--quiet"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert [one["depth"] for one in found["timed"]] == [1, 9]
    assert [row["max_depth"] for row in found["forecasts"]] == [4, 16, 64]
    assert captured.err == ""


def test_a_dry_run_has_no_answer_to_hold_against_a_depth(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*FIND, "--at-least", "3"]) == 2
    assert "--at-least 3 needs an answer, and --dry-run gives none" in capsys.readouterr().err


def test_durations_and_sizes_have_two_digits() -> None:
    seconds = (0.0045, 14, 119, 130, 7100, 7300, 200_000)
    assert [duration_words(spent) for spent in seconds] == [
        "0.0045 s", "14 s", "119 s", "2.2 min", "118 min", "2 h", "2.3 days",
    ]  # fmt: skip
    assert span_words(120, 300) == "2 to 5 min"
    assert span_words(40, 300) == "40 s to 5 min"
    assert [memory_words(size) for size in (None, 350_400_000, 1_240_000_000)] == ["-", "350 MB", "1.2 GB"]
