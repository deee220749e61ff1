"""Trials as plain values, and the user attributes that hold them in an Optuna study.

A trial's parameter is the depth and its value is the depth. Its attributes say how it went: `runs`, `trained`,
`seeds`, `purpose`, and counts per verdict. Methods see a `Trial`, never Optuna's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from optuna.distributions import IntDistribution
    from optuna.trial import FrozenTrial

DEPTH, RUNS, TRAINED, PURPOSE = "depth", "runs", "trained", "purpose"

SEEDS = "seeds"
"""The user attribute of a trial that holds the seeds of its runs; it is stored before anything is trained."""

ROUND = "round"
"""The number of the first trial of those that are created, and trained, together."""

VERDICTS, SECONDS, EFFORT = "verdicts", "seconds", "effort"

ADOPTED = "adopted"
"""The user attribute of an interrupted trial: how often it went on without finishing a run, from how many runs."""

EXCLUDED = "excluded"
"""The user attribute of a failed trial that takes its depth out of the search: one of ExclusionKind."""
SCORES, CHANCE_BAR = "scores", "chance_bar"
"""Of a trial of the ladder: the final score of each run, and the score that no bar lies below."""

HALF = 0.5


class Purpose(StrEnum):
    """Why a trial is made.

    To search; as a sentinel among depths thought to train, or in the tail beyond the threshold, both to see whether
    trainability falls with depth at all; or to confirm what the search found. Before a search whose bar is relative: as
    a rung of the ladder of depths, or to set the bar with fresh seeds at the best rung.
    """

    SEARCH = "search"
    SENTINEL = "sentinel"
    TAIL = "tail"
    CONFIRM = "confirm"
    LADDER = "ladder"
    BAR = "bar"

    @property
    def is_exploratory(self) -> bool:
        """Whether the trial checks that trainability falls with depth."""
        return self in (Purpose.SENTINEL, Purpose.TAIL)

    @property
    def is_ladder(self) -> bool:
        """Whether the trial comes before the search, and has scores instead of a share that trained."""
        return self in (Purpose.LADDER, Purpose.BAR)


class State(StrEnum):
    """How far a trial is; a pruned one counts as failed, and a failed one as never made."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"


class ExclusionKind(StrEnum):
    """Why a depth cannot be trained.

    Its network cannot be built; memory runs out, which excludes everything deeper as well; or training it raises an
    exception, twice with the same seed.
    """

    BUILD = "build"
    MEMORY = "memory"
    ERROR = "error"


class Trial(NamedTuple):
    """One trial.

    Attributes:
        number: Its place in the study, from 0.
        state: How far it is.
        depth: What it tries; None until it is chosen.
        runs: How many runs were made; None where the trial does not say, or says what cannot be.
        trained: How many of these runs trained; None where `runs` is.
        purpose: Why it is made.
        seeds: How many seeds it has; 0 until they are drawn.
        effort: Training budgets spent by the runs that trained, and by the others; None where that was not recorded.
        seconds: What it took.
        excluded: Why its depth cannot be trained; None unless the trial failed for that.
        scores: Of a finished trial of the ladder: the final score of each run; None for the other trials.
        chance_bar: Of such a trial: the score that no bar lies below.
    """

    number: int
    state: State
    depth: int | None = None
    runs: int | None = None
    trained: int | None = None
    purpose: Purpose = Purpose.SEARCH
    seeds: int = 0
    effort: tuple[float, float] | None = None
    seconds: float = 0.0
    excluded: ExclusionKind | None = None
    scores: tuple[float, ...] | None = None
    chance_bar: float | None = None

    @classmethod
    def of(cls, trial: "FrozenTrial", parameter: str = DEPTH) -> "Trial":
        """Read a trial of Optuna.

        Args:
            trial: Optuna's.
            parameter: Name of the integer parameter that is the depth.

        Raises:
            ValueError: Its purpose, or its kind of exclusion, is none that there is.
        """
        depth, seeds = trial.params.get(parameter), trial.user_attrs.get(SEEDS)
        effort, seconds = trial.user_attrs.get(EFFORT), trial.user_attrs.get(SECONDS)
        chance_bar = trial.user_attrs.get(CHANCE_BAR)
        runs, trained = counts_of(trial) or (None, None)
        return cls(
            number=trial.number,
            state=_STATES.get(trial.state.name, State.FAILED),
            depth=int(depth) if isinstance(depth, int | float) else None,
            runs=runs,
            trained=trained,
            purpose=purpose_of(trial),
            seeds=len(seeds) if isinstance(seeds, list | tuple) else 0,
            effort=(effort[0], effort[1]) if isinstance(effort, list) and len(effort) == 2 else None,  # noqa: PLR2004
            seconds=seconds if isinstance(seconds, int | float) else 0.0,
            excluded=excluded_as(trial),
            scores=scores_of(trial),
            chance_bar=chance_bar if isinstance(chance_bar, int | float) else None,
        )

    @property
    def made(self) -> int:
        """How many runs the trial made, those of the ladder included; 0 where it does not say."""
        return len(self.scores) if self.scores is not None else self.runs or 0


