"""What happens during a search or an inspection, as plain values that `on_event` is called with."""

from dataclasses import dataclass
from typing import TypeAlias

from depthsearch.results.inspection import Inspection
from depthsearch.results.pace import Timing
from depthsearch.search.curve import Curve
from depthsearch.search.exclusion import Exclusion
from depthsearch.search.trial import Purpose


@dataclass(frozen=True)
class StudyOpened:
    """The study is open; it holds `finished_trials`, and where `done` needs no more.

    `kept_runs` are the finished runs of trials that were interrupted and now go on. `timings` are what its trials took
    so far, and `runs_left` the runs until the search is concluded and confirmed, as far as the method can foresee.
    """

    study: str
    finished_trials: int
    done: bool = False
    kept_runs: int = 0
    timings: tuple[Timing, ...] = ()
    runs_left: int | None = None


@dataclass(frozen=True)
class Preparing:
    """The engine prepares for its first training, for the given reason."""

    reason: str


@dataclass(frozen=True)
class TrialStarted:
    """`runs` fresh seeds are about to be trained at `depth`."""

    depth: int
    runs: int
    purpose: Purpose


@dataclass(frozen=True)
class RunUnderWay:
    """A run at `depth` that has taken `steps` of `of` optimizer steps, `share` of its budget.

    `seconds` is what the whole run takes at this pace; None before its first entry is done.
    """

    depth: int
    steps: int
    of: int
    share: float
    seconds: float | None


@dataclass(frozen=True)
class RoundAdvanced:
    """Networks train: `share` of all epochs of the round are done, finished runs included; `running` are under way.

    Sent every second at most, and only while the searching thread itself trains; elsewhere runs are counted as they
    finish.
    """

    share: float
    running: tuple[RunUnderWay, ...] = ()


@dataclass(frozen=True)
class RunFinished:
    """One more run of the trials under way is finished and stored, the `done`th of `of`."""

    depth: int
    trained: bool
    done: int
    of: int


@dataclass(frozen=True)
class TrialFinished:
    """`trained` of `runs` trained at `depth`; `verdicts` counts them; `curve` is what is known now.

    `runs_left` are the runs until the search is concluded and confirmed, as far as the method can foresee. `score` is
    the median final score of a trial of the ladder, whose runs are counted by chance; the other trials have none.
    """

    depth: int
    runs: int
    trained: int
    purpose: Purpose
    verdicts: dict[str, int]
    seconds: float
    curve: Curve
    runs_left: int | None = None
    score: float | None = None


@dataclass(frozen=True)
class DepthExcluded:
    """A depth cannot be trained: its trials fail, and no later one tries it."""

    exclusion: Exclusion


@dataclass(frozen=True)
class Inspected:
    """A run is inspected. The event comes before the run is written for TensorBoard, which may fail."""

    inspection: Inspection


Event: TypeAlias = (
    StudyOpened | Preparing | TrialStarted | RoundAdvanced | RunFinished | TrialFinished | DepthExcluded | Inspected
)
