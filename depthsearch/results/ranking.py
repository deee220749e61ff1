"""How the rows of a comparison differ: ranks, differences to the first row with their intervals, the best of groups.

Depths are compared only within one unit and one reliability: 20 residual blocks are neither more nor less than 20
hidden layers, and a depth that half of the runs reach is not one that nine of ten reach.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsearch.problem.problem import Problem
from depthsearch.results.answer import Answer
from depthsearch.schema import FrozenModel, canonical_json
from depthsearch.search.threshold.posterior import Count, posterior

DRAWS = 20_000
"""Draws from each posterior: the ends of a 95 % interval move by less than 2 % of its width."""

LEVEL = 0.95


class Relation(StrEnum):
    """How a row compares with the first."""

    FIRST = "first"
    DEEPER = "deeper"
    SHALLOWER = "shallower"
    NOT_DISTINGUISHABLE = "not_distinguishable"
    NO_INTERVAL = "no_interval"
    OTHER_UNIT = "other_unit"
    OTHER_RELIABILITY = "other_reliability"


class Standing(FrozenModel):
    """How a row of a comparison ranks, and how it differs from the first.

    Attributes:
        rank: By max depth among the rows of its unit and reliability, 1 the deepest; equal depths share a rank. Null
            where there is no max depth.
        of: How many rows share its unit and reliability.
        difference: Its max depth minus the first row's; null where either has none, or the two cannot be compared.
        interval: Of the difference between the two thresholds; an end is null where a threshold may lie beyond the
            cap. Null where none is claimed.
        level: The interval's credibility.
        relation: To the first row: deeper or shallower where the interval excludes 0.
    """

    rank: int | None
    of: int
    difference: int | None = None
    interval: tuple[int | None, int | None] | None = None
    level: float | None = None
    relation: Relation


class Tried(FrozenModel):
    """One value of the field over which a group takes its best; `max_depth` is null where nothing trains."""

    value: Any
    max_depth: int | None
    study: str


class Won(FrozenModel):
    """Which value of a field trains deepest in a group of problems that differ only in it.

    Attributes:
        field: Its path, such as "recipe.learning_rate".
        value: The value with the deepest max depth; the first of those that share it.
        among: Every value that was tried, in the order given.
    """

    field: str
    value: Any
    among: tuple[Tried, ...]


@dataclass(frozen=True, eq=False)
class _Threshold:
    """Where the rows of one group cross the reliability.

    Attributes:
        draws: [DRAWS] depths drawn from the posterior.
        is_open: Whether the threshold may lie beyond the cap.
    """

    draws: NDArray[np.float64]
    is_open: bool


def standings(rows: Sequence[Sequence[Answer]]) -> tuple[Standing, ...]:
    """A standing for each row.

    The interval of a difference is a Monte Carlo estimate: both thresholds are drawn from their posteriors, which the
    counts of the two curves give and which are independent, and the interval holds the middle 95 % of the differences,
    rounded outwards to whole depths and widened to hold the difference of the max depths. Where a row is the best of
    several searches, its threshold in a draw is the deepest of theirs. Bisection, and a curve that does not fall with
    depth, have no posterior of a threshold: there is a difference without an interval.

    Args:
        rows: The answers of each row; several where it is the best of them.
    """
    best = [deepest(row) for row in rows]
    kinds = [_kind(answer) for answer in best]
    reference = _threshold(rows[0], 0) if len(rows) > 1 else None
    found = []
    for number, (row, answer, kind) in enumerate(zip(rows, best, kinds, strict=True)):
        depths = [other.max_depth for other, same in zip(best, kinds, strict=True) if same == kind]
        rank = None
        if answer.max_depth is not None:
            rank = 1 + sum(depth > answer.max_depth for depth in depths if depth is not None)
        if number == 0:
            found.append(Standing(rank=rank, of=len(depths), relation=Relation.FIRST))
        elif kind != kinds[0]:
            relation = Relation.OTHER_UNIT if kind[0] != kinds[0][0] else Relation.OTHER_RELIABILITY
            found.append(Standing(rank=rank, of=len(depths), relation=relation))
        else:
            difference = None
            if answer.max_depth is not None and best[0].max_depth is not None:
                difference = answer.max_depth - best[0].max_depth
            interval = _interval(_threshold(row, number), reference, difference)
            found.append(
                Standing(
                    rank=rank,
                    of=len(depths),
                    difference=difference,
                    interval=interval,
                    level=None if interval is None else LEVEL,
                    relation=_relation(interval),
                )
            )
    return tuple(found)


def deepest(answers: Sequence[Answer]) -> Answer:
    """The answer with the deepest max depth, the first of those that share it."""
    return max(answers, key=lambda answer: -1 if answer.max_depth is None else answer.max_depth)


def groups_without(problems: Sequence[Problem], field: str) -> list[list[int]]:
    """The places of the problems, grouped: those of a group differ only in one field, and in what follows from it.

    Args:
        problems: Several.
        field: Path of the field.
    """
    groups: dict[str, list[int]] = {}
    for place, problem in enumerate(problems):
        tables = {table: getattr(problem, table).fewest_fields() for table in Problem.model_fields}
        table, _, name = field.partition(".")
        tables[table].pop(name, None)
        groups.setdefault(canonical_json(tables), []).append(place)
    return list(groups.values())


def _kind(answer: Answer) -> tuple[str, float]:
    """What must be equal for two depths to be comparable."""
    return answer.problem.network.units, answer.reliability


def _threshold(row: Sequence[Answer], number: int) -> _Threshold | None:
    """Of a row, the deepest of its answers' in each draw; None where one of them has no posterior."""
    drawn: list[_Threshold] = []
    for place, answer in enumerate(row):
        crossing = next((found for found in answer.thresholds if found.reliability == answer.reliability), None)
        if crossing is None or answer.crossings is not None or not answer.curve:
            return None
        first = answer.shallowest
        counts = tuple(
            Count(depth=point.depth - first + 1, runs=point.of, trained=point.trained)
            for point in answer.curve
            if point.of
        )
        belief = posterior(counts, answer.ladder is not None)
        picked = np.random.default_rng([number, place]).choice(
            belief.thresholds(answer.reliability), DRAWS, p=belief.weight
        )
        is_open = crossing.interval[1] is None or (answer.interval is not None and answer.interval[1] is None)
        drawn.append(_Threshold(np.exp(picked) + first - 1, is_open))
    return _Threshold(
        np.max([threshold.draws for threshold in drawn], axis=0), any(threshold.is_open for threshold in drawn)
    )


def _interval(
    second: _Threshold | None, first: _Threshold | None, difference: int | None
) -> tuple[int | None, int | None] | None:
    if second is None or first is None:
        return None
    ends = np.quantile(second.draws - first.draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    low, high = math.floor(ends[0]), math.ceil(ends[1])
    if difference is not None:
        low, high = min(low, difference), max(high, difference)
    return None if first.is_open else low, None if second.is_open else high


def _relation(interval: tuple[int | None, int | None] | None) -> Relation:
    if interval is None:
        return Relation.NO_INTERVAL
    low, high = interval
    if low is not None and low > 0:
        return Relation.DEEPER
    if high is not None and high < 0:
        return Relation.SHALLOWER
    return Relation.NOT_DISTINGUISHABLE
