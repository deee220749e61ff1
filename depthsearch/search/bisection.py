"""Bisection as an Optuna sampler without a state of its own."""

from collections.abc import Sequence

from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial, TrialState

from depthsearch.core.events import Purpose
from depthsearch.search.bracket import Bracket, bracket, next_step
from depthsearch.search.depth_sampler import DepthSampler
from depthsearch.search.steps import Steps
from depthsearch.search.trials import DEPTH, Probe, pooled, probes


class BisectionSampler(DepthSampler):
    """Doubles the depth until it fails, then bisects; halves it first where the start is too deep.

    The next depth is a pure function of the finished trials and of the running ones with a lower number, so a
    restart changes nothing, and several workers in lockstep pick what one batch would. A depth passes where
    at least `settings.reliability` of its runs trained. It takes at most 2 ceil(log2 D) + 2 depths to bracket a
    threshold at D. No interval is claimed: one unlucky depth sends it astray, which is why the depth found is
    worth trying again. Once nothing is left to bracket, it names the two edges again, the one tried less first.

    Args:
        settings: `reliability` is used; the deepest depth is the parameter's own upper bound.
        parameter: Name of the integer parameter that is the depth. Every other parameter is drawn at random.
    """

    def next_depth(self, earlier: Sequence[FrozenTrial], depths: IntDistribution) -> int:
        """The depth of the trial after these."""
        return next_depth(earlier, depths, self.settings.reliability, parameter=self.parameter)


def next_depth(
    earlier: Sequence[FrozenTrial], distribution: IntDistribution, reliability: float, *, parameter: str = DEPTH
) -> int:
    """The depth that bisection tries next, after the trials `earlier` (sorted by number).

    A running trial counts as pending; where it has no depth yet, its own pick is worked out first.
    """
    steps = Steps(distribution)
    finished = probes(earlier, parameter, purpose=Purpose.SEARCH)
    found = _bracket(steps, finished, reliability)
    tried = [probe.depth for probe in finished]
    pending: list[int] = []
    for trial in earlier:
        if trial.state is TrialState.RUNNING:
            pending.append(
                int(trial.params[parameter]) if parameter in trial.params else _pick(steps, found, pending, tried)
            )
    return _pick(steps, found, pending, tried)


def bracket_of(
    finished: Sequence[Probe], distribution: IntDistribution, reliability: float
) -> tuple[int | None, int | None, bool]:
    """(deepest depth that passes, shallowest that fails, whether nothing is left to try)."""
    steps = Steps(distribution)
    found = _bracket(steps, finished, reliability)
    return (
        steps.depth(found.passes) if found.passes else None,
        steps.depth(found.fails) if found.fails else None,
        found.closed,
    )


def _bracket(steps: Steps, finished: Sequence[Probe], reliability: float) -> Bracket:
    outcomes = [(steps.step(probe.depth), probe.passes(reliability)) for probe in pooled(finished)]
    return bracket(outcomes, steps.last)


def _pick(steps: Steps, found: Bracket, pending: Sequence[int], tried: Sequence[int]) -> int:
    step = next_step(found, [steps.step(depth) for depth in pending])
    if step is not None:
        return steps.depth(step)
    edges = [steps.depth(edge) for edge in (found.passes, found.fails) if edge]
    return min(edges, key=lambda depth: (tried.count(depth) + pending.count(depth), depth))
