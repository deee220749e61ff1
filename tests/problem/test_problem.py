import hashlib
import json
import math
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from depthsearch.data.base import DataSource, DataSpec
from depthsearch.data.planar import Moons, Spirals
from depthsearch.errors import InvalidValue, UnknownName
from depthsearch.networks.dense import as_dense
from depthsearch.networks.ffnet import FFNet
from depthsearch.networks.resnet import ResNet
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.problem.recipe import Recipe
from tests.problem.problems import problems

CANONICAL = (
    '{"criterion":{"hold_epochs":null,"hold_share":null,"kind":"chance","last_epochs":3,'
    '"min_gain":0.2,"target":null},'
    '"data":{"name":"moons","noise":0.2,"points":1000,"seed":0,"test_share":0.5},'
    '"network":{"activation":"tanh","family":"ffnet","initialization":"glorot_uniform","normalization":"none",'
    '"sigma_b2":null,"sigma_w2":null,"width":5},'
    '"recipe":{"batch_size":32,"epochs":200,"learning_rate":0.01,"momentum":0.9,"nesterov":false,'
    '"optimizer":"sgd","steps":null,"weight_decay":0.0}}'
)
QUESTION = "58333e84a570424e2812e2c0f57184dd74729d9cfb3f26a4f6ca82eafaaf5087"

OF_EARLIER_VERSIONS = (
    '{"activation":"tanh",'
    '"criterion":{"hold_epochs":3,"hold_share":0.1,"min_gain":0.2},'
    '"data":{"name":"moons","noise":0.2,"seed":0},'
    '"family":"ffnet",'
    '"initialization":"glorot_uniform",'
    '"normalization":"none",'
    '"recipe":{"batch_size":32,"epochs":200,"learning_rate":0.01,"momentum":0.9,"nesterov":false,'
    '"optimizer":"sgd","steps":null,"weight_decay":0.0},'
    '"sigma_b2":null,'
    '"sigma_w2":null,'
    '"width":5}'
)
"""The default problem as the first versions of depthsearch stored it."""


# What is left out takes a default that fits what is written.


@pytest.mark.parametrize(("family", "normalization"), [("ffnet", "none"), ("resnet", "batch")])
def test_the_default_normalization_is_the_familys(family: str, normalization: str) -> None:
    assert as_dense(Problem.model_validate({"family": family}).network).normalization == normalization


def test_a_written_normalization_wins_over_the_familys() -> None:
    assert as_dense(Problem(family="resnet", normalization="none").network).normalization == "none"


@pytest.mark.parametrize(
    ("optimizer", "learning_rate", "momentum", "weight_decay"),
    [
        ("sgd", 0.01, 0.9, 0.0),
        ("adam", 0.001, None, 0.0),
        ("adamw", 0.001, None, 0.01),
        ("rmsprop", 0.01, None, 0.0),
        ("adagrad", 0.01, None, 0.0),
    ],
)
def test_recipe_defaults_are_the_optimizers(
    optimizer: str, learning_rate: float, momentum: float | None, weight_decay: float
) -> None:
    recipe = Recipe.model_validate({"optimizer": optimizer})

    assert (recipe.learning_rate, recipe.momentum, recipe.weight_decay) == (learning_rate, momentum, weight_decay)


def test_steps_replace_the_default_epochs() -> None:
    recipe = Recipe(steps=2500)

    assert (recipe.epochs, recipe.steps) == (None, 2500)


def test_the_normal_initialization_has_unit_weight_variance_and_no_bias_by_default() -> None:
    network = FFNet(initialization="normal")

    assert (network.sigma_w2, network.sigma_b2) == (1.0, 0.0)


def test_every_other_initialization_has_no_variances() -> None:
    network = FFNet(initialization="he_normal")

    assert (network.sigma_w2, network.sigma_b2) == (None, None)


@pytest.mark.parametrize(("name", "noise"), [("moons", 0.2), ("circles", 0.1), ("xor", 0.1), ("spirals", 0.1)])
def test_the_default_noise_is_the_data_sets(name: str, noise: float) -> None:
    assert DataSource.of(name).model_dump()["noise"] == noise


