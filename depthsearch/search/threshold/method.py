"""Threshold search as a method, and what all methods share whose curve is a posterior. NumPy is loaded when used."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from depthsearch.search.curve import Curve, CurvePoint
from depthsearch.search.method import Pick, SearchMethod
from depthsearch.search.trial import Trial

if TYPE_CHECKING:
    from depthsearch.search.threshold.estimation import Estimation


class PosteriorMethod(SearchMethod):
    """A method whose curve, interval and end come from the posterior over curves, whichever depths it chooses.

    The runs of a confirmation may move the answer, or reopen the search; then it is confirmed again.
    """

    most_confirmations: ClassVar[int] = 3

    @property
    def only(self) -> tuple[int, ...] | None:
        """The only depths that are tried, and that may be the answer; None where every depth may."""
        return None

    def estimate(self, trials: Sequence[Trial], *, curves: int | None = None) -> Curve:
        """The posterior's curve with its band and interval."""
        return self._estimation(trials).curve(curves)

    def runs_left(self, trials: Sequence[Trial], curve: Curve | None = None) -> int | None:
        """As many as either stopping rule asks for, then the tail and the confirmation."""
        return self.within_budget(self._estimation(trials).runs_left(curve), trials)

    def next_confirmation(self, trials: Sequence[Trial], curve: Curve) -> Pick | None:
        """The deepest depth that passes by the posterior median, and at which not most runs failed."""
        return self._estimation(trials).next_confirmation(curve)

    def confirmation_agrees(self, trials: Sequence[Trial], trial: Trial) -> bool:
        """Whether the count does not lie in the outer tails of what the posterior before it predicts."""
        return self._estimation(trials).confirmation_agrees(trial)

    def probabilities(self, trials: Sequence[Trial], wanted: Sequence[int]) -> tuple[CurvePoint, ...]:
        """From all curves of the posterior."""
        return self._estimation(trials).probabilities(wanted)

    def _estimation(self, trials: Sequence[Trial]) -> "Estimation":
        from depthsearch.search.threshold.estimation import Estimation  # noqa: PLC0415 - settings need no NumPy

        return Estimation(
            trials,
            self.settings,
            self.depths,
            only=self.only,
            most_confirmations=self.most_confirmations,
            starts_low=self.starts_low,
        )


class ThresholdSearch(PosteriorMethod):
    """Tries the depth that tells most of the threshold for its cost, and checks for curves that dip or revive.

    The next depth is the one that reduces the posterior variance of ln(threshold) most for its cost (see
    threshold.acquisition), and never deeper than twice the deepest success. Now and then a trial is a sentinel at a
    random shallower depth; and once a stopping rule holds, depths in the tail beyond the threshold are tried, so that
    a revival would be seen.
    """

    name: ClassVar[str] = "threshold"

    def next_picks(self, trials: Sequence[Trial], most: int) -> tuple[Pick, ...]:
        """The depths that tell most, with sentinels and the tail among them."""
        from depthsearch.search.threshold.picking import next_picks  # noqa: PLC0415

        return next_picks(trials, most, self.depths, self.settings, starts_low=self.starts_low)
