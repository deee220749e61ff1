"""The ladder: depths that are trained before a search, so that their scores set the bar that its runs are held against.

Whether a deeper network is no worse than a shallower one (the degradation problem, He et al., arXiv 1512.03385) needs
the score of the best shallower one. A few runs at steps 1, 2, 4, ... of the depths find the best rung; fresh runs there
set the bar, since the best of several medians is too high by chance. All of it is a pure function of the trials.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from depthsearch.search.exclusion import OpenSteps
from depthsearch.search.method import Pick
from depthsearch.search.settings import SearchSettings
from depthsearch.search.trial import Depths, Purpose, State, Trial

RUNG_RUNS, BAR_RUNS = 8, 16
"""Runs at each rung, and the fresh runs at the best one that set the bar."""

BUDGET_SHARE = 0.25
"""Of the budget that the rungs may take; the first rung is always trained."""

WORSE_RUNGS = 2
"""Successive rungs that are worse than the best, after which no deeper one is trained."""

ROUNDING = 5e-7
"""Scores are kept in single precision."""


@dataclass(frozen=True)
class Rung:
    """One depth of the ladder: how many runs were made there, and the median of their final scores."""

    depth: int
    runs: int
    median: float


@dataclass(frozen=True)
class Bar:
    """The score that the runs of a search must reach.

    Attributes:
        score: The median minus the margin, and the chance bar at least.
        rung: The depth that set it, the shallowest that is searched.
        median: Of the final scores of fresh runs there.
        runs: How many these were.
    """

    score: float
    rung: int
    median: float
    runs: int


class Ladder:
    """What the trials of a ladder show.

    Args:
        trials: Of the study, sorted by number; those of the search are left out.
        margin: By how much a score may lie below the best and still count as no worse.
    """

    def __init__(self, trials: Sequence[Trial], margin: float) -> None:
        self._finished = [
            trial
            for trial in trials
            if trial.purpose.is_ladder and trial.state is State.COMPLETE and trial.depth is not None and trial.scores
        ]
        self._trials, self.margin = trials, margin
        self.rungs = self._rungs()
        """Every depth that was trained to find the best, shallowest first."""

    @property
    def runs(self) -> int:
        """How many runs the ladder took, those that set the bar among them."""
        return sum(len(trial.scores or ()) for trial in self._finished)

    @property
    def bar(self) -> Bar | None:
        """The bar, once fresh runs at a rung have set it."""
        rungs = {rung.depth for rung in self.rungs}
        for trial in self._finished:
            if trial.purpose is Purpose.BAR and trial.depth in rungs and trial.depth is not None and trial.scores:
                middle = median(trial.scores)
                score = max(middle - self.margin, self._chance_bar)
                return Bar(score, trial.depth, middle, len(trial.scores))
        return None

    def next_pick(self, depths: Depths, settings: SearchSettings) -> Pick | None:
        """The next trial of the ladder: another rung, then the bar; None once that is known, or no depth is left.

        Depths that cannot be trained are left out.

        Args:
            depths: The depths that may be tried, from the shallowest on.
            settings: `max_runs` and `max_seconds` limit the rungs, never the bar.
        """
        if self.bar is not None:
            return None
        allowed = OpenSteps.of(self._trials, depths)
        step = self._next_step(depths, allowed)
        best = self._best([rung for rung in self.rungs if depths.step_of(rung.depth) in allowed])
        if best is not None and (step is None or self._is_past_best() or self._has_spent_share(settings)):
            return Pick(best.depth, BAR_RUNS, Purpose.BAR)
        return None if step is None else Pick(depths.at(step), RUNG_RUNS, Purpose.LADDER)

    @property
    def _chance_bar(self) -> float:
        return max((trial.chance_bar for trial in self._finished if trial.chance_bar is not None), default=0.0)

    def _rungs(self) -> tuple[Rung, ...]:
        scores: dict[int, list[float]] = {}
        for trial in self._finished:
            if trial.purpose is Purpose.LADDER and trial.depth is not None:
                scores.setdefault(trial.depth, []).extend(trial.scores or ())
        return tuple(Rung(depth, len(scores[depth]), median(scores[depth])) for depth in sorted(scores))

    def _best(self, rungs: Sequence[Rung]) -> Rung | None:
        """The rung with the highest median, the shallowest of equals; the first one where none beats chance."""
        if not rungs:
            return None
        best = max(rungs, key=lambda rung: (rung.median, -rung.depth))
        return best if best.median >= self._chance_bar - ROUNDING else rungs[0]

    def _next_step(self, depths: Depths, allowed: OpenSteps) -> int | None:
        """The shallowest of the steps 1, 2, 4, ... that may be tried and is no rung yet; None where there is none."""
        tried = {rung.depth for rung in self.rungs}
        step = 1
        while step <= allowed.last:
            if step in allowed and depths.at(step) not in tried:
                return step
            step *= 2
        return None

    def _is_past_best(self) -> bool:
        """Whether the deepest rungs are all worse than the best by more than the margin, or no better than chance."""
        least = max(max(rung.median for rung in self.rungs) - self.margin, self._chance_bar) - ROUNDING
        deepest = self.rungs[-WORSE_RUNGS:]
        return len(deepest) == WORSE_RUNGS and all(rung.median < least for rung in deepest)

    def _has_spent_share(self, settings: SearchSettings) -> bool:
        """Whether one more rung would take more than its share of the budget."""
        if settings.max_runs is not None and self.runs + RUNG_RUNS > BUDGET_SHARE * settings.max_runs:
            return True
        seconds = sum(trial.seconds for trial in self._finished)
        return settings.max_seconds is not None and seconds >= BUDGET_SHARE * settings.max_seconds
