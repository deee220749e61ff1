"""depthsearch inspect: one run by its depth and seed, or out of a study."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from depthsearch.cli.main import run

PROBLEM = ["--act", "relu", "--width", "2", "--epochs", "8", "--lr", "0.05"]
QUICK = [*PROBLEM, "--seeds", "2", "--sampler", "bisect", "--reliability", "0.5", "--study", "mine", "--quiet"]


pytestmark = pytest.mark.usefixtures("_in_a_folder_with_the_store")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with the finished study `mine`."""
    file = tmp_path_factory.mktemp("stored") / "studies.db"
    assert run(["find", *QUICK, "--storage", f"sqlite:///{file}"]) == 0
    return file.read_bytes()


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["inspect", *arguments]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def test_one_run_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, *PROBLEM, "--depth", "3", "--seed", "4")
    assert text.startswith("ffnet relu on moons, 3 hidden layers, seed 4: ")
    for part in ("rule: ", "train accuracy", "Mean |gradient|", "Histograms", "The plane", "cost "):
        assert part in text


def test_json_is_one_object_with_all_that_is_promised(capsys: pytest.CaptureFixture[str]) -> None:
    text = output(capsys, *PROBLEM, "--depth", "3", "--json")
    found = json.loads(text)
    assert {"verdict", "sentence", "evidence", "epochs", "train_score", "test_score", "layers"} <= set(found)
    assert set(found["evidence"]) == {"rule", "figures", "thresholds"}
    assert (found["epochs"], len(found["train_score"]), len(found["test_score"])) == (8, 8, 9)
    assert [layer["name"] for layer in found["per_layer"]] == ["hidden 1", "hidden 2", "hidden 3", "output"]
    promised = {"gradient_norm", "mean_abs_gradient", "activation_gradient_norm", "weight_change", "never_active"}
    for moment in ("start", "end"):
        assert promised <= set(found["per_layer"][0][moment])
    assert (found["depth"], found["seed"], found["replay"]) == (3, 0, None)
    assert found["bar"] == pytest.approx(found["baseline"] + 0.2 * (1 - found["baseline"]))
    assert found["problem"]["network"]["width"] == 2


