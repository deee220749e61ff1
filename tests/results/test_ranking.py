"""Ranks, differences with their intervals, and the best of groups."""

from typing import Any

import pytest

from depthsearch.problem.problem import Problem
from depthsearch.results.answer import Answer
from depthsearch.results.comparison import Compared, Comparison
from depthsearch.results.ranking import Relation, groups_without, standings
from depthsearch.search.curve import Crossing, CurvePoint
from depthsearch.search.threshold.posterior import Count, posterior
from depthsearch.search.threshold.stopping import threshold
from tests.reporting.answers import OF_EACH_OUTCOME, answer, bisected, empty


def falling_at(threshold: int, **changes: Any) -> Answer:
    """All of 40 runs train to this depth and none deeper, on a grid of depths around it."""
    depths = sorted({max(threshold + step, 1) for step in (-3, -2, -1, 0, 1, 2, 3)})
    points = tuple(
        CurvePoint(depth=depth, trained=40 * (depth <= threshold), of=40, p=0.5, low=0.0, high=1.0) for depth in depths
    )
    ends = (threshold, threshold + 1)
    fields: dict[str, Any] = {
        "max_depth": threshold,
        "interval": ends,
        "curve": points,
        "thresholds": (Crossing(reliability=0.9, depth=threshold, interval=ends),),
    }
    return answer(**(fields | changes))


def relations(*answers: Answer) -> list[Relation]:
    return [standing.relation for standing in standings([[one] for one in answers])]


def test_a_row_is_ranked_by_max_depth_and_compared_with_the_first() -> None:
    first, deeper, same, shallower = standings([[falling_at(depth)] for depth in (20, 30, 20, 10)])
    assert [standing.rank for standing in (first, deeper, same, shallower)] == [2, 1, 2, 4]
    assert {standing.of for standing in (first, deeper, same, shallower)} == {4}
    assert (first.relation, first.difference, first.interval) == (Relation.FIRST, None, None)
    assert (deeper.relation, deeper.difference, deeper.level) == (Relation.DEEPER, 10, 0.95)
    assert deeper.interval is not None
    assert deeper.interval[0] is not None
    assert 8 <= deeper.interval[0] <= 10
    assert (same.relation, same.difference) == (Relation.NOT_DISTINGUISHABLE, 0)
    assert (shallower.relation, shallower.difference) == (Relation.SHALLOWER, -10)


def test_the_interval_is_that_of_the_two_thresholds_and_the_same_each_time() -> None:
    first, second = falling_at(20), falling_at(30)
    (_, once), (_, again) = standings([[first], [second]]), standings([[first], [second]])
    assert once == again
    assert once.interval is not None
    low, high = once.interval
    assert low is not None
    assert high is not None
    (low_1, high_1), (low_2, high_2) = believed(first), believed(second)
    assert low_2 - high_1 - 1 <= low <= low_2 - low_1
    assert high_2 - high_1 <= high <= high_2 - low_1 + 1


def believed(found: Answer) -> tuple[float, float]:
    """The interval of one threshold, from its posterior."""
    counts = tuple(Count(point.depth, point.of, point.trained) for point in found.curve)
    of = threshold(posterior(counts), found.reliability)
    return of.low, of.high


def test_an_interval_holds_the_difference_of_the_max_depths() -> None:
    _, standing = standings([[falling_at(20)], [falling_at(20, max_depth=33)]])
    assert standing.interval is not None
    assert standing.interval[1] == 13


def test_where_a_threshold_may_lie_beyond_the_cap_the_interval_is_open() -> None:
    beyond = {"interval": (30, None), "thresholds": (Crossing(reliability=0.9, depth=30, interval=(30, None)),)}
    _, deeper = standings([[falling_at(20)], [falling_at(30, **beyond)]])
    assert deeper.interval is not None
    assert (deeper.relation, deeper.interval[1]) == (Relation.DEEPER, None)
    _, shallower = standings([[falling_at(30, **beyond)], [falling_at(20)]])
    assert shallower.interval is not None
    assert (shallower.relation, shallower.interval[0]) == (Relation.SHALLOWER, None)


