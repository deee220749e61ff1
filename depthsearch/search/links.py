"""Three shapes that a trainability curve may have, each falling from 1 to 0 and through 1/2 at t = 0.

With t = beta (ln d - m), so that m is the logarithm of the depth at the middle and beta the slope there: dF/dt at 0 is
-1/4 for all three. The second is c**d exactly where beta = 2 ln 2; the third is its mirror image.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating[Any]]
LN2 = float(np.log(2))


def logistic(t: Values) -> Values:
    """1 / (1 + e^t)."""
    return 1 / (1 + np.exp(np.clip(t, -80, 80)))


def weibull(t: Values) -> Values:
    """exp(-ln 2 e^(t / (2 ln 2))): slow to fall, then fast."""
    shares: Values = np.exp(-LN2 * np.exp(np.clip(t / (2 * LN2), -80, 80)))
    return shares


def mirrored(t: Values) -> Values:
    """1 - exp(-ln 2 e^(-t / (2 ln 2))): fast to fall, with a long tail."""
    shares: Values = -np.expm1(-LN2 * np.exp(np.clip(-t / (2 * LN2), -80, 80)))
    return shares


def where_logistic(share: Values) -> Values:
    """The t at which the logistic curve has that share; for shares within (0, 1)."""
    return np.log1p(-share) - np.log(share)


def where_weibull(share: Values) -> Values:
    """Likewise."""
    return 2 * LN2 * np.log(-np.log(share) / LN2)


def where_mirrored(share: Values) -> Values:
    """Likewise."""
    return -2 * LN2 * np.log(-np.log1p(-share) / LN2)


LINKS = (logistic, weibull, mirrored)
WHERE = (where_logistic, where_weibull, where_mirrored)
