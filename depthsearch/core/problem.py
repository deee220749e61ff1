"""What is asked about: a kind of network, its data, its recipe, and what counts as having trained.

A problem never holds a depth or a seed, nor how a search goes about it (see settings).
"""

import itertools
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from depthsearch.core.errors import InvalidValue, UnknownName
from depthsearch.core.model import FrozenModel, canonical_json, sha256
from depthsearch.core.names import (
    CRITERIA,
    ActivationName,
    CriterionName,
    DataName,
    FamilyName,
    InitializationName,
    NormalizationName,
    OptimizerName,
)

FINGERPRINT_FORMAT = 1
"""Raised whenever the same canonical JSON would come to mean another training."""

ADDED_TO_DATA = ("points", "test_share")
"""Fields younger than the format. With their defaults they are left out of the fingerprint: a problem keeps its own."""

ENTRIES = 20
"""Entries of a trace whose budget is in steps."""

POINTS, LEAST_POINTS = 1000, 40
"""In the plane, by default and at least: a share of 0.05 still holds a point of each class."""

DEFAULT_NOISE: dict[str, float | None] = {
    "moons": 0.2,
    "circles": 0.1,
    "xor": 0.1,
    "spirals": 0.1,
    "digits": None,
}
DEFAULT_NORMALIZATION: dict[str, NormalizationName] = {"ffnet": "none", "resnet": "batch"}
ADAM_EPSILON = 1e-8
"""What Adam and AdamW add to the root of the second moment (torch's default)."""

DEFAULT_LEARNING_RATE: dict[str, float] = {"sgd": 0.01, "adam": 0.001, "adamw": 0.001}


CHANCE_GAIN = 0.2
"""Share of the headroom above a constant guess that a network gains at least if it learns."""

LAST_EPOCHS = 3
"""Entries at the end of a budget that must all be good, by default."""

CRITERION_DEFAULTS: dict[str, dict[str, Any]] = {
    "chance": {"min_gain": CHANCE_GAIN, "last_epochs": LAST_EPOCHS},
    "target": {"target": 0.9, "last_epochs": LAST_EPOCHS},
    "held": {"min_gain": CHANCE_GAIN, "hold_share": 0.1, "hold_epochs": 3},
}
"""The fields of each kind of criterion, with their defaults."""

CRITERION_FIELDS = ("min_gain", "target", "last_epochs", "hold_share", "hold_epochs")


def one_of(kind: str, names: Any, offered: Sequence[str] | None = None) -> BeforeValidator:
    """A validator that refuses any name outside the Literal `names` and offers the nearest one of `offered`."""
    valid = get_args(names)

    def check(name: object) -> object:
        if name not in valid:
            raise UnknownName(kind, name, offered or valid)
        return name

    return BeforeValidator(check)


Family = Annotated[FamilyName, one_of("family", FamilyName)]
Activation = Annotated[ActivationName, one_of("activation", ActivationName)]
Initialization = Annotated[InitializationName, one_of("initialization", InitializationName)]
Normalization = Annotated[NormalizationName, one_of("normalization", NormalizationName)]
Data = Annotated[DataName, one_of("data set", DataName)]
Optimizer = Annotated[OptimizerName, one_of("optimizer", OptimizerName)]
CriterionKind = Annotated[CriterionName, one_of("criterion", CriterionName, CRITERIA)]
MANY = 1_000_000_000
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**63)]


