"""Real handwritten digits: the 1797 images of 8 x 8 pixels that scikit-learn ships."""

from typing import Literal

import numpy as np

from depthsearch.data.base import Dataset, DataSource, DataSpec, split, training_points


class Digits(DataSource):
    """Ten classes, 64 features, standardised with the training part's mean and deviation.

    A pixel that never changes in the training part is left at zero.

    Source: Alpaydin and Kaynak 1998, https://doi.org/10.24432/C50P49
    """

    name: Literal["digits"] = "digits"

    @property
    def spec(self) -> DataSpec:
        """64 pixels in a row, ten classes."""
        return DataSpec(shape=(64,), classes=10, image=(1, 8, 8))

    def draw(self) -> Dataset:
        """The images in random order, split."""
        from sklearn.datasets import load_digits  # noqa: PLC0415 - takes a second to import

        x, y = load_digits(return_X_y=True)
        order = np.random.default_rng(self.seed).permutation(len(x))
        x, y = x[order], y[order]
        first = training_points(len(x), self.test_share)
        mean, deviation = x[:first].mean(axis=0), x[:first].std(axis=0)
        scaled = np.where(deviation > 0, (x - mean) / np.where(deviation > 0, deviation, 1), 0)
        return split(scaled, y, test_share=self.test_share)
