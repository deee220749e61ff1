"""Settings of a published architecture on the command line: --set KEY=VALUE, once for each."""

import json
import re
import shlex
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from depthsearch.cli.find import find
from depthsearch.cli.main import run
from depthsearch.cli.options import problem_of, problems_of
from depthsearch.problem.problem import Problem
from depthsearch.reporting.command_line import entry_words, find_command, read_entry
from depthsearch.reporting.labels import labels
from depthsearch.search.settings import SearchSettings

LLAMA = ("--arch", "hf", "--architecture", "llama", "--data", "copy")


def options(*words: str) -> dict[str, Any]:
    """What `find` reads from the words."""
    return find.make_context("find", list(words)).params


@pytest.mark.parametrize(
    ("text", "value"),
    [("64", 64), ("0.1", 0.1), ("true", True), ("gelu", "gelu"), ("[1, 2]", [1, 2]), ("a=b", "a=b"), ('"64"', "64")],
)
def test_a_value_is_json_where_it_is_json_and_else_a_text(text: str, value: object) -> None:
    assert options(*LLAMA, "--set", f"key={text}")["network_set"] == {"key": value}


def test_the_settings_of_several_options_are_one_table() -> None:
    problem = problem_of(options(*LLAMA, "--set", "hidden_size=64", "--set", "num_attention_heads=2"))

    assert problem == Problem(
        network={"family": "hf", "architecture": "llama", "set": {"hidden_size": 64, "num_attention_heads": 2}},
        data="copy",
    )


def test_without_the_option_nothing_is_set() -> None:
    assert problem_of(options(*LLAMA)).network == Problem(family="hf", data="copy").network


def test_every_problem_of_a_comparison_has_the_settings() -> None:
    given = options(*LLAMA, "--set", "hidden_size=64") | {"network_architecture": ["llama", "gpt2"]}

    found = problems_of(given)

    assert [one.problem.network.model_dump()["set"] for one in found] == [{"hidden_size": 64}] * 2


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--set", "hidden_size"), "--set must be KEY=VALUE, as in hidden_size=64, but got 'hidden_size'"),
        (("--set", "=64"), "--set must be KEY=VALUE, as in hidden_size=64, but got '=64'"),
        (("--set", "a=1", "--set", "a=2"), "--set gives 'a' twice: give each key once"),
        (("--set", "a=null"), "--set of 'a' must be text, a number, true, false, a list or a table, but got None"),
        (("--set", "hiden_size=64"), "unknown setting of llama 'hiden_size': did you mean 'hidden_size'? accepted: "),
    ],
)
def test_what_cannot_be_set_is_refused_in_one_line(
    words: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["find", *LLAMA, *words, "--quiet"]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"error: {line}")
    assert len(printed.err.splitlines()) == 1


def test_a_dense_family_takes_no_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["find", "--arch", "ffnet", "--set", "a=1"]) == 2
    assert "--set is not an option of the network 'ffnet'" in capsys.readouterr().err


keys = st.from_regex(re.compile(r"[a-z_]{1,8}"), fullmatch=True)
values = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(keys, values, max_size=4))
def test_what_is_written_is_read_back(settings: dict[str, Any]) -> None:
    assert dict(map(read_entry, entry_words(settings))) == settings


def test_the_command_of_a_study_names_its_settings() -> None:
    problem = Problem(family="hf", architecture="gpt2", set={"n_embd": 64, "activation_function": "relu"}, data="copy")

    command = find_command(problem, SearchSettings(), study="one", place="here", usual_place="here")

    assert command is not None
    words = shlex.split(command)
    assert problem_of(options(*words[2:])) == problem


def test_problems_that_differ_in_a_setting_are_told_apart_by_it() -> None:
    problems = [Problem(family="hf", set={"hidden_size": size}, data="copy") for size in (32, 64)]

    found = labels([(problem, SearchSettings()) for problem in problems])

    assert found == ["hf llama on copy, set hidden_size=32", "hf llama on copy, set hidden_size=64"]


def test_help_and_families_explain_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    shown = " ".join(CliRunner().invoke(find, ["--help"]).output.split())
    assert "--set KEY=VALUE Settings of the architecture by their names in its library" in shown
    assert run(["families", "--json"]) == 0
    (family,) = [one for one in json.loads(capsys.readouterr().out)["families"] if one["family"] == "hf"]
    assert [option["option"] for option in family["options"]] == ["--architecture", "--set"]
