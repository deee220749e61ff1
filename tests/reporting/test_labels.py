"""Labels name the fields in which the studies that are shown together differ."""

from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import LayerCounts, Network
from depthsearch.problem.problem import Problem
from depthsearch.reporting.figures.curve import curve_figure
from depthsearch.reporting.labels import differing_fields, headings, labels
from depthsearch.search.settings import ResolvedSettings, SearchSettings
from tests.problem.problems import problems
from tests.reporting.answers import answer

DEFAULT = SearchSettings()


def of(*problems: dict[str, Any]) -> list[str]:
    return labels([(Problem.model_validate(problem), DEFAULT) for problem in problems])


def test_a_study_alone_has_its_few_words() -> None:
    assert of({"recipe": {"epochs": 20}}) == ["ffnet tanh on moons"]


def test_what_the_few_words_say_is_not_repeated() -> None:
    assert of({}, {"activation": "relu"}, {"data": "digits"}, {"family": "resnet"}) == [
        "ffnet tanh on moons",
        "ffnet relu on moons",
        "ffnet tanh on digits",
        "resnet tanh on moons",
    ]


def test_fields_that_differ_are_named_as_options_are() -> None:
    assert of({"recipe": {"epochs": 20}}, {"initialization": "he_normal"}) == [
        "ffnet tanh on moons, init glorot_uniform, epochs 20",
        "ffnet tanh on moons, init he_normal, epochs 200",
    ]
    assert of({}, {"recipe": {"nesterov": True}}) == [
        "ffnet tanh on moons, no nesterov",
        "ffnet tanh on moons, nesterov",
    ]


def test_what_follows_from_another_field_is_left_out() -> None:
    assert of({}, {"recipe": {"optimizer": "adam"}}) == [
        "ffnet tanh on moons, optimizer sgd",
        "ffnet tanh on moons, optimizer adam",
    ]


def test_settings_that_identify_a_study_are_named() -> None:
    problem = Problem()
    several = [
        (problem, SearchSettings()),
        (problem, SearchSettings(sampler="bisect", reliability=0.5)),
        (problem, SearchSettings(seed=1)),
    ]
    assert labels(several) == [
        "ffnet tanh on moons, sampler threshold, seed 0",
        "ffnet tanh on moons, sampler bisect, reliability 0.5, seed 0",
        "ffnet tanh on moons, sampler threshold, seed 1",
    ]


def test_other_settings_are_named_only_where_nothing_else_differs() -> None:
    problem, other = Problem(), Problem(activation="relu")
    first, second = ResolvedSettings(cap=10, runs_per_trial=8), ResolvedSettings(cap=20, runs_per_trial=32)
    assert labels([(problem, first), (other, second)]) == ["ffnet tanh on moons", "ffnet relu on moons"]
    assert labels([(problem, first), (problem, second)]) == [
        "ffnet tanh on moons, cap 10, seeds 8",
        "ffnet tanh on moons, cap 20, seeds 32",
    ]


def test_studies_that_differ_in_nothing_are_numbered() -> None:
    assert of({}, {}, {}) == ["ffnet tanh on moons", "ffnet tanh on moons (2)", "ffnet tanh on moons (3)"]


def test_a_family_with_fields_of_its_own_is_labelled_by_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "entries", dict(Network.entries))

    class Tower(Network):
        unit: ClassVar[str] = "floor"
        family: Literal["tower"] = "tower"
        windows_per_floor: int = 4

        def build(self, spec: DataSpec, depth: int) -> Any:
            raise NotImplementedError

        def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
            raise NotImplementedError

    both = [Problem(network=Tower()), Problem(network=Tower(windows_per_floor=6))]
    assert labels([(problem, DEFAULT) for problem in both]) == [
        "tower on moons, windows per floor 4",
        "tower on moons, windows per floor 6",
    ]


def test_the_fields_that_differ_have_paths() -> None:
    both = [(Problem(), DEFAULT), (Problem.model_validate({"recipe": {"epochs": 20}}), SearchSettings(seed=3))]
    assert differing_fields(both) == ("recipe.epochs", "settings.seed")


def test_headlines_of_studies_that_differ_in_epochs_differ() -> None:
    both = [Problem(), Problem.model_validate({"recipe": {"epochs": 20}})]
    named = labels([(problem, DEFAULT) for problem in both])
    titles = {
        curve_figure(answer(problem=problem), label=label).layout.title.text
        for problem, label in zip(both, named, strict=True)
    }
    assert len(titles) == 2


@settings(max_examples=60, deadline=None)
@given(st.lists(problems(), min_size=2, max_size=4))
def test_no_two_labels_are_equal_and_different_problems_differ_without_a_number(several: list[Problem]) -> None:
    named = labels([(problem, DEFAULT) for problem in several])
    assert len(set(named)) == len(named)
    for k, first in enumerate(several):
        for j, second in enumerate(several[:k]):
            if first != second:
                assert named[k].split(" (")[0] != named[j].split(" (")[0]


@pytest.mark.parametrize(
    ("found", "short"),
    [
        (["ffnet tanh on moons, init a", "ffnet relu on moons, init b"], ["tanh, init a", "relu, init b"]),
        (["ffnet tanh on moons, lr 0.1", "ffnet tanh on moons, lr 0.01"], ["lr 0.1", "lr 0.01"]),
        (["ffnet tanh on moons", "resnet tanh on digits"], ["ffnet moons", "resnet digits"]),
        (["ffnet tanh on moons", "ffnet tanh on moons"], ["ffnet tanh on moons", "ffnet tanh on moons"]),
        (["first", "second one"], ["first", "second one"]),
        (["ffnet tanh on moons"], ["ffnet tanh on moons"]),
    ],
)
def test_headings_leave_out_the_words_that_all_labels_share(found: list[str], short: list[str]) -> None:
    assert headings(found) == short
