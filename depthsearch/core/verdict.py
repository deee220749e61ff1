"""What a trace shows: one of a closed list of outcomes, with the evidence that decided it."""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator

from depthsearch.core.model import FrozenModel


class VerdictKind(StrEnum):
    """The closed list, in the order in which the rules are asked."""

    TRAINED = "trained"
    EXPLODED = "exploded"
    BORN_DEAD = "born_dead"
    DIED = "died"
    VANISHED = "vanished"
    INPUT_BLIND = "input_blind"
    UNSTABLE = "unstable"
    SLOW = "slow"
    DEGRADED = "degraded"
    FLAT = "flat"


def _spell_non_finite(figures: Any) -> Any:
    # JSON has neither NaN nor infinities: they are kept as the text "nan", "inf", "-inf".
    return {
        key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in dict(figures).items()
    }


class Evidence(FrozenModel):
    """The rule that decided, the figures that it looked at, and the thresholds it held them against."""

    rule: str
    figures: Annotated[dict[str, float | int | str | None], BeforeValidator(_spell_non_finite)]
    thresholds: dict[str, float | int]


class Verdict(FrozenModel):
    """One run's outcome.

    Attributes:
        kind: Which outcome.
        epoch: The last entry of the trace that was looked at.
        sentence: The verdict for people, figures included.
        evidence: The same for programs.
    """

    kind: VerdictKind
    epoch: int
    sentence: str
    evidence: Evidence

    @property
    def trained(self) -> bool:
        """Whether the verdict is `trained`."""
        return self.kind is VerdictKind.TRAINED


def count_verdicts(kinds: Sequence[VerdictKind]) -> dict[str, int]:
    """How often each verdict occurred, in the order of the rules; those that did not are left out."""
    return {kind.value: kinds.count(kind) for kind in VerdictKind if kind in kinds}
