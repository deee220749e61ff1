"""depthsearch find: answers, bad input, interruption."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from depthsearch.cli import progress
from depthsearch.cli.main import run
from depthsearch.results.answer import Answer
from tests.workflows.searches import essence

PROBLEM = ["--act", "relu", "--width", "2", "--epochs", "8", "--lr", "0.05"]
QUICK = [*PROBLEM, "--seeds", "2", "--sampler", "bisect", "--reliability", "0.5"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEPTHSEARCH_STORAGE", raising=False)


WATCHED = {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "0", "NO_COLOR": "1"}
"""Standard error as if a terminal read it, which cannot move its cursor."""


@pytest.fixture
def _watched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in WATCHED.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_watched")
def test_the_result_goes_to_standard_output_and_progress_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["find", *QUICK]) == 0
    printed = capsys.readouterr()
    assert re.match(r"ffnet relu on moons: trains to \d+ hidden layers.*; failing past that:\s\d+ ", printed.out)
    assert "max depth" in printed.out
    assert "1 hidden layer: 2 of 2 trained; max depth at least 1" in printed.err
    assert "; to confirm it" in printed.err
    assert Path("depthsearch.db").exists()


def test_where_no_terminal_reads_it_a_search_of_seconds_has_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["find", *QUICK]) == 0
    assert capsys.readouterr().err == ""


def test_where_no_terminal_reads_it_there_is_a_line_a_minute(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MINUTE", 0.001)
    assert run(["find", *QUICK, "--study", "mine", "--json"]) == 0
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert len(lines) > 1
    counts = [re.match(r"mine; (\d+) trials?, (\d+) runs?; ", line) for line in lines]
    assert all(counts)
    runs = [int(count[2]) for count in counts if count]
    assert runs == sorted(runs)
    assert 0 < runs[-1] <= Answer.model_validate_json(printed.out).cost.runs


def test_quiet_silences_the_line_a_minute(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MINUTE", 0.001)
    assert run(["find", *QUICK, "--quiet"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("_watched")
def test_quiet_is_quiet_on_a_terminal_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["find", *QUICK, "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_json_is_one_object_with_all_that_is_promised(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["find", *QUICK, "--json", "--quiet"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    found = json.loads(printed.out)
    promised = "problem settings question code study criterion bar outcome reliability max_depth confirmed "
    promised += "final_scores scores useful_depth interval interval_level layers curve verdicts beyond cost seed "
    promised += "versions"
    assert set(promised.split()) <= set(found)
    assert set(found["curve"][0]) == {"depth", "trained", "of", "p", "low", "high"}
    assert set(found["beyond"]) == {"depth", "deepest", "cause", "causes", "sentence"}
    assert set(found["cost"]) == {"trials", "runs", "seconds", "sum_of_depths"}
    assert set(found["scores"]) == {"depth", "runs", "confirming", "median", "lowest", "highest", "test"}
    assert found["criterion"] == found["problem"]["criterion"]
    assert found["scores"]["confirming"] is bool(found["final_scores"])


@pytest.mark.usefixtures("_watched")
def test_by_default_an_interval_stands_beside_the_depth(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["find", *PROBLEM, "--max-runs", "150", "--cap", "60"]
    assert run(command) == 0
    printed = capsys.readouterr()
    assert re.search(
        r"^interval +\d+ to \d+: where 90% of the runs train \(95% probability\)$", printed.out, re.MULTILINE
    )
    assert re.search(
        r"^trained +train accuracy of at least 0\.\d{3} in each of the last 3 epochs$", printed.out, re.MULTILINE
    )
    assert len(printed.out.splitlines()) <= 23
    assert "past the threshold" in printed.err
    assert run([*command, "--quiet", "--details"]) == 0
    detailed = capsys.readouterr().out
    assert detailed.startswith(printed.out)
    assert re.search(r"^at 50% +\d+ to \d+, median \d+", detailed, re.MULTILINE)
    assert re.search(r"^fresh seeds +\d+ hidden layers?: \d+ of \d+ trained", detailed, re.MULTILINE)
    assert run([*command, "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["settings"]["sampler"], found["reliability"], found["settings"]["runs_per_trial"]) == (
        "threshold",
        0.9,
        8,
    )
    assert found["interval_level"] == 0.95
    assert [one["reliability"] for one in found["thresholds"]] == [0.9, 0.5]
    low, high = found["interval"]
    assert found["max_depth"] is None or low <= found["max_depth"] <= (high or 60)
    assert all(point["low"] <= point["p"] <= point["high"] for point in found["curve"])
    assert found["cost"]["runs"] <= 150


def test_a_grid_of_depths_gives_a_curve(capsys: pytest.CaptureFixture[str]) -> None:
    grid = ["--sampler", "grid", "--depths", "1,3,6", "--seeds", "5", "--json", "--quiet"]
    assert run(["find", *PROBLEM, *grid]) == 0
    found = json.loads(capsys.readouterr().out)
    again = {one["depth"]: one["of"] for one in found["confirmation"]}
    assert len(again) == 1
    assert [(point["depth"], point["of"] - again.get(point["depth"], 0)) for point in found["curve"]] == [
        (1, 5),
        (3, 5),
        (6, 5),
    ]
    assert found["concluded"] == "grid"


@pytest.mark.parametrize("sampler", ["tpe", "gp", "random"])
def test_optunas_samplers_search_within_a_budget(sampler: str, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--sampler", sampler, "--cap", "30", "--max-runs", "24", "--seeds", "3", "--json", "--quiet"]
    assert run(["find", *PROBLEM, *more]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cost"]["runs"] <= 24
    assert found["interval"] is not None


@pytest.mark.usefixtures("_watched")
def test_the_same_command_answers_again_without_training(capsys: pytest.CaptureFixture[str]) -> None:
    run(["find", *QUICK, "--json"])
    first = capsys.readouterr()
    run(["find", *QUICK, "--json"])
    again = capsys.readouterr()
    assert again.out == first.out
    assert re.fullmatch(r"ffnet-relu-moons-\w{8} is done already, with \d+ trials\n", again.err)


def test_fresh_and_named_studies(capsys: pytest.CaptureFixture[str]) -> None:
    names = []
    for more in ([], ["--fresh"], ["--study", "mine", "--fresh"]):
        run(["find", *QUICK, "--cap", "1", "--json", "--quiet", *more])
        names.append(json.loads(capsys.readouterr().out)["study"])
    assert names[1] == f"{names[0]}-2"
    assert names[2] == "mine"


def test_a_study_file_says_the_problem_and_options_the_search(capsys: pytest.CaptureFixture[str]) -> None:
    Path("study.toml").write_text(
        '[settings]\nruns_per_trial = 2\ncap = 64\n[[problems]]\nname = "a"\nactivation = "relu"\nwidth = 2\n'
        'recipe = { epochs = 8, learning_rate = 0.05 }\n[[problems]]\nname = "b"\n'
    )
    assert run(["find", "study.toml", "--problem", "a", "--cap", "2", "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["problem"]["network"]["activation"] == "relu"
    assert (found["settings"]["cap"], found["settings"]["runs_per_trial"]) == (2, 2)


@pytest.mark.parametrize(
    ("options", "criterion", "bar"),
    [
        ([], {"kind": "chance", "min_gain": 0.2, "last_epochs": 3}, 0.6112),
        (["--criterion", "chance"], {"kind": "chance", "min_gain": 0.2, "last_epochs": 3}, 0.6112),
        (["--min-gain", "0.5"], {"kind": "chance", "min_gain": 0.5, "last_epochs": 3}, 0.757),
        (["--criterion", "target"], {"kind": "target", "target": 0.9, "last_epochs": 3}, 0.9),
        (["--target", "0.7"], {"kind": "target", "target": 0.7, "last_epochs": 3}, 0.7),
        (
            ["--criterion", "target", "--target", "0.8", "--last-epochs", "1"],
            {"kind": "target", "target": 0.8, "last_epochs": 1},
            0.8,
        ),
        (["--last-epochs", "8"], {"kind": "chance", "min_gain": 0.2, "last_epochs": 8}, 0.6112),
    ],
    ids=["default", "chance", "gain", "target", "a target", "a target in the last epoch", "all epochs"],
)
def test_the_criterion_is_what_the_options_say(
    options: list[str], criterion: dict[str, Any], bar: float, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["find", *QUICK, "--cap", "1", *options, "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {name: value for name, value in found["criterion"].items() if value is not None} == criterion
    assert found["bar"] == pytest.approx(bar, abs=1e-3)


def test_problems_that_differ_in_their_criterion_are_different_studies(capsys: pytest.CaptureFixture[str]) -> None:
    studies = set()
    for more in ([], ["--min-gain", "0.3"], ["--last-epochs", "2"], ["--criterion", "target"]):
        assert run(["find", *QUICK, "--cap", "1", *more, "--json", "--quiet"]) == 0
        studies.add(json.loads(capsys.readouterr().out)["study"])
    assert len(studies) == 4


BAD = [
    (["--arch", "fnet"], "unknown family 'fnet': did you mean 'ffnet'? accepted: ffnet, cnn, "),
    (["--act", "tahn"], "unknown activation 'tahn': did you mean 'tanh'? accepted: tanh, relu"),
    (["--data", "mons"], "unknown data set 'mons': did you mean 'moons'? accepted: moons, cifar10"),
    (["--init", "glorot"], "unknown initialization 'glorot': did you mean 'glorot_normal'?"),
    (["--norm", "batchnorm"], "unknown normalization 'batchnorm': did you mean 'batch'?"),
    (["--optimizer", "adma"], "unknown optimizer 'adma': did you mean 'adam'?"),
    (["--sampler", "bisec"], "unknown sampler 'bisec': did you mean 'bisect'?"),
    (["--device", "gpu"], "unknown device 'gpu': "),
    (["--cap", "0"], "cap must be greater than or equal to 1, but got 0"),
    (["--width", "0"], "width must be greater than or equal to 1, but got 0"),
    (["--epochs", "-5"], "epochs must be greater than or equal to 1, but got -5"),
    (["--epochs", "2"], "epochs must be at least 3"),
    (["--lr", "nan"], "--lr must be a finite number, but got nan"),
    (["--lr", "-0.1"], "--lr must be greater than 0, but got -0.1"),
    (["--reliability", "1.5"], "reliability must be less than or equal to 1, but got 1.5"),
    (["--tolerance", "2"], "--tolerance must be less than 1, but got 2"),
    (["--depths", "3,7"], "--depths must be given only for the sampler 'grid', but got [3, 7]"),
    (["--depths", "3,x"], "--depths must be whole numbers with commas between them, as in 3,7,14, but got '3,x'"),
    (["--sampler", "grid", "--depths", "0,3"], "each of --depths must be at least 1, but got 0"),
    (["--sampler", "grid", "--depths", "3", "--cap", "2"], "--depths must be at most 2, the cap, but got [3]"),
    (["--sampler", "grid"], "--depths must be given for the sampler 'grid', as in 3,7,14, but none were"),
    (["--sampler", "grid", "--depths", "-3"], "each of --depths must be greater than or equal to 0, but got -3"),
    (["--sampler", "threshold", "--reliability", "1"], "--reliability must be from 0.01 to 0.99, since no number of"),
    (["--storage", "sqlite:///new.db", "--study", ""], "study must be named with 1 to 100 printable characters"),
    (["--parallel-trials", "0"], "--parallel-trials must be greater than or equal to 1, but got 0"),
    (["--seeds", "0"], "--seeds must be greater than or equal to 1, but got 0"),
    (["--seed", "-1"], "seed must be greater than or equal to 0, but got -1"),
    (["--noise", "-1"], "noise must be greater than or equal to 0, but got -1"),
    (["--steps", "2"], "--steps must be at least 3, since a run has trained if its last 3 steps are all good"),
    (
        ["--criterion", "nonsense"],
        "unknown criterion 'nonsense': did you mean 'no_worse'? accepted: chance, target, no_worse",
    ),
    (["--criterion", "held"], "criterion 'held' is of studies of earlier versions, which can be read and not searched"),
    (["--criterion", "target", "--min-gain", "0.3"], "--min-gain belongs to the criterion 'chance'"),
    (
        ["--criterion", "chance", "--target", "0.9"],
        "--target belongs to the criterion 'target', but got 0.9 with 'chance'",
    ),
    (["--min-gain", "1"], "--min-gain must be less than 1, but got 1"),
    (["--criterion", "target", "--target", "1.1"], "--target must be less than or equal to 1, but got 1.1"),
    (
        ["--criterion", "target", "--target", "0.3"],
        "--target must be above 0.514, the accuracy of a constant guess on the training points, but got 0.3",
    ),
    (["--last-epochs", "0"], "--last-epochs must be greater than or equal to 1, but got 0"),
    (["--last-epochs", "300"], "--last-epochs must be at most 8, the epochs of the budget, but got 300"),
    (
        ["--steps", "90", "--last-epochs", "21"],
        "--last-epochs must be at most 20, the entries of a budget of 90 steps, but got 21",
    ),
    (["--warmup-steps", "900"], "--warmup-steps must be below 128, the steps of the budget, but got 900"),
    (["--precision", "bfloat16", "--device", "cpu"], "--precision 'bfloat16' needs a GPU, but got device 'cpu'"),
    (["--precision", "bfloat16", "--engine", "dense"], "--precision 'bfloat16' is not trained by the engine 'dense'"),
    (["--final-learning-rate", "1e-5"], "--final-learning-rate belongs to the schedule 'cosine', but got 1e-05"),
    (["--at-least", "0"], "--at-least must be from 1 to the cap, 10000, but got 0"),
    (["--at-least", "61", "--cap", "60"], "--at-least must be from 1 to the cap, 60, but got 61"),
    (["--at-least", "deep"], "--at-least must be a whole number, but got 'deep'"),
    (["--points", "40", "--test-share", "0.9"], "--points must leave enough to distinguish training from chance"),
    (["--storage", "mysql://localhost/x"], "storage 'mysql://localhost/x' has the unknown scheme 'mysql': accepted"),
    (["--engine", "numpy"], "unknown engine 'numpy': accepted: auto, dense, torch"),
    (["--engine", "dense", "--device", "cuda"], "engine 'dense' trains only on the CPU, but got device 'cuda'"),
    (["--max-runs", "1"], "--max-runs must be at least 2, the runs of one trial, but got 1"),
    (["--noise", "1e308"], "--noise must be less than or equal to 1000, but got 1e+308"),
    (["--study=-x"], "study must not begin with a dash, which commands take for an option, but got '-x'"),
    (["--study", " "], "study must be named with 1 to 100 printable characters, but got ' '"),
    (["--study", "a\nb"], "study must be named with 1 to 100 printable characters, but got 'a\\nb'"),
    (["--storage", ""], "storage '' is not a URL: accepted: sqlite:///FILE.db"),
    (["--storage", "sqlite:///x.db?mode=ro"], "has options after a question mark, which are not understood"),
    (["--storage", "sqlite+aiosqlite:///x.db"], "has the unknown scheme 'sqlite+aiosqlite'"),
    (["--storage", "postgresql://localhost:abc/x"], "is not a URL: accepted"),
    (["--storage", "sqlite:////none/x.db"], "'/none' is not a folder; create it first"),
    (["none.toml"], "none.toml: cannot be read: No such file or directory; expected a TOML file"),
    (["broken.toml"], "broken.toml, line 2: not valid TOML"),
    (["wrong.toml"], "wrong.toml, line 3: unknown activation 'tahn'"),
    (["--problem", "a"], "--problem 'a' needs a STUDY_FILE that declares it"),
    (["wrong.toml", "--act", "relu"], "--act cannot be combined with the study file 'wrong.toml'"),
    (["--storage", "sqlite:///garbage.db"], "'sqlite:///garbage.db' is not a SQLite database"),
    (["--storage", f"sqlite:///{'n' * 300}.db"], "cannot be used: File name too long; choose another file"),
    (["--study", "mine", "--width", "9"], "study 'mine' asks something else (its width is 2, not 9)"),
]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database that holds a study called mine."""
    file = tmp_path_factory.mktemp("stored") / "studies.db"
    assert run(["find", *QUICK, "--cap", "1", "--study", "mine", "--quiet", "--storage", f"sqlite:///{file}"]) == 0
    return file.read_bytes()


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_line_exit_2_and_changes_nothing(
    arguments: list[str], message: str, stored: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("depthsearch.db").write_bytes(stored)
    Path("garbage.db").write_text("not a database at all, but long enough to have a header")
    Path("broken.toml").write_text('title = "x"\nproblems = [\n')
    Path("wrong.toml").write_text('[[problems]]\nname = "a"\nactivation = "tahn"\n')
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    capsys.readouterr()
    # What the option under test says comes last, and so counts.
    quick = [] if arguments[0].endswith(".toml") else QUICK if "--steps" not in arguments else QUICK[:4]
    assert run(["find", *arguments[:1], *quick, *arguments[1:]] if not quick else ["find", *quick, *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert after == before


SEEDS = 4
LONGER = ["--act", "relu", "--width", "2", "--epochs", "4000", "--lr", "0.05", "--seeds", f"{SEEDS}"]
LONGER += ["--sampler", "bisect", "--reliability", "0.5", "--json"]
"""A search of seconds: there is time to end it."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Answer:
    """The answer of the longer search."""
    place = f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/studies.db"
    done = processed("find", *LONGER, "--storage", place)
    return Answer.model_validate_json(done.stdout)


def stored_runs(file: Path) -> set[tuple[int, int, bytes]]:
    """Depth, seed and trace of every run in a store, which may not even be there yet."""
    if not file.exists():
        return set()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection, suppress(sqlite3.OperationalError):
        return set(connection.execute("SELECT depth, seed, trace FROM ds_runs"))
    return set()


@contextmanager
def started(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """The command in a process that hears Ctrl-C, killed at the end of the block if it still runs."""
    command = [sys.executable, "-m", "depthsearch", *arguments]
    # A test run in the background of a shell ignores Ctrl-C, and its children would.
    heard = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, preexec_fn=heard) as process:  # noqa: PLW1509
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.usefixtures("_watched")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_every_finished_run_exits_130_and_the_same_command_goes_on(
    number: signal.Signals, undisturbed: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    with started("find", *LONGER, "--quiet") as process:
        for _ in range(3000):
            if len(stored_runs(Path("depthsearch.db"))) > SEEDS:
                break
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert out == ""
    assert err == "interrupted: every finished run is kept, and the same command resumes the search\n"
    kept = stored_runs(Path("depthsearch.db"))
    assert SEEDS < len(kept) < undisturbed.cost.runs
    assert run(["find", *LONGER]) == 0
    resumed = capsys.readouterr()
    assert re.search(
        r"^going on with ffnet-relu-moons-\w{8}, after \d+ trials?( and \d+ finished runs?)?$",
        resumed.err,
        re.MULTILINE,
    )
    assert essence(Answer.model_validate_json(resumed.out)) == essence(undisturbed)
    assert kept < stored_runs(Path("depthsearch.db"))


@pytest.mark.usefixtures("_watched")
def test_a_name_is_printed_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    """A study's name is no markup."""
    for name in ("[/red]", "[red]x[/red]", ":smile:"):
        assert run(["find", *QUICK, "--cap", "1", "--study", name]) == 0
        printed = capsys.readouterr()
        assert f"searching as {name}" in printed.err
        assert f"{name} in sqlite:///depthsearch.db" in printed.out
    assert run(["studies", "list"]) == 0
    assert "[/red]" in capsys.readouterr().out


def processed(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "depthsearch", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


def test_an_output_without_bars_gets_plain_ones() -> None:
    done = processed("find", *QUICK, "--cap", "2", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stdout.isascii()) == (0, True)
    assert "+----" in done.stdout


def test_a_reader_that_is_gone_is_no_error() -> None:
    command = f"{sys.executable} -m depthsearch find {' '.join(QUICK)} --cap 1 2>&1 >found | true; wc -l < found"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 5


def test_an_output_that_cannot_be_written_is_one_line() -> None:
    command = f"{sys.executable} -m depthsearch find {' '.join(QUICK)} --cap 1 --quiet > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: the output cannot be written: No space left on device\n"


def test_a_pipe_is_no_store() -> None:
    os.mkfifo("fifo")
    assert run(["find", *QUICK, "--storage", "sqlite:///fifo"]) == 2


def test_a_missing_driver_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert run(["find", *QUICK, "--storage", "postgresql://me:secret@localhost/studies"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "needs the package 'psycopg': pip install 'depthsearch[postgresql]'" in line
    assert "secret" not in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("milliseconds", range(100, 1700, 200))
def test_a_signal_while_libraries_are_imported_is_not_lost(milliseconds: int, number: signal.Signals) -> None:
    with started("find", *QUICK, "--engine", "torch", "--epochs", "100000") as process:
        # The moment is what is tested: wherever in the imports or the first trial it falls, the process must end.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=milliseconds / 1000)
        process.send_signal(number)
        _, printed = process.communicate(timeout=60)
    # Before it runs anything of ours, the interpreter ends by itself, and says so.
    in_the_interpreter = process.returncode == 1 and "init_import_site" in str(printed)
    assert process.returncode in (130, -number) or in_the_interpreter, printed


def test_ctrl_c_within_an_exec_ends_with_the_same_code() -> None:
    Path("interrupted.py").write_text("""
from depthsearch.cli import main

def run(arguments):
    try:
        exec("raise KeyboardInterrupt")
    except KeyboardInterrupt:
        return 130

main.run = run
main.main()
""")
    assert subprocess.run([sys.executable, "-m", "interrupted"], check=False).returncode == 130