class DataOptions(FrozenModel):
    """Which data set, and how it is drawn.

    Attributes:
        name: moons, circles, xor or spirals (points in the plane), or digits (scikit-learn's 1797 handwritten digits
            of 8 x 8 pixels).
        points: How many points in the plane there are, by default 1000; digits take none.
        test_share: Share of the points that is kept for test.
        noise: Standard deviation of the Gaussian noise added to each coordinate; digits take none.
        seed: Seed of the points, of the noise and of the split.
    """

    called: ClassVar[str] = "data"

    name: Data = "moons"
    points: Annotated[int, Field(strict=True, ge=LEAST_POINTS, le=10_000_000)] | None = None
    test_share: Annotated[float, Field(strict=True, ge=0.05, le=0.95)] = 0.5
    noise: Annotated[float, Field(strict=True, ge=0, le=1000)] | None = None
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = 0

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, data: Any) -> Any:
        if isinstance(data, str):
            data = {"name": data}
        if not isinstance(data, dict):
            return data
        name, given = data.get("name", "moons"), {key: value for key, value in data.items() if value is not None}
        for field in ("noise", "points"):
            if name == "digits" and field in given:
                raise InvalidValue(
                    f"digits take no {field}, but got {given[field]!r}: leave {field} out, or choose a planar data set"
                )
        if not isinstance(name, str):
            return data
        defaults = {"noise": DEFAULT_NOISE.get(name), "points": None if name == "digits" else POINTS}
        return defaults | given


