"""The command that asks for a search again."""

import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthsearch.cli.find import find
from depthsearch.cli.options import problem_of, settings_of
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.reporting.command_line import find_command
from depthsearch.search.settings import SearchSettings
from tests.problem.problems import problems


def command_of(problem: Problem, asked: SearchSettings, **place: str) -> str | None:
    where = {"study": "mine", "place": "sqlite:///depthsearch.db", "usual_place": "sqlite:///depthsearch.db"}
    return find_command(problem, asked, **(where | place))


def read(command: str) -> dict[str, Any]:
    """The options of a command as the command line understands them."""
    program, name, *words = shlex.split(command)
    assert (program, name) == ("depthsearch", "find")
    return find.make_context("find", words).params


SETTINGS = [
    SearchSettings(),
    SearchSettings(sampler="grid", depths=(3, 7, 14), runs_per_trial=100, reliability=0.5, seed=2**62),
    SearchSettings(sampler="bisect", tolerance=0.125, cap=77, parallel_trials=3, max_runs=40, max_seconds=1.5),
]


@settings(max_examples=50, deadline=None)
@given(problems(), st.sampled_from(SETTINGS))
def test_the_command_says_the_problem_and_the_settings(problem: Problem, asked: SearchSettings) -> None:
    problem = problem.model_copy(update={"criterion": Criterion()})
    command = command_of(problem, asked)
    assert command is not None
    options = read(command)
    assert problem_of(options) == problem
    assert settings_of(options) == asked
    assert (options["study"], options["storage"]) == ("mine", None)


def test_what_goes_without_saying_is_left_out() -> None:
    assert command_of(Problem(), SearchSettings()) == "depthsearch find --arch ffnet --act tanh --study mine"
    problem = Problem.model_validate({"family": "resnet", "data": "digits", "recipe": {"optimizer": "adamw"}})
    expected = "depthsearch find --arch resnet --act tanh --data digits --optimizer adamw --study mine"
    assert command_of(problem, SearchSettings()) == expected


@pytest.mark.parametrize("name", ["my study", "it's `mine`", "--fresh", "$HOME"])
def test_names_are_quoted(name: str) -> None:
    command = command_of(Problem(), SearchSettings(), study=name, place="sqlite:////a folder/b.db")
    assert command is not None
    assert (read(command)["study"], read(command)["storage"]) == (name, "sqlite:////a folder/b.db")


def test_a_criterion_has_its_options() -> None:
    command = command_of(Problem(criterion=Criterion(kind="target", target=0.95, last_epochs=5)), SearchSettings())
    assert command == ("depthsearch find --arch ffnet --act tanh --target 0.95 --last-epochs 5 --study mine")
    assert command_of(Problem(criterion=Criterion(min_gain=0.5)), SearchSettings()) == (
        "depthsearch find --arch ffnet --act tanh --min-gain 0.5 --study mine"
    )


def test_the_criterion_of_earlier_versions_has_no_command() -> None:
    assert command_of(Problem(criterion=Criterion(kind="held")), SearchSettings()) is None
