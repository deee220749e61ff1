"""Data sets: from a name and its options to points and labels. Imports core alone, and scikit-learn."""

from functools import lru_cache

from depthsearch.core.problem import POINTS, DataOptions, DataSpec
from depthsearch.datasets.dataset import Dataset, split
from depthsearch.datasets.digits import digits
from depthsearch.datasets.planar import circles, moons, spirals, xor

_PLANAR = {"moons": moons, "circles": circles, "xor": xor, "spirals": spirals}


def spec_of(options: DataOptions) -> DataSpec:
    """What a network has to know of the data set, which needs no points."""
    return DataSpec(features=64, classes=10) if options.name == "digits" else DataSpec(features=2, classes=2)


@lru_cache(maxsize=8)
def load(options: DataOptions) -> Dataset:
    """The data set that the options describe; the same options give the same points."""
    if options.name == "digits":
        return digits(seed=options.seed, test_share=options.test_share)
    points, labels = _PLANAR[options.name](options.points or POINTS, noise=options.noise or 0.0, seed=options.seed)
    return split(points, labels, test_share=options.test_share)
