"""What is tried next, as a pure function of the trials and the settings: the rule behind ThresholdSampler."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial, TrialState

from depthsearch.search.curve import Conclusion
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.threshold.acquisition import FIRST, Effort, Pending, best_depth
from depthsearch.search.threshold.posterior import Count, posterior
from depthsearch.search.threshold.stopping import (
    RECENT_RUNS,
    TAIL_RUNS,
    Threshold,
    rule_that_holds,
    suspicious,
    tail_limits,
    threshold,
)
from depthsearch.search.trial import DEPTH, SEEDS, Probe, Purpose, Steps, effort_of, pooled, probes, purpose_of

QUARTERS = 4
"""Of the tail, each of which gets its part of the runs."""

CONFIRM_RUNS = 16
"""Fresh runs with which an answer is confirmed, at least."""

SENTINEL_STREAM = 2
"""Which of the root seed's streams sentinels are drawn from."""


@dataclass(frozen=True)
class Pick:
    """What a trial tries: a depth, with how many fresh runs, and why."""

    depth: int
    runs: int
    purpose: Purpose


@dataclass(frozen=True)
class Known:
    """What the finished trials say, in steps.

    Attributes:
        steps: From depths to steps.
        counts: All that was seen, a count for each step, shallowest first.
        recent: What the last trials added, as many as make RECENT_RUNS runs.
        effort: What a run costs of its budget.
        deepest_success: The deepest step at which a run succeeded; 0 where none did.
    """

    steps: Steps
    counts: tuple[Count, ...]
    recent: tuple[Count, ...]
    effort: Effort
    deepest_success: int

    @classmethod
    def of(cls, trials: Sequence[FrozenTrial], distribution: IntDistribution, parameter: str = DEPTH) -> "Known":
        """From the trials, sorted by number."""
        steps = Steps(distribution)
        seen = [probe for probe in probes(trials, parameter) if 1 <= steps.step(probe.depth) <= steps.last]
        return cls(
            steps=steps,
            counts=tuple(_count(steps, probe) for probe in pooled(seen)),
            recent=tuple(_count(steps, probe) for probe in seen[-_recent(seen) :]),
            effort=Effort(*effort_of(trials)),
            deepest_success=max((steps.step(probe.depth) for probe in seen if probe.trained), default=0),
        )

    @property
    def runs(self) -> int:
        """How many runs were made."""
        return sum(count.runs for count in self.counts)

    def rule(self, settings: ResolvedSettings) -> Conclusion | None:
        """The rule that would end the search now, the tail aside."""
        return rule_that_holds(self.counts, self.recent, settings.reliability, settings.tolerance, self.steps.last)

    def threshold(self, settings: ResolvedSettings) -> Threshold:
        """Where P(success) falls to the reliability."""
        return threshold(posterior(self.counts), settings.reliability)

    def doubtful(self, pending: Sequence[Pending] = ()) -> int | None:
        """A step whose failures would be explained by a dip, and that has had few runs; None where there is none."""
        under_way = {own.depth for own in pending}
        return next((step for step in suspicious(self.counts, posterior(self.counts)) if step not in under_way), None)

    def left_to_look_at(self, settings: ResolvedSettings, pending: Sequence[Pending] = ()) -> int | None:
        """The step to look at before the search may end; None where all were, or the budget does not allow it.

        First what is doubtful. Then the tail, which lies beyond the interval; where that reaches the last step, the
        last step itself has to be tried.
        """
        if settings.max_runs is not None and self.runs + TAIL_RUNS > settings.max_runs:
            return None
        doubtful = self.doubtful(pending)
        if doubtful is not None:
            return doubtful
        limits = tail_limits(self.threshold(settings), self.steps.last)
        tried = [*((count.depth, count.runs) for count in self.counts), *((own.depth, own.runs) for own in pending)]
        if limits is None:
            return None if self.steps.last in [step for step, _ in tried] else self.steps.last
        edges = np.geomspace(*limits, QUARTERS + 1)
        wanted: list[tuple[int, int]] = []  # (runs so far, step) of each quarter that lacks runs
        for low, high in itertools.pairwise(edges.tolist()):
            inside = np.arange(np.ceil(low), np.floor(high) + 1)
            here = [(step, runs) for step, runs in tried if low <= step <= high]
            runs = sum(runs for _, runs in here)
            if len(inside) and runs < TAIL_RUNS // QUARTERS:
                share = _van_der_corput(len(here) + 1)
                wanted.append((runs, int(np.clip(round(low * (high / low) ** share), inside[0], inside[-1]))))
        return min(wanted)[1] if wanted else None