@pytest.mark.parametrize("odd", [bisected(), empty(), next(one for one in OF_EACH_OUTCOME.values() if one.crossings)])
def test_without_a_posterior_of_the_threshold_there_is_no_interval(odd: Answer) -> None:
    for pair in ((answer(), odd), (odd, answer())):
        _, standing = standings([[one] for one in pair])
        assert (standing.relation, standing.interval, standing.level) == (Relation.NO_INTERVAL, None, None)


def test_a_row_without_a_max_depth_has_no_rank_and_no_difference() -> None:
    points = (CurvePoint(depth=1, trained=0, of=40, p=0.0, low=0.0, high=0.1),)
    nowhere = (Crossing(reliability=0.9, depth=0, interval=(0, 0)),)
    never = answer(max_depth=None, interval=(0, 0), curve=points, thresholds=nowhere)
    _, standing = standings([[falling_at(20)], [never]])
    assert (standing.rank, standing.difference, standing.relation) == (None, None, Relation.SHALLOWER)


def test_other_units_and_other_reliabilities_are_ranked_for_themselves() -> None:
    resnet = falling_at(40, problem=Problem(family="resnet"))
    half = falling_at(50, reliability=0.5, thresholds=(Crossing(reliability=0.5, depth=50, interval=(50, 51)),))
    first, second, third = standings([[falling_at(20)], [resnet], [half]])
    assert [one.rank for one in (first, second, third)] == [1, 1, 1]
    assert [one.of for one in (first, second, third)] == [1, 1, 1]
    assert [one.relation for one in (second, third)] == [Relation.OTHER_UNIT, Relation.OTHER_RELIABILITY]
    assert [one.difference for one in (second, third)] == [None, None]


def test_one_row_is_the_first() -> None:
    assert relations(answer()) == [Relation.FIRST]


def rates(*values: float, activation: str = "relu") -> list[Problem]:
    return [Problem.model_validate({"activation": activation, "recipe": {"learning_rate": value}}) for value in values]


def test_groups_are_of_problems_that_differ_in_the_field_alone() -> None:
    problems = [*rates(0.1, 0.01), *rates(0.1, 0.01, activation="tanh")]
    assert groups_without(problems, "recipe.learning_rate") == [[0, 1], [2, 3]]
    assert groups_without(problems, "network.activation") == [[0, 2], [1, 3]]
    assert groups_without(problems, "recipe.epochs") == [[0], [1], [2], [3]]
    both = [Problem(), Problem.model_validate({"data": "digits"}), Problem(family="resnet")]
    assert groups_without(both, "recipe.epochs") == [[0], [1], [2]]
    assert groups_without(both, "data.name") == [[0, 1], [2]]


def test_the_best_of_a_group_is_the_deepest_with_all_that_was_tried() -> None:
    fast, slow = (Compared(name=f"lr {p.recipe.learning_rate}", answer=falling_at(depth, problem=p, study=f"s{depth}"))
                  for p, depth in zip(rates(0.1, 0.01), (12, 20), strict=True))  # fmt: skip
    other = Compared(name="other", answer=falling_at(15, problem=Problem()))
    found = Comparison.best_of([[fast, slow], [other]], ["relu", "tanh"], "recipe.learning_rate", title="t")
    best, second = found.compared
    assert (best.name, best.answer.max_depth, second.name, found.title) == ("relu", 20, "tanh", "t")
    assert best.won is not None
    assert (best.won.value, [(one.value, one.max_depth) for one in best.won.among]) == (0.01, [(0.1, 12), (0.01, 20)])
    assert second.standing is not None
    assert second.standing.relation is Relation.SHALLOWER
    assert Comparison.model_validate_json(found.to_json()) == found