def test_a_run_is_judged_by_the_criterion_that_the_options_say(capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = {}
    for target in ("0.6", "0.999"):
        asked = ["--criterion", "target", "--target", target, "--last-epochs", "2"]
        found = json.loads(output(capsys, *PROBLEM, "--depth", "1", *asked, "--json"))
        assert found["bar"] == float(target)
        score = min(found["train_score"][-2:])
        assert (found["verdict"] == "trained") is (score >= float(target))
        verdicts[target] = found["verdict"]
    assert verdicts["0.6"] == "trained" != verdicts["0.999"]


def test_a_run_of_a_study_is_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(output(capsys, "--study", "mine", "--trial", "0", "--run", "1", "--json"))
    replay = found["replay"]
    assert (replay["study"], replay["trial"], replay["run"]) == ("mine", 0, 1)
    assert replay["same"] is True
    text = output(capsys, "--study", "mine", "--trial", "0", "--run", "1")
    assert "replay of run 1 of trial 0 of mine: the same as recorded" in text
    assert "mine in sqlite:///depthsearch.db" in text


def test_the_run_of_a_study_is_the_run_of_its_depth_and_seed(capsys: pytest.CaptureFixture[str]) -> None:
    replayed = json.loads(output(capsys, "--study", "mine", "--trial", "0", "--run", "0", "--json"))
    place = ["--depth", str(replayed["depth"]), "--seed", str(replayed["seed"])]
    alone = json.loads(output(capsys, *PROBLEM, *place, "--json"))
    assert alone["train_loss"] == replayed["train_loss"]
    assert alone["per_layer"] == replayed["per_layer"]


def test_a_run_is_written_for_tensorboard_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    stored = ["--study", "mine", "--trial", "0", "--run", "0"]
    for place in ([*PROBLEM, "--depth", "3", "--seed", "4"], stored):
        assert run(["inspect", *place, "--tensorboard", "my runs"]) == 0
        assert capsys.readouterr().err == ""
        assert run(["inspect", *place, "--tensorboard", "my runs", "--quiet"]) == 0
        assert capsys.readouterr().err == ""
    assert len(list(Path("my runs").glob("ffnet-relu-moons-*/events.out.tfevents.*"))) == 2


def test_a_disk_that_is_full_takes_only_what_was_to_be_written_for_tensorboard() -> None:
    script = (
        "import resource, sys; from depthsearch.cli.main import run; import depthsearch.workflows; "
        "inspecting = sys.modules['depthsearch.workflows.inspect']\n"
        "def full(*run): resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); write(*run)\n"
        "write, inspecting.write_events = inspecting.write_events, full; sys.exit(run(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, "inspect", *PROBLEM, "--depth", "3", "--json", "--tensorboard", "runs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["depth"] == 3
    assert done.stderr == "error: --tensorboard 'runs' cannot be written: File too large; give a folder that can be\n"
    assert done.returncode == 2
    assert list(Path("runs").glob("*/*")) == []


def test_an_output_without_blocks_gets_plain_characters() -> None:
    script = "import sys; from depthsearch.cli.main import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", script, "inspect", *PROBLEM, "--depth", "9"]
    done = subprocess.run(command, capture_output=True, check=True, env=os.environ | {"PYTHONIOENCODING": "ascii"})
    text = done.stdout.decode("ascii")
    assert "?" not in text
    assert "########" in text


STORED = ["--study", "mine", "--trial", "0", "--run", "0"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--depth is missing: give the network's depth, 1 to 1000000; or --study, --trial and --run; or a study"),
        ([""], "error: '': cannot be read: Is a directory; expected a TOML file"),
        (["--depth", "1.5"], "--depth must be a whole number of 1 to 1000000, but got '1.5'"),
        (["--depth", "3", "--seed", "x"], "--seed must be a whole number of 0 to 9223372036854775807, but got 'x'"),
        (["--depth", "3", "--steps", "1"], "error: --steps must be at least 3, since"),
        (
            ["--depth", "3", "--criterion", "nonsense"],
            "unknown criterion 'nonsense': did you mean 'no_worse'? accepted: ",
        ),
        (["--depth", "3", "--criterion", "held"], "criterion 'held' is of studies of earlier versions, which can be"),
        (
            ["--depth", "3", "--criterion", "chance", "--target", "0.9"],
            "--target belongs to the criterion 'target', but",
        ),
        (["--depth", "3", "--criterion", "target", "--target", "0.3"], "--target must be above 0.514, the accuracy of"),
        (
            ["--depth", "3", "--last-epochs", "201"],
            "--last-epochs must be at most 200, the epochs of the budget, but got 201",
        ),
        (["--depth", "0"], "--depth must be a whole number of 1 to 1000000, but got 0"),
        (["--depth", "3", "--seed", "-1"], "--seed must be a whole number of 0 to 9223372036854775807, but got -1"),
        (["--depth", "3", "--act", "rleu"], "unknown activation 'rleu': did you mean 'relu'?"),
        (["--depth", "3", "--engine", "fast"], "unknown engine 'fast': did you mean 'auto'? accepted: auto"),
        (["--depth", "3", "--trial", "2"], "--trial needs --study, the study that holds the run"),
        (["--depth", "3", "--storage", "sqlite:///a.db"], "--storage needs --study"),
        (["--depth", "3", "--tensorboard", "depthsearch.db"], "--tensorboard 'depthsearch.db' cannot be written"),
        ([*STORED, "--tensorboard", "depthsearch.db/a"], "--tensorboard 'depthsearch.db/a' cannot be written"),
        ([*STORED, "--depth", "3"], "--depth cannot be combined with --study 'mine', which says it already"),
        ([*STORED, "--seed", "0"], "--seed cannot be combined with --study 'mine'"),
        ([*STORED, "--lr", "0.1"], "--lr cannot be combined with --study 'mine'"),
        ([*STORED, "--last-epochs", "2"], "--last-epochs cannot be combined with --study 'mine'"),
        (STORED[:2], "--trial is missing: --study 'mine' needs --trial and --run"),
        (STORED[:4], "--run is missing: --study 'mine' needs --trial and --run"),
        (["--study", "dne", *STORED[2:]], "there is no study 'dne' in sqlite:///depthsearch.db: it holds mine"),
        ([*STORED[:3], "99", "--run", "0"], "study 'mine' has no trial 99: it holds trials 0 to"),
        ([*STORED[:5], "7"], "trial 0 of study 'mine' has no run 7: it holds runs 0 to 1"),
        ([*STORED, "--storage", "sqlite:///none.db"], "'sqlite:///none.db' does not exist yet"),
    ],
)
def test_misuse_is_one_line_and_exit_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not Path("none.db").exists()


