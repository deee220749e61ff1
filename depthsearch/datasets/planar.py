"""Two classes in the plane: moons, circles, xor, spirals, as many points of each class. [points, 2] and labels."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Labelled: TypeAlias = tuple[NDArray[np.float64], NDArray[np.int64]]


def moons(count: int, *, noise: float, seed: int) -> Labelled:
    """Two interleaving half circles of radius 1 (scikit-learn's make_moons)."""
    from sklearn.datasets import make_moons  # noqa: PLC0415 - a second, which only whoever needs points waits for

    x, y = make_moons(count, noise=noise, random_state=seed)
    return x, y


def circles(count: int, *, noise: float, seed: int) -> Labelled:
    """A circle of radius 1 around one of radius 0.5 (scikit-learn's make_circles)."""
    from sklearn.datasets import make_circles  # noqa: PLC0415

    x, y = make_circles(count, noise=noise, factor=0.5, random_state=seed)
    return x, y


def xor(count: int, *, noise: float, seed: int) -> Labelled:
    """The square [-1, 1]^2, labelled by whether the coordinates' signs differ; then moved by noise."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(count) % 2
    points = rng.uniform(0, 1, (count, 2)) * rng.choice((-1.0, 1.0), (count, 1))
    points[:, 1] *= np.where(labels == 1, -1, 1)
    return points + noise * rng.standard_normal((count, 2)), labels


def spirals(count: int, *, noise: float, seed: int) -> Labelled:
    """Two arms of one and a half turns each, out to radius 2; the second is the first turned by half a turn."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(count) % 2
    turn = np.sqrt(rng.uniform(0, 1, count))
    angle = 3 * np.pi * turn + np.pi * labels
    points = 2 * turn[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))
    return points + noise * rng.standard_normal((count, 2)), labels