def test_planar_sets_have_a_thousand_points_by_default() -> None:
    assert Moons().points == Spirals().points == 1000


@pytest.mark.parametrize(("field", "value"), [("points", 100), ("noise", 0.1)])
def test_digits_take_no_options_of_planar_sets(field: str, value: float) -> None:
    with pytest.raises(InvalidValue) as caught:
        DataSource.of({"name": "digits", field: value})

    assert str(caught.value) == (
        f"{field} is not an option of the data 'digits', but got {value}: accepted: test_share, seed"
    )
    assert caught.value.path == f"data.{field}"


def test_noise_zero_is_kept() -> None:
    assert Moons(noise=0).noise == 0


# A network in a table, or its options without one.


@pytest.mark.parametrize(
    "fields",
    [
        {"family": "resnet", "width": 7},
        {"network": {"family": "resnet", "width": 7}},
        {"network": "resnet", "width": 7},
        {"network": {"family": "resnet"}, "width": 7},
        {"network": ResNet(width=7)},
    ],
)
def test_the_options_of_a_network_may_be_given_without_its_table(fields: dict[str, Any]) -> None:
    assert Problem.model_validate(fields).network == ResNet(width=7)


def test_an_option_beside_a_whole_network_is_refused() -> None:
    with pytest.raises(InvalidValue, match="width is given together with a whole network, but got 7: leave it out"):
        Problem(network=ResNet(), width=7)


def test_the_label_is_what_people_call_the_problem() -> None:
    assert Problem(family="resnet", activation="relu", data="digits").label == "resnet relu on digits"


# Canonical JSON and the question.


def test_the_canonical_json_spells_out_every_field_in_order() -> None:
    assert Problem().canonical_json() == CANONICAL


def test_the_question_of_the_default_problem_never_changes() -> None:
    assert Problem().question() == QUESTION


def test_the_question_is_the_hash_of_the_format_and_the_canonical_json_without_nulls() -> None:
    without_nulls = re.sub(',?"[a-z_0-9]+":null', "", CANONICAL).replace("{,", "{")
    text = f'{{"format":2,"problem":{without_nulls}}}'

    assert hashlib.sha256(text.encode()).hexdigest() == QUESTION


def test_a_problem_of_earlier_versions_is_read_with_the_rule_of_its_time() -> None:
    problem = Problem.model_validate(json.loads(OF_EARLIER_VERSIONS))

    criterion = problem.criterion
    assert (criterion.kind, criterion.min_gain) == ("held", 0.2)
    assert (criterion.hold_share, criterion.hold_epochs) == (0.1, 3)
    assert (criterion.target, criterion.last_epochs) == (None, None)


