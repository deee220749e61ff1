"""The estimate of P(trained | depth) from all trials so far."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from depthsearch.core.model import FrozenModel


class Conclusion(StrEnum):
    """The rule that ended a search; `sentence` says it for people."""

    ADJACENT = "adjacent"
    CAP = "cap"
    SHALLOWEST = "shallowest"

    @property
    def sentence(self) -> str:
        """The rule in words."""
        return {
            Conclusion.ADJACENT: "two adjacent depths were tried: the shallower passes, the deeper fails",
            Conclusion.CAP: "the cap itself was tried and passes",
            Conclusion.SHALLOWEST: "the shallowest network was tried and fails",
        }[self]


class CurvePoint(FrozenModel):
    """One depth: `trained` of `of` runs trained; `p` estimates the probability, within [`low`, `high`].

    `low` and `high` are null where the sampler claims no interval.
    """

    depth: int
    trained: Annotated[int, Field(ge=0)]
    of: Annotated[int, Field(ge=1)]
    p: float
    low: float | None = None
    high: float | None = None


class Curve(FrozenModel):
    """What the trials say so far.

    Attributes:
        points: Every depth that was tried, shallowest first; depths were chosen adaptively.
        max_depth: The deepest tried depth that passes and below which nothing tried fails; null if none.
        fails_at: The shallowest tried depth that fails; null if none.
        interval: Where the true threshold lies with probability `level`; null where none is claimed.
        level: The interval's credibility; null where none is claimed.
        concluded: The rule that ended the search; null while it goes on.
        monotone: Whether P(trained) falls with depth, as far as it was tested; null where it was not.
    """

    points: tuple[CurvePoint, ...]
    max_depth: int | None
    fails_at: int | None
    interval: tuple[int, int | None] | None = None
    level: float | None = None
    concluded: Conclusion | None = None
    monotone: bool | None = None

    def possible(self, cap: int) -> str:
        """What is still possible for max_depth, in words: "at least 16", "16 to 23", "below 5", "20", "none"."""
        if self.fails_at is None:
            return f"{cap}, the cap" if self.max_depth == cap else f"at least {self.max_depth or 0}"
        if self.max_depth is None:
            return "none" if self.concluded else f"below {self.fails_at}"
        deepest = self.fails_at - 1
        return str(self.max_depth) if self.concluded or deepest == self.max_depth else f"{self.max_depth} to {deepest}"
