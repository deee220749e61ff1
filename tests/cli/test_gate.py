"""depthsearch find --at-least: what the exit code says, and why."""

import json
from pathlib import Path
from typing import Any

import pytest

from depthsearch.cli.gate import check_at_least, gate_line
from depthsearch.cli.main import run
from depthsearch.errors import InvalidValue
from depthsearch.problem.problem import Problem
from depthsearch.results.answer import Answer, Outcome
from depthsearch.results.check import gate
from depthsearch.search.settings import SearchSettings
from tests.reporting.answers import OF_EACH_OUTCOME, answer, bisected

QUICK = ["find", "--act", "relu", "--width", "2", "--epochs", "8", "--lr", "0.05", "--reliability", "0.5", "--quiet"]
SEARCHES = {
    "interval": [*QUICK, "--cap", "60", "--max-runs", "150"],
    "bisect": [*QUICK, "--sampler", "bisect", "--seeds", "2"],
    "short": [*QUICK, "--sampler", "bisect", "--seeds", "2", "--seed", "1", "--max-runs", "4"],
}

pytestmark = pytest.mark.usefixtures("_in_a_folder_with_the_store")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database with a search that claims an interval, a bisection, and a bisection that its budget ended."""
    file = tmp_path_factory.mktemp("stored") / "studies.db"
    for command in SEARCHES.values():
        assert run([*command, "--storage", f"sqlite:///{file}"]) == 0
    return file.read_bytes()


def asked(capsys: pytest.CaptureFixture[str], search: str, depth: int, *more: str) -> tuple[int, str, str]:
    """The exit code, and what is on standard output and on standard error."""
    code = run([*SEARCHES[search], "--at-least", str(depth), *more])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def answered(capsys: pytest.CaptureFixture[str], search: str) -> Answer:
    assert run([*SEARCHES[search], "--json"]) == 0
    return Answer.model_validate_json(capsys.readouterr().out)


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_up_to_the_lower_end_it_passes_beyond_the_upper_end_it_fails_and_between_it_is_open(
    form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = answered(capsys, "interval")
    assert found.interval is not None
    low, high = found.interval
    assert high is not None
    assert 1 <= low < high
    assert run([*SEARCHES["interval"], *form]) == 0
    plain = capsys.readouterr().out
    where = f"(max depth {low} to {high}); the largest that passes is {low}"
    for depth, code, result in (
        (1, 0, "passed"),
        (low, 0, "passed"),
        (low + 1, 4, "undecided"),
        (high, 4, "undecided"),
        (high + 1, 3, "failed"),
        (60, 3, "failed"),
    ):
        line = f"at least {depth}: {result} {where}\n"
        assert asked(capsys, "interval", depth, *form) == (code, plain, line)


def test_json_stays_one_object_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = asked(capsys, "interval", 60, "--json")
    assert (code, len(err.splitlines())) == (3, 1)
    assert json.loads(out)["outcome"] == "found"


def test_bisection_passes_up_to_its_depth_and_fails_from_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "bisect")
    depth, sure = found.max_depth, "" if found.confirmed else ", unconfirmed"
    assert depth is not None
    where = f"(max depth {depth}){sure}; the largest that passes is {depth}"
    code, _, err = asked(capsys, "bisect", depth)
    assert (code, err) == (0, f"at least {depth}: passed {where}\n")
    code, _, err = asked(capsys, "bisect", depth + 1)
    assert (code, err) == (3, f"at least {depth + 1}: failed {where}\n")


def test_a_search_that_its_budget_ended_leaves_deeper_networks_open(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "short")
    assert (found.outcome, found.cost.runs) == (Outcome.BUDGET_ENDED, 4)
    code, _, err = asked(capsys, "short", 9000)
    assert code == 4
    assert (
        err == f"at least 9000: undecided (max depth {found.max_depth}); the largest that passes is {found.max_depth}\n"
    )


@pytest.mark.parametrize(("depth", "message"), [(0, "but got 0"), (61, "but got 61"), (-1, "but got -1")])
def test_a_depth_that_no_answer_could_give_is_refused_before_the_search(
    depth: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = asked(capsys, "interval", depth, "--storage", "sqlite:///other.db")
    assert (code, out) == (2, "")
    assert err == f"error: --at-least must be from 1 to the cap, 60, {message}\n"
    assert not Path("other.db").exists()


def test_a_study_file_is_held_to_a_depth_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    Path("study.toml").write_text(
        '[settings]\ncap = 1\nsampler = "bisect"\nreliability = 0.5\n[[problems]]\nwidth = 2\nactivation = "relu"\n'
        "recipe = { epochs = 8, learning_rate = 0.05 }\n"
    )
    assert run(["find", "study.toml", "--at-least", "1", "--quiet", "--fresh"]) == 0
    assert capsys.readouterr().err == "at least 1: passed (max depth 1); the largest that passes is 1\n"
    assert run(["find", "study.toml", "--at-least", "2", "--quiet"]) == 2
    assert "from 1 to the cap, 1, but got 2" in capsys.readouterr().err


def test_the_limits_are_the_familys_shallowest_network_and_the_cap() -> None:
    settings = SearchSettings(cap=20)
    for problem in (Problem(), Problem(family="resnet")):
        check_at_least(20, problem, settings)
        check_at_least(None, problem, settings)
        with pytest.raises(InvalidValue, match="to the cap, 20, but got 21"):
            check_at_least(21, problem, settings)


@pytest.mark.parametrize(
    ("found", "depth", "line"),
    [
        (answer(), 6, "at least 6: passed (max depth 6 to 9); the largest that passes is 6"),
        (answer(), 9, "at least 9: undecided (max depth 6 to 9); the largest that passes is 6"),
        (answer(), 10, "at least 10: failed (max depth 6 to 9); the largest that passes is 6"),
        (answer(interval=(0, 2)), 1, "at least 1: undecided (max depth 0 to 2); no depth is known to pass"),
        (answer(interval=(6, None)), 99, "at least 99: undecided (max depth at least 6); the largest that passes is 6"),
        (bisected(), 7, "at least 7: passed (max depth 7); the largest that passes is 7"),
        (
            OF_EACH_OUTCOME[Outcome.NEVER_RELIABLE],
            1,
            "at least 1: failed (reliable at no depth); no depth is known to pass",
        ),
        (
            OF_EACH_OUTCOME[Outcome.NOT_MONOTONE],
            3,
            "at least 3: undecided (trainability does not simply fall with depth); no depth is known to pass",
        ),
        (OF_EACH_OUTCOME[Outcome.UNFINISHED], 3, "at least 3: undecided; no depth is known to pass"),
    ],
    ids=["passes", "open", "fails", "shallowest open", "no upper end", "bisection", "never", "not monotone", "begun"],
)
def test_the_line_names_the_largest_depth_that_passes(found: Answer, depth: int, line: Any) -> None:
    assert gate_line(gate(found, depth), found) == line
