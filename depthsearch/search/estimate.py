"""What the trials say of the threshold, computed from the study alone."""

from optuna import Study
from optuna.distributions import IntDistribution

from depthsearch.core.curve import Conclusion, Curve, CurvePoint
from depthsearch.core.events import Purpose
from depthsearch.core.settings import SearchSettings
from depthsearch.search.bisection import bracket_of
from depthsearch.search.trials import DEPTH, all_trials, pooled, probes


def estimate(study: Study, settings: SearchSettings, *, parameter: str = DEPTH) -> Curve:
    """The curve of P(trained | depth) and the depth that it names.

    Bisection claims no interval: `interval` and `level` are null, `p` is the raw share, `monotone` is null.
    Trials whose attribute `purpose` is "confirm" count in the points, not in what is concluded.

    Args:
        study: An Optuna study whose trials carry `runs` and `trained`.
        settings: `reliability` and `cap` are used.
        parameter: Name of the integer parameter that is the depth.
    """
    trials = all_trials(study)
    low = min(
        (
            distribution.low
            for trial in trials
            if isinstance(distribution := trial.distributions.get(parameter), IntDistribution)
        ),
        default=1,
    )
    searched = probes(trials, parameter, purpose=Purpose.SEARCH)
    passes, fails, closed = bracket_of(searched, IntDistribution(low, max(low, settings.cap)), settings.reliability)
    return Curve(
        points=tuple(
            CurvePoint(depth=probe.depth, trained=probe.trained, of=probe.runs, p=probe.trained / probe.runs)
            for probe in pooled(probes(trials, parameter))
        ),
        max_depth=passes,
        fails_at=fails,
        concluded=_conclusion(passes, fails) if closed else None,
    )


def _conclusion(passes: int | None, fails: int | None) -> Conclusion:
    if passes is None:
        return Conclusion.SHALLOWEST
    return Conclusion.CAP if fails is None else Conclusion.ADJACENT
