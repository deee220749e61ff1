"""Depths that cannot be trained at all: what is stored of each, and which depths that leaves.

An exclusion is a trial that failed with the user attributes below. No method picks its depth again; where memory ran
out, nothing deeper either.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from depthsearch.schema import FrozenModel
from depthsearch.search.trial import DEPTH, Depths, ExclusionKind, State, Trial, excluded_as

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

REASON, TRACEBACK = "exclusion_reason", "exclusion_traceback"
"""The user attributes that say why, in one line, and with all that Python printed."""

MOST_ERRORS = 3
"""Exclusions other than for memory that end a search: then the network's code is to blame, not its depth."""


class Exclusion(FrozenModel):
    """A depth that cannot be trained.

    Attributes:
        depth: In the family's units.
        kind: What went wrong.
        deeper: Whether everything deeper is excluded with it.
        reason: In one line, such as "ValueError: no input is left".
        traceback: The whole traceback; empty where the process ended without one.
        trial: Number of the trial that found it.
    """

    depth: int
    kind: ExclusionKind
    deeper: bool
    reason: str
    traceback: str
    trial: int

    @classmethod
    def of(cls, trial: "FrozenTrial", parameter: str = DEPTH) -> "Exclusion | None":
        """Read a failed trial of Optuna; None where it excludes nothing.

        Raises:
            ValueError: Its kind is none that there is.
        """
        kind, depth = excluded_as(trial), trial.params.get(parameter)
        if kind is None or depth is None:
            return None
        return cls(
            depth=int(depth),
            kind=kind,
            deeper=kind is ExclusionKind.MEMORY,
            reason=str(trial.user_attrs.get(REASON, "")),
            traceback=str(trial.user_attrs.get(TRACEBACK, "")),
            trial=trial.number,
        )


def excluded_steps(trials: Sequence[Trial], depths: Depths) -> tuple[frozenset[int], int | None]:
    """The single steps that are excluded, and the shallowest from which on everything is; None where there is none."""
    found = [
        (depths.step_of(trial.depth), trial.excluded)
        for trial in trials
        if trial.state is State.FAILED and trial.excluded is not None and trial.depth is not None
    ]
    memory = min((step for step, kind in found if kind is ExclusionKind.MEMORY), default=None)
    return frozenset(step for step, kind in found if kind is not ExclusionKind.MEMORY), memory


def ended_by_errors(trials: Sequence[Trial], depths: Depths) -> bool:
    """Whether so many depths of these were excluded, other than for memory, that the search ends."""
    single, _ = excluded_steps(trials, depths)
    return sum(1 <= step <= depths.last for step in single) >= MOST_ERRORS


@dataclass(frozen=True)
class OpenSteps:
    """The steps that may still be tried, counted as in `Depths`.

    Attributes:
        last: The deepest of them; 0 where there is none.
        closed: Excluded steps up to `last`.
        reach: The deepest worth trying now: as `last`, or halfway to where memory ran out, so that few trials find
            the deepest network that fits.
        by_memory: Whether memory, not the range, decides the last step.
        finished: The steps of finished trials.
    """

    last: int
    closed: frozenset[int]
    reach: int
    by_memory: bool
    finished: frozenset[int]

    @classmethod
    def of(cls, trials: Sequence[Trial], depths: Depths) -> "OpenSteps":
        """From the trials, sorted by number."""
        single, memory = excluded_steps(trials, depths)
        finished = frozenset(
            depths.step_of(trial.depth)
            for trial in trials
            if trial.state is State.COMPLETE and trial.depth is not None and trial.depth >= depths.low
        )
        limited = memory is not None and memory <= depths.last
        last = reach = depths.last
        if memory is not None and limited:
            last = max(memory - 1, 0)
            fits = max((step for step in finished if step < memory), default=0)
            reach = (fits + memory) // 2 if last else 0
        while last in single:
            last -= 1
        return cls(last, frozenset(step for step in single if 1 <= step <= last), min(reach, last), limited, finished)

    def __contains__(self, step: object) -> bool:
        return isinstance(step, int) and 1 <= step <= self.last and step not in self.closed

    def left_of(self, steps: Collection[int], last: int) -> set[int]:
        """Those of the steps that are not excluded, with those that lie beyond the range."""
        return {step for step in steps if step in self or not 1 <= step <= last}

    def all_closed(self, first: int, last: int) -> bool:
        """Whether none of the steps from `first` to `last` may be tried."""
        first, last = max(first, 1), min(last, self.last)
        return last - first + 1 <= sum(first <= step <= last for step in self.closed)

    def within(self, first: int, last: int, wanted: int, avoid: Collection[int] = ()) -> int | None:
        """The step from `first` to `last` nearest to the wanted one that may be tried; None where there is none."""
        first, last = max(first, 1), min(last, self.last)
        wanted = min(max(wanted, first), last)
        for away in range(last - first + 1):
            for step in (wanted - away, wanted + away):
                if first <= step <= last and step in self and step not in avoid:
                    return step
        return None

    def instead_of(self, step: int) -> int:
        """The step itself where it may be tried now; otherwise a shallower one that tells as much as one can.

        In place of an excluded one, the geometric middle between it and the deepest finished one above it: where one
        depth cannot be built, its neighbour seldom can. The caller makes sure that some step may be tried.
        """
        step = min(step, self.reach)
        if step in self:
            return step
        above = max((other for other in self.finished if other < step), default=0)
        found = self.within(1, self.last, math.isqrt(max(above, 1) * step))
        return step if found is None else found
