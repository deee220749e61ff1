"""Two classes in the plane: moons, circles, xor, spirals, as many points of each class."""

from abc import abstractmethod
from typing import Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from depthsearch.data.base import Dataset, DataSource, DataSpec, split

Labelled: TypeAlias = tuple[NDArray[np.float64], NDArray[np.int64]]
"""[points, 2] coordinates and [points] labels."""

Noise: TypeAlias = Annotated[float, Field(strict=True, ge=0, le=1000)]
LEAST_POINTS = 40
"""A share of 0.05 still holds a point of each class."""


class Planar(DataSource):
    """Points of two classes in the plane.

    Attributes:
        points: How many points there are.
        noise: Standard deviation of the Gaussian noise added to each coordinate.
    """

    points: Annotated[int, Field(strict=True, ge=LEAST_POINTS, le=10_000_000)] = 1000
    noise: Noise = 0.1

    @property
    def spec(self) -> DataSpec:
        """Two coordinates, two classes."""
        return DataSpec(shape=(2,), classes=2)

    @abstractmethod
    def labelled(self) -> Labelled:
        """The points in random order."""

    def draw(self) -> Dataset:
        """The points, split."""
        return split(*self.labelled(), test_share=self.test_share)


class Moons(Planar):
    """Two interleaving half circles of radius 1 (scikit-learn's make_moons)."""

    name: Literal["moons"] = "moons"
    noise: Noise = 0.2

    def labelled(self) -> Labelled:
        """The points in random order."""
        from sklearn.datasets import make_moons  # noqa: PLC0415 - takes a second to import

        x, y = make_moons(self.points, noise=self.noise, random_state=self.seed)
        return x, y


class Circles(Planar):
    """A circle of radius 1 around one of radius 0.5 (scikit-learn's make_circles)."""

    name: Literal["circles"] = "circles"

    def labelled(self) -> Labelled:
        """The points in random order."""
        from sklearn.datasets import make_circles  # noqa: PLC0415 - takes a second to import

        x, y = make_circles(self.points, noise=self.noise, factor=0.5, random_state=self.seed)
        return x, y


class Xor(Planar):
    """The square [-1, 1]^2, labelled by whether the coordinates' signs differ; then moved by noise."""

    name: Literal["xor"] = "xor"

    def labelled(self) -> Labelled:
        """The points in random order."""
        rng = np.random.default_rng(self.seed)
        labels = rng.permutation(self.points) % 2
        points = rng.uniform(0, 1, (self.points, 2)) * rng.choice((-1.0, 1.0), (self.points, 1))
        points[:, 1] *= np.where(labels == 1, -1, 1)
        return points + self.noise * rng.standard_normal((self.points, 2)), labels


class Spirals(Planar):
    """Two arms of one and a half turns each, out to radius 2; the second is the first turned by half a turn."""

    name: Literal["spirals"] = "spirals"

    def labelled(self) -> Labelled:
        """The points in random order."""
        rng = np.random.default_rng(self.seed)
        labels = rng.permutation(self.points) % 2
        turn = np.sqrt(rng.uniform(0, 1, self.points))
        angle = 3 * np.pi * turn + np.pi * labels
        points = 2 * turn[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))
        return points + self.noise * rng.standard_normal((self.points, 2)), labels
