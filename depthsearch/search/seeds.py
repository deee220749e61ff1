"""Where a run's seed comes from: the root seed, the depth, and how many runs that depth has had."""

import numpy as np


def draw_seeds(root: int, *, depth: int, first: int, count: int) -> list[int]:
    """The seeds of the runs numbered `first` to `first + count - 1` at a depth, each below 2**32.

    Each depends on (root, depth, number) alone, so a trial that is made again draws the same ones.
    """
    return [
        int(np.random.SeedSequence([root, depth, number]).generate_state(1)[0])
        for number in range(first, first + count)
    ]
