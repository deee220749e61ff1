"""Gathers what record="full" adds to a run's trace. The engines share it; no torch here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from depthsearch.data.base import Dataset
from depthsearch.training.trace import Detail, Histograms, Regions, Snapshot

Floats: TypeAlias = NDArray[np.float32]

Logits: TypeAlias = Callable[[Floats], Floats]
"""From points [n, features] to the network's logits [n, outputs], as when it is used."""

BINS = 30

GRID = 100
"""Points along each side of the grid that the regions are taken on."""

MARGIN = 0.1
"""How far the grid extends beyond the data, as a share of the extent of the data."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a network predicts for test points of known classes.

    Attributes:
        probabilities: [n, classes].
        predicted: [n] the class, by the logits.
        labels: [n] the true one.
        mean_loss: Mean cross-entropy, with the label smoothing of the training.
    """

    probabilities: Floats
    predicted: NDArray[np.int64]
    labels: NDArray[np.int64]
    mean_loss: float

    @classmethod
    def of(cls, logits: Floats, labels: NDArray[np.int64], *, smoothing: float = 0.0) -> "Predictions":
        """From logits [n, outputs] and labels [n], of which the loss spreads a share evenly over the classes."""
        logarithms = log_probabilities(logits)
        mean_loss = -float(np.take_along_axis(logarithms, labels[:, None], 1).mean())
        if smoothing:
            mean_loss = (1 - smoothing) * mean_loss - smoothing * float(logarithms.mean())
        return cls(np.exp(logarithms).astype(np.float32), predicted_classes(logits), labels, mean_loss)


NOTHING_PREDICTED = Predictions(
    np.empty((0, 0), np.float32), np.empty(0, np.int64), np.empty(0, np.int64), float("nan")
)
"""Where no classes are learned."""


class DetailRecorder:
    """One run's growing detail.

    Args:
        data: What is learned; None where it is not held as arrays, so that nobody draws its plane.
        smoothing: Label smoothing of the loss, also of that over the test points.
    """

    def __init__(self, data: Dataset | None, *, smoothing: float = 0.0) -> None:
        self._data, self._smoothing = data, smoothing
        self._weights, self._gradients = _HistogramRecorder(), _HistogramRecorder()
        self._losses: list[float] = []
        planar = data is not None and data.classes is not None and data.x_train.shape[1:] == (2,)
        self._grid = _grid(data.x_train) if data is not None and planar else None
        self._region_epochs: list[int] = []
        self._regions: list[Floats] = []
        self._initial: tuple[Floats, ...] = ()
        self._final: tuple[Floats, ...] = ()
        self._predictions = NOTHING_PREDICTED

    def add(
        self,
        weights: Sequence[Floats],
        gradients: Sequence[Floats],
        logits: Logits,
        *,
        epoch: int,
        regions: bool,
    ) -> None:
        """The network at the end of an epoch.

        Args:
            weights: Each layer's W, [units, inputs]; kept, so not to be written to afterwards.
            gradients: Each layer's dL/dW, [units, inputs]; kept, too.
            logits: The network as a function.
            epoch: Which epoch.
            regions: Whether to evaluate the network on the grid too.
        """
        assert self._data is not None
        self.add_layers(weights, gradients)
        predictions = Predictions.of(logits(self._data.x_test), self._data.y_test, smoothing=self._smoothing)
        self.add_test(predictions.mean_loss, predictions)
        self.add_regions(logits, epoch=epoch, wanted=regions)

    def add_layers(self, weights: Sequence[Floats], gradients: Sequence[Floats]) -> None:
        """Each layer's W and dL/dW at the end of an epoch (see `add`)."""
        self._weights.add(weights)
        self._gradients.add(gradients)
        if not self._initial:
            self._initial = tuple(weights)
        self._final = tuple(weights)

    def add_test(self, loss: float, predictions: "Predictions | None" = None) -> None:
        """The mean test loss at the end of an epoch, and what was predicted, where classes are."""
        self._losses.append(loss)
        self._predictions = predictions or NOTHING_PREDICTED

    def add_regions(self, logits: Logits, *, epoch: int, wanted: bool) -> None:
        """The plane at the end of an epoch, where it is wanted and the data lie in one."""
        if wanted and self._grid:
            x, y = self._grid
            points = np.stack([values.ravel() for values in np.meshgrid(x, y)], axis=1)
            plane = np.exp(log_probabilities(logits(points)))
            self._region_epochs.append(epoch)
            self._regions.append(plane.astype(np.float32).reshape(len(y), len(x), -1))

    def detail(self, snapshots: Snapshot) -> Detail:
        """The record, with the snapshots of every epoch."""
        shown = self._predictions
        return Detail(
            snapshots=snapshots,
            test_loss=np.asarray(self._losses, dtype=np.float32),
            weights=self._weights.histograms(),
            gradients=self._gradients.histograms(),
            initial_weights=self._initial,
            final_weights=self._final,
            predictions=shown.probabilities,
            predicted=shown.predicted,
            labels=shown.labels,
            regions=self._plane(),
        )

    def _plane(self) -> Regions | None:
        if self._grid is None or self._data is None:
            return None
        x, y = self._grid
        epochs = np.asarray(self._region_epochs, dtype=np.int64)
        return Regions(epochs, x, y, probabilities=np.stack(self._regions), points=self._data.x_test)


