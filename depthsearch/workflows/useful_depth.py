"""How deep a network may be before it is worse than a shallower one, from the final scores of all runs."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from depthsearch.problem.criterion import MARGIN
from depthsearch.results.answer import UsefulDepth
from depthsearch.search.threshold.posterior import Count, posterior
from depthsearch.search.threshold.stopping import LEVEL, threshold
from depthsearch.store import StoredRun

LEAST_RUNS = 8
"""Runs from which the median score of a rung is taken, at least."""

RUNGS = 2
"""Rungs to a doubling of the depth: depths are pooled, since few of them have many runs."""

WIDEST = 4.0
"""An interval whose ends lie further apart than this factor says too little to be shown."""

AS_GOOD = 0.5
"""The share of runs at a depth that are no worse, from which on the depth is: its median score is then no worse."""


@dataclass(frozen=True)
class _Rung:
    depth: int  # the shallowest in it
    score: float


def useful_depth(runs: Sequence[StoredRun], max_depth: int | None, *, least: float) -> UsefulDepth | None:
    """The deepest depth up to max_depth that is no worse than the best shallower one (He et al., arXiv 1512.03385).

    The best rung of the ladder of depths sets the bar: its median final score minus MARGIN. A run at that rung or
    deeper is as good if its final score reaches the bar; the depth at which half of the runs are, with its interval, is
    estimated as the depth at which half of the runs train is. The interval is conditional on the bar.

    Args:
        runs: Of the finished trials.
        max_depth: The deepest depth that passes.
        least: A score that no bar lies below.

    Returns:
        None where the runs are too few to say, none is shallower, or their scores were not recorded.
    """
    scored = [(run.depth, run.final_score) for run in runs if run.final_score is not None]
    if max_depth is None or all(depth >= max_depth for depth, _ in scored):
        return None
    best = _best_rung([(depth, score) for depth, score in scored if depth <= max_depth])
    if best is None:
        return None
    bar = max(best.score - MARGIN, least)
    seen: dict[int, list[bool]] = defaultdict(list)
    for depth, score in scored:
        if depth >= best.depth:
            seen[depth - best.depth + 1].append(score >= bar)
    found = threshold(
        posterior(tuple(Count(step, len(good), sum(good)) for step, good in sorted(seen.items()))), AS_GOOD
    )

    def whole(step: float, rounded: np.ufunc) -> int:
        return int(np.clip(rounded(step) + best.depth - 1, best.depth, max_depth))

    depth, low, high = whole(found.median, np.floor), whole(found.low, np.floor), whole(found.high, np.ceil)
    # A depth at which most runs are worse is never as good, whatever the curve says there.
    while depth > best.depth and (there := seen.get(depth - best.depth + 1)) and 2 * sum(there) < len(there):
        depth -= 1
    low = min(low, depth)
    if high > WIDEST * low:
        return None
    return UsefulDepth(
        depth=depth,
        interval=(low, high),
        interval_level=LEVEL,
        bar=round(bar, 6),
        best_depth=best.depth,
        best_score=round(best.score, 6),
        margin=MARGIN,
    )


def _best_rung(scored: Sequence[tuple[int, float]]) -> _Rung | None:
    """The rung with the highest median score, of those with enough runs; the shallowest of equals."""
    rungs: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for depth, score in scored:
        rungs[math.floor(RUNGS * math.log2(max(depth, 1)))].append((depth, score))
    found = [
        _Rung(min(depth for depth, _ in rung), median(score for _, score in rung))
        for _, rung in sorted(rungs.items())
        if len(rung) >= LEAST_RUNS
    ]
    return max(found, key=lambda rung: (rung.score, -rung.depth), default=None)
