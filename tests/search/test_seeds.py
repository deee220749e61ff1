"""A run's seed depends only on the root seed, the depth and its number."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from depthsearch.search import draw_seeds


def test_a_seed_is_numpys_own_draw() -> None:
    (seed,) = draw_seeds(7, depth=20, first=3, count=1)
    assert seed == int(np.random.SeedSequence([7, 20, 3]).generate_state(1)[0])


@given(st.integers(0, 2**40), st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 8))
def test_seeds_drawn_in_parts_are_those_drawn_at_once(root: int, depth: int, first: int, more: int) -> None:
    at_once = draw_seeds(root, depth=depth, first=0, count=first + more)
    assert at_once == draw_seeds(root, depth=depth, first=0, count=first) + draw_seeds(
        root, depth=depth, first=first, count=more
    )


def test_seeds_differ_between_depths_roots_and_numbers() -> None:
    seeds = [
        seed for root in range(4) for depth in range(50) for seed in draw_seeds(root, depth=depth, first=0, count=10)
    ]
    assert len(set(seeds)) == len(seeds)


def test_seeds_fit_in_four_bytes() -> None:
    assert all(0 <= seed < 2**32 for seed in draw_seeds(0, depth=1, first=0, count=100))
