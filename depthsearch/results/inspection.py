"""One run with everything that it shows: its trace, with names for what people ask for, and its JSON."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsearch.data.base import BINARY
from depthsearch.detection.verdict import PRECISION, Evidence, Verdict, VerdictKind
from depthsearch.networks.base import LayerCounts
from depthsearch.problem.problem import Problem
from depthsearch.training.trace import Detail, Doubles, Floats, Histograms, Ints, Regions, Snapshot, Trace

LARGEST_SHOWN = 64
"""Rows and columns of the largest weight matrix that JSON holds whole."""

DIGITS, DECIMALS = 6, 3
"""In JSON: significant digits of what was measured; decimals of the probabilities over the plane."""


@dataclass(frozen=True)
class Difference:
    """A figure of a recorded trace that its replay does not repeat.

    Attributes:
        figure: Its name.
        recorded: What was recorded, of a figure that is no array over epochs.
        replayed: What the replay gives there.
        epoch: Of an array: the first epoch at which it differs.
        apart: Of an array: the largest difference.
    """

    figure: str
    recorded: object = None
    replayed: object = None
    epoch: int | None = None
    apart: float | None = None


@dataclass(frozen=True)
class Replay:
    """A run that a study recorded, trained again.

    Attributes:
        study: The study's name.
        trial: The trial's number in it.
        run: The run's place in the trial, from 0.
        epochs: How many entries were recorded: a search ends a run once its verdict can no longer change.
        recorded: The verdict that was recorded.
        whole_budget: The verdict on the whole budget, which the replay trains.
        same: Whether all that was recorded came again, bit for bit.
        differs: What did not; None where nothing differs.
    """

    study: str
    trial: int
    run: int
    epochs: int
    recorded: VerdictKind
    whole_budget: VerdictKind
    same: bool
    differs: str | None


@dataclass(frozen=True, eq=False)
class Inspection:
    """All that one run shows. E epochs, L weight layers.

    An epoch is an entry of the trace: for a budget in steps, a twentieth of it.

    Attributes:
        problem: What was trained.
        trace: What the run recorded over its whole budget, with its detail.
        judged: The verdict on the whole budget.
        sentence: The verdict in words.
        bar: The final score from which on the run counts as trained.
        layers: The network's size by every convention.
        engine: What trained it: dense or torch.
        replay: How it compares with the run that a study recorded; None where it was not taken from a study.
        seconds: Of training.
        versions: Of the software that trained.
    """

    problem: Problem
    trace: Trace
    judged: Verdict
    sentence: str
    bar: float
    layers: LayerCounts
    engine: str
    replay: Replay | None
    seconds: float
    versions: Mapping[str, str]

    @property
    def depth(self) -> int:
        """In the family's units."""
        return self.trace.depth

    @property
    def seed(self) -> int:
        """From which the initial weights and the order of the batches were drawn."""
        return self.trace.seed

    @property
    def verdict(self) -> VerdictKind:
        """What the run shows over its whole budget."""
        return self.judged.kind

    @property
    def evidence(self) -> Evidence:
        """The rule that decided, its figures and its thresholds."""
        return self.judged.evidence

    @property
    def epochs(self) -> int:
        """E."""
        return self.trace.epochs

    @property
    def baseline(self) -> float:
        """The train score of a constant guess."""
        return self.trace.baseline

    @property
    def train_loss(self) -> Floats:
        """[E] mean over each epoch's batches, each with the weights of its moment."""
        return self.trace.loss

    @property
    def train_score(self) -> Floats:
        """[E] accuracy over each epoch's batches, each with the weights of its moment."""
        return self.trace.score

    @property
    def test_loss(self) -> Floats:
        """[E + 1] at the end of each epoch, epoch 0 first."""
        return self.detail.test_loss

    @property
    def test_score(self) -> Floats:
        """[E + 1] accuracy at the end of each epoch, epoch 0 first."""
        return self.every_epoch.test_accuracy

    @property
    def detail(self) -> Detail:
        """What was recorded of every epoch."""
        assert self.trace.detail is not None
        return self.trace.detail

    @property
    def entry(self) -> str:
        """What an entry of the trace is called: "epoch" or, for a budget in steps, "entry"."""
        return self.trace.facts.entry

    @property
    def score_name(self) -> str:
        """What the score is: "accuracy", "explained variance", or "score" where a user's code defines it."""
        return self.trace.facts.score_name

    @property
    def every_epoch(self) -> Snapshot:
        """[E + 1] and [E + 1, L] figures at the end of every epoch, epoch 0 first."""
        return self.detail.snapshots

    @property
    def gradient_ratio(self) -> Doubles:
        """[E + 1] mean |dL/dW| of the last layer over that of the first; NaN where it is undefined."""
        first, last = self.every_epoch.mean_abs_gradient[:, [0, -1]].astype(np.float64).T
        defined = np.isfinite(first) & np.isfinite(last) & (first != 0)
        return np.asarray(np.divide(last, first, out=np.full(len(first), np.nan), where=defined))

    @property
    def mean_abs_change(self) -> Doubles:
        """[L] mean, over a layer's weights, of |W at the end - W at the start|."""
        pairs = zip(self.detail.initial_weights, self.detail.final_weights, strict=True)
        with np.errstate(all="ignore"):  # weights that exploded have no finite change
            return np.array([np.abs(after.astype(np.float64) - before).mean() for before, after in pairs])

    @property
    def confusion(self) -> Ints:
        """[classes, classes] how many test points of each class (row) the network gives each class (column).

        Points at which its output is not finite are in no cell.
        """
        detail, classes = self.detail, self.detail.predictions.shape[1]
        finite = np.isfinite(detail.predictions).all(axis=1)
        cells = np.bincount(classes * detail.labels[finite] + detail.predicted[finite], minlength=classes * classes)
        return cells.reshape(classes, classes)

    @property
    def regions(self) -> Regions | None:
        """The plane as the network sees it; None for data that are not two classes in the plane."""
        regions = self.detail.regions
        return (
            None
            if regions is None or not self.detail.predictions.size or regions.probabilities.shape[-1] != BINARY
            else regions
        )

    def __str__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        """The verdict with its evidence, for a notebook; `depthsearch.plot` draws the run."""
        # Loaded here: an inspection is read without what draws it.
        from depthsearch.reporting.notebook import inspection_html  # noqa: PLC0415

        return inspection_html(self)

    def to_json(self, indent: int | None = None) -> str:
        """The inspection as one JSON object, as `inspect --json` prints it.

        What is not finite is the text "nan", "inf" or "-inf"; a figure that is undefined is null.
        """
        separators = (",", ":") if indent is None else None
        fields = _fields(self)
        return json.dumps(fields, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False)


