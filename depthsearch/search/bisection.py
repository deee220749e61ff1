"""Double, then bisect: the deterministic search for the last depth that passes, and its Optuna sampler."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial, TrialState

from depthsearch.search.sampler import DepthSampler
from depthsearch.search.trial import DEPTH, Probe, Purpose, Steps, pooled, probes


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
        return self.fails == self.passes + 1 or (self.fails is None and self.passes == self.last)


def bracket(outcomes: Iterable[tuple[int, bool]], last: int) -> Bracket:
    """The bracket that (step, whether it passed) leaves; steps outside 1..last are not looked at."""
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
