"""One run, looked at alone: all that it shows, as plain values. What is not finite is the text "nan", "inf", "-inf".

Numbers that were measured are given to 6 significant digits. A figure that has no meaning is null.
"""

import math
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator

from depthsearch.detection.verdict import Evidence, VerdictKind
from depthsearch.networks.base import LayerCounts
from depthsearch.problem.problem import Problem
from depthsearch.schema import FrozenModel


def _spelled(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


Number: TypeAlias = Annotated[float | Literal["nan", "inf", "-inf"], BeforeValidator(_spelled)]
"""A number as JSON can hold it; `float` reads each of them."""

Numbers: TypeAlias = tuple[Number, ...]


Matrix: TypeAlias = tuple[Numbers, ...]


class LayerFigures(FrozenModel):
    """One layer at one moment. Gradients are those of the mean loss over the training set (see Snapshot).

    Attributes:
        gradient_norm: Euclidean norm of dL/dW.
        mean_abs_gradient: Mean of |dL/dW|.
        activation_gradient_norm: Euclidean norm of dL/dh, h being the layer's output at all training points.
        weight_norm: Euclidean norm of W.
        weight_mean: Mean of W.
        weight_deviation: Standard deviation of W.
        weight_change: |W - W at the start| / |W at the start|.
        never_active: Share of its units that are inactive at every training point.
    """

    gradient_norm: Number
    mean_abs_gradient: Number
    activation_gradient_norm: Number
    weight_norm: Number
    weight_mean: Number
    weight_deviation: Number
    weight_change: Number
    never_active: Number


class InspectedLayer(FrozenModel):
    """One weight layer before the first step and after the last.

    `mean_abs_change` is the mean, over its weights, of |W at the end - W at the start|.
    """

    name: str
    start: LayerFigures
    end: LayerFigures
    mean_abs_change: Number


class GradientFlow(FrozenModel):
    """The gradients over epochs: S log-spaced epochs, 0 and the last among them, and [S][L] figures of L layers."""

    epochs: tuple[int, ...]
    mean_abs_gradient: Matrix
    gradient_norm: Matrix
    activation_gradient_norm: Matrix


class GradientRatio(FrozenModel):
    """Mean |dL/dW| of the last layer over that of the first; null where that is zero, or either is not finite.

    Attributes:
        start: Before the first step.
        end: After the last.
        median: Over all epochs at which it is defined, the start included.
    """

    start: float | None
    end: float | None
    median: float | None


class Spread(FrozenModel):
    """How a quantity of each of L layers is spread at S epochs: B equal bins between the least and the largest value.

    Values that are not finite are in no bin.

    Attributes:
        low: [S][L] the least finite value; "nan" where there is none.
        high: [S][L] the largest.
        counts: [S][L][B] values in each bin.
    """

    low: Matrix
    high: Matrix
    counts: tuple[tuple[tuple[int, ...], ...], ...]


class SpreadOverEpochs(FrozenModel):
    """The spread of the weights and of their gradients at log-spaced epochs."""

    epochs: tuple[int, ...]
    weights: Spread
    gradients: Spread


class LayerWeights(FrozenModel):
    """One layer's W, [units][inputs], before the first step and after the last; null where larger than 64 x 64."""

    name: str
    before: Matrix | None
    after: Matrix | None


class Predictions(FrozenModel):
    """What the network says of the test points at the end.

    Attributes:
        points: How many test points there are.
        confusion: [classes][classes] how many points of each true class (row) were given each class (column).
        undefined: Points at which the network's output is not finite; they are in no cell.
        right_probability: Mean probability that it gives to a point's own class.
        confidence: Mean probability that it gives to the class that it chooses.
    """

    points: int
    confusion: tuple[tuple[int, ...], ...]
    undefined: int
    right_probability: Number
    confidence: Number

    @property
    def right(self) -> int:
        """Points that were given their own class."""
        return sum(row[k] for k, row in enumerate(self.confusion))


class DecisionRegions(FrozenModel):
    """The plane as the network sees it, for two classes of points with two features.

    Attributes:
        x: [K] first coordinates of a grid.
        y: [K] second coordinates.
        start: [K][K] probability of class 1 at (x[j], y[i]) under [i][j], before the first step; 3 decimals.
        end: Likewise after the last step.
    """

    x: Numbers
    y: Numbers
    start: Matrix
    end: Matrix


class Replay(FrozenModel):
    """A run that a study recorded, trained again.

    Attributes:
        study: The study's name.
        trial: The trial's number in it.
        run: The run's place in the trial, from 0.
        epochs: How many entries were recorded: a search ends a run once its verdict can no longer change.
        recorded: The verdict that was recorded.
        whole_budget: The verdict on the whole budget, which the replay trains.
        same: Whether all that was recorded came again, bit for bit.
        differs: What did not; null where nothing differs.
    """

    study: str
    trial: int
    run: int
    epochs: int
    recorded: VerdictKind
    whole_budget: VerdictKind
    same: bool
    differs: str | None


class Inspection(FrozenModel):
    """All that one run shows, as `inspect --json` prints it.

    Attributes:
        problem: What was trained.
        depth: In the family's units.
        seed: From which the initial weights and the order of the batches were drawn.
        engine: What trained it: dense or torch.
        verdict: What the run shows over its whole budget.
        sentence: The same for people.
        evidence: The rule that decided, its figures and its thresholds.
        bar: The final score from which on the run counts as trained.
        epochs: E, the entries of the trace: the epochs of the whole budget, or the twentieths of a budget in steps.
        steps: Optimizer steps of the whole budget.
        baseline: Train accuracy of a constant guess.
        train_loss: [E] mean over each epoch's batches, each with the weights of its moment.
        train_accuracy: [E] likewise.
        test_loss: [E + 1] at the end of each epoch, epoch 0 first.
        test_accuracy: [E + 1] likewise.
        layers: The network's size by every convention.
        per_layer: The weight layers, first to last.
        gradient_flow: Their gradients over epochs.
        gradient_ratio: The last layer's gradient against the first's.
        spread: Histograms of weights and gradients.
        first_weights: The first layer's weights, before and after.
        last_weights: The last layer's.
        predictions: On the test points, at the end.
        regions: Null for data that are not two classes in the plane.
        replay: Null where the run was not taken from a study.
        seconds: Of training.
        versions: Of the software that trained.
    """

    problem: Problem
    depth: int
    seed: int
    engine: str
    verdict: VerdictKind
    sentence: str
    evidence: Evidence
    bar: float
    epochs: int
    steps: int
    baseline: float
    train_loss: Numbers
    train_accuracy: Numbers
    test_loss: Numbers
    test_accuracy: Numbers
    layers: LayerCounts
    per_layer: tuple[InspectedLayer, ...]
    gradient_flow: GradientFlow
    gradient_ratio: GradientRatio
    spread: SpreadOverEpochs
    first_weights: LayerWeights
    last_weights: LayerWeights
    predictions: Predictions
    regions: DecisionRegions | None
    replay: Replay | None
    seconds: float
    versions: dict[str, str]

    def __str__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        """The verdict with its evidence, for a notebook; `depthsearch.plot` draws the run."""
        # Loaded here: an inspection is read without what draws it.
        from depthsearch.reporting.notebook import inspection_html  # noqa: PLC0415

        return inspection_html(self)

    def to_json(self, indent: int | None = None) -> str:
        """The inspection as one JSON object, in one line: tens of thousands of numbers are not for reading.

        `Inspection.model_validate_json` reads it back.
        """
        return self.model_dump_json(indent=indent)