def _fields(found: Inspection) -> dict[str, Any]:
    """The JSON object of an inspection."""
    trace, detail, epochs = found.trace, found.detail, found.trace.snapshots.epochs
    return {
        "problem": found.problem.model_dump(mode="json"),
        "depth": found.depth,
        "seed": found.seed,
        "engine": found.engine,
        "verdict": found.verdict.value,
        "sentence": found.sentence,
        "confidence": PRECISION.get(found.verdict),
        "evidence": found.evidence.model_dump(mode="json"),
        "bar": found.bar,
        "epochs": found.epochs,
        "steps": trace.steps,
        "baseline": found.baseline,
        "train_loss": _plain(found.train_loss),
        "train_score": _plain(found.train_score),
        "test_loss": _plain(found.test_loss),
        "test_score": _plain(found.test_score),
        "layers": found.layers.model_dump(mode="json"),
        "per_layer": _per_layer(found),
        "gradient_flow": {
            "epochs": epochs.tolist(),
            "mean_abs_gradient": _plain(trace.snapshots.mean_abs_gradient),
            "gradient_norm": _plain(trace.snapshots.weight_gradient_norm),
            "activation_gradient_norm": _plain(trace.snapshots.activation_gradient_norm),
        },
        "gradient_ratio": _ratio(found.gradient_ratio),
        "spread": {
            "epochs": epochs.tolist(),
            "weights": _spread(detail.weights, epochs),
            "gradients": _spread(detail.gradients, epochs),
        },
        "first_weights": _weights(found, 0),
        "last_weights": _weights(found, -1),
        "predictions": _predictions(found) if found.detail.predictions.size else None,
        "regions": None if found.regions is None else _regions(found.regions),
        "replay": None if found.replay is None else asdict(found.replay),
        "seconds": found.seconds,
        "versions": dict(found.versions),
    }


