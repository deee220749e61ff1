"""What the trials say of the threshold, computed from the study alone."""

from collections.abc import Sequence

import numpy as np
from optuna import Study
from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial, TrialState

from depthsearch.search.bisection import BisectionSampler, bracket_of
from depthsearch.search.curve import Conclusion, Crossing, Curve, CurvePoint
from depthsearch.search.optuna_internals import all_trials
from depthsearch.search.settings import ResolvedSettings, SearchSettings
from depthsearch.search.threshold.monotone import crossings, falls_with_depth
from depthsearch.search.threshold.picking import Known
from depthsearch.search.threshold.posterior import Count, posterior, quantiles
from depthsearch.search.threshold.stopping import LEVEL, Threshold, surprising, threshold
from depthsearch.search.trial import DEPTH, HALF, Probe, Purpose, confirming, mostly_failed, pooled, probes

REOPENED = 4
"""Trials that a search goes on for after a confirmation that disagreed."""


def estimate(
    study: Study,
    settings: SearchSettings,
    *,
    parameter: str = DEPTH,
    depths: IntDistribution | None = None,
    curves: int | None = None,
) -> Curve:
    """The curve of P(trained | depth) and the depth that it names.

    A posterior over curves gives the interval and the band, whoever chose the depths. Bisection, by the settings or by
    the study's own sampler, is deterministic and claims neither: `p` is the raw share there, `interval`, `level` and
    `monotone` are null, and trials whose attribute `purpose` is "confirm" count in the points alone.

    Args:
        study: An Optuna study whose trials carry `runs` and `trained`.
        settings: `sampler`, `reliability`, `tolerance`, `cap` and `max_runs` are used.
        parameter: Name of the integer parameter that is the depth.
        depths: The depths that may be tried; by default those of the trials, up to the settings' cap.
        curves: How many of the posterior's curves `p`, `low` and `high` of the points are taken from; by default all.
    """
    trials, settings = all_trials(study), settings.resolved()
    depths = depths or _depths_of(trials, settings, parameter)
    if settings.sampler == "bisect" or isinstance(study.sampler, BisectionSampler):
        return _bisected(trials, settings, depths, parameter)
    return _believed(trials, settings, depths, parameter, curves=curves)


def _depths_of(trials: Sequence[FrozenTrial], settings: ResolvedSettings, parameter: str) -> IntDistribution:
    """The range that the trials were suggested from, up to the cap."""
    own = [
        distribution
        for trial in trials
        if isinstance(distribution := trial.distributions.get(parameter), IntDistribution)
    ]
    if not own:
        return IntDistribution(1, settings.cap)
    low, high, step = min(one.low for one in own), max(one.high for one in own), own[-1].step
    return IntDistribution(low, max(low, min(high, settings.cap)), step=step)


def _bisected(
    trials: Sequence[FrozenTrial], settings: ResolvedSettings, depths: IntDistribution, parameter: str
) -> Curve:
    searched = probes(trials, parameter, purpose=Purpose.SEARCH)
    share = settings.reliability
    passes, fails, closed = bracket_of(searched, depths, share)
    every = {probe.depth: probe for probe in pooled(probes(trials, parameter))}
    again = {probe.depth: probe for probe in pooled(probes(trials, parameter, purpose=Purpose.CONFIRM))}
    edges = [depth for depth in (passes, fails) if depth is not None]
    agree = all(depth in again and again[depth].passes(share) is (depth == passes) for depth in edges)
    alive = [depth for depth, own in every.items() if not _mostly_failed(own, share)]
    max_depth = None if passes is None else max((depth for depth in alive if depth <= passes), default=None)
    concluded = None
    if closed:
        concluded = Conclusion.CAP if fails is None and max_depth == passes else Conclusion.ADJACENT
        concluded = Conclusion.SHALLOWEST if passes is None else concluded
    return Curve(
        points=tuple(
            CurvePoint(depth=probe.depth, trained=probe.trained, of=probe.runs, p=probe.trained / probe.runs)
            for probe in every.values()
        ),
        max_depth=max_depth,
        fails_at=fails,
        confirmed=concluded is not None and agree and max_depth == passes,
        concluded=concluded,
    )


