"""Data sets: from a name and its options to points and labels. Imports core alone, and scikit-learn."""

from functools import lru_cache

from depthsearch.core.problem import DataOptions
from depthsearch.datasets.dataset import Dataset
from depthsearch.datasets.digits import digits
from depthsearch.datasets.planar import circles, moons, spirals, xor

_PLANAR = {"moons": moons, "circles": circles, "xor": xor, "spirals": spirals}


@lru_cache(maxsize=8)
def load(options: DataOptions) -> Dataset:
    """The data set that the options describe; the same options give the same points."""
    if options.name == "digits":
        return digits(seed=options.seed)
    return _PLANAR[options.name](noise=options.noise or 0.0, seed=options.seed)