_STATES = {"WAITING": State.WAITING, "RUNNING": State.RUNNING, "COMPLETE": State.COMPLETE}


def counts_of(trial: "FrozenTrial") -> tuple[int, int] | None:
    """(runs, how many of them trained); None unless these are whole numbers, 0 <= trained <= runs and 1 <= runs."""
    runs, trained = trial.user_attrs.get(RUNS), trial.user_attrs.get(TRAINED)
    if type(runs) is not int or type(trained) is not int or not 0 <= trained <= runs or runs < 1:
        return None
    return runs, trained


def scores_of(trial: "FrozenTrial") -> tuple[float, ...] | None:
    """The final scores of a trial of the ladder; None unless these are numbers, one at least."""
    scores = trial.user_attrs.get(SCORES)
    if not isinstance(scores, list) or not scores or not all(isinstance(score, int | float) for score in scores):
        return None
    return tuple(map(float, scores))


def purpose_of(trial: "FrozenTrial") -> Purpose:
    """Why the trial is made; a trial that does not say is part of the search."""
    purpose = trial.user_attrs.get(PURPOSE)
    return Purpose.SEARCH if purpose is None else Purpose(purpose)


def excluded_as(trial: "FrozenTrial") -> ExclusionKind | None:
    """Why the trial's depth cannot be trained; None of a trial that does not say so, or did not fail."""
    kind = trial.user_attrs.get(EXCLUDED)
    return None if kind is None or trial.state.name != "FAIL" else ExclusionKind(kind)


@dataclass(frozen=True)
class Probe:
    """A depth that was tried: `trained` of `runs` trained."""

    depth: int
    runs: int
    trained: int

    def passes(self, reliability: float) -> bool:
        """Whether at least that share of the runs trained."""
        # A hair's breadth for shares such as 7 / 10 against 0.7, which floating point does not hold exactly.
        return self.trained >= reliability * self.runs - 1e-9

    def mostly_failed(self, reliability: float) -> bool:
        """Whether most of the runs failed, where the reliability asks for half of them at least."""
        return mostly_failed(trained=self.trained, runs=self.runs, reliability=reliability)


def mostly_failed(*, trained: int, runs: int, reliability: float) -> bool:
    """Whether most of the runs at a depth failed, where the reliability asks for half of them at least."""
    return reliability >= HALF and 2 * trained < runs


def probes(trials: Sequence[Trial], *, purpose: Purpose | None = None) -> list[Probe]:
    """The finished trials of a search that say how many of their runs trained; `purpose` leaves out all others."""
    return [
        Probe(trial.depth, trial.runs, trial.trained)
        for trial in trials
        if trial.state is State.COMPLETE
        and trial.depth is not None
        and trial.runs is not None
        and trial.trained is not None
        and not trial.purpose.is_ladder
        and (purpose is None or trial.purpose is purpose)
    ]


def pooled(found: Sequence[Probe]) -> list[Probe]:
    """One probe for each depth, shallowest first, its runs added up."""
    summed: dict[int, tuple[int, int]] = {}
    for probe in found:
        runs, trained = summed.get(probe.depth, (0, 0))
        summed[probe.depth] = runs + probe.runs, trained + probe.trained
    return [Probe(depth, *summed[depth]) for depth in sorted(summed)]


def confirming(trials: Sequence[Trial]) -> list[Trial]:
    """The finished trials that confirm."""
    return [trial for trial in trials if trial.state is State.COMPLETE and trial.purpose is Purpose.CONFIRM]


@dataclass(frozen=True)
class Depths:
    """The depths that may be tried: low, low + step, ..., high. Methods count them as steps 1, 2, ..., `last`."""

    low: int
    high: int
    step: int = 1

    @classmethod
    def of(cls, distribution: "IntDistribution") -> "Depths":
        """The range of an integer parameter of Optuna."""
        return cls(distribution.low, distribution.high, distribution.step)

    @property
    def last(self) -> int:
        """The deepest step."""
        return (self.high - self.low) // self.step + 1

    def at(self, step: int) -> int:
        """The depth at a step; step 0 is just above the shallowest."""
        return self.low + (step - 1) * self.step

    def step_of(self, depth: int) -> int:
        """The step of a depth."""
        return (depth - self.low) // self.step + 1

    def __contains__(self, depth: int) -> bool:
        return self.low <= depth <= self.high and (depth - self.low) % self.step == 0


def draw_seeds(root: int, *, depth: int, first: int, count: int) -> list[int]:
    """The seeds of the runs numbered `first` to `first + count - 1` at a depth, each below 2**32.

    Each depends only on (root, depth, number), so a trial that is made again draws the same ones.
    """
    import numpy as np  # noqa: PLC0415 - settings are checked without NumPy

    return [
        int(np.random.SeedSequence([root, depth, number]).generate_state(1)[0])
        for number in range(first, first + count)
    ]
