"""A stored study as lists and pages show it."""

from collections.abc import Sequence
from dataclasses import dataclass

from depthsearch.problem.study_file import Reported
from depthsearch.results.answer import Answer
from depthsearch.results.comparison import Compared, Comparison
from depthsearch.schema import FrozenModel
from depthsearch.search.curve import CurvePoint
from depthsearch.store import StoredRun


class StudyRow(FrozenModel):
    """One line of the list of studies.

    Attributes:
        study: Its name.
        problem: The problem in a few words, with the fields in which the listed studies differ.
        outcome: How the search ended.
        max_depth: In the family's unit; null where none trains.
        unit: What the family counts depth in, in the plural.
        interval_low: Of the threshold; null where none is claimed.
        interval_high: Null where none is claimed, or where it is open.
        reliability: The share of runs that must train.
        trials: Finished ones.
        runs: Of these trials.
        seconds: Of training.
        seed: Root seed.
        created: When the study was begun, in UTC.
        fingerprint: Of the problem.
    """

    study: str
    problem: str
    outcome: str
    max_depth: int | None
    unit: str
    interval_low: int | None
    interval_high: int | None
    reliability: float
    trials: int
    runs: int
    seconds: float
    seed: int
    created: str
    question: str
    code: str


@dataclass(frozen=True)
class StudyReport:
    """One study, as a page shows it.

    Attributes:
        name: The study's, or the problem's in a study file.
        label: The problem in a few words, with the fields in which the reported studies differ.
        answer: What is known; None where the study cannot be read.
        runs: Of its finished trials, those of a ladder left out.
        under_way: Trials that were begun and are not finished.
        failed: Trials that failed, as where a process died; a search tries their depths again.
        reported: What a study file says of it.
        measured: P(trained) at the single depths that were reported.
        damage: Why it cannot be read.
        older: That another version of depthsearch began it, in words; empty where it was this one.
    """

    name: str
    answer: Answer | None
    runs: tuple[StoredRun, ...] = ()
    under_way: int = 0
    failed: int = 0
    reported: Reported | None = None
    measured: tuple[CurvePoint, ...] = ()
    damage: str = ""
    older: str = ""
    label: str = ""

    @property
    def heading(self) -> str:
        """What the page calls it: its label, or the name that a study file gives it."""
        return self.label if self.answer is not None and self.label and self.name == self.answer.study else self.name


def comparison_of(reports: Sequence[StudyReport], *, title: str = "", source: str = "") -> Comparison:
    """The comparison of those studies of which anything is known."""
    rows = [
        Compared(name=report.heading, answer=report.answer, reported=report.reported, measured=report.measured)
        for report in reports
        if report.answer is not None and report.answer.curve
    ]
    return Comparison.ranked(rows, title=title, source=source)
