"""What a trace shows: one of a closed list of outcomes, with the evidence that decided it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator

from depthsearch.detection.trained import bar_of, final_score
from depthsearch.problem.criterion import Criterion
from depthsearch.schema import FrozenModel
from depthsearch.training.trace import Trace


class VerdictKind(StrEnum):
    """The closed list, in the order of the rules."""

    TRAINED = "trained"
    EXPLODED = "exploded"
    BORN_DEAD = "born_dead"
    DIED = "died"
    SATURATED = "saturated"
    VANISHED = "vanished"
    INPUT_BLIND = "input_blind"
    UNSTABLE = "unstable"
    SLOW = "slow"
    DEGRADED = "degraded"
    FLAT = "flat"


PRECISION: dict[VerdictKind, float] = {
    VerdictKind.EXPLODED: 1.0,
    VerdictKind.BORN_DEAD: 1.0,
    VerdictKind.DIED: 1.0,
    VerdictKind.SATURATED: 0.894,
    VerdictKind.VANISHED: 0.862,
    VerdictKind.INPUT_BLIND: 0.565,
    VerdictKind.UNSTABLE: 0.987,
    VerdictKind.SLOW: 0.81,
}
"""How often each verdict named the right cause of a held-out network (benchmarks/README.md). `degraded` and `flat` name
no cause.
"""


def _spell_non_finite(figures: Any) -> Any:
    # JSON has neither NaN nor infinities: they are kept as the text "nan", "inf", "-inf".
    return {
        key: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in dict(figures).items()
    }


class Evidence(FrozenModel):
    """The rule that decided, the figures that it used, and their thresholds.

    Each threshold has the name of the figure that it belongs to.
    """

    rule: str
    figures: Annotated[dict[str, float | int | str | None], BeforeValidator(_spell_non_finite)]
    thresholds: dict[str, float | int]


class Verdict(FrozenModel):
    """One run's outcome.

    Attributes:
        kind: Which outcome.
        epoch: The last entry of the trace.
        evidence: The rule that decided, with its figures and thresholds.
        sentence: The words that an earlier version stored with the verdict, whose figures may be too few to word it
            again; empty for verdicts of this version, which `reporting.sentences` words.
    """

    kind: VerdictKind
    epoch: int
    evidence: Evidence
    sentence: str = ""

    @property
    def confidence(self) -> float | None:
        """How often this verdict is right where it was measured (see PRECISION); None where it names no cause."""
        return PRECISION.get(self.kind)

    @property
    def trained(self) -> bool:
        """Whether the verdict is `trained`."""
        return self.kind is VerdictKind.TRAINED


def count_verdicts(kinds: Sequence[VerdictKind]) -> dict[str, int]:
    """How often each verdict occurred, in the order of the rules; those that did not are left out."""
    return {kind.value: kinds.count(kind) for kind in VerdictKind if kind in kinds}


Figures: TypeAlias = dict[str, float | int | str | None]
Thresholds: TypeAlias = dict[str, float | int]


@dataclass(frozen=True)
class Finding:
    """What one rule finds in a trace, with what its sentence needs among the figures."""

    kind: VerdictKind
    rule: str
    figures: Figures
    thresholds: Thresholds = field(default_factory=dict)

    def verdict(self, trace: Trace, criterion: Criterion) -> Verdict:
        """The verdict on the whole trace, with its final score against the bar."""
        score = trace.facts.score_name
        named: Figures = {} if score == "accuracy" else {"score_name": score}
        evidence = Evidence(
            rule=self.rule,
            figures={"final_score": final_score(trace, criterion)} | self.figures | named,
            thresholds={"final_score": bar_of(trace, criterion)} | self.thresholds,
        )
        return Verdict(kind=self.kind, epoch=trace.epochs, evidence=evidence)
