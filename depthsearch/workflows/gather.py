"""From a run's trace, recorded in full, to the Inspection that shows it. Nothing is trained."""

import math
from collections.abc import Sequence
from statistics import median

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depthsearch.data.base import BINARY
from depthsearch.detection import bar_of
from depthsearch.detection.verdict import Verdict
from depthsearch.problem.problem import Problem
from depthsearch.results.inspection import (
    DecisionRegions,
    GradientFlow,
    GradientRatio,
    InspectedLayer,
    Inspection,
    LayerFigures,
    LayerWeights,
    Predictions,
    Replay,
    Spread,
    SpreadOverEpochs,
)
from depthsearch.training.trace import Detail, Histograms, Snapshot, Trace
from depthsearch.workflows.answer import versions

LARGEST_SHOWN = 64
"""Rows and columns of the largest weight matrix that is shown whole."""

DIGITS, DECIMALS = 6, 3
"""Significant digits of what was measured; decimals of the probabilities over the plane."""

Floats = NDArray[np.float32]


def inspection_of(
    problem: Problem, trace: Trace, verdict: Verdict, *, engine: str, seconds: float, replay: Replay | None = None
) -> Inspection:
    """All that a run shows.

    Args:
        problem: What was trained.
        trace: Of the whole budget, with its detail.
        verdict: What it shows.
        engine: What trained it.
        seconds: How long that took.
        replay: How it stands to the run that a study recorded, if it does.
    """
    assert trace.detail is not None
    data, detail = problem.data.load(), trace.detail
    return Inspection(
        problem=problem,
        depth=trace.depth,
        seed=trace.seed,
        engine=engine,
        verdict=verdict.kind,
        sentence=verdict.sentence,
        evidence=verdict.evidence,
        bar=bar_of(trace, problem.criterion),
        epochs=trace.epochs,
        steps=trace.steps,
        baseline=trace.baseline,
        train_loss=_numbers(trace.loss),
        train_accuracy=_numbers(trace.score),
        test_loss=_numbers(detail.test_loss),
        test_accuracy=_numbers(detail.snapshots.test_accuracy),
        layers=problem.network.layer_counts(data.spec, trace.depth),
        per_layer=_layers(trace.layers, detail),
        gradient_flow=_flow(trace.snapshots),
        gradient_ratio=_ratio(detail.snapshots.mean_abs_gradient),
        spread=_spreads(trace.snapshots.epochs.tolist(), detail),
        first_weights=_weights(trace.layers[0], detail.initial_weights[0], detail.final_weights[0]),
        last_weights=_weights(trace.layers[-1], detail.initial_weights[-1], detail.final_weights[-1]),
        predictions=_predictions(detail.predictions, detail.predicted, data.y_test),
        regions=_regions(detail),
        replay=replay,
        seconds=round(seconds, 3),
        versions=versions(),
    )


