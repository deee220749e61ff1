"""What threshold search tries next, as a pure function of the trials and the settings."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from depthsearch.search.curve import Conclusion
from depthsearch.search.exclusion import OpenSteps
from depthsearch.search.method import Pick, picks_in_turn
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.threshold.acquisition import FIRST, Effort, Pending, best_depth
from depthsearch.search.threshold.monotone import rise
from depthsearch.search.threshold.posterior import Count, Posterior, posterior
from depthsearch.search.threshold.stopping import (
    ENOUGH_RUNS,
    RECENT_RUNS,
    TAIL_RUNS,
    Threshold,
    rule_that_holds,
    suspicious,
    tail_limits,
    threshold,
)
from depthsearch.search.trial import Depths, Probe, Purpose, State, Trial, pooled, probes

QUARTERS = 4
"""Parts of the tail, each of which gets its share of the runs."""

CONFIRM_RUNS = 16
"""Fresh runs with which an answer is confirmed, at least."""

SENTINEL_STREAM = 2
"""Which of the root seed's streams sentinels are drawn from."""

LEAST_EFFORT = 0.01
"""No run costs less than this share of its budget."""


@dataclass(frozen=True)
class Known:
    """What the finished trials say, in steps.

    Attributes:
        depths: The depths that may be tried.
        counts: All runs, a count for each step, shallowest first.
        recent: What the last trials added, as many as make RECENT_RUNS runs.
        effort: Share of its budget that a run costs.
        deepest_success: The deepest step at which a run succeeded; 0 where none did.
        allowed: The steps that are not excluded.
        starts_low: Whether curves may start low (see `posterior`).
    """

    depths: Depths
    counts: tuple[Count, ...]
    recent: tuple[Count, ...]
    effort: Effort
    deepest_success: int
    allowed: OpenSteps
    starts_low: bool = False

    @classmethod
    def of(cls, trials: Sequence[Trial], depths: Depths, *, starts_low: bool = False) -> "Known":
        """From the trials, sorted by number."""
        seen = [probe for probe in probes(trials) if 1 <= depths.step_of(probe.depth) <= depths.last]
        return cls(
            depths=depths,
            counts=tuple(_count(depths, probe) for probe in pooled(seen)),
            recent=tuple(_count(depths, probe) for probe in seen[-_recent(seen) :]),
            effort=effort_of(trials),
            deepest_success=max((depths.step_of(probe.depth) for probe in seen if probe.trained), default=0),
            allowed=OpenSteps.of(trials, depths),
            starts_low=starts_low,
        )

    @property
    def belief(self) -> Posterior:
        """The posterior after these counts."""
        return posterior(self.counts, self.starts_low)

    @property
    def runs(self) -> int:
        """How many runs were made."""
        return sum(count.runs for count in self.counts)

    def rule(self, settings: ResolvedSettings) -> Conclusion | None:
        """The rule that would end the search now, the tail aside; none where every depth is excluded."""
        last = self.allowed.last
        if not last:
            return None
        rule = rule_that_holds(
            self.counts, self.recent, settings.reliability, settings.tolerance, last, starts_low=self.starts_low
        )
        return Conclusion.MEMORY if rule is Conclusion.CAP and self.allowed.by_memory else rule

    def threshold(self, settings: ResolvedSettings) -> Threshold:
        """Where P(success) falls to the reliability."""
        return threshold(self.belief, settings.reliability)

    def doubtful(self, pending: Sequence[Pending] = ()) -> int | None:
        """A step whose failures would be explained by a dip, and that has had few runs; None where there is none."""
        under_way, allowed = {trial.depth for trial in pending}, self.allowed
        steps = suspicious(self.counts, self.belief)
        return next((step for step in steps if step not in under_way and step in allowed), None)

    def lucky(self, settings: ResolvedSettings, pending: Sequence[Pending] = ()) -> int | None:
        """A step at which a single run that trained is all that shows a rise; None where it has had enough runs."""
        belief = None if self.rule(settings) is Conclusion.SHALLOWEST else self.belief
        found = rise(self.counts, belief, seed=settings.seed)
        step = None if found is None else found.lone
        if step is None or step not in self.allowed or step in {trial.depth for trial in pending}:
            return None
        return step if sum(count.runs for count in self.counts if count.depth == step) < ENOUGH_RUNS else None

    def next_tail_step(self, settings: ResolvedSettings, pending: Sequence[Pending] = ()) -> int | None:
        """The step to try before the search may end; None where nothing is left, or the budget does not allow it.

        First what is doubtful, then a rise that rests on one lucky run. Then the tail, which lies beyond the interval;
        where that reaches the last step, the last step itself has to be tried.
        """
        if settings.max_runs is not None and self.runs + TAIL_RUNS > settings.max_runs:
            return None
        doubtful = self.doubtful(pending)
        if doubtful is not None:
            return doubtful
        lucky = self.lucky(settings, pending)
        if lucky is not None:
            return lucky
        last = self.allowed.last
        limits = tail_limits(self.threshold(settings), last)
        tried = [(count.depth, count.runs) for count in self.counts] + [(trial.depth, trial.runs) for trial in pending]
        if limits is None:
            return None if last in [step for step, _ in tried] else last
        edges = np.geomspace(*limits, QUARTERS + 1)
        wanted: list[tuple[int, int]] = []  # (runs so far, step) of each quarter that lacks runs
        for low, high in itertools.pairwise(edges.tolist()):
            first, deepest = math.ceil(low), math.floor(high)
            here = [(step, runs) for step, runs in tried if low <= step <= high]
            runs = sum(runs for _, runs in here)
            if runs < TAIL_RUNS // QUARTERS:
                share = _van_der_corput(len(here) + 1)
                step = self.allowed.within(first, deepest, round(low * (high / low) ** share))
                wanted += [] if step is None else [(runs, step)]
        return min(wanted)[1] if wanted else None


