"""Double, then bisect: the deterministic search for the last depth that passes."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from depthsearch.search.curve import Conclusion, Curve, CurvePoint
from depthsearch.search.exclusion import OpenSteps
from depthsearch.search.method import Pick, SearchMethod, picks_in_turn
from depthsearch.search.trial import Probe, Purpose, Trial, confirming, pooled, probes


@dataclass(frozen=True)
class Bracket:
    """What the probes so far leave possible.

    Invariants: `passes` is the deepest step that passed below every step that failed, 0 where there is none;
    `fails` is the shallowest step that failed, None where none has; passes < fails.
    """

    passes: int
    fails: int | None
    last: int

    @property
    def closed(self) -> bool:
        """Whether nothing is left to try: two adjacent steps, or the deepest one passed."""
        return self.fails == self.passes + 1 or (self.fails is None and self.passes >= self.last)

    @property
    def between(self) -> tuple[int, int]:
        """The first and the last step that are left to try."""
        return self.passes + 1, self.last if self.fails is None else self.fails - 1


def bracket(outcomes: Iterable[tuple[int, bool]], last: int) -> Bracket:
    """The bracket that (step, whether it passed) leaves; steps outside 1..last do not count."""
    known = [(step, passed) for step, passed in outcomes if 1 <= step <= last]
    fails = min((step for step, passed in known if not passed), default=None)
    passes = max((step for step, passed in known if passed and (fails is None or step < fails)), default=0)
    return Bracket(passes, fails, last)


def next_step(found: Bracket, pending: Iterable[int] = ()) -> int | None:
    """The step to try next, with `pending` ones under way elsewhere; None where the bracket is closed.

    While nothing has failed, twice the deepest step tried or under way. Once something failed but nothing
    passed, half of it. Between a pass and a failure, the middle of the widest gap that pending steps leave.
    """
    if found.closed:
        return None
    below = found.passes
    under_way = sorted({step for step in pending if below < step < (found.fails or found.last + 1)})
    if found.fails is None:
        deepest = max([below, *under_way])
        if deepest < found.last:
            return min(2 * deepest or 1, found.last)
    above = found.fails if found.fails is not None else found.last + 1
    if below == 0 and not under_way:
        return max(above // 2, 1)
    edges = [below, *under_way, above]
    low, high = max(itertools.pairwise(edges), key=lambda gap: (gap[1] - gap[0], -gap[0]))
    # With every step of the gap under way, the middle is one of them: a second opinion, never a new depth.
    return max((low + high) // 2, below + 1)


class Bisection(SearchMethod):
    """Doubles the depth until it fails, then bisects; halves it first where the start is too deep.

    A depth passes where at least the reliability of its runs trained. At most 2 ceil(log2 D) + 2 depths bracket a
    threshold at D. One unlucky depth sends the search astray, so no interval is claimed and both edges are confirmed;
    what the confirmations show moves neither edge.
    """

    name: ClassVar[str] = "bisect"
    reliabilities: ClassVar[tuple[float, float]] = (0.0, 1.0)
    claims_interval: ClassVar[bool] = False
    runs_per_trial: ClassVar[int | None] = 3

    def next_picks(self, trials: Sequence[Trial], most: int) -> tuple[Pick, ...]:
        """Once nothing is left to bracket, the two edges again, the one tried less first."""
        finished, allowed = probes(trials, purpose=Purpose.SEARCH), self.open_steps(trials)
        found, runs = self._bracket(finished, allowed), self.settings.runs_per_trial
        tried = [probe.depth for probe in finished]

        def pick(pending: Sequence[Pick], _place: int) -> Pick:
            under_way = [other.depth for other in pending]
            step = next_step(found, [self.depths.step_of(depth) for depth in under_way])
            if step is not None and not allowed.all_closed(*found.between):
                step = allowed.instead_of(step)
                inside = allowed.within(*found.between, step)
                return Pick(self.depths.at(step if inside is None else inside), runs)
            edges = [self.depths.at(edge) for edge in (found.passes, found.fails) if edge and edge in allowed]
            edges = edges or [self.depths.at(allowed.last)]
            return Pick(min(edges, key=lambda depth: (tried.count(depth) + under_way.count(depth), depth)), runs)

        return picks_in_turn(trials, most, pick, lambda _purpose: runs)

    def round_size(self, trials: Sequence[Trial]) -> int:
        """One at a time: each answer decides the next question."""
        return 1

    def estimate(self, trials: Sequence[Trial], *, curves: int | None = None) -> Curve:
        """Raw shares, and the edges of the bracket; confirming trials count only in the points."""
        share = self.settings.reliability
        passes, fails, closed = self._edges(trials)
        allowed = self.open_steps(trials)
        every = pooled(probes(trials))
        again = {probe.depth: probe for probe in pooled(probes(trials, purpose=Purpose.CONFIRM))}
        edges = [depth for depth in (passes, fails) if depth is not None]
        agree = all(depth in again and again[depth].passes(share) is (depth == passes) for depth in edges)
        alive = [probe.depth for probe in every if not probe.mostly_failed(share)]
        max_depth = None if passes is None else max((depth for depth in alive if depth <= passes), default=None)
        concluded = None
        if closed:
            cap = Conclusion.MEMORY if allowed.by_memory else Conclusion.CAP
            concluded = cap if fails is None and max_depth == passes else Conclusion.ADJACENT
            concluded = Conclusion.SHALLOWEST if passes is None else concluded
        return Curve(
            points=tuple(
                CurvePoint(depth=probe.depth, trained=probe.trained, of=probe.runs, p=probe.trained / probe.runs)
                for probe in every
            ),
            max_depth=max_depth,
            fails_at=fails,
            confirmed=concluded is not None and agree and max_depth == passes,
            concluded=concluded,
        )

    def runs_left(self, trials: Sequence[Trial], curve: Curve | None = None) -> int | None:
        """Each depth halves the bracket; then both edges are confirmed."""
        curve = curve or self.estimate(trials)
        again = 2 * self.settings.runs_per_trial
        if curve.concluded:
            return self.within_budget(again, trials)
        if curve.fails_at is None:
            return self.within_budget(None, trials)
        halvings = math.ceil(math.log2(max(curve.fails_at - (curve.max_depth or 0), 1)))
        return self.within_budget(halvings * self.settings.runs_per_trial + again, trials)

    def next_confirmation(self, trials: Sequence[Trial], curve: Curve) -> Pick | None:
        """The edges of the bracket, the one that passes first."""
        seen, allowed = {trial.depth for trial in confirming(trials)}, self.open_steps(trials)
        edges = [depth for depth in self._edges(trials)[:2] if depth is not None and depth not in seen]
        depth = next((depth for depth in edges if self.depths.step_of(depth) in allowed), None)
        return None if depth is None else Pick(depth, self.settings.runs_per_trial, Purpose.CONFIRM)

    def confirmation_agrees(self, trials: Sequence[Trial], trial: Trial) -> bool:
        """Whether the depth passes again, or fails again."""
        _, fails, _ = self._edges(trials)
        return all(probe.passes(self.settings.reliability) is (probe.depth != fails) for probe in probes([trial]))

    def _edges(self, trials: Sequence[Trial]) -> tuple[int | None, int | None, bool]:
        """(deepest depth that passes, shallowest that fails, whether nothing is left to try)."""
        allowed = self.open_steps(trials)
        found = self._bracket(probes(trials, purpose=Purpose.SEARCH), allowed)
        passes, fails = (self.depths.at(step) if step else None for step in (found.passes, found.fails))
        tried = found.passes > 0 or found.fails is not None
        return passes, fails, tried and (found.closed or allowed.all_closed(*found.between))

    def _bracket(self, finished: Sequence[Probe], allowed: OpenSteps) -> Bracket:
        share = self.settings.reliability
        outcomes = [(self.depths.step_of(probe.depth), probe.passes(share)) for probe in pooled(finished)]
        found = bracket(outcomes, self.depths.last)
        return Bracket(found.passes, found.fails, max(allowed.last, found.passes))
