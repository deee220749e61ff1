"""What a rule finds where it applies."""

from dataclasses import dataclass
from typing import TypeAlias

from depthsearch.core.trace import Trace
from depthsearch.core.verdict import Evidence, Verdict, VerdictKind

Figures: TypeAlias = dict[str, float | int | str | None]


@dataclass(frozen=True)
class Finding:
    """One rule's finding; each threshold bears the name of the figure that it is held against."""

    kind: VerdictKind
    rule: str
    sentence: str
    figures: Figures
    thresholds: dict[str, float | int]

    def verdict(self, trace: Trace) -> Verdict:
        """The same as a verdict on all that was looked at."""
        evidence = Evidence(rule=self.rule, figures=self.figures, thresholds=self.thresholds)
        return Verdict(kind=self.kind, epoch=trace.epochs, sentence=self.sentence, evidence=evidence)
