"""Given depths, one after another: for a curve rather than a threshold."""

from collections.abc import Sequence
from typing import ClassVar

from depthsearch.search.curve import Curve
from depthsearch.search.method import Pick, picks_in_turn
from depthsearch.search.threshold.method import PosteriorMethod
from depthsearch.search.trial import State, Trial


class Grid(PosteriorMethod):
    """Tries each of the settings' depths in turn, and the one tried least again once all were.

    Depths outside the range, and excluded ones, are left out. The search is concluded once every depth was tried; its
    curve and its interval come from the posterior, and its answer is one of the depths.
    """

    name: ClassVar[str] = "grid"
    takes_depths: ClassVar[bool] = True

    @property
    def only(self) -> tuple[int, ...]:
        """The depths of the grid; the shallowest that may be tried where all of them lie outside."""
        return tuple(depth for depth in self.settings.depths or () if depth in self.depths) or (self.depths.low,)

    def next_picks(self, trials: Sequence[Trial], most: int) -> tuple[Pick, ...]:
        """The depths that were tried least, in the order of the settings."""
        runs = self.settings.runs_per_trial
        within = self._open(trials)
        tried = [trial.depth for trial in trials if trial.state is State.COMPLETE and not trial.purpose.is_ladder]

        def pick(pending: Sequence[Pick], _place: int) -> Pick:
            under_way = [other.depth for other in pending]
            return Pick(min(within, key=lambda depth: tried.count(depth) + under_way.count(depth)), runs)

        return picks_in_turn(trials, most, pick, lambda _purpose: runs)

    def round_size(self, trials: Sequence[Trial]) -> int:
        """All depths that are missing: no answer decides another question."""
        return len(self._missing(trials))

    def runs_left(self, trials: Sequence[Trial], curve: Curve | None = None) -> int | None:
        """Those of the depths that are missing."""
        return self.within_budget(len(self._missing(trials)) * self.settings.runs_per_trial, trials)

    def has_open_depths(self, trials: Sequence[Trial]) -> bool:
        """Whether not all of the depths are excluded."""
        return bool(self._open(trials))

    def _missing(self, trials: Sequence[Trial]) -> set[int]:
        finished = {trial.depth for trial in trials if trial.state is State.COMPLETE and trial.runs is not None}
        return set(self._open(trials)) - finished

    def _open(self, trials: Sequence[Trial]) -> list[int]:
        allowed = self.open_steps(trials)
        return [depth for depth in self.only if self.depths.step_of(depth) in allowed]
