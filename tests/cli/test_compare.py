"""depthsearch compare: a grid, a study file, and the forms that the table takes."""

import csv
import io
import json
from pathlib import Path

import pytest

from depthsearch.cli.main import run
from depthsearch.results.comparison import Comparison

QUICK = ["--width", "2", "--epochs", "8", "--lr", "0.05", "--cap", "12", "--max-runs", "60", "--quiet"]
FILE = """
title = "A report"
[defaults]
width = 2
recipe = { epochs = 8, learning_rate = 0.05 }
[settings]
cap = 12
max_runs = 60
[[problems]]
name = "first"
activation = "relu"
[problems.reported]
depth = 4
note = "by hand"
rows = [{ depth = 2, train_accuracy = 0.9 }, { depth = 9, note = "flat" }]
[[problems]]
name = "second"
activation = "tanh"
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEPTHSEARCH_STORAGE", raising=False)
    Path("study.toml").write_text(FILE)


def test_a_grid_is_every_combination_each_a_separate_study(capsys: pytest.CaptureFixture[str]) -> None:
    grid = ["compare", "--arch", "ffnet,resnet", "--act", "relu,tanh", *QUICK]
    assert run([*grid, "--json"]) == 0
    found = Comparison.model_validate_json(capsys.readouterr().out)
    assert [one.name for one in found.compared] == [
        "ffnet relu on moons",
        "ffnet tanh on moons",
        "resnet relu on moons",
        "resnet tanh on moons",
    ]
    problems = [one.answer.problem for one in found.compared]
    assert [(one.network.family, one.network.model_dump()["activation"]) for one in problems] == [
        ("ffnet", "relu"),
        ("ffnet", "tanh"),
        ("resnet", "relu"),
        ("resnet", "tanh"),
    ]
    assert len({one.answer.study for one in found.compared}) == 4
    assert run([*grid, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["name"] for row in rows] == [one.name for one in found.compared]
    for row, one in zip(rows, found.compared, strict=True):
        assert row["max_depth"] == ("" if one.answer.max_depth is None else str(one.answer.max_depth))
        assert row["interval_low"] == str(one.answer.interval[0] if one.answer.interval else "")
        assert int(row["runs"]) == one.answer.cost.runs
        assert row["confirmed"] == str(one.answer.confirmed)
        assert float(row["bar"]) == one.answer.bar
        assert row["final_score"] == str(one.answer.scores.median if one.answer.scores else "")
        assert row["useful_depth"] == str(one.answer.useful_depth.depth if one.answer.useful_depth else "")
    # The same search by `find` is the same study, and is done.
    assert run(["find", "--arch", "resnet", "--act", "relu", *QUICK, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["study"] == found.compared[2].answer.study


def test_a_study_file_stands_beside_what_was_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", "study.toml"]) == 0
    printed = capsys.readouterr()
    assert "first" in printed.out.splitlines()[2]
    assert "4 (by hand)" in printed.out
    assert "A report" in printed.out
    for name in ("max depth", "useful to", "accuracy", "confirmed"):
        assert any(line.strip().startswith(f"{name} ") for line in printed.out.splitlines()), name
    assert run(["compare", "study.toml", "--markdown", "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    tables = [line for line in lines if line.startswith("| ")]
    assert len(tables) == 2 + 1 + 2 + 1
    assert len({line.count("|") for line in tables[:3]}) == 1
    assert run(["compare", "study.toml", "--json", "--quiet"]) == 0
    first, second = Comparison.model_validate_json(capsys.readouterr().out).compared
    assert [point.depth for point in first.measured] == [2, 9]
    assert all((point.low or 0) <= point.p <= (point.high or 0) for point in first.measured)
    assert second.measured == ()


def test_every_problem_of_a_grid_has_the_criterion_that_the_options_say(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--criterion", "target", "--target", "0.7", "--last-epochs", "2"]
    assert run(["compare", "--act", "relu,tanh", *asked, *QUICK, "--json"]) == 0
    found = Comparison.model_validate_json(capsys.readouterr().out)
    assert len(found.compared) == 2
    for one in found.compared:
        criterion = one.answer.criterion
        assert (criterion.kind, criterion.target, criterion.last_epochs, one.answer.bar) == ("target", 0.7, 2, 0.7)


def test_numbers_may_be_several_and_rows_are_ranked(capsys: pytest.CaptureFixture[str]) -> None:
    quick = ["--width", "2", "--epochs", "8", "--cap", "40", "--max-runs", "100", "--quiet"]
    assert run(["compare", "--act", "tanh", "--lr", "0.05,1e-6", *quick]) == 0
    text = capsys.readouterr().out
    first = "ffnet tanh on moons, lr 0.05"
    assert f"Deepest: {first}, " in " ".join(text.split())
    assert f"Compared with {first}: ffnet tanh on moons, lr 1e-06 " in " ".join(text.split())
    assert run(["compare", "--act", "tanh", "--lr", "0.05,1e-6", *quick, "--json"]) == 0
    rows = Comparison.model_validate_json(capsys.readouterr().out).compared
    assert [row.standing.relation.value for row in rows if row.standing] == ["first", "shallower"]
    assert run(["compare", "--act", "tanh", "--lr", "0.05,1e-6", *quick, "--csv"]) == 0
    read = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["rank"], row["relation"]) for row in read] == [("1", "first"), ("", "shallower")]
    assert read[1]["difference_high"].startswith("-")


def test_the_best_of_a_field_makes_one_row_of_its_values(capsys: pytest.CaptureFixture[str]) -> None:
    grid = ["compare", "--act", "relu,tanh", "--lr", "1e-6,0.05", *QUICK[:4], *QUICK[6:], "--best-of", "lr"]
    assert run([*grid, "--json"]) == 0
    rows = Comparison.model_validate_json(capsys.readouterr().out).compared
    assert [row.name for row in rows] == ["ffnet relu on moons", "ffnet tanh on moons"]
    for row in rows:
        assert row.won is not None
        assert (row.won.field, row.won.value) == ("recipe.learning_rate", 0.05)
        assert row.answer.problem.recipe.learning_rate == 0.05
        assert [tried.value for tried in row.won.among] == [1e-6, 0.05]
    assert run([*grid, "--markdown", "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "| best of |" in text
    assert "lr 0.05 (1e-06: none, 0.05: " in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--act", "relu,tahn"], "unknown activation 'tahn': did you mean 'tanh'?"),
        (["--act", "relu,,tanh"], "--act must be values with commas between them, but got 'relu,,tanh'"),
        (["--act", "relu,relu"], "--act gives 'relu' twice"),
        (["study.toml", "--act", "relu"], "--act cannot be combined with the study file 'study.toml'"),
        (["--json", "--csv"], "--json and --csv cannot be combined"),
        (["--act", "relu,tanh", "--criterion", "held"], "criterion 'held' is of studies of earlier versions"),
        (
            ["--act", "relu,tanh", "--criterion", "nonsense"],
            "unknown criterion 'nonsense': did you mean 'no_worse'? accepted: ",
        ),
        (
            ["--act", "relu,tanh", "--criterion", "chance", "--target", "0.9"],
            "--target belongs to the criterion 'target'",
        ),
        (["--act", "relu,tanh", "--criterion", "target", "--target", "0.3"], "--target must be above 0.514"),
        (["study.toml", "--last-epochs", "2"], "--last-epochs cannot be combined with the study file 'study.toml'"),
        (["none.toml"], "none.toml: cannot be read"),
        (["--act", "relu,tanh", "--best-of", "lrr"], "unknown field 'lrr': did you mean 'lr'?"),
        (
            ["--act", "relu,tanh", "--best-of", "lr"],
            "--best-of must be a field that takes several values here, but got",
        ),
        (
            ["--arch", "ffnet,resnet", "--best-of", "arch"],
            "whose values share a unit of depth, not hidden layers and residual blocks",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["compare", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]
