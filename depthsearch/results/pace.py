"""How long a run takes at a depth, from runs of some depths: seconds grow with depth."""

from collections.abc import Iterable
from typing import NamedTuple


class Timing(NamedTuple):
    """`runs` at `depth` took `seconds` in all, those that went side by side counted once."""

    depth: int
    runs: int
    seconds: float


class Pace:
    """A line through the seconds of a run by depth, as least squares of the relative errors put it.

    Neither the seconds at depth 0 nor those that a further depth takes are negative.

    Args:
        timings: At least one, with a run at least.
    """

    def __init__(self, timings: Iterable[Timing]) -> None:
        known = [(timing.depth, timing.runs, max(timing.seconds / timing.runs, 1e-9)) for timing in timings]
        # Weights that make errors relative: otherwise the deepest runs decide what a shallow one takes.
        weighted = [(depth, seconds, runs / seconds**2) for depth, runs, seconds in known]
        n = sum(weight for _, _, weight in weighted)
        x = sum(weight * depth for depth, _, weight in weighted) / n
        y = sum(weight * seconds for _, seconds, weight in weighted) / n
        xx = sum(weight * (depth - x) ** 2 for depth, _, weight in weighted)
        xy = sum(weight * (depth - x) * (seconds - y) for depth, seconds, weight in weighted)
        through_zero = sum(w * d * s for d, s, w in weighted) / (sum(w * d * d for d, _, w in weighted) or 1.0)
        if xx:
            self.slope = max(xy / xx, 0.0)
            self.start = y - self.slope * x
        else:  # one depth: half of its seconds are taken to grow with depth
            self.slope = y / x / 2 if x else 0.0
            self.start = y - self.slope * x
        if self.start < 0:
            self.slope, self.start = through_zero, 0.0

    def seconds(self, depth: float) -> float:
        """What a run takes there."""
        return self.start + self.slope * depth
