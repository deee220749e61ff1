"""A stored study as lists and pages show it."""

from dataclasses import dataclass

from depthsearch.problem.study_file import Reported
from depthsearch.results.answer import Answer
from depthsearch.schema import FrozenModel
from depthsearch.search.curve import CurvePoint
from depthsearch.store import StoredRun


class StudyRow(FrozenModel):
    """One line of the list of studies."""

    study: str
    problem: str
    outcome: str
    max_depth: int | None
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
        name: By which the page calls it: the study's own, or the problem's in a study file.
        answer: What is known; None where the study cannot be read.
        runs: Of its finished trials.
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
