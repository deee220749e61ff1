import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthsearch.errors import InvalidValue, UnreadableStudyFile
from depthsearch.networks.resnet import ResNet
from depthsearch.problem.problem import Problem
from depthsearch.problem.study_file import (
    InspectPlan,
    NamedProblem,
    Reported,
    StudyFile,
    read_study_file,
    write_study_file,
)
from depthsearch.search.settings import SearchSettings
from tests.data.writers import write_cifar100
from tests.problem.problems import problems

SHIPPED = Path(__file__).parents[2] / "studies" / "vanishing-and-resnet.toml"

TWO_PROBLEMS = """\
title = "Two"

[defaults]
activation = "relu"
recipe = { epochs = 100, batch_size = 16 }

[settings]
reliability = 0.9

[[problems]]
name = "shallow"
width = 3

[[problems]]
name = "deep"
activation = "tanh"
recipe = { epochs = 50 }
reported = { depth = 12, note = "by hand" }
"""


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "study.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(folder: Path, text: str | bytes) -> UnreadableStudyFile:
    path = written(folder, text)
    with pytest.raises(UnreadableStudyFile) as caught:
        read_study_file(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    return caught.value


# Reading.


def test_a_problem_takes_the_defaults_that_it_does_not_write(tmp_path: Path) -> None:
    study = read_study_file(written(tmp_path, TWO_PROBLEMS))

    assert study.problem("shallow") == Problem(width=3, activation="relu", recipe={"epochs": 100, "batch_size": 16})


def test_a_table_within_a_problem_is_merged_with_the_defaults(tmp_path: Path) -> None:
    study = read_study_file(written(tmp_path, TWO_PROBLEMS))

    assert study.problem("deep") == Problem(activation="tanh", recipe={"epochs": 50, "batch_size": 16})


def test_a_table_is_merged_with_a_default_in_its_short_form(tmp_path: Path) -> None:
    text = '[defaults]\ndata = "circles"\n[[problems]]\ndata = { noise = 0.3 }\n'

    assert read_study_file(written(tmp_path, text)).problem().data.name == "circles"


def test_settings_and_title_and_reports_are_read(tmp_path: Path) -> None:
    study = read_study_file(written(tmp_path, TWO_PROBLEMS))

    assert study.title == "Two"
    assert study.settings == SearchSettings(reliability=0.9)
    assert [entry.reported for entry in study.problems] == [None, Reported(depth=12, note="by hand")]


def test_a_problem_without_a_name_is_named_by_its_place(tmp_path: Path) -> None:
    study = read_study_file(written(tmp_path, '[[problems]]\nname = "first"\n[[problems]]\nwidth = 4\n'))

    assert [entry.name for entry in study.problems] == ["first", "problem-2"]


def test_a_path_may_be_plain_text(tmp_path: Path) -> None:
    assert read_study_file(str(written(tmp_path, TWO_PROBLEMS))).title == "Two"


# Choosing a problem.


def test_the_only_problem_needs_no_name() -> None:
    study = StudyFile(problems=(NamedProblem(name="a", problem=Problem(width=9)),))

    assert study.problem() == Problem(width=9)


def test_one_of_several_problems_must_be_named(tmp_path: Path) -> None:
    study = read_study_file(written(tmp_path, TWO_PROBLEMS))

    with pytest.raises(InvalidValue, match="declares 2 problems, choose by name: shallow, deep"):
        study.problem()


def test_a_name_that_is_not_declared_is_quoted(tmp_path: Path) -> None:
    study = read_study_file(written(tmp_path, TWO_PROBLEMS))

    with pytest.raises(InvalidValue, match="no problem 'depe': accepted: shallow, deep"):
        study.problem("depe")


# Writing.


def test_what_is_written_reads_back_equal(tmp_path: Path) -> None:
    study = StudyFile(
        title='A "title"',
        source="C:\\folder\n第二",
        settings=SearchSettings(reliability=0.9, max_runs=7),
        problems=(
            NamedProblem(name="a", problem=Problem(data="digits", recipe={"optimizer": "adamw", "steps": 99})),
            NamedProblem(name="b", problem=Problem(initialization="normal"), reported=Reported(depth=3)),
        ),
    )
    path = tmp_path / "study.toml"

    write_study_file(path, study)

    assert read_study_file(path) == study


def study_files() -> st.SearchStrategy[StudyFile]:
    entries = st.builds(
        NamedProblem,
        name=st.text(min_size=1).filter(lambda name: bool(name.strip()) and name.isprintable()),
        problem=problems(),
        reported=st.none()
        | st.builds(
            Reported,
            depth=st.none() | st.integers(0, 10_000),
            gradient_ratio=st.none() | st.floats(0.001, 1e9),
            note=st.text(),
        ),
    )
    search = st.builds(
        SearchSettings,
        reliability=st.floats(0.01, 0.99),
        cap=st.integers(1, 1_000_000),
        max_runs=st.none() | st.integers(3, 10**9),
        max_seconds=st.none() | st.floats(1e-6, 1e9),
        seed=st.integers(0, 2**63 - 1),
    )
    several = st.lists(entries, min_size=1, max_size=3, unique_by=lambda entry: entry.name).map(tuple)
    looked_at = st.none() | st.builds(InspectPlan, depth=st.integers(0, 1_000_000), seeds=st.integers(1, 10_000))
    return st.builds(StudyFile, title=st.text(), source=st.text(), settings=search, inspect=looked_at, problems=several)


@given(study=study_files())
@settings(deadline=None, max_examples=60)
def test_every_study_file_reads_back_equal(study: StudyFile, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any-study.toml"

    write_study_file(path, study)

    assert read_study_file(path) == study


# Refusing.


def test_a_syntax_error_names_its_line_and_quotes_it(tmp_path: Path) -> None:
    error = refusal(tmp_path, 'title = "x"\n\n[[problems]\nname = "a"\n')

    assert error.line == 3
    assert "[[problems]" in str(error)


def test_a_value_cut_off_at_the_end_names_the_last_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, '[[problems]]\nname = "a"\nwidth = ').line == 3


def test_an_unknown_activation_in_the_second_problem_names_its_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, TWO_PROBLEMS.replace('"tanh"', '"tahn"'))

    assert error.line == 16
    assert "unknown activation 'tahn': did you mean 'tanh'?" in str(error)


