"""Real handwritten digits: the 1797 images of 8 x 8 pixels that scikit-learn ships."""

import numpy as np

from depthsearch.datasets.dataset import Dataset, split, training_points


def digits(*, seed: int, test_share: float) -> Dataset:
    """Ten classes, 64 features, standardised with the training part's mean and deviation.

    A pixel that never changes in the training part is left at zero.

    Source: Alpaydin and Kaynak 1998, https://doi.org/10.24432/C50P49
    """
    from sklearn.datasets import load_digits  # noqa: PLC0415 - a second, which only whoever needs points waits for

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    x, y = x[order], y[order]
    first = training_points(len(x), test_share)
    mean, deviation = x[:first].mean(axis=0), x[:first].std(axis=0)
    scaled = np.where(deviation > 0, (x - mean) / np.where(deviation > 0, deviation, 1), 0)
    return split(scaled, y, test_share=test_share)