class _HistogramRecorder:
    def __init__(self) -> None:
        self._rows: list[tuple[NDArray[np.float64], NDArray[np.int32]]] = []

    def add(self, layers: Sequence[Floats]) -> None:
        """One epoch's values of every layer."""
        figures, counts = zip(*map(_histogram, layers), strict=True)
        self._rows.append((np.stack(figures), np.stack(counts)))

    def histograms(self) -> Histograms:
        figures = np.stack([row for row, _ in self._rows])
        low, high = figures[..., 0].astype(np.float32), figures[..., 1].astype(np.float32)
        counts = np.stack([counts for _, counts in self._rows])
        return Histograms(low, high, counts, total=figures[..., 2], squares=figures[..., 3])


def _histogram(layer: Floats) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Low, high, sum and sum of squares of the finite values, and their counts in BINS bins."""
    values = layer[np.isfinite(layer)].astype(np.float64)
    if not len(values):
        return np.array([np.nan, np.nan, 0.0, 0.0]), np.zeros(BINS, np.int32)
    low, high = values.min(), values.max()
    places = np.zeros(len(values), np.int64)
    if high > low:
        places = np.minimum((BINS * ((values - low) / (high - low))).astype(np.int64), BINS - 1)
    figures = np.array([low, high, values.sum(), (values * values).sum()])
    return figures, np.bincount(places, minlength=BINS).astype(np.int32)


def log_probabilities(logits: Floats) -> NDArray[np.float64]:
    """[n, classes] from logits [n, outputs]: softmax, or the logistic function where there is one output."""
    scores = logits.astype(np.float64)
    if scores.shape[1] == 1:
        scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
    with np.errstate(all="ignore"):  # what exploded has no probabilities
        scores -= scores.max(axis=1, keepdims=True)
        normalized: NDArray[np.float64] = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return normalized


def predicted_classes(logits: Floats) -> NDArray[np.int64]:
    """[n] from logits [n, outputs]: as the engines count, a single logit of exactly 0 is class 0."""
    if logits.shape[1] == 1:
        return (logits[:, 0] > 0).astype(np.int64)
    return np.asarray(logits.argmax(axis=1), dtype=np.int64)


def _grid(points: Floats) -> tuple[Floats, Floats]:
    """Coordinates along both axes that cover the points and a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    reach = MARGIN * (high - low)
    x, y = (np.linspace(a, b, GRID, dtype=np.float32) for a, b in zip(low - reach, high + reach, strict=True))
    return x, y
