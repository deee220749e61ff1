"""What happens during a search or an inspection, told to whoever passes `on_event`. Plain values."""

from dataclasses import dataclass
from typing import TypeAlias

from depthsearch.results.inspection import Inspection
from depthsearch.search.curve import Curve
from depthsearch.search.trial import Purpose


@dataclass(frozen=True)
class StudyOpened:
    """The study is open; `finished_trials` were already there, and are all it needs where `done`.

    `kept_runs` are the finished runs of trials that were interrupted and now go on.
    """

    study: str
    finished_trials: int
    done: bool = False
    kept_runs: int = 0


@dataclass(frozen=True)
class Preparing:
    """The engine needs a moment before its first training; `reason` says for what."""

    reason: str


@dataclass(frozen=True)
class TrialStarted:
    """`runs` fresh seeds are about to be trained at `depth`."""

    depth: int
    runs: int
    purpose: Purpose


@dataclass(frozen=True)
class RoundAdvanced:
    """Networks that train side by side got on: `share` of all epochs of the round are trained, finished runs included.

    Sent every second at most, and only while the searching thread itself trains; elsewhere runs are counted as they
    finish.
    """

    share: float


@dataclass(frozen=True)
class RunFinished:
    """One more run of the trials under way is finished and stored: `done` of `of` are."""

    depth: int
    trained: bool
    done: int
    of: int


@dataclass(frozen=True)
class TrialFinished:
    """`trained` of `runs` trained at `depth`; `verdicts` counts them; `curve` is what is known now.

    `runs_left` are the runs until the search is concluded and confirmed, as far as the method can foresee.
    """

    depth: int
    runs: int
    trained: int
    purpose: Purpose
    verdicts: dict[str, int]
    seconds: float
    curve: Curve
    runs_left: int | None = None


@dataclass(frozen=True)
class Inspected:
    """A run was looked at; what is still to be written for TensorBoard may fail without taking the result with it."""

    inspection: Inspection


Event: TypeAlias = StudyOpened | Preparing | TrialStarted | RoundAdvanced | RunFinished | TrialFinished | Inspected
