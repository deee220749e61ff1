"""The estimate of P(trained | depth) from all trials so far."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from depthsearch.schema import FrozenModel

WIDE = 8.0
"""Depths that span more than this factor are drawn on a logarithmic axis."""


def is_wide(depths: Sequence[float]) -> bool:
    """Whether the depths, none of them 0, span more than WIDE."""
    return min(depths) > 0 and max(depths) > WIDE * min(depths)


class Conclusion(StrEnum):
    """The rule that ended a search.

    Two adjacent depths were tried; the interval is narrow enough; P(trained) at the median is known to lie near the
    reliability; every given depth was tried; the reliability is still reached at the cap, or at the deepest network
    for which there is memory; or it is not reached by the shallowest.
    """

    ADJACENT = "adjacent"
    WIDTH = "width"
    LEVEL = "level"
    GRID = "grid"
    CAP = "cap"
    MEMORY = "memory"
    SHALLOWEST = "shallowest"


class CurvePoint(FrozenModel):
    """One depth: `trained` of `of` runs trained; `p` estimates the probability, within [`low`, `high`].

    `low` and `high` are null where the sampler claims no interval.
    """

    depth: int
    trained: Annotated[int, Field(ge=0)]
    of: Annotated[int, Field(ge=0)]
    p: float
    low: float | None = None
    high: float | None = None


class Crossing(FrozenModel):
    """Where P(trained) falls to a reliability: the posterior median and its interval, in whole depths.

    A median or lower end just above the shallowest depth (one less) means that even that one does not reach the
    reliability; an upper end of null that the threshold may lie beyond the cap.
    """

    reliability: float
    depth: int
    interval: tuple[int, int | None]


class Curve(FrozenModel):
    """What the trials say so far.

    Attributes:
        points: Every depth that was tried, shallowest first; depths were chosen adaptively.
        max_depth: The deepest confirmed depth that passes or, where none is confirmed, the deepest tried depth that
            does. A depth passes where the posterior median of P(trained), of all runs, is at least the reliability; for
            bisection, where nothing tried below it fails. At reliabilities from 0.5 a depth at which most runs failed
            never passes. Null if none does.
        confirmed: Whether fresh seeds confirmed max_depth, or that none passes.
        fails_at: The shallowest tried depth beyond max_depth that fails; null if none.
        interval: Where the true threshold lies with probability `level`; null where none is claimed.
        level: The interval's credibility; null where none is claimed.
        concluded: The rule that ended the search; null while it goes on.
        monotone: Whether P(trained) falls with depth, as far as it was tested; null where it was not.
        crossings: Where it is not monotone, the deepest depths before the share first and last falls below the
            reliability.
        thresholds: At the settings' reliability and at one half, from the same posterior; empty without one.
        transition: How many times deeper than where 90 % of the fall is left 10 % of it is left: median, low, high.
    """

    points: tuple[CurvePoint, ...]
    max_depth: int | None
    fails_at: int | None
    confirmed: bool = False
    interval: tuple[int, int | None] | None = None
    level: float | None = None
    concluded: Conclusion | None = None
    monotone: bool | None = None
    crossings: tuple[int, int] | None = None
    thresholds: tuple[Crossing, ...] = ()
    transition: tuple[float, float, float] | None = None