def _plain(values: NDArray[np.generic] | float) -> Any:
    """An array as lists, a number as itself, rounded; what is not finite as text."""
    return _spelled(np.asarray(values, dtype=np.float64).tolist())


def _spelled(value: Any) -> Any:
    if isinstance(value, list):
        return [_spelled(inner) for inner in value]
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else str(value)


def _per_layer(found: Inspection) -> list[dict[str, Any]]:
    """Each weight layer before the first step and after the last, first layer first."""
    every, weights = found.every_epoch, found.detail.weights
    figures: dict[str, NDArray[np.floating]] = {
        "gradient_norm": every.weight_gradient_norm,
        "mean_abs_gradient": every.mean_abs_gradient,
        "activation_gradient_norm": every.activation_gradient_norm,
        "weight_norm": every.weight_norm,
        "weight_mean": weights.means,
        "weight_deviation": weights.deviations,
        "weight_change": every.weight_change,
        "never_active": every.never_active,
    }
    changes = found.mean_abs_change
    return [
        {
            "name": name,
            "start": {figure: _plain(values[0, layer]) for figure, values in figures.items()},
            "end": {figure: _plain(values[-1, layer]) for figure, values in figures.items()},
            "mean_abs_change": _plain(changes[layer]),
        }
        for layer, name in enumerate(found.trace.layers)
    ]


def _ratio(ratios: Doubles) -> dict[str, float | None]:
    """At the start, at the end, and the median over the epochs at which it is defined."""
    defined = ratios[np.isfinite(ratios)]
    chosen = {"start": ratios[0], "end": ratios[-1], "median": np.median(defined) if len(defined) else np.nan}
    return {name: _plain(ratio) if np.isfinite(ratio) else None for name, ratio in chosen.items()}


def _spread(histograms: Histograms, epochs: Ints) -> dict[str, Any]:
    """[S, L] least and largest values, and [S, L, B] values in each of B equal bins between them."""
    return {
        "low": _plain(histograms.low[epochs]),
        "high": _plain(histograms.high[epochs]),
        "counts": histograms.counts[epochs].tolist(),
    }


def _weights(found: Inspection, layer: int) -> dict[str, Any]:
    """One layer's W, [units, inputs], before and after; null where it is too large to read."""
    before, after = found.detail.initial_weights[layer], found.detail.final_weights[layer]
    shown = max(before.shape) <= LARGEST_SHOWN
    return {
        "name": found.trace.layers[layer],
        "before": _plain(before) if shown else None,
        "after": _plain(after) if shown else None,
    }


def _predictions(found: Inspection) -> dict[str, Any]:
    """`right_probability` is the mean probability of a point's class, `confidence` that of the predicted class."""
    detail, points = found.detail, len(found.detail.labels)
    right = detail.predictions[np.arange(points), detail.labels]
    return {
        "points": points,
        "confusion": found.confusion.tolist(),
        "undefined": points - int(found.confusion.sum()),
        "right_probability": _plain(right.mean()),
        "confidence": _plain(detail.predictions.max(axis=1).mean()),
    }


def _regions(regions: Regions) -> dict[str, Any]:
    start, end = (regions.probabilities[k, ..., 1].astype(np.float64).round(DECIMALS) for k in (0, -1))
    return {"x": _plain(regions.x), "y": _plain(regions.y), "start": _plain(start), "end": _plain(end)}
