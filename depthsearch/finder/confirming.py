"""Which depths an answer is still to be confirmed at, with fresh seeds trained for the whole budget."""

from collections.abc import Sequence

from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial

from depthsearch.core.curve import Conclusion, Curve
from depthsearch.core.settings import SearchSettings
from depthsearch.search import trials as trial_fields
from depthsearch.search.estimate import confirmation_agrees

MOST = 3
"""Confirmations of one answer: their runs may move it, or reopen the search, and then it is confirmed again."""


def still_to_confirm(
    trials: Sequence[FrozenTrial], curve: Curve, settings: SearchSettings, depths: IntDistribution
) -> int | None:
    """The depth to be tried again next; None where the answer, once concluded, stands confirmed."""
    made = trial_fields.confirming(trials)
    if settings.sampler == "bisect":
        tried = {trial.params[trial_fields.DEPTH] for trial in made}
        edges = [depth for depth in (curve.max_depth, curve.fails_at) if depth is not None]
        return next((depth for depth in edges if depth not in tried), None)
    if curve.concluded is Conclusion.GRID or curve.monotone is False or curve.interval is None or len(made) >= MOST:
        return None
    median = next(found.depth for found in curve.thresholds if found.reliability == settings.threshold_share)
    answer = min(max(median, depths.low), depths.high)
    agrees = made and confirmation_agrees(trials, made[-1], depths)
    if agrees and made[-1].params[trial_fields.DEPTH] == answer:
        return None
    return answer
