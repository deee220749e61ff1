import math
from typing import Any

import pytest
from pydantic import ValidationError

from depthsearch.errors import InvalidValue, UnknownName
from depthsearch.problem.problem import Problem
from depthsearch.search.settings import ResolvedSettings, SearchSettings


def test_the_defaults() -> None:
    assert SearchSettings().model_dump() == {
        "sampler": "threshold",
        "reliability": None,
        "tolerance": 0.05,
        "cap": 10_000,
        "depths": None,
        "runs_per_trial": None,
        "parallel_trials": None,
        "max_runs": None,
        "max_seconds": None,
        "seed": 0,
    }


def test_what_is_left_out_is_filled_in_and_what_is_given_stays() -> None:
    resolved = SearchSettings(reliability=0.7).resolved(reliability=0.9, lanes=2)
    assert (resolved.reliability, resolved.runs_per_trial, resolved.parallel_trials) == (0.7, 8, 2)
    assert resolved.resolved(reliability=0.9, lanes=64) is resolved
    assert SearchSettings().resolved() == ResolvedSettings(reliability=0.5, runs_per_trial=1, parallel_trials=1)


def test_resolved_settings_go_through_json_with_no_field_unset() -> None:
    resolved = SearchSettings(max_runs=40, seed=3).resolved(reliability=0.9, lanes=8)
    assert ResolvedSettings.model_validate_json(resolved.canonical_json()) == resolved


def test_a_budget_holds_the_runs_of_a_trial() -> None:
    assert SearchSettings(max_runs=5).resolved(lanes=8).runs_per_trial == 5
    with pytest.raises(InvalidValue, match="max_runs must be at least 8, the runs of one trial, but got 5"):
        SearchSettings(max_runs=5, runs_per_trial=8)


@pytest.mark.parametrize(
    ("settings", "lanes", "runs", "rounds"),
    [
        ({}, 2, 8, 2),
        ({}, 16, 16, 2),
        ({}, 1024, 32, 64),
        ({"runs_per_trial": 4}, 16, 4, 8),
        ({"sampler": "bisect"}, 16, 3, 10),
        ({"sampler": "bisect", "max_runs": 2}, 16, 2, 16),
    ],
)
def test_an_engine_is_kept_busy(settings: dict[str, Any], lanes: int, runs: int, rounds: int) -> None:
    resolved = SearchSettings.model_validate(settings).resolved(lanes=lanes)
    assert (resolved.runs_per_trial, resolved.parallel_trials) == (runs, rounds)


@pytest.mark.parametrize("sampler", ["tpe", "gp", "random"])
def test_a_sampler_that_never_stops_by_itself_has_a_budget(sampler: str) -> None:
    assert SearchSettings(sampler=sampler).resolved(lanes=8).max_runs == 40 * 8
    assert SearchSettings(sampler=sampler, max_runs=16).resolved(lanes=8).max_runs == 16
    assert SearchSettings(sampler=sampler, max_seconds=9.0).resolved(lanes=8).max_runs is None
    assert SearchSettings().resolved(lanes=8).max_runs is None


def test_a_reliability_of_one_is_for_samplers_that_count_on_no_posterior() -> None:
    assert SearchSettings(sampler="bisect", reliability=1.0).reliability == 1
    message = r"must be from 0\.01 to 0\.99, since no number of runs shows more, but got 1\.0; the sampler 'bisect'"
    with pytest.raises(InvalidValue, match=message):
        SearchSettings(reliability=1.0)


@pytest.mark.parametrize(
    "wrong", [{"sampler": "grid"}, {"depths": (3, 7)}, {"sampler": "grid", "depths": (3, 70), "cap": 50}]
)
def test_depths_belong_to_the_grid_and_lie_within_the_cap(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue, match="depths must"):
        SearchSettings.model_validate(wrong)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reliability", 0),
        ("reliability", 1.5),
        ("reliability", math.nan),
        ("tolerance", 0),
        ("tolerance", 1),
        ("cap", 0),
        ("cap", 1_000_001),
        ("runs_per_trial", 0),
        ("runs_per_trial", 1_001),
        ("max_runs", 0),
        ("max_seconds", 0),
        ("max_seconds", math.inf),
        ("seed", -1),
        ("seed", 2**63),
        ("cap", "deep"),
    ],
)
def test_a_bad_setting_is_named_and_quoted_in_one_line(field: str, value: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        SearchSettings.model_validate({field: value})

    assert str(caught.value).startswith(f"{field} must be ")
    assert str(caught.value).endswith(f"but got {value!r}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [("reliability", 0.99), ("cap", 1), ("cap", 1_000_000), ("runs_per_trial", 1), ("seed", 2**63 - 1)],
)
def test_the_ends_of_a_range_are_accepted(field: str, value: int) -> None:
    assert getattr(SearchSettings.model_validate({field: value}), field) == value


def test_an_unknown_sampler_is_quoted_beside_the_nearest_one() -> None:
    with pytest.raises(UnknownName, match="unknown sampler 'bisct': did you mean 'bisect'"):
        SearchSettings.model_validate({"sampler": "bisct"})


def test_an_unknown_setting_is_quoted() -> None:
    with pytest.raises(InvalidValue, match="unknown field 'max_depth'"):
        SearchSettings.model_validate({"max_depth": 3})


def test_settings_cannot_be_changed() -> None:
    search = SearchSettings()

    with pytest.raises(ValidationError, match="frozen"):
        search.cap = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    "change", [{"cap": 50}, {"runs_per_trial": 9}, {"tolerance": 0.1}, {"max_runs": 5}, {"max_seconds": 1.0}]
)
def test_how_long_to_search_is_not_part_of_the_study(change: dict[str, Any]) -> None:
    fingerprint = Problem().question()

    assert ResolvedSettings.model_validate(change).identity(fingerprint) == ResolvedSettings().identity(fingerprint)


@pytest.mark.parametrize("change", [{"seed": 1}, {"reliability": 0.9}, {"sampler": "bisect"}])
def test_seed_and_reliability_make_another_study(change: dict[str, Any]) -> None:
    fingerprint = Problem().question()

    assert ResolvedSettings.model_validate(change).identity(fingerprint) != ResolvedSettings().identity(fingerprint)


def test_another_problem_makes_another_study() -> None:
    search = ResolvedSettings()

    assert search.identity(Problem().question()) != search.identity(Problem(width=6).question())


def test_a_whole_number_is_the_same_reliability_as_its_decimal() -> None:
    one, decimal = (ResolvedSettings(sampler="bisect", reliability=share) for share in (1, 1.0))
    assert one.identity("f") == decimal.identity("f")