SURVEY = """
[inspect]
depth = 3
seeds = 4

[[problems]]
name = "mine"
width = 2
recipe = { epochs = 8 }
reported = { gradient_ratio = 30, note = "about" }
"""


def test_the_networks_of_a_study_file_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text(SURVEY)

    text = output(capsys, "mine.toml")
    assert "4 runs of each, 3 hidden layers" in text
    assert "about 30" in text
    assert "mine, for example: " in text
    (one,) = json.loads(output(capsys, "mine.toml", "--json"))["surveyed"]
    assert (one["name"], one["depth"], one["runs"]) == ("mine", 3, 4)


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (SURVEY, ["--depth", "3"], "--depth cannot be combined with the study file 'mine.toml'"),
        (SURVEY, ["--study", "mine"], "--study cannot be combined with the study file 'mine.toml'"),
        (SURVEY, ["--tensorboard", "runs"], "--tensorboard cannot be combined with the study file 'mine.toml'"),
        ("[[problems]]\nwidth = 2", [], "error: mine.toml: there is no table [inspect]"),
        (SURVEY.replace("depth = 3", "depth = 0"), [], "error: mine.toml: depth must be at least 1 for 'mine', but"),
        (
            SURVEY.replace("depth = 3", "depth = 1.5"),
            [],
            "line 3: depth must be a whole number of 1 to 1000000, but got",
        ),
        (SURVEY.replace("depth = 3", ""), [], "depth is missing: give a whole number of 1 to 1000000"),
        (SURVEY.replace("epochs = 8", "steps = 1"), [], "steps must be at least 3, since a run has trained if its"),
        (SURVEY, ["--criterion", "target"], "--criterion cannot be combined with the study file 'mine.toml'"),
        (SURVEY.replace("depth = 3", "depth = -3"), [], "line 3: depth must be"),
        (SURVEY.replace("= 30", "= 0"), [], "gradient_ratio must be"),
    ],
)
def test_a_study_file_that_cannot_be_looked_at_is_one_line(
    content: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.toml").write_text(content)

    assert run(["inspect", "mine.toml", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_run_is_written_as_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.html").write_text("old")
    printed = output(capsys, *PROBLEM, "--depth", "3", "--output", "run.html")
    page = Path("run.html").read_text()
    assert page.startswith("<!doctype html>")
    verdict = printed.splitlines()[0].partition(", seed 0: ")[2].partition(":")[0]
    assert f"<h1>ffnet relu on moons, 3 hidden layers, seed 0: {verdict}</h1>" in page
    assert page.count('class="plotly-graph-div"') == 5
    assert [path.name for path in Path().iterdir() if path.name.startswith(".run")] == []


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("none/run.html", "--output 'none/run.html' cannot be written: No such file or directory; give another file"),
        (".", "--output '.' is not a file: give the HTML file to write"),
        ("", "--output '' is not a file"),
    ],
)
def test_a_page_that_cannot_be_written_is_refused_before_the_training(
    file: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["inspect", *PROBLEM, "--depth", "3", "--output", file]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err


@pytest.mark.parametrize("name", ["depth.toml", "seed.toml", "tensorboard"])
def test_a_study_file_may_be_called_as_an_option_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(name).write_text("x")
    assert run(["inspect", name]) == 2
    assert capsys.readouterr().err.startswith(f"error: {name}, line 1: not valid TOML")
