"""Double, then bisect: the deterministic search for the last depth that passes, as pure functions.

Depths are counted here as steps of the grid that is searched: 1 is the shallowest, `last` the deepest.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass


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