def test_a_bad_number_names_the_line_of_its_problem(tmp_path: Path) -> None:
    text = '[[problems]]\nname = "a"\nwidth = 7\n[[problems]]\nname = "b"\nwidth = 0\n'

    assert refusal(tmp_path, text).line == 6


def test_a_bad_default_names_its_line_though_a_later_problem_writes_the_field(tmp_path: Path) -> None:
    text = '[defaults]\nwidth = 0\n[[problems]]\nname = "a"\n[[problems]]\nname = "b"\nwidth = 7\n'

    assert refusal(tmp_path, text).line == 2


def test_epochs_beside_steps_name_the_line_that_writes_both(tmp_path: Path) -> None:
    text = '[[problems]]\nname = "a"\nwidth = 5\nrecipe = { steps = 10, epochs = 5 }\n'

    assert refusal(tmp_path, text).line == 4


def test_an_unknown_field_of_a_problem_names_its_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, '[[problems]]\nname = "a"\nwidht = 7\n')

    assert error.line == 3
    assert "unknown field 'widht'" in str(error)


def test_a_bad_setting_names_its_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, TWO_PROBLEMS.replace("reliability = 0.9", "reliability = 2"))

    assert error.line == 8
    assert "reliability must be" in str(error)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"

    with pytest.raises(UnreadableStudyFile, match="cannot be read: No such file or directory") as caught:
        read_study_file(path)

    assert str(path) in str(caught.value)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableStudyFile, match="cannot be read: Is a directory"):
        read_study_file(tmp_path)


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    assert "not UTF-8" in str(refusal(tmp_path, b"title = '\xff'\n"))


def test_an_unknown_top_level_key_names_its_line_and_what_is_accepted(tmp_path: Path) -> None:
    error = refusal(tmp_path, 'title = "x"\nautor = "y"\n[[problems]]\n')

    assert error.line == 2
    assert "unknown field 'autor': accepted: title, source, defaults, settings, inspect, problems" in str(error)


def test_an_unknown_key_names_the_line_that_sets_it_and_not_one_that_mentions_it(tmp_path: Path) -> None:
    assert refusal(tmp_path, 'title = "an autor"\nautor = "y"\n[[problems]]\n').line == 2


def test_two_problems_of_one_name_are_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, '[[problems]]\nname = "a"\n[[problems]]\nname = "a"\n')

    assert "name 'a' names more than one problem" in str(error)


@pytest.mark.parametrize("text", ["", 'title = "x"\n', "problems = []\n"])
def test_a_file_without_problems_is_refused(tmp_path: Path, text: str) -> None:
    assert "at least one [[problems]]" in str(refusal(tmp_path, text))


@pytest.mark.parametrize("text", ["[problems]\nwidth = 3\n", "problems = [1]\n", 'problems = "a"\n'])
def test_problems_that_are_no_tables_are_refused(tmp_path: Path, text: str) -> None:
    assert "must be written as [[problems]] tables" in str(refusal(tmp_path, text))


@pytest.mark.parametrize("defaults", ["defaults = 3\n", "[[defaults]]\nwidth = 3\n", 'defaults = "x"\n'])
def test_defaults_that_are_no_table_are_refused(tmp_path: Path, defaults: str) -> None:
    assert "defaults" in str(refusal(tmp_path, f"{defaults}[[problems]]\n"))


@pytest.mark.parametrize("settings_text", ["settings = 3\n", "[[settings]]\ncap = 3\n"])
def test_settings_that_are_no_table_are_refused(tmp_path: Path, settings_text: str) -> None:
    assert refusal(tmp_path, f"{settings_text}[[problems]]\n").exit_code == 2


