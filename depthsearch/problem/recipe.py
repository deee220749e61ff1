"""How one network is trained."""

import itertools
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from depthsearch.errors import InvalidValue
from depthsearch.schema import MANY, FrozenModel, one_of, without_nulls

ENTRIES = 20
"""Entries of a trace whose budget is in steps."""


ADAM_EPSILON = 1e-8
"""What Adam and AdamW add to the root of the second moment (torch's default)."""

DEFAULT_LEARNING_RATE: dict[str, float] = {"sgd": 0.01, "adam": 0.001, "adamw": 0.001}


OptimizerName = Literal["sgd", "adam", "adamw"]


Optimizer = Annotated[OptimizerName, one_of("optimizer", OptimizerName)]


class Recipe(FrozenModel):
    """How one network is trained.

    Attributes:
        optimizer: Optimizer, with torch's definitions.
        learning_rate: Learning rate. By default 0.01 for sgd and 0.001 for adam and adamw.
        momentum: Momentum of sgd. By default 0.9; null for the other optimizers.
        nesterov: Nesterov's momentum, for sgd.
        weight_decay: Decoupled weight decay of adamw (arXiv 1711.05101). By default 0.01; 0 for the other optimizers.
        batch_size: Training points of one step. The last batch of an epoch may be smaller.
        epochs: Passes over the training set. By default 200; null where steps are given.
        steps: Optimizer steps, instead of epochs.
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
        given = without_nulls(data)
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
            reason = f"belongs to sgd, but got {self.momentum} with {self.optimizer}: leave it out"
            raise InvalidValue(reason, path="recipe.momentum", value=self.momentum)
        if self.nesterov and not self.momentum:
            momentum = "no momentum" if self.momentum is None else f"momentum {self.momentum}"
            reason = f"needs sgd with a momentum above 0, but got {momentum} with {self.optimizer}"
            raise InvalidValue(reason, path="recipe.nesterov", value=self.nesterov)
        if self.weight_decay and self.optimizer != "adamw":
            reason = f"belongs to adamw, but got {self.weight_decay} with {self.optimizer}: leave it out"
            raise InvalidValue(reason, path="recipe.weight_decay", value=self.weight_decay)
        if self.epochs is not None and self.steps is not None:
            reason = (
                f"and epochs exclude each other, but got {self.epochs} epochs and {self.steps} steps: leave one out"
            )
            raise InvalidValue(reason, path="recipe.steps", value=self.steps)
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


OPTIMIZERS: tuple[str, ...] = get_args(OptimizerName)
