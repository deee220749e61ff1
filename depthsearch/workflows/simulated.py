"""A search without networks: the method's picks, answered by an assumed curve."""

import math

import numpy as np

from depthsearch.problem.problem import Problem
from depthsearch.results.pace import Pace
from depthsearch.search.ladder import Ladder
from depthsearch.search.method import Pick, SearchMethod
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.trial import Depths, State, Trial
from depthsearch.workflows.stored import affordable_runs, budget_left, ladder_of, method_for

CURVES = 100
"""Of the posterior, that a simulated estimate is taken from."""

SURE = 0.99
"""The highest reliability that an assumed curve has at its max depth."""


class AssumedCurve:
    """P(trained | depth), logistic in the logarithm of the depth's step, at the reliability in `max_depth`.

    Args:
        depths: That may be tried.
        max_depth: Where P(trained) is the reliability.
        slope: How steeply it falls: the logits by which it falls while the depth grows e-fold.
        reliability: There.
    """

    def __init__(self, depths: Depths, max_depth: int, slope: float, reliability: float) -> None:
        self._depths, self._slope, self._last = depths, slope, math.log(depths.step_of(max_depth))
        reliability = min(reliability, SURE)
        self._logit = math.log(reliability / (1 - reliability))

    def probability(self, depth: int) -> float:
        """That a run trains."""
        logit = self._logit - self._slope * (math.log(self._depths.step_of(depth)) - self._last)
        return 1 / (1 + math.exp(-max(min(logit, 700.0), -700.0)))


def simulate(
    problem: Problem, settings: ResolvedSettings, curve: AssumedCurve, *, pace: Pace, seed: int
) -> tuple[Trial, ...]:
    """The trials of one search, with the seconds that they take at that pace.

    Args:
        problem: What would be asked.
        settings: How it is searched.
        curve: By which runs train.
        pace: Seconds of a run by depth, as the search waits for it.
        seed: Of the runs' outcomes.
    """
    random, trials = np.random.default_rng(seed), list[Trial]()
    while picks := _next_picks(problem, settings, trials):
        left = affordable_runs(trials, settings)
        for pick in picks:
            runs = int(min(pick.runs, max(left, 1)))
            left -= runs
            trained = int(random.binomial(runs, curve.probability(pick.depth)))
            trial = Trial(
                number=len(trials),
                state=State.COMPLETE,
                depth=pick.depth,
                purpose=pick.purpose,
                seeds=runs,
                seconds=runs * pace.seconds(pick.depth),
            )
            if pick.purpose.is_ladder:
                scores = tuple(curve.probability(pick.depth) for _ in range(runs))
                trial = trial._replace(scores=scores, chance_bar=0.0)
            else:
                trial = trial._replace(runs=runs, trained=trained, effort=(trained, runs - trained))
            trials.append(trial)
    return tuple(trials)


def _next_picks(problem: Problem, settings: ResolvedSettings, trials: list[Trial]) -> tuple[Pick, ...]:
    """What the loop of a search would try next; nothing where it is concluded and confirmed, or the budget ends."""
    if not budget_left(trials, settings):
        return ()
    method: SearchMethod = method_for(problem, settings, trials)
    ladder: Ladder | None = ladder_of(problem, trials)
    pick = None if ladder is None else ladder.next_pick(method.depths, settings)
    if pick is not None:
        return (pick,)
    curve = method.estimate(trials, curves=CURVES)
    if curve.concluded is None:
        return method.next_picks(trials, method.round_size(trials))
    pick = method.next_confirmation(trials, curve)
    return () if pick is None else (pick,)
