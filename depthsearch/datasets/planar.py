"""Two classes in the plane: moons, circles, xor, spirals. 1000 points, as many of each class."""

import numpy as np
from sklearn.datasets import make_circles, make_moons

from depthsearch.datasets.dataset import Dataset, split_in_half

POINTS = 1000


def moons(*, noise: float, seed: int) -> Dataset:
    """Two interleaving half circles of radius 1 (scikit-learn's make_moons)."""
    return split_in_half(*make_moons(POINTS, noise=noise, random_state=seed))


def circles(*, noise: float, seed: int) -> Dataset:
    """A circle of radius 1 around one of radius 0.5 (scikit-learn's make_circles)."""
    return split_in_half(*make_circles(POINTS, noise=noise, factor=0.5, random_state=seed))


def xor(*, noise: float, seed: int) -> Dataset:
    """The square [-1, 1]^2, labelled by whether the coordinates' signs differ; then moved by noise."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(POINTS) % 2
    points = rng.uniform(0, 1, (POINTS, 2)) * rng.choice((-1.0, 1.0), (POINTS, 1))
    points[:, 1] *= np.where(labels == 1, -1, 1)
    return split_in_half(points + noise * rng.standard_normal((POINTS, 2)), labels)


def spirals(*, noise: float, seed: int) -> Dataset:
    """Two arms of one and a half turns each, out to radius 2; the second is the first turned by half a turn."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(POINTS) % 2
    turn = np.sqrt(rng.uniform(0, 1, POINTS))
    angle = 3 * np.pi * turn + np.pi * labels
    points = 2 * turn[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))
    return split_in_half(points + noise * rng.standard_normal((POINTS, 2)), labels)