def _believed(
    trials: Sequence[FrozenTrial],
    settings: ResolvedSettings,
    depths: IntDistribution,
    parameter: str,
    *,
    curves: int | None,
) -> Curve:
    known = Known.of(trials, depths, parameter)
    if not known.counts:
        return Curve(points=(), max_depth=None, fails_at=None)
    steps, share = known.steps, settings.reliability
    belief = posterior(known.counts)
    concluded = _concluded(trials, known, settings, parameter)
    fitting = None if concluded is Conclusion.SHALLOWEST else belief
    monotone = falls_with_depth(known.counts, fitting, seed=settings.seed) if concluded else None
    if monotone is False:
        return _not_monotone(known, settings, concluded)
    tried_depths = [steps.depth(count.depth) for count in known.counts]
    points = probabilities(trials, depths, tried_depths, parameter, curves=curves)
    median = known.threshold(settings).median
    tried = [count.depth for count in known.counts]
    shown = sorted({share, HALF}, reverse=True)
    levels = quantiles(np.exp(belief.width()), belief.weight, (0.5, (1 - LEVEL) / 2, (1 + LEVEL) / 2))
    thresholds = tuple(_crossing(known, threshold(belief, reliability), reliability) for reliability in shown)
    low, high = next(crossing.interval for crossing in thresholds if crossing.reliability == share)
    alive = [count.depth for count in known.counts if not _mostly_failed(count, share)]
    passing = [steps.depth(step) for step in alive if step <= median]
    again = _confirmations(trials, parameter, share)
    # A confirmed depth that the threshold is known to lie beyond is no answer, unless nothing between may be tried.
    least = depths.low if concluded is Conclusion.GRID else low
    confirmed = [depth for depth in passing if again.get(depth, False) and depth >= least]
    max_depth = max(confirmed or passing, default=None)
    failing = [steps.depth(step) for step in tried if step > median or step not in alive]
    # Where nothing that was tried fails, only the prior bounds the threshold above.
    high = high if failing else None
    # A depth that was tried and passes may lie outside the interval, which is widened to hold it.
    interval: tuple[int, int | None] | None = (low, high)
    if max_depth is not None:
        interval = (min(low, max_depth), None if high is None else max(high, max_depth))
    none_passes = concluded is Conclusion.SHALLOWEST and max_depth is None and depths.low in again
    return Curve(
        points=points,
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


def _not_monotone(known: Known, settings: ResolvedSettings, concluded: Conclusion | None) -> Curve:
    """Counts that no falling curve explains: raw shares and two crossings, without band, threshold or max_depth."""
    steps, found = known.steps, crossings(known.counts, settings.reliability)
    median = known.threshold(settings).median
    return Curve(
        points=tuple(
            CurvePoint(depth=steps.depth(own.depth), trained=own.trained, of=own.runs, p=own.trained / own.runs)
            for own in known.counts
        ),
        max_depth=None,
        fails_at=min((steps.depth(own.depth) for own in known.counts if own.depth > median), default=None),
        level=LEVEL,
        concluded=concluded,
        monotone=False,
        crossings=(steps.depth(found.first), steps.depth(found.last)) if found else None,
    )


def probabilities(
    trials: Sequence[FrozenTrial],
    depths: IntDistribution,
    wanted: Sequence[int],
    parameter: str = DEPTH,
    *,
    curves: int | None = None,
) -> tuple[CurvePoint, ...]:
    """P(success) with its band at each of the wanted depths, tried or not; from `curves` of the posterior, or all."""
    known = Known.of(trials, depths, parameter)
    tail = (1 - LEVEL) / 2
    belief = posterior(known.counts)
    belief = belief if curves is None else belief.every(-(-len(belief.weight) // curves))
    found = belief.quantiles([known.steps.step(depth) for depth in wanted], (tail, 0.5, 1 - tail))
    seen = {known.steps.depth(count.depth): count for count in known.counts}
    points = []
    for depth, (low, p, high) in zip(wanted, found.round(6).tolist(), strict=True):
        count = seen.get(depth)
        trained, of = (count.trained, count.runs) if count else (0, 0)
        points.append(CurvePoint(depth=depth, trained=trained, of=of, p=p, low=low, high=high))
    return tuple(points)


def _crossing(known: Known, found: Threshold, reliability: float) -> Crossing:
    """In whole depths, the interval rounded outwards; beyond the last step it is open."""
    last = known.steps.last

    def whole(step: float) -> int:
        return known.steps.depth(int(min(max(np.floor(step), 0), last)))

    high = None if found.high > last else known.steps.depth(int(max(np.ceil(found.high), 0)))
    return Crossing(reliability=reliability, depth=whole(found.median), interval=(whole(found.low), high))


def _concluded(
    trials: Sequence[FrozenTrial], known: Known, settings: ResolvedSettings, parameter: str
) -> Conclusion | None:
    if settings.sampler == "grid":
        tried = {known.steps.depth(count.depth) for count in known.counts}
        return Conclusion.GRID if tried >= set(settings.depths or ()) else None
    rule = known.rule(settings)
    if rule is None or known.left_to_look_at(settings) is not None or reopened(trials, known, parameter):
        return None
    return rule


def _mostly_failed(count: Count | Probe, reliability: float) -> bool:
    return mostly_failed(trained=count.trained, runs=count.runs, reliability=reliability)


def _confirmations(trials: Sequence[FrozenTrial], parameter: str, reliability: float) -> dict[int, bool]:
    """The depths that were tried again with fresh seeds, and whether these runs bear them out."""
    made = pooled(probes(trials, parameter, purpose=Purpose.CONFIRM))
    return {probe.depth: not _mostly_failed(probe, reliability) for probe in made}


MOST_CONFIRMATIONS = 3
"""Confirmations of one answer: their runs may move it, or reopen the search, and then it is confirmed again."""


def next_to_confirm(
    trials: Sequence[FrozenTrial], curve: Curve, settings: ResolvedSettings, depths: IntDistribution
) -> int | None:
    """The depth that a concluded search confirms next with fresh seeds; None where there is nothing left to confirm.

    Bisection confirms both of its edges. Every other search confirms the deepest depth that passes by the posterior
    median, tried or not (of a grid, one of its depths), and at which not most runs failed, in all or of those that were
    to confirm it.
    """
    made = confirming(trials)
    if settings.sampler == "bisect":
        seen = {trial.params[DEPTH] for trial in made}
        # The edges of the bracket: what the confirmations themselves show moves neither.
        found = bracket_of(probes(trials, purpose=Purpose.SEARCH), depths, settings.reliability)[:2]
        return next((depth for depth in found if depth is not None and depth not in seen), None)
    if curve.confirmed or curve.monotone is False or not curve.thresholds or len(made) >= MOST_CONFIRMATIONS:
        return None
    share = settings.reliability
    failed = {probe.depth for probe in pooled(probes(trials)) if _mostly_failed(probe, share)}
    failed |= {depth for depth, held in _confirmations(trials, DEPTH, share).items() if not held}
    median = next(found.depth for found in curve.thresholds if found.reliability == share)
    if curve.concluded is Conclusion.GRID:
        return max((depth for depth in settings.depths or () if depth <= median and depth not in failed), default=None)
    answer = min(max(median, depths.low), depths.high)
    if curve.concluded is Conclusion.SHALLOWEST:
        return answer
    while answer in failed and answer - depths.step >= depths.low:
        answer -= depths.step
    return answer


def confirmation_agrees(
    trials: Sequence[FrozenTrial], trial: FrozenTrial, depths: IntDistribution, parameter: str = DEPTH
) -> bool:
    """Whether the trial that confirms is what the trials before it let one expect."""
    known = Known.of([other for other in trials if other.number < trial.number], depths, parameter)
    own = Known.of([trial], depths, parameter)
    if not own.counts:
        return True
    (count,) = own.counts
    return not surprising(posterior(known.counts), count.depth, count.runs, count.trained)


def reopened(trials: Sequence[FrozenTrial], known: Known, parameter: str = DEPTH) -> bool:
    """Whether the last confirmation disagreed, and the search has not gone on for long since."""
    made = confirming(trials)
    if not made:
        return False
    last = made[-1]
    since = sum(trial.number > last.number and trial.state is TrialState.COMPLETE for trial in trials)
    depths = IntDistribution(known.steps.low, known.steps.depth(known.steps.last), step=known.steps.width)
    return since < REOPENED and not confirmation_agrees(trials, last, depths, parameter)
