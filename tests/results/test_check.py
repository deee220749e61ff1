"""What an answer says of a required depth, branch by branch."""

from typing import Any

import pytest

from depthsearch.results.answer import Answer, Outcome
from depthsearch.results.check import Gate, GateResult, gate
from depthsearch.search.curve import CurvePoint
from depthsearch.search.settings import ResolvedSettings
from tests.reporting.answers import NOWHERE, answer, empty

PASSED, FAILED, UNDECIDED = GateResult


def held(answer: Answer, *depths: int) -> list[GateResult]:
    return [gate(answer, depth).result for depth in depths]


def bisected(trained: dict[int, int], **changes: Any) -> Answer:
    """Of bisection at a reliability of 0.75, with so many of 4 runs trained at these depths."""
    curve = tuple(CurvePoint(depth=depth, trained=count, of=4, p=count / 4) for depth, count in trained.items())
    fields: dict[str, Any] = {
        "settings": ResolvedSettings(sampler="bisect", reliability=0.75),
        "reliability": 0.75,
        "curve": curve,
        "interval": None,
        "interval_level": None,
        "thresholds": (),
    }
    return answer(**(fields | changes))


def test_the_package_offers_the_gate() -> None:
    import depthsearch

    assert depthsearch.gate is gate
    assert depthsearch.Gate is Gate


def test_a_depth_up_to_the_lower_end_of_the_interval_passes() -> None:
    assert held(answer(interval=(6, 9)), 1, 5, 6) == [PASSED] * 3


def test_a_depth_beyond_the_upper_end_fails() -> None:
    assert held(answer(interval=(6, 9)), 10, 11, 1000) == [FAILED] * 3


def test_a_depth_within_the_interval_above_its_lower_end_is_undecided() -> None:
    assert held(answer(interval=(6, 9)), 7, 8, 9) == [UNDECIDED] * 3


def test_the_largest_depth_that_passes_is_the_lower_end() -> None:
    for depth in (6, 8, 20):
        found = gate(answer(interval=(6, 9)), depth)
        assert (found.depth, found.largest) == (depth, 6)


def test_an_interval_of_one_depth_decides_every_depth() -> None:
    assert held(answer(interval=(7, 7)), 7, 8) == [PASSED, FAILED]


def test_an_interval_that_is_open_above_never_fails_a_depth() -> None:
    assert held(answer(interval=(6, None)), 6, 7, 10**6) == [PASSED, UNDECIDED, UNDECIDED]


def test_a_lower_end_below_the_shallowest_depth_passes_none() -> None:
    found = gate(answer(interval=(0, 3)), 1)

    assert (found.result, found.largest) == (UNDECIDED, None)
    assert held(answer(interval=(0, 3)), 3, 4) == [UNDECIDED, FAILED]


def test_of_an_answer_that_is_reliable_at_no_depth_every_depth_fails() -> None:
    never = answer(outcome=Outcome.NEVER_RELIABLE, interval=(0, 0), **NOWHERE)

    assert held(never, 1, 7, 1000) == [FAILED] * 3
    assert gate(never, 1).largest is None


@pytest.mark.parametrize("sampler", ["threshold", "bisect"])
def test_reliable_at_no_depth_is_a_failure_without_an_interval_too(sampler: str) -> None:
    settings = ResolvedSettings.model_validate({"sampler": sampler, "reliability": 0.9})
    never = answer(settings=settings, outcome=Outcome.NEVER_RELIABLE, interval=None, **NOWHERE)

    assert held(never, 1, 1000) == [FAILED] * 2


def test_an_answer_that_is_not_monotone_decides_nothing() -> None:
    crossing = answer(outcome=Outcome.NOT_MONOTONE, monotone=False, crossings=(6, 20), interval=None, **NOWHERE)

    assert held(crossing, 1, 7, 1000) == [UNDECIDED] * 3
    assert gate(crossing, 1).largest is None


@pytest.mark.parametrize("sampler", ["threshold", "bisect"])
def test_not_monotone_decides_nothing_whatever_else_is_known(sampler: str) -> None:
    settings = ResolvedSettings.model_validate({"sampler": sampler, "reliability": 0.9})
    crossing = answer(settings=settings, outcome=Outcome.NOT_MONOTONE, monotone=False)

    assert held(crossing, 1, 7, 1000) == [UNDECIDED] * 3


def test_without_an_interval_nothing_is_decided() -> None:
    found = gate(answer(interval=None, interval_level=None), 1)

    assert (found.result, found.largest) == (UNDECIDED, None)
    assert held(answer(interval=None, interval_level=None), 7, 1000) == [UNDECIDED] * 2


def test_before_the_first_trial_nothing_is_decided() -> None:
    bisect = ResolvedSettings(sampler="bisect")

    assert held(empty(), 1, 1000) == [UNDECIDED] * 2
    assert held(empty(settings=bisect), 1, 1000) == [UNDECIDED] * 2


def test_bisection_passes_up_to_its_max_depth_and_fails_from_the_first_depth_that_fails() -> None:
    found = bisected({1: 4, 8: 4, 16: 2, 10: 1, 32: 0}, max_depth=8)

    assert held(found, 1, 8, 9, 10, 12, 1000) == [PASSED, PASSED, UNDECIDED, FAILED, FAILED, FAILED]
    assert gate(found, 12).largest == 8


def test_bisection_with_adjacent_depths_decides_every_depth() -> None:
    assert held(bisected({8: 4, 9: 2}, max_depth=8), 8, 9) == [PASSED, FAILED]


def test_of_bisection_a_depth_at_its_reliability_does_not_fail() -> None:
    assert held(bisected({8: 4, 16: 3}, max_depth=8), 16, 1000) == [UNDECIDED] * 2


def test_of_bisection_a_failure_at_a_shallower_depth_than_one_that_passes_does_not_count() -> None:
    assert held(bisected({4: 2, 8: 4, 16: 0}, max_depth=8), 4, 8, 12, 16) == [PASSED, PASSED, UNDECIDED, FAILED]


def test_bisection_that_saw_no_failure_fails_none() -> None:
    found = bisected({1: 4, 100: 4}, max_depth=100, outcome=Outcome.CAP_REACHED)

    assert held(found, 100, 101) == [PASSED, UNDECIDED]


def test_bisection_that_saw_failures_alone_passes_none() -> None:
    found = bisected({4: 0, 2: 1}, **NOWHERE)

    assert held(found, 1, 2, 3, 4) == [UNDECIDED, FAILED, FAILED, FAILED]
    assert gate(found, 1).largest is None


def test_a_gate_is_read_back_from_its_json() -> None:
    found = gate(answer(interval=(6, 9)), 8)

    assert found.model_dump(mode="json") == {"depth": 8, "result": "undecided", "largest": 6}
    assert Gate.model_validate_json(found.model_dump_json()) == found