def test_a_problem_of_earlier_versions_asks_what_it_asks_today() -> None:
    problem = Problem.model_validate(json.loads(OF_EARLIER_VERSIONS))

    assert problem == Problem(criterion={"kind": "held"})
    assert problem.question() == Problem(criterion={"kind": "held"}).question()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"family": "ffnet", "width": 5, "normalization": "none"}),
        ({"data": "moons"}, {"data": {"name": "moons", "noise": 0.2}}),
        ({"recipe": {"learning_rate": 1}}, {"recipe": {"learning_rate": 1.0}}),
        ({"family": "resnet"}, {"family": "resnet", "normalization": "batch"}),
        ({"recipe": {"optimizer": "adam"}}, {"recipe": {"learning_rate": 1e-3, "optimizer": "adam", "momentum": None}}),
        ({"width": 7, "activation": "relu"}, {"activation": "relu", "width": 7}),
        ({"data": {"noise": 0.0}}, {"data": {"noise": -0.0}}),
        ({"criterion": "chance"}, {"criterion": {"kind": "chance", "min_gain": 0.2, "last_epochs": 3, "target": None}}),
        ({"criterion": "target"}, {"criterion": {"kind": "target", "target": 0.9, "last_epochs": 3, "min_gain": None}}),
        ({"criterion": {"kind": "held"}}, {"criterion": {"hold_share": 0.1}}),
        (
            {},
            {"recipe": {"schedule": "constant", "warmup_steps": 0, "label_smoothing": 0.0, "precision": "float32"}},
        ),
        ({"recipe": {"schedule": "cosine"}}, {"recipe": {"schedule": "cosine", "final_learning_rate": 0}}),
    ],
    ids=[
        "defaults",
        "bare-data",
        "int-for-float",
        "normalization",
        "null-for-default",
        "order",
        "minus-zero",
        "bare-criterion",
        "target",
        "held",
        "without-effect",
        "cosine",
    ],
)
def test_equal_problems_written_differently_have_equal_questions(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = Problem.model_validate(one), Problem.model_validate(other)

    assert first == second
    assert first.question() == second.question()


@pytest.mark.parametrize(
    "change",
    [
        {"width": 6},
        {"family": "resnet", "normalization": "none"},
        {"data": {"seed": 1}},
        {"data": {"points": 999}},
        {"data": {"test_share": 0.25}},
        {"recipe": {"epochs": 201}},
        {"recipe": {"weight_decay": 1e-4}},
        {"recipe": {"schedule": "cosine"}},
        {"recipe": {"warmup_steps": 5}},
        {"recipe": {"clip_norm": 1.0}},
        {"recipe": {"label_smoothing": 0.1}},
        {"recipe": {"precision": "bfloat16"}},
        {"criterion": {"min_gain": 0.25}},
        {"criterion": {"last_epochs": 4}},
        {"criterion": "target"},
        {"criterion": "held"},
    ],
)
def test_another_problem_has_another_question(change: dict[str, Any]) -> None:
    assert Problem.model_validate(change).question() != QUESTION


@given(problems())
@settings(deadline=None)
def test_every_problem_reads_back_from_its_canonical_json(problem: Problem) -> None:
    read = Problem.model_validate(json.loads(problem.canonical_json()))

    assert read == problem
    assert read.question() == problem.question()


# Bad values.


@pytest.mark.parametrize(
    ("fields", "kind", "name", "nearest"),
    [
        ({"family": "rsnet"}, "family", "rsnet", "resnet"),
        ({"activation": "tahn"}, "activation", "tahn", "tanh"),
        ({"activation": "ReLU6"}, "activation", "ReLU6", "relu"),
        ({"initialization": "he_norml"}, "initialization", "he_norml", "he_normal"),
        ({"normalization": "bach"}, "normalization", "bach", "batch"),
        ({"data": "moon"}, "data set", "moon", "moons"),
        ({"data": {"name": "circle"}}, "data set", "circle", "circles"),
        ({"recipe": {"optimizer": "sdg"}}, "optimizer", "sdg", "sgd"),
        ({"criterion": "traget"}, "criterion", "traget", "target"),
        ({"criterion": {"kind": "chanse"}}, "criterion", "chanse", "chance"),
    ],
)
def test_an_unknown_name_is_quoted_beside_the_nearest_one(
    fields: dict[str, Any], kind: str, name: str, nearest: str
) -> None:
    with pytest.raises(UnknownName) as caught:
        Problem.model_validate(fields)

    assert str(caught.value).startswith(f"unknown {kind} {name!r}: did you mean {nearest!r}? accepted: ")
    assert "\n" not in str(caught.value)


def test_a_name_near_to_nothing_gets_the_list_alone() -> None:
    with pytest.raises(UnknownName) as caught:
        Problem.model_validate({"normalization": "zzz"})

    assert str(caught.value) == "unknown normalization 'zzz': accepted: none, batch, layer"


@pytest.mark.parametrize(
    ("fields", "field", "value"),
    [
        ({"width": 0}, "width", "0"),
        ({"width": -3}, "width", "-3"),
        ({"width": 2.5}, "width", "2.5"),
        ({"width": "a\nb"}, "width", "'a\\nb'"),
        ({"recipe": {"epochs": -1}}, "epochs", "-1"),
        ({"recipe": {"steps": 0}}, "steps", "0"),
        ({"recipe": {"batch_size": 0}}, "batch_size", "0"),
        ({"recipe": {"learning_rate": math.nan}}, "learning_rate", "nan"),
        ({"recipe": {"learning_rate": math.inf}}, "learning_rate", "inf"),
        ({"recipe": {"learning_rate": 0}}, "learning_rate", "0"),
        ({"recipe": {"momentum": 1}}, "momentum", "1"),
        ({"recipe": {"epochs": 5, "steps": 6}}, "epochs", "6"),
        ({"recipe": {"optimizer": "adam", "momentum": 0.7}}, "momentum", "0.7"),
        ({"recipe": {"optimizer": "rmsprop", "momentum": 0.9}}, "momentum", "0.9"),
        ({"recipe": {"epsilon": 1e-7}}, "epsilon", "1e-07 with sgd"),
        ({"recipe": {"optimizer": "adam", "epsilon": 0}}, "epsilon", "0"),
        ({"recipe": {"optimizer": "rmsprop", "first_decay": 0.9}}, "first_decay", "adam and adamw, but got 0.9"),
        ({"recipe": {"optimizer": "adagrad", "second_decay": 0.99}}, "second_decay", "adagrad"),
        ({"recipe": {"optimizer": "adam", "second_decay": 1}}, "second_decay", "1"),
        ({"recipe": {"nesterov": True, "momentum": 0}}, "nesterov", "0.0"),
        ({"recipe": {"nesterov": True, "optimizer": "adam"}}, "nesterov", "adam"),
        ({"recipe": {"weight_decay": -0.1}}, "weight_decay", "-0.1"),
        ({"recipe": {"schedule": "cosine", "final_learning_rate": 0.02}}, "final_learning_rate", "0.02"),
        ({"recipe": {"schedule": "cosine", "final_learning_rate": -1}}, "final_learning_rate", "-1"),
        ({"recipe": {"final_learning_rate": 0.001}}, "final_learning_rate", "0.001"),
        ({"recipe": {"schedule": "constant", "final_learning_rate": 0.001}}, "final_learning_rate", "'constant'"),
        ({"recipe": {"warmup_steps": -1}}, "warmup_steps", "-1"),
        ({"recipe": {"warmup_steps": 50, "steps": 50}}, "warmup_steps", "50"),
        ({"recipe": {"clip_norm": 0}}, "clip_norm", "0"),
        ({"recipe": {"label_smoothing": 1}}, "label_smoothing", "1"),
        ({"recipe": {"label_smoothing": False}}, "label_smoothing", "False"),
        ({"recipe": {"schedule": "cosin"}}, "schedule", "'cosin'"),
        ({"recipe": {"precision": "float16"}}, "precision", "'float16'"),
        ({"data": {"name": "digits", "noise": 0.1}}, "noise", "0.1"),
        ({"data": {"noise": -0.1}}, "noise", "-0.1"),
        ({"data": {"noise": math.nan}}, "noise", "nan"),
        ({"data": {"seed": -1}}, "seed", "-1"),
        ({"sigma_w2": 2.5}, "sigma_w2", "2.5"),
        ({"sigma_b2": 0.5, "initialization": "he_normal"}, "sigma_b2", "0.5"),
        ({"sigma_w2": 0, "initialization": "normal"}, "sigma_w2", "0"),
        ({"criterion": {"min_gain": 1}}, "min_gain", "1"),
        ({"criterion": {"last_epochs": 0}}, "last_epochs", "0"),
        ({"criterion": {"last_epochs": 2.5}}, "last_epochs", "2.5"),
        ({"criterion": {"kind": "target", "target": 0}}, "target", "0"),
        ({"criterion": {"kind": "target", "target": 1.5}}, "target", "1.5"),
        ({"criterion": {"kind": "target", "target": math.nan}}, "target", "nan"),
        ({"criterion": {"hold_epochs": 0}}, "hold_epochs", "0"),
        ({"recipe": {"epochs": 2}}, "epochs", "2"),
        ({"recipe": {"epochs": 9}, "criterion": {"last_epochs": 10}}, "epochs", "9"),
        ({"recipe": {"steps": 2}}, "steps", "2"),
        ({"recipe": {"steps": 9}, "criterion": {"last_epochs": 10}}, "steps", "9"),
        ({"recipe": {"steps": 900}, "criterion": {"last_epochs": 21}}, "last_epochs", "21"),
        ({"widht": 3}, "field", "'widht'"),
        ({"recipe": {"lr": 0.1}}, "field", "'lr'"),
    ],
)
def test_a_bad_value_is_named_and_quoted_in_one_line(fields: dict[str, Any], field: str, value: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        Problem.model_validate(fields)

    message = str(caught.value)
    assert field in message
    assert value in message
    assert "\n" not in message


@pytest.mark.parametrize("field", ["data", "recipe", "criterion"])
def test_a_table_that_is_none_is_named_and_quoted(field: str) -> None:
    with pytest.raises(InvalidValue, match=f"{field} must be .* but got 3"):
        Problem.model_validate({field: 3})


@pytest.mark.parametrize(
    ("kind", "field", "value", "kinds"),
    [
        ("chance", "target", 0.9, "'target'"),
        ("chance", "hold_share", 0.1, "'held'"),
        ("chance", "hold_epochs", 3, "'held'"),
        ("target", "min_gain", 0.2, "'chance'"),
        ("target", "hold_epochs", 3, "'held'"),
        ("held", "target", 0.9, "'target'"),
        ("held", "last_epochs", 3, "'chance' or 'target' or 'no_worse'"),
    ],
)
def test_a_field_of_another_kind_of_criterion_is_refused(kind: str, field: str, value: float, kinds: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        Criterion.model_validate({"kind": kind, field: value})

    assert str(caught.value) == f"{field} belongs to the criterion {kinds}, but got {value} with {kind!r}"


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("chance", (0.2, None, 3, None, None)),
        ("target", (None, 0.9, 3, None, None)),
        ("held", (0.2, None, None, 0.1, 3)),
    ],
)
def test_the_fields_that_a_kind_of_criterion_does_not_take_are_null(
    kind: str, values: tuple[float | None, ...]
) -> None:
    found = Criterion.model_validate(kind)

    assert (found.min_gain, found.target, found.last_epochs, found.hold_share, found.hold_epochs) == values
    assert found == Criterion.model_validate({"kind": kind})


def test_chance_is_the_criterion_where_none_is_given() -> None:
    assert Problem().criterion == Criterion(kind="chance", min_gain=0.2, last_epochs=3)


@pytest.mark.parametrize("field", ["hold_share", "hold_epochs"])
def test_a_criterion_without_a_kind_and_with_a_hold_is_of_an_earlier_version(field: str) -> None:
    assert Criterion.model_validate({field: 1}).kind == "held"
    assert Criterion.model_validate({field: None}).kind == "chance"


def test_a_hold_beside_another_kind_is_not_taken_for_an_earlier_version() -> None:
    with pytest.raises(InvalidValue, match="hold_epochs belongs to the criterion 'held', but got 4 with 'target'"):
        Criterion.model_validate({"kind": "target", "hold_epochs": 4})


@pytest.mark.parametrize(("kind", "gain"), [("chance", 0.2), ("target", 0.2), ("held", 0.2)])
def test_every_kind_has_a_gain_that_tells_training_from_chance(kind: str, gain: float) -> None:
    assert Criterion.model_validate(kind).least_gain == gain


def test_a_gain_that_is_given_tells_training_from_chance() -> None:
    assert Criterion(min_gain=0.5).least_gain == 0.5


@pytest.mark.parametrize("budget", ["epochs", "steps"])
def test_a_budget_may_be_as_short_as_the_entries_that_are_looked_at(budget: str) -> None:
    problem = Problem.model_validate({"recipe": {budget: 4}, "criterion": {"last_epochs": 4}})

    assert problem.recipe.budget == (budget, 4)


def test_all_twenty_entries_of_a_budget_in_steps_may_be_looked_at() -> None:
    assert Problem(recipe={"steps": 900}, criterion={"last_epochs": 20}).criterion.last_epochs == 20


def test_a_study_of_an_earlier_version_may_have_any_budget() -> None:
    assert Problem(recipe={"steps": 1}, criterion="held").recipe.steps == 1


# Frozen.


def test_a_problem_cannot_be_changed() -> None:
    problem = Problem()

    with pytest.raises(ValidationError, match="frozen"):
        as_dense(problem.network).width = 6  # type: ignore[misc]


def test_a_problem_can_be_a_key() -> None:
    assert {Problem(): 1}[Problem(width=5)] == 1


# What recipes, criteria and data specs say.


@pytest.mark.parametrize(("points", "batch_size", "steps"), [(500, 32, 16), (512, 32, 16), (513, 32, 17), (3, 32, 1)])
def test_an_epoch_counts_its_last_smaller_batch(points: int, batch_size: int, steps: int) -> None:
    assert Recipe(batch_size=batch_size).steps_per_epoch(points) == steps


def test_total_steps_are_the_epochs_times_their_steps() -> None:
    assert Recipe(epochs=200, batch_size=32).total_steps(500) == 3200


def test_total_steps_are_the_steps_where_those_are_given() -> None:
    assert Recipe(steps=2500).total_steps(500) == 2500


def test_a_budget_in_epochs_has_an_entry_for_each() -> None:
    recipe = Recipe(epochs=4, batch_size=32)

    assert recipe.entries == 4
    assert tuple(recipe.entry_ends(500)) == (16, 32, 48, 64)
    assert tuple(recipe.entry_ends(10)) == (1, 2, 3, 4)


def test_a_budget_in_steps_has_twenty_entries_of_nearly_the_same_length() -> None:
    recipe = Recipe(steps=50)

    assert recipe.entries == 20
    assert recipe.entry_ends(500) == (2, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 30, 32, 35, 37, 40, 42, 45, 47, 50)


@pytest.mark.parametrize("steps", [1, 7, 19, 20])
def test_a_budget_of_few_steps_has_an_entry_for_each(steps: int) -> None:
    recipe = Recipe(steps=steps)

    assert recipe.entries == steps
    assert recipe.entry_ends(500) == tuple(range(1, steps + 1))


@given(steps=st.integers(1, 10**9))
def test_entries_of_a_budget_in_steps_rise_to_its_end_and_differ_by_a_step_at_most(steps: int) -> None:
    recipe = Recipe(steps=steps)
    ends = (0, *recipe.entry_ends(500))
    lengths = [end - start for start, end in pairwise(ends)]

    assert len(lengths) == recipe.entries == min(steps, 20)
    assert ends[-1] == steps == recipe.total_steps(500)
    assert min(lengths) >= 1
    assert max(lengths) - min(lengths) <= 1


@given(epochs=st.integers(1, 200), batch_size=st.integers(1, 600), points=st.integers(1, 600))
def test_entries_of_a_budget_in_epochs_end_with_them(epochs: int, batch_size: int, points: int) -> None:
    recipe = Recipe(epochs=epochs, batch_size=batch_size)
    ends = recipe.entry_ends(points)

    assert len(ends) == recipe.entries == epochs
    assert ends[-1] == recipe.total_steps(points)
    assert all(end == place * recipe.steps_per_epoch(points) for place, end in enumerate(ends, start=1))


def test_an_epoch_is_scored_over_every_point() -> None:
    assert Recipe(epochs=3, batch_size=32).points_per_entry(500) == 500


@pytest.mark.parametrize(("steps", "points"), [(20, 50), (40, 100), (100, 250), (200, 500), (4000, 500)])
def test_an_entry_of_steps_is_scored_over_the_points_of_its_batches(steps: int, points: int) -> None:
    assert Recipe(steps=steps, batch_size=50).points_per_entry(500) == points


@pytest.mark.parametrize(("classes", "outputs"), [(2, 1), (3, 3), (10, 10)])
def test_two_classes_need_one_output_and_more_need_one_each(classes: int, outputs: int) -> None:
    assert DataSpec(shape=(2,), classes=classes).outputs == outputs