def _number(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _numbers(values: ArrayLike) -> tuple[float, ...]:
    return tuple(map(_number, np.asarray(values).tolist()))


def _matrix(rows: NDArray[np.floating]) -> tuple[tuple[float, ...], ...]:
    return tuple(map(_numbers, rows))


def _layers(names: Sequence[str], detail: Detail) -> tuple[InspectedLayer, ...]:
    means, deviations = _moments(detail.weights)
    changes = zip(detail.initial_weights, detail.final_weights, strict=True)
    return tuple(
        InspectedLayer(
            name=name,
            start=_figures(detail.snapshots, means, deviations, epoch=0, layer=layer),
            end=_figures(detail.snapshots, means, deviations, epoch=-1, layer=layer),
            mean_abs_change=_mean_abs_change(*change),
        )
        for layer, (name, change) in enumerate(zip(names, changes, strict=True))
    )


def _figures(
    snapshots: Snapshot, means: NDArray[np.float64], deviations: NDArray[np.float64], *, epoch: int, layer: int
) -> LayerFigures:
    def figure(values: NDArray[np.floating]) -> float:
        return _number(float(values[epoch, layer]))

    return LayerFigures(
        gradient_norm=figure(snapshots.weight_gradient_norm),
        mean_abs_gradient=figure(snapshots.mean_abs_gradient),
        activation_gradient_norm=figure(snapshots.activation_gradient_norm),
        weight_norm=figure(snapshots.weight_norm),
        weight_mean=figure(means),
        weight_deviation=figure(deviations),
        weight_change=figure(snapshots.weight_change),
        never_active=figure(snapshots.never_active),
    )


def _moments(histograms: Histograms) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[E + 1, L] means and standard deviations of the finite values; NaN where a layer has none."""
    values = histograms.counts.sum(axis=2)
    with np.errstate(all="ignore"):
        means = histograms.total / values
        return means, np.sqrt(np.maximum(histograms.squares / values - means * means, 0))


def _mean_abs_change(before: Floats, after: Floats) -> float:
    with np.errstate(all="ignore"):  # what exploded has no finite change
        return _number(float(np.abs(after.astype(np.float64) - before).mean()))


def _flow(snapshots: Snapshot) -> GradientFlow:
    return GradientFlow(
        epochs=tuple(snapshots.epochs.tolist()),
        mean_abs_gradient=_matrix(snapshots.mean_abs_gradient),
        gradient_norm=_matrix(snapshots.weight_gradient_norm),
        activation_gradient_norm=_matrix(snapshots.activation_gradient_norm),
    )


def _ratio(gradients: Floats) -> GradientRatio:
    """From [E + 1, L] mean |dL/dW|."""
    ratios = [_over(last, first) for first, last in gradients[:, [0, -1]].tolist()]
    defined = [ratio for ratio in ratios if ratio is not None]
    return GradientRatio(start=ratios[0], end=ratios[-1], median=_number(median(defined)) if defined else None)


def _over(last: float, first: float) -> float | None:
    if first == 0 or not math.isfinite(first) or not math.isfinite(last):
        return None
    return _number(last / first)


def _spreads(epochs: list[int], detail: Detail) -> SpreadOverEpochs:
    return SpreadOverEpochs(
        epochs=tuple(epochs), weights=_spread(detail.weights, epochs), gradients=_spread(detail.gradients, epochs)
    )


def _spread(histograms: Histograms, epochs: list[int]) -> Spread:
    return Spread(
        low=_matrix(histograms.low[epochs]),
        high=_matrix(histograms.high[epochs]),
        counts=tuple(tuple(tuple(bins) for bins in layers) for layers in histograms.counts[epochs].tolist()),
    )


def _weights(name: str, before: Floats, after: Floats) -> LayerWeights:
    shown = max(before.shape) <= LARGEST_SHOWN
    return LayerWeights(name=name, before=_matrix(before) if shown else None, after=_matrix(after) if shown else None)


def _predictions(probabilities: Floats, predicted: NDArray[np.int64], truth: NDArray[np.int64]) -> Predictions:
    """From [test points, classes] probabilities and [test points] classes."""
    classes = probabilities.shape[1]
    finite = np.isfinite(probabilities).all(axis=1)
    cells = np.bincount(classes * truth[finite] + predicted[finite], minlength=classes * classes)
    return Predictions(
        points=len(truth),
        confusion=tuple(map(tuple, cells.reshape(classes, classes).tolist())),
        undefined=int((~finite).sum()),
        right_probability=_number(float(probabilities[np.arange(len(truth)), truth].mean())),
        confidence=_number(float(probabilities.max(axis=1).mean())),
    )


def _regions(detail: Detail) -> DecisionRegions | None:
    plane = detail.regions
    if plane is None or plane.probabilities.shape[-1] != BINARY:
        return None
    return DecisionRegions(
        x=_numbers(plane.x),
        y=_numbers(plane.y),
        start=_plane(plane.probabilities[0]),
        end=_plane(plane.probabilities[-1]),
    )


def _plane(probabilities: Floats) -> tuple[tuple[float, ...], ...]:
    """[K][K] probability of class 1 from [K, K, 2]."""
    rows: list[list[float]] = probabilities[..., 1].astype(np.float64).round(DECIMALS).tolist()
    return tuple(map(tuple, rows))