def next_pick(
    earlier: Sequence[FrozenTrial], distribution: IntDistribution, settings: ResolvedSettings, *, parameter: str = DEPTH
) -> Pick:
    """What the trial after the trials `earlier` tries: those with lower numbers, sorted.

    A running trial counts as pending; where it has no depth yet, its own pick is worked out first. A failed one counts
    as never made, so that a search which was interrupted goes on as if it had not been.
    """
    known = Known.of(earlier, distribution, parameter)
    pending: list[Pending] = []
    place = 0
    for trial in earlier:
        if trial.state is TrialState.RUNNING:
            if parameter in trial.params:
                runs = len(trial.user_attrs.get(SEEDS, ())) or runs_for(purpose_of(trial), settings)
                pending.append(Pending(known.steps.step(int(trial.params[parameter])), runs))
            else:
                own = _pick(known, pending, place, settings)
                pending.append(Pending(known.steps.step(own.depth), own.runs))
        place += trial.state in (TrialState.RUNNING, TrialState.COMPLETE)
    return _pick(known, pending, place, settings)


def _pick(known: Known, pending: Sequence[Pending], place: int, settings: ResolvedSettings) -> Pick:
    """What the trial in that place among all trials tries."""

    def pick(step: int, purpose: Purpose) -> Pick:
        return Pick(known.steps.depth(step), runs_for(purpose, settings), purpose)

    if known.rule(settings) is not None and (step := known.left_to_look_at(settings, pending)) is not None:
        return pick(step, Purpose.TAIL)
    deepest = max([*(count.depth for count in known.counts), *(own.depth for own in pending)], default=0)
    if deepest and place % _period(settings) == _period(settings) - 1:
        share = np.random.default_rng([settings.seed, place, SENTINEL_STREAM]).uniform()
        # A sentinel that failed is asked again: one failure may be chance.
        return pick(known.doubtful(pending) or int(deepest**share), Purpose.SENTINEL)
    step = best_depth(
        posterior(known.counts),
        settings.reliability,
        runs=settings.runs_per_trial,
        deepest=min(max(2 * known.deepest_success, FIRST), known.steps.last),
        pending=pending,
        effort=known.effort,
        side_by_side=settings.parallel_trials,
    )
    return pick(step, Purpose.SEARCH)


def _period(settings: ResolvedSettings) -> int:
    """How many trials there are to a sentinel: some ninth of the runs are sentinels, most of them single runs."""
    return max(2, 1 + 8 // settings.runs_per_trial)


def runs_for(purpose: Purpose, settings: ResolvedSettings) -> int:
    """Fresh runs of a trial: look-outs need many depths rather than many runs at one."""
    if settings.sampler == "bisect":
        return settings.runs_per_trial
    match purpose:
        case Purpose.SENTINEL:
            return max(1, settings.runs_per_trial // 8)
        case Purpose.TAIL:
            return max(1, min(settings.runs_per_trial // 4, TAIL_RUNS // QUARTERS))
        case Purpose.CONFIRM:
            return max(CONFIRM_RUNS, settings.runs_per_trial)
        case Purpose.SEARCH:
            return settings.runs_per_trial


def _recent(seen: Sequence[Probe]) -> int:
    """How many trials at the end make RECENT_RUNS runs; all of them where there are not so many."""
    runs = 0
    for number, probe in enumerate(reversed(seen), start=1):
        runs += probe.runs
        if runs >= RECENT_RUNS:
            return number
    return max(len(seen), 1)


def _count(steps: Steps, probe: Probe) -> Count:
    return Count(steps.step(probe.depth), probe.runs, probe.trained)


def _van_der_corput(number: int) -> float:
    """The number's binary digits mirrored at the point: 1/2, 1/4, 3/4, 1/8, ..."""
    share, place = 0.0, 0.5
    while number:
        share += place * (number % 2)
        number //= 2
        place /= 2
    return share
