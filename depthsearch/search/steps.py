"""Depths counted from 1: the shallowest depth that may be tried is step 1, whatever its number."""

from optuna.distributions import IntDistribution


class Steps:
    """A range of depths as steps 1, 2, ..., `last`.

    Args:
        distribution: Of the parameter that is the depth.
    """

    def __init__(self, distribution: IntDistribution) -> None:
        self.low, self.width = distribution.low, distribution.step
        self.last = (distribution.high - distribution.low) // distribution.step + 1

    def depth(self, step: int) -> int:
        """The depth at a step; step 0 is just above the shallowest."""
        return self.low + (step - 1) * self.width

    def step(self, depth: int) -> int:
        """The step of a depth."""
        return (depth - self.low) // self.width + 1
