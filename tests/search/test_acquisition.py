"""The choice of the next depth."""

from depthsearch.search.threshold.acquisition import Effort, Pending, best_depth
from depthsearch.search.threshold.posterior import Count, posterior

BELIEF = posterior((Count(16, 16, 16), Count(32, 16, 16), Count(64, 16, 12), Count(128, 16, 0)))


def pick(**changes: object) -> int:
    chosen: dict[str, object] = {"runs": 1, "deepest": 1000} | changes
    return best_depth(BELIEF, 0.5, **chosen)  # type: ignore[arg-type]


def test_it_is_where_the_threshold_may_lie() -> None:
    assert 55 <= pick() <= 110


def test_it_is_never_deeper_than_allowed() -> None:
    assert pick(deepest=20) <= 20
    assert pick(deepest=1) == 1


def test_runs_that_take_the_whole_budget_are_worth_less() -> None:
    """Where only failing runs are dear, shallower depths are tried, which train more often."""
    assert pick(effort=Effort(succeeds=0.05, fails=1.0)) < pick(effort=Effort(succeeds=1.0, fails=1.0))


def test_what_is_pending_is_not_asked_again() -> None:
    first = pick()
    assert pick(pending=[Pending(first, 200)]) != first


def test_a_higher_reliability_asks_shallower() -> None:
    assert best_depth(BELIEF, 0.95, runs=1, deepest=1000) < pick()
