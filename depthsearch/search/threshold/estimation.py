"""What the trials say of the threshold: the posterior's curve, when the search is concluded, and its confirmation."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from depthsearch.search.curve import Conclusion, Crossing, Curve, CurvePoint
from depthsearch.search.method import Pick
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.threshold.monotone import crossings, falls_with_depth
from depthsearch.search.threshold.picking import Known, runs_for
from depthsearch.search.threshold.posterior import quantiles
from depthsearch.search.threshold.stopping import LEVEL, NEARNESS, TAIL_RUNS, Threshold, surprising, threshold
from depthsearch.search.trial import HALF, Depths, Purpose, State, Trial, confirming, mostly_failed, pooled, probes

REOPENED = 4
"""Trials that a search goes on for after a confirmation that disagreed."""

STANDARD_ERRORS = 1.96
"""Half-width of a 95 % interval."""

NEAR = 1.5
"""Runs at depths within this factor of the interval tell of P(trained) at the threshold."""


class Estimation:
    """What some trials say.

    Args:
        trials: Sorted by number.
        settings: `reliability`, `tolerance`, `max_runs`, `runs_per_trial` and `seed` are used.
        depths: The depths that may be tried.
        only: The only depths that are tried, and that may be the answer; None where every depth may.
        most_confirmations: Confirmations after which no further depth is confirmed.
        starts_low: Whether curves may start low (see `posterior`).
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        settings: ResolvedSettings,
        depths: Depths,
        *,
        most_confirmations: int,
        only: Sequence[int] | None = None,
        starts_low: bool = False,
    ) -> None:
        self._trials, self._settings, self._depths, self._only = trials, settings, depths, only
        self._most_confirmations, self._starts_low = most_confirmations, starts_low

    @cached_property
    def _known(self) -> Known:
        return self._known_from(self._trials)

    def _known_from(self, trials: Sequence[Trial]) -> Known:
        return Known.of(trials, self._depths, starts_low=self._starts_low)

    def curve(self, curves: int | None = None) -> Curve:
        """The curve with its band, the interval, and the depth that it names; from so many curves, or all."""
        known, share = self._known, self._settings.reliability
        if not known.counts:
            return Curve(points=(), max_depth=None, fails_at=None)
        belief = known.belief
        concluded = self._concluded()
        fitting = None if concluded is Conclusion.SHALLOWEST else belief
        monotone = falls_with_depth(known.counts, fitting, seed=self._settings.seed) if concluded else None
        if monotone is False:
            return self._not_monotone(concluded)
        levels = quantiles(np.exp(belief.width()), belief.weight, (0.5, (1 - LEVEL) / 2, (1 + LEVEL) / 2))
        shown = sorted({share, HALF}, reverse=True)
        thresholds = tuple(self._crossing(threshold(belief, level), level) for level in shown)
        low, high = next(crossing.interval for crossing in thresholds if crossing.reliability == share)
        passing, failing = self._tried_depths()
        again = self._confirmations()
        # A confirmed depth that the threshold is known to lie beyond is no answer, unless nothing between may be tried.
        least = self._depths.low if concluded is Conclusion.GRID else low
        confirmed = [depth for depth in passing if again.get(depth, False) and depth >= least]
        max_depth = max(confirmed or passing, default=None)
        # Where nothing that was tried fails, only the prior bounds the threshold above.
        high = high if failing else None
        # A depth that was tried and passes may lie outside the interval, which is widened to hold it.
        interval: tuple[int, int | None] | None = (low, high)
        if max_depth is not None:
            interval = (min(low, max_depth), None if high is None else max(high, max_depth))
        none_passes = concluded is Conclusion.SHALLOWEST and max_depth is None and self._depths.low in again
        return Curve(
            points=self.probabilities([self._depths.at(count.depth) for count in known.counts], curves=curves),
            max_depth=max_depth,
            fails_at=min((depth for depth in failing if depth > (max_depth or 0)), default=None),
            confirmed=concluded is not None and (bool(confirmed) or none_passes),
            interval=interval,
            level=LEVEL,
            concluded=concluded,
            monotone=monotone,
            thresholds=thresholds,
            transition=(round(float(levels[0]), 4), round(float(levels[1]), 4), round(float(levels[2]), 4)),
        )

    def _tried_depths(self) -> tuple[list[int], list[int]]:
        """The depths that were tried and pass, and those that fail, shallowest first."""
        known, share = self._known, self._settings.reliability
        median = known.threshold(self._settings).median
        passing: list[int] = []
        failing: list[int] = []
        for count in known.counts:
            dead = mostly_failed(trained=count.trained, runs=count.runs, reliability=share)
            (failing if dead or count.depth > median else passing).append(self._depths.at(count.depth))
        return passing, failing

    def _not_monotone(self, concluded: Conclusion | None) -> Curve:
        """Counts that no falling curve explains: raw shares and two crossings, without band, threshold or max_depth."""
        known, at = self._known, self._depths.at
        found = crossings(known.counts, self._settings.reliability)
        median = known.threshold(self._settings).median
        return Curve(
            points=tuple(
                CurvePoint(depth=at(count.depth), trained=count.trained, of=count.runs, p=count.trained / count.runs)
                for count in known.counts
            ),
            max_depth=None,
            fails_at=min((at(count.depth) for count in known.counts if count.depth > median), default=None),
            level=LEVEL,
            concluded=concluded,
            monotone=False,
            crossings=(at(found.first), at(found.last)) if found else None,
        )

    def probabilities(self, wanted: Sequence[int], *, curves: int | None = None) -> tuple[CurvePoint, ...]:
        """P(success) with its band at the wanted depths, tried or not; from `curves` of the posterior, or all."""
        known, tail = self._known, (1 - LEVEL) / 2
        belief = known.belief
        belief = belief if curves is None else belief.every(-(-len(belief.weight) // curves))
        found = belief.quantiles([self._depths.step_of(depth) for depth in wanted], (tail, 0.5, 1 - tail))
        seen = {self._depths.at(count.depth): count for count in known.counts}
        points = []
        for depth, (low, p, high) in zip(wanted, found.round(6).tolist(), strict=True):
            count = seen.get(depth)
            trained, of = (count.trained, count.runs) if count else (0, 0)
            points.append(CurvePoint(depth=depth, trained=trained, of=of, p=p, low=low, high=high))
        return tuple(points)

    def _crossing(self, found: Threshold, reliability: float) -> Crossing:
        """In whole depths, the interval rounded outwards; beyond the last step it is open."""
        known, at = self._known, self._depths.at
        last = max(known.allowed.last, known.counts[-1].depth)

        def whole(step: float) -> int:
            return at(int(min(max(np.floor(step), 0), last)))

        high = None if found.high > last else at(int(max(np.ceil(found.high), 0)))
        return Crossing(reliability=reliability, depth=whole(found.median), interval=(whole(found.low), high))

    def _concluded(self) -> Conclusion | None:
        known = self._known
        if self._only is not None:
            tried = {count.depth for count in known.counts}
            asked = {self._depths.step_of(depth) for depth in self._only}
            return Conclusion.GRID if tried >= known.allowed.left_of(asked, self._depths.last) else None
        rule = known.rule(self._settings)
        if rule is None or known.next_tail_step(self._settings) is not None or self._reopened():
            return None
        return rule

    def _reopened(self) -> bool:
        """Whether the last confirmation disagreed, and the search has not gone on for long since."""
        made = confirming(self._trials)
        if not made:
            return False
        last = made[-1]
        since = sum(trial.number > last.number and trial.state is State.COMPLETE for trial in self._trials)
        return since < REOPENED and not self.confirmation_agrees(last)

    def confirmation_agrees(self, trial: Trial) -> bool:
        """Whether the trial that confirms is what the trials before it let one expect."""
        fresh = self._known_from([trial])
        if not fresh.counts:
            return True
        before = self._known_from([other for other in self._trials if other.number < trial.number])
        (count,) = fresh.counts
        return not surprising(before.belief, count.depth, count.runs, count.trained)

    def _confirmations(self) -> dict[int, bool]:
        """The depths that were tried again with fresh seeds, and whether these runs bear them out."""
        made = pooled(probes(self._trials, purpose=Purpose.CONFIRM))
        return {probe.depth: not probe.mostly_failed(self._settings.reliability) for probe in made}

    def next_confirmation(self, curve: Curve) -> Pick | None:
        """The deepest depth that passes by the median, tried or not, unless most runs failed there.

        Of all its runs, or of those that were to confirm it. After `most_confirmations`, nothing.
        """
        made = len(confirming(self._trials))
        if curve.confirmed or curve.monotone is False or not curve.thresholds or made >= self._most_confirmations:
            return None
        share = self._settings.reliability
        failed = {probe.depth for probe in pooled(probes(self._trials)) if probe.mostly_failed(share)}
        failed |= {depth for depth, held in self._confirmations().items() if not held}
        median = next(found.depth for found in curve.thresholds if found.reliability == share)
        depth = self._deepest(median, failed, curve.concluded)
        return None if depth is None else Pick(depth, runs_for(Purpose.CONFIRM, self._settings), Purpose.CONFIRM)

    def _deepest(self, median: int, failed: set[int], concluded: Conclusion | None) -> int | None:
        """The deepest depth up to the median that did not fail; the shallowest one where none is reliable."""
        allowed, step_of = self._known.allowed, self._depths.step_of
        if self._only is not None:
            tried = [depth for depth in self._only if depth <= median and step_of(depth) in allowed]
            return max((depth for depth in tried if depth not in failed), default=None)
        low, high, step = self._depths.low, self._depths.at(allowed.last), self._depths.step
        failed = failed | {self._depths.at(closed) for closed in allowed.closed}
        depth = min(max(median, low), high)
        while concluded is not Conclusion.SHALLOWEST and depth in failed and depth - step >= low:
            depth -= step
        return depth if step_of(depth) in allowed else None

    def runs_left(self, curve: Curve | None = None) -> int | None:
        """Runs until the search is concluded and confirmed, if it goes on as runs at random do; None if unknown.

        The width of an interval falls with the square root of the runs. Whichever rule ends a search takes the fewer
        runs: that of the width, or that of P(trained) at the threshold, which some hundred runs nearby tell well
        enough.
        """
        curve, settings = curve or self.curve(curves=1), self._settings
        again = runs_for(Purpose.CONFIRM, settings)
        if curve.concluded:
            return again
        low, high = curve.interval or (0, None)
        if high is None or not curve.thresholds:
            return None
        median = next(found.depth for found in curve.thresholds if found.reliability == settings.reliability)
        narrow = 2 * max(1.0, settings.tolerance * median)
        made = sum(point.of for point in curve.points)
        by_width = made * (((high - low) / narrow) ** 2 - 1)
        near = sum(point.of for point in curve.points if low / NEAR <= point.depth <= high * NEAR)
        by_level = (STANDARD_ERRORS / NEARNESS) ** 2 - near
        return round(max(min(by_width, by_level), settings.runs_per_trial)) + TAIL_RUNS + again