def next_picks(
    trials: Sequence[Trial], most: int, depths: Depths, settings: ResolvedSettings, *, starts_low: bool = False
) -> tuple[Pick, ...]:
    """What the next trials try, after these."""
    known = Known.of(trials, depths, starts_low=starts_low)

    def pick(pending: Sequence[Pick], place: int) -> Pick:
        under_way = [Pending(depths.step_of(other.depth), other.runs) for other in pending]
        return _pick(known, under_way, place, settings)

    return picks_in_turn(trials, most, pick, lambda purpose: runs_for(purpose, settings))


def _pick(known: Known, pending: Sequence[Pending], place: int, settings: ResolvedSettings) -> Pick:
    """What the trial in that place among all trials tries."""

    def pick(step: int, purpose: Purpose) -> Pick:
        return Pick(known.depths.at(known.allowed.instead_of(step)), runs_for(purpose, settings), purpose)

    if known.rule(settings) is not None and (step := known.next_tail_step(settings, pending)) is not None:
        return pick(step, Purpose.TAIL)
    deepest = max([*(count.depth for count in known.counts), *(trial.depth for trial in pending)], default=0)
    if deepest and place % _period(settings) == _period(settings) - 1:
        share = np.random.default_rng([settings.seed, place, SENTINEL_STREAM]).uniform()
        # A sentinel that failed is tried again: one failure may be chance.
        return pick(known.doubtful(pending) or int(deepest**share), Purpose.SENTINEL)
    step = best_depth(
        known.belief,
        settings.reliability,
        runs=settings.runs_per_trial,
        deepest=min(max(2 * known.deepest_success, FIRST), known.allowed.reach),
        pending=pending,
        effort=known.effort,
        side_by_side=settings.parallel_trials,
    )
    return pick(step, Purpose.SEARCH)


def _period(settings: ResolvedSettings) -> int:
    """How many trials there are to a sentinel: some ninth of the runs are sentinels, most of them single runs."""
    return max(2, 1 + 8 // settings.runs_per_trial)


def runs_for(purpose: Purpose, settings: ResolvedSettings) -> int:
    """Fresh runs of a trial: exploring takes many depths rather than many runs at one."""
    match purpose:
        case Purpose.SENTINEL:
            return max(1, settings.runs_per_trial // 8)
        case Purpose.TAIL:
            return max(1, min(settings.runs_per_trial // 4, TAIL_RUNS // QUARTERS))
        case Purpose.CONFIRM:
            return max(CONFIRM_RUNS, settings.runs_per_trial)
        case Purpose.SEARCH | Purpose.LADDER | Purpose.BAR:
            return settings.runs_per_trial


def effort_of(trials: Sequence[Trial]) -> Effort:
    """The mean share of a training's budget that runs took which trained, and which did not; 1 where none says.

    Trials that confirm are left out: they always take the whole budget.
    """
    spent, made = [0.0, 0.0], [0, 0]
    for trial in trials:
        if trial.state is not State.COMPLETE or trial.purpose is Purpose.CONFIRM or trial.effort is None:
            continue
        if trial.runs is None or trial.trained is None:
            continue
        for kind, runs in enumerate((trial.trained, trial.runs - trial.trained)):
            spent[kind] += trial.effort[kind]
            made[kind] += runs
    succeeds, fails = (effort / runs if runs else 1.0 for effort, runs in zip(spent, made, strict=True))
    return Effort(max(succeeds, LEAST_EFFORT), max(fails, LEAST_EFFORT))


def _recent(seen: Sequence[Probe]) -> int:
    """How many trials at the end make RECENT_RUNS runs; all of them where there are not so many."""
    runs = 0
    for number, probe in enumerate(reversed(seen), start=1):
        runs += probe.runs
        if runs >= RECENT_RUNS:
            return number
    return max(len(seen), 1)


def _count(depths: Depths, probe: Probe) -> Count:
    return Count(depths.step_of(probe.depth), probe.runs, probe.trained)


def _van_der_corput(number: int) -> float:
    """The number's binary digits mirrored at the point: 1/2, 1/4, 3/4, 1/8, ..."""
    share, place = 0.0, 0.5
    while number:
        share += place * (number % 2)
        number //= 2
        place /= 2
    return share
