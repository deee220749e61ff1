"""What a rule finds where it applies."""

from dataclasses import dataclass
from typing import TypeAlias

from depthsearch.core.problem import Criterion
from depthsearch.core.trace import Trace
from depthsearch.core.verdict import Evidence, Verdict, VerdictKind
from depthsearch.detection.criterion import bar_of, final_score

Figures: TypeAlias = dict[str, float | int | str | None]


@dataclass(frozen=True)
class Finding:
    """One rule's finding; each threshold bears the name of the figure that it is held against."""

    kind: VerdictKind
    rule: str
    sentence: str
    figures: Figures
    thresholds: dict[str, float | int]

    def verdict(self, trace: Trace, criterion: Criterion) -> Verdict:
        """The same as a verdict on the whole trace, with its final score against the bar."""
        evidence = Evidence(
            rule=self.rule,
            figures={"final_score": final_score(trace, criterion)} | self.figures,
            thresholds={"final_score": bar_of(trace, criterion)} | self.thresholds,
        )
        return Verdict(kind=self.kind, epoch=trace.epochs, sentence=self.sentence, evidence=evidence)
