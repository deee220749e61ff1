"""What a run shows to somebody who looks at it alone: more than a search records."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthsearch.core.snapshot import Snapshot

Floats: TypeAlias = NDArray[np.float32]
Counts: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Histograms:
    """How a quantity of each layer is spread, epoch by epoch: B equal bins between the least and the largest value.

    E + 1 epochs (0 is before the first step), L weight layers. Values that are not finite are in no bin; low and
    high are NaN where a layer has no other.

    Attributes:
        low: [E + 1, L] the least finite value.
        high: [E + 1, L] the largest.
        counts: [E + 1, L, B] values in each bin; a bin holds its lower edge, the last one both.
        total: [E + 1, L] sum of the finite values.
        squares: [E + 1, L] sum of their squares.
    """

    low: Floats
    high: Floats
    counts: Counts
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    def edges(self, epoch: int, layer: int) -> Floats:
        """[B + 1] the edges of one layer's bins at the end of an epoch."""
        bins = self.counts.shape[2]
        return np.linspace(self.low[epoch, layer], self.high[epoch, layer], bins + 1, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Regions:
    """What the network says of a whole rectangle of the plane, for data of two features.

    Attributes:
        epochs: [S] the epochs of the trace's snapshots.
        x: [K] first coordinates of the grid.
        y: [K] second coordinates.
        probabilities: [S, K, K, classes] of each class at (x[j], y[i]) under [:, i, j].
    """

    epochs: NDArray[np.int64]
    x: Floats
    y: Floats
    probabilities: Floats


@dataclass(frozen=True, eq=False)
class Detail:
    """The whole budget of one run, looked at after every epoch.

    Attributes:
        snapshots: As the trace's own, for every epoch from 0 to the last.
        test_loss: [E + 1] mean loss over the test points.
        weights: Of each layer's W.
        gradients: Of each layer's dL/dW, L being the mean loss over the training set.
        initial_weights: Each layer's W [units, inputs] before the first step.
        final_weights: Each layer's W at the end.
        predictions: [test points, classes] probability of each class at the end.
        predicted: [test points] the class that is predicted there, as the accuracy counts it: by the logits, which
            differ where probabilities are rounded to the same number.
        regions: The plane as the network sees it; None for data of other than two features.
    """

    snapshots: Snapshot
    test_loss: Floats
    weights: Histograms
    gradients: Histograms
    initial_weights: tuple[Floats, ...]
    final_weights: tuple[Floats, ...]
    predictions: Floats
    predicted: NDArray[np.int64]
    regions: Regions | None