@pytest.mark.parametrize("value", ["1" * 5000, "[" * 3000], ids=["5000-digits", "3000-brackets"])
def test_a_value_too_large_for_the_toml_reader_is_refused(tmp_path: Path, value: str) -> None:
    assert refusal(tmp_path, f"[[problems]]\nwidth = {value}\n").exit_code == 2


@pytest.mark.parametrize(
    "text", ["title = 3\n[[problems]]\n", "[[problems]]\nname = 3\n", "[[problems]]\nreported = 3\n"]
)
def test_a_field_of_the_wrong_kind_is_quoted(tmp_path: Path, text: str) -> None:
    assert str(refusal(tmp_path, text)).endswith("but got 3")


# What is shipped.


def test_the_shipped_study_reads_with_its_reported_depths() -> None:
    study = read_study_file(SHIPPED)

    assert {entry.name: entry.reported.depth for entry in study.problems if entry.reported} == {
        "ffnet-tanh": 21,
        "ffnet-relu": 8,
        "resnet-tanh": 74,
        "resnet-relu": 66,
    }


def test_the_shipped_problems_differ_in_family_and_activation_alone() -> None:
    study = read_study_file(SHIPPED)

    assert [entry.problem for entry in study.problems] == [
        Problem.model_validate({"family": family, "activation": activation})
        for family in ("ffnet", "resnet")
        for activation in ("tanh", "relu")
    ]


def test_a_criterion_by_name_is_the_short_form_of_its_table(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text(
        '[defaults]\ncriterion = "target"\n[[problems]]\nname = "one"\n[problems.criterion]\nlast_epochs = 2\n'
        '[[problems]]\nname = "two"\ncriterion = "chance"\n'
    )
    one, two = (read_study_file(file).problem(name).criterion for name in ("one", "two"))
    assert (one.kind, one.target, one.last_epochs) == ("target", 0.9, 2)
    assert (two.kind, two.last_epochs) == ("chance", 3)


# Options of the network, in its table or without it.


@pytest.mark.parametrize(
    ("defaults", "problem", "width"),
    [
        ("width = 3", 'network = { family = "resnet", width = 6 }', 6),
        ("network = { width = 3 }", 'family = "resnet"\nwidth = 6', 6),
        ("network = { width = 3 }", 'family = "resnet"', 3),
        ("width = 3", 'network = { family = "resnet" }', 3),
    ],
)
def test_a_problem_overrides_the_defaults_however_both_are_written(
    tmp_path: Path, defaults: str, problem: str, width: int
) -> None:
    path = tmp_path / "study.toml"
    path.write_text(f"[defaults]\n{defaults}\n[[problems]]\n{problem}\n")

    assert read_study_file(path).problem().network == ResNet(width=width)


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        ("width = 3\nnetwork = { width = 4 }", "line 2: width is given twice, as 3 and in the table network as 4"),
        ('network = "resnet"\nfamily = "ffnet"', "line 3: family is given twice, as 'ffnet' and in the table network"),
        ("recipee = { epochs = 3 }", "line 2: unknown field 'recipee': did you mean 'recipe'? accepted: network, data"),
        ('recipe = "sgd"', "line 2: recipe must be a table of optimizer"),
        ("network = 3", "line 2: network must be a name or a table with family, but got 3"),
    ],
)
def test_contradictions_and_unknown_fields_name_their_line(tmp_path: Path, problem: str, message: str) -> None:
    assert message in str(refusal(tmp_path, f"[[problems]]\n{problem}\n"))


def test_a_byte_order_mark_is_no_part_of_a_study_file(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text("[[problems]]\nwidth = 3\n", encoding="utf-8-sig")

    assert read_study_file(path).problem() == Problem(width=3)


# The files in studies/.


@pytest.mark.parametrize("path", sorted(SHIPPED.parent.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_file_says_what_was_reported(path: Path) -> None:
    study = read_study_file(path)

    assert study.title
    assert study.source
    assert any(entry.reported is not None for entry in study.problems)
    for entry in study.problems:
        entry.problem.network.check(entry.problem.data.spec)


def test_the_study_of_vgg_networks_names_the_two_lines_that_ask_for_what_the_report_did(tmp_path: Path) -> None:
    text = (SHIPPED.parent / "vgg-cifar100.toml").read_text(encoding="utf-8")
    for line in re.findall(r"^#   (.*)$", text, flags=re.MULTILINE):
        key = line.partition(" = ")[0]
        text = re.sub(rf"^{key} = .*$", line.replace("DIR", str(write_cifar100(tmp_path))), text, flags=re.MULTILINE)
    study = read_study_file(written(tmp_path, text))

    counts = [entry.problem.network.layer_counts(entry.problem.data.spec, 5).parameters for entry in study.problems]
    assert counts == [336_196, 338_500, 336_196, 338_500]
    assert {(entry.problem.data.label, entry.problem.recipe.epochs) for entry in study.problems} == {("cifar100", 100)}
    assert study.problem("plain").network.layer_counts(study.problem("plain").data.spec, 0).parameters == 59_716