class Recipe(FrozenModel):
    """How one network is trained.

    Attributes:
        optimizer: sgd, adam or adamw, with torch's definitions.
        learning_rate: By default 0.01 for sgd and 0.001 for adam and adamw.
        momentum: Of sgd, by default 0.9; null for the others.
        nesterov: Nesterov's momentum, for sgd.
        weight_decay: Decoupled decay (arXiv 1711.05101) of adamw, by default 0.01; 0 for the others.
        batch_size: Points a step; the last batch of an epoch may be smaller.
        epochs: Passes over the training set (by default 200); null where steps are given.
        steps: Optimizer steps instead of epochs; null where epochs are given.
    """

    called: ClassVar[str] = "recipe"

    optimizer: Optimizer = "sgd"
    learning_rate: Annotated[float, Field(strict=True, gt=0, le=1e30)] = 0.01
    momentum: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = 0.9
    nesterov: Annotated[bool, Field(strict=True)] = False
    weight_decay: Annotated[float, Field(strict=True, ge=0)] = 0.0
    batch_size: Annotated[int, Field(strict=True, ge=1, le=MANY)] = 32
    epochs: Annotated[int, Field(strict=True, ge=1, le=MANY)] | None = 200
    steps: Annotated[int, Field(strict=True, ge=1, le=MANY)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = {key: value for key, value in data.items() if value is not None}
        optimizer = given.get("optimizer", "sgd")
        sgd = optimizer == "sgd"
        defaults = {
            "learning_rate": DEFAULT_LEARNING_RATE.get(str(optimizer), 0.01),
            "momentum": 0.9 if sgd else None,
            "weight_decay": 0.01 if optimizer == "adamw" else 0.0,
            "epochs": None if "steps" in given else 200,
        }
        return defaults | given

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.optimizer != "sgd" and self.momentum is not None:
            raise InvalidValue(f"momentum belongs to sgd, but got {self.momentum} with {self.optimizer}: leave it out")
        if self.nesterov and not self.momentum:
            raise InvalidValue(
                f"nesterov needs sgd with a momentum above 0, but got momentum {self.momentum} with {self.optimizer}"
            )
        if self.weight_decay and self.optimizer != "adamw":
            raise InvalidValue(
                f"weight_decay belongs to adamw, but got {self.weight_decay} with {self.optimizer}: leave it out"
            )
        if self.epochs is not None and self.steps is not None:
            raise InvalidValue(f"give epochs or steps, not both, but got {self.epochs} epochs and {self.steps} steps")
        return self

    @property
    def budget(self) -> tuple[str, int]:
        """The field that gives the budget, epochs or steps, and its value."""
        return ("steps", self.steps) if self.steps is not None else ("epochs", self.epochs or 0)

    @property
    def entries(self) -> int:
        """The entries of a trace: one for each epoch; ENTRIES for a budget in steps, or one for each step if fewer."""
        name, given = self.budget
        return min(given, ENTRIES) if name == "steps" else given

    def entry_ends(self, points: int) -> Sequence[int]:
        """[entries] the optimizer steps after which each entry of the trace ends, on `points` training points."""
        if self.steps is None:
            per_epoch = self.steps_per_epoch(points)
            return range(per_epoch, per_epoch * self.entries + 1, per_epoch)  # a budget may have a billion epochs
        return tuple(self.steps * entry // self.entries for entry in range(1, self.entries + 1))

    def points_per_entry(self, points: int) -> int:
        """How many different points every entry's score is taken over at least, of `points` in the training set.

        An entry of a budget in steps may begin and end within epochs: its points of one epoch all differ, those of two
        may be the same.
        """
        if self.steps is None:
            return points
        per_epoch, ends = self.steps_per_epoch(points), self.entry_ends(points)
        return min(
            _points_of_one_epoch(first, last, per_epoch, self.batch_size, points)
            for first, last in itertools.pairwise((0, *ends))
        )

    def total_steps(self, points: int) -> int:
        """The optimizer steps of the whole budget on `points` training points."""
        return self.steps if self.steps is not None else (self.epochs or 0) * self.steps_per_epoch(points)

    def steps_per_epoch(self, points: int) -> int:
        """Steps in one pass over `points` training points, a last smaller batch counted."""
        return -(-points // self.batch_size)


def _points_of_one_epoch(first: int, last: int, per_epoch: int, batch_size: int, points: int) -> int:
    """The most points that the steps from `first` to `last` take from any one epoch."""
    most = 0
    for epoch in range(first // per_epoch, min((last - 1) // per_epoch, first // per_epoch + 2) + 1):
        begin, end = max(first - epoch * per_epoch, 0), min(last - epoch * per_epoch, per_epoch)
        most = max(most, min(end * batch_size, points) - begin * batch_size)
    return most


class Criterion(FrozenModel):
    """When a run counts as trained: it reaches the bar in the last entries of its budget.

    A trace has one entry for each epoch or, where the budget is in steps, for each twentieth of it. A run's final score
    is its lowest running train accuracy over the last `last_epochs` entries; it has trained if that reaches the bar.

    Attributes:
        kind: `chance`: the bar is the majority rate (the score of the best constant guess) plus `min_gain` of the
            headroom above it, and three binomial standard errors of a constant guess at least. `target`: the bar is
            `target`. `held`: the rule of earlier versions; studies judged by it stay readable, and no search uses it.
        min_gain: Of `chance`: share of the headroom (1 - majority rate) to be gained, by default 0.2.
        target: Of `target`: the accuracy to be reached, by default 0.9.
        last_epochs: How many entries at the end of the budget must all be good, by default 3.
        hold_share: Of `held`: share of the budget for which the accuracy had to be above the bar without a break.
        hold_epochs: Of `held`: the least number of epochs for which it had to be.

    Raises:
        InvalidValue: A field belongs to another kind.
    """

    called: ClassVar[str] = "criterion"

    kind: CriterionKind = "chance"
    min_gain: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = CHANCE_GAIN
    target: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    last_epochs: Annotated[int, Field(strict=True, ge=1, le=MANY)] | None = LAST_EPOCHS
    hold_share: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None
    hold_epochs: Annotated[int, Field(strict=True, ge=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, data: Any) -> Any:
        if isinstance(data, str):
            data = {"kind": data}
        if not isinstance(data, dict):
            return data
        given = {key: value for key, value in data.items() if value is not None}
        if "kind" not in given and ("hold_share" in given or "hold_epochs" in given):
            given["kind"] = "held"  # studies and study files of earlier versions
        if "kind" not in given and "target" in given:
            given["kind"] = "target"
        kind = given.get("kind", "chance")
        defaults = CRITERION_DEFAULTS.get(kind) if isinstance(kind, str) else None
        if defaults is None:
            return given
        for field in [field for field in CRITERION_FIELDS if field in given and field not in defaults]:
            taking = [name for name, fields in CRITERION_DEFAULTS.items() if field in fields]
            kinds = " or ".join(repr(name) for name in taking if name in CRITERIA or len(taking) == 1)
            raise InvalidValue(f"{field} belongs to the criterion {kinds}, but got {given[field]!r} with {kind!r}")
        return dict.fromkeys(CRITERION_FIELDS) | defaults | given

    @property
    def least_gain(self) -> float:
        """The share of the headroom that tells training from chance, whatever the criterion's kind."""
        return CHANCE_GAIN if self.min_gain is None else self.min_gain

    def identity(self) -> dict[str, Any]:
        """The fields that tell this criterion from others; one of earlier versions keeps the form that it had then."""
        hidden = {"kind"} if self.kind == "held" else set()
        return self.model_dump(mode="json", exclude_none=True, exclude=hidden)


class Problem(FrozenModel):
    """The question: how deep can this kind of network be before it stops training?

    Attributes:
        family: ffnet (depth = hidden layers) or resnet (depth = residual blocks).
        width: Units in each hidden layer.
        activation: Of every hidden layer.
        initialization: Of every weight matrix; `normal` has variance sigma_w2 / fan_in.
        sigma_w2: fan_in times the variance of the weights, for `normal` (by default 1); else null.
        sigma_b2: Variance of the biases, for `normal` (by default 0); else null.
        normalization: none, batch or layer; by default none for ffnet and batch for resnet.
        data: Data set; a bare name will do.
        recipe: How each network is trained.
        criterion: When it counts as trained.

    Raises:
        InvalidValue: A field cannot be used; UnknownName where a name is not on its list.
    """

    called: ClassVar[str] = "problem"

    family: Family = "ffnet"
    width: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 5
    activation: Activation = "tanh"
    initialization: Initialization = "glorot_uniform"
    sigma_w2: Annotated[float, Field(strict=True, gt=0, le=1e12)] | None = None
    sigma_b2: Annotated[float, Field(strict=True, ge=0, le=1e12)] | None = None
    normalization: Normalization = "none"
    data: DataOptions = DataOptions()
    recipe: Recipe = Recipe()
    criterion: Criterion = Criterion()

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = {key: value for key, value in data.items() if value is not None}
        defaults: dict[str, Any] = {
            "normalization": DEFAULT_NORMALIZATION.get(str(given.get("family", "ffnet")), "none")
        }
        if given.get("initialization") == "normal":
            defaults |= {"sigma_w2": 1.0, "sigma_b2": 0.0}
        return defaults | given

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("sigma_w2", "sigma_b2"):
            value = getattr(self, name)
            if value is not None and self.initialization != "normal":
                raise InvalidValue(
                    f"{name} belongs to the initialization 'normal', but got {value} with {self.initialization!r}"
                )
        name, given = self.recipe.budget
        last = self.criterion.last_epochs or 1
        if last > self.recipe.entries and last != LAST_EPOCHS:
            what = "the epochs of the budget" if name == "epochs" else f"the entries of a budget of {given} steps"
            raise InvalidValue(f"last_epochs must be at most {self.recipe.entries}, {what}, but got {last}")
        if given < last:
            raise InvalidValue(
                f"{name} must be at least {last}, since a run has trained if its last {last} {name} are all good, but "
                f"got {given}"
            )
        return self

    def fingerprint(self) -> str:
        """SHA-256 of the canonical JSON and a format number: equal problems, equal fingerprints."""
        problem = self.model_dump(mode="json")
        defaults = DataOptions(name=self.data.name).model_dump()
        for field in ADDED_TO_DATA:
            if problem["data"][field] == defaults[field]:
                del problem["data"][field]
        problem["criterion"] = self.criterion.identity()
        return sha256(canonical_json({"format": FINGERPRINT_FORMAT, "problem": problem}))


BINARY = 2


class DataSpec(FrozenModel):
    """What a network has to know of its data: the shape of an input and the number of classes."""

    features: Annotated[int, Field(strict=True, ge=1)]
    classes: Annotated[int, Field(strict=True, ge=2)]

    @property
    def outputs(self) -> int:
        """Output units: one logit for two classes, else one for each class."""
        return 1 if self.classes == BINARY else self.classes
