"""A user's code on the command line."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from depthsearch.cli.main import run
from depthsearch.interrupts import raise_if_interrupted
from depthsearch.reporting.command_line import find_command
from depthsearch.search.settings import SearchSettings
from tests.interrupting import handlers_installed
from tests.user_code.written import MODEL, PARTS, TRAIN, write

pytestmark = pytest.mark.usefixtures("_in_a_folder_with_the_files")
QUICK = ["--sampler", "grid", "--depths", "2,20", "--seeds", "2", "--quiet"]


@pytest.fixture
def _in_a_folder_with_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEPTHSEARCH_STORAGE", raising=False)
    write(tmp_path, mine=TRAIN, model=MODEL, parts=PARTS)


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run([*arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_find_shows_the_answer_and_its_command_repeats_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["find", "--train", "mine.py:train", *QUICK]) == 0
    text = capsys.readouterr().out
    assert "mine.py:train: " in text
    assert "max depth  2 units of depth\n" in text
    assert "; test" not in text
    assert run(["find", "--train", "mine.py:train", *QUICK, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    assert found["problem"]["network"] == {"family": "external", "source": "mine.py:train"}
    assert found["layers"] == {"hidden": None, "weight_layers": None, "keras": None, "parameters": None}
    assert run(["find", "--train", "mine.py:train", *QUICK, "--details"]) == 0
    assert "\nlayers " not in capsys.readouterr().out


def test_a_study_file_names_code_and_compare_takes_both(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    other = TRAIN.replace("< 9", "< 3")
    write(tmp_path, other=other)
    (tmp_path / "study.toml").write_text(
        '[[problems]]\nname = "deep"\ntrain = "mine.py:train"\n[[problems]]\nname = "flat"\ntrain = "other.py:train"\n'
        '[settings]\nsampler = "grid"\ndepths = [2, 20]\nruns_per_trial = 2\n'
    )

    assert run(["compare", "study.toml", "--quiet", "--json"]) == 0
    from_file = json.loads(capsys.readouterr().out)
    assert run(["compare", "--train", "mine.py:train,other.py:train", *QUICK]) == 0
    text = capsys.readouterr().out

    assert {row["name"] for row in from_file["compared"]} == {"deep", "flat"}
    assert "mine.py:train" in text
    assert "other.py:train" in text
    assert run(["studies", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "modle.py:build"], "--model names no file, but got 'modle.py:build': there is no modle.py in "),
        (["--model", "model.py:biuld"], "model.py: it has no 'biuld'; it has Net, build, build_for, model, loss, load"),
        (["--model", "model.py"], "--model must be FILE.py:name or package.module:name, as in model.py:build, but got"),
        (["--model", "model.py:build", "--width", "3"], "--width is not an option of the network 'model', but got 3"),
        (["--model", "model.py:build", "--arch", "ffnet"], "--model names the network, but got 'model.py:build' with"),
        (["--train", "mien.py:train"], "--train names no file, but got 'mien.py:train': there is no mien.py in "),
        (["--train", "mine.py:train", "--lr", "0.1"], "--lr is the business of the function that trains, but got 0.1"),
        (
            ["--model", "hf:lama", "--data", "copy"],
            "--model must be an architecture of transformers, but got 'lama': did",
        ),
        (
            ["--arch", "hf", "--architecture", "lama", "--data", "copy"],
            "--architecture must be an architecture of transformers, but got 'lama': did",
        ),
        (["--data", "modle.py:load"], "--data names no file, but got 'modle.py:load': there is no modle.py in "),
        (["--data", "model.py:lode"], "model.py: it has no 'lode'; it has Net, build"),
    ],
)
def test_misuse_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert failed(capsys, "find", *arguments, *QUICK).startswith(f"error: {message}")


def test_the_command_that_repeats_a_search_names_the_code() -> None:
    from depthsearch import Problem
    from depthsearch.user_code.objects import hold

    place = {"place": "sqlite:///a.db", "usual_place": "sqlite:///a.db"}
    problem = Problem(model="model.py:build", data="model.py:load", recipe={"epochs": 9})
    command = find_command(problem, SearchSettings(), study="mine", **place)

    assert command == "depthsearch find --model model.py:build --data model.py:load --epochs 9 --study mine"
    held = Problem(train=hold(lambda depth, seed: [1.0]))
    assert find_command(held, SearchSettings(), study="mine", **place) is None


LOSING = """
import signal
from torch import nn


class Lost:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


class Losing(nn.Linear):
    def forward(self, x):
        Lost()
        return super().forward(x)


def build(depth):
    return nn.Sequential(*[Losing(2, 2) for _ in range(depth)], nn.Linear(2, 2))
"""


def test_ctrl_c_within_a_finalizer_ends_the_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, losing=LOSING)
    with handlers_installed():
        assert run(["find", "--model", "losing.py:build", "--steps", "20", *QUICK]) == 130
        raise_if_interrupted()

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "interrupted: every finished run is kept, and the same command resumes the search\n"


CHANGING = """
import os
from torch import nn

import model


def build(depth):
    os.chdir("/")
    return model.build(depth)


def load():
    os.chdir("/")
    return model.load()
"""


def test_code_that_changes_the_working_folder_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, changing=CHANGING)
    assert run(["find", "--model", "changing.py:build", "--data", "changing.py:load", "--steps", "20", *QUICK]) == 0
    assert "sqlite:///depthsearch.db" in capsys.readouterr().out
    assert (tmp_path / "depthsearch.db").is_file()
    assert Path.cwd() == tmp_path


WAITING = """
import atexit
import threading

def train(depth, seed):
    threading.Thread(target=threading.Event().wait).start()
    atexit.register(print, "ended")
    return [1.0]
"""


def test_threads_that_code_leaves_running_do_not_keep_the_process(tmp_path: Path) -> None:
    write(tmp_path, waiting=WAITING)
    command = [
        sys.executable,
        "-m",
        "depthsearch",
        "find",
        "--train",
        "waiting.py:train",
        "--depths",
        "1,2",
        *QUICK[:2],
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)

    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "ended")
    assert "max depth  2" in done.stdout


def test_standard_output_that_code_closes_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, closing="import sys\n\n\ndef train(depth, seed):\n    sys.stdout.close()\n    return [1.0]\n")
    monkeypatch.setattr(sys, "stdout", io.StringIO())

    assert run(["find", "--train", "closing.py:train", *QUICK]) == 1
    line = "error: the output cannot be written: the code that was run has closed standard output\n"
    assert capsys.readouterr().err == line
