"""A number to predict, without files: Friedman's first function."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from depthsearch.data.base import Dataset, DataSource, DataSpec, split_arrays, training_points
from depthsearch.data.planar import LEAST_POINTS, Noise

FEATURES = 10


class Friedman(DataSource):
    """Regression: 10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5, of ten features of which five count for nothing.

    Features are uniform between -1 and 1 (x from 0 to 1, scaled). The target has mean 0 and deviation 1 over the
    training part; noise is added before that, on a scale on which the target's deviation is about 5 (scikit-learn's
    make_friedman1).

    Source: Friedman 1991, https://doi.org/10.1214/aos/1176347963

    Attributes:
        points: How many points there are.
        noise: Standard deviation of the Gaussian noise added to the number to predict.
    """

    name: Literal["friedman"] = "friedman"
    points: Annotated[int, Field(strict=True, ge=LEAST_POINTS, le=10_000_000)] = 1000
    noise: Noise = 0.1

    @property
    def spec(self) -> DataSpec:
        """Ten features, one number."""
        return DataSpec(shape=(FEATURES,), task="regression", targets=1)

    def draw(self) -> Dataset:
        """Features [points, 10] and numbers [points, 1], split."""
        from sklearn.datasets import make_friedman1  # noqa: PLC0415 - takes a second to import

        x, y = make_friedman1(self.points, FEATURES, noise=self.noise, random_state=self.seed)
        train = y[: training_points(self.points, self.test_share)]
        inputs, targets = 2 * x - 1, (y - train.mean()) / train.std()
        return split_arrays(
            inputs.astype(np.float32), targets[:, None].astype(np.float32), test_share=self.test_share, classes=None
        )
