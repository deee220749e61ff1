"""How one network is trained."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from depthsearch.errors import InvalidValue
from depthsearch.problem.optimizers import DEFAULT_LEARNING_RATE, DEFAULT_NUMBERS, AdaptiveNumbers, Optimizer
from depthsearch.schema import MANY, ExtendedModel, one_of, without_nulls

ENTRIES = 20
"""Entries of a trace whose budget is in steps."""


ScheduleName = Literal["constant", "cosine"]


Schedule = Annotated[ScheduleName, one_of("schedule", ScheduleName)]


PrecisionName = Literal["float32", "bfloat16"]


Precision = Annotated[PrecisionName, one_of("precision", PrecisionName)]


WITHOUT_EFFECT: dict[str, object] = {
    "schedule": "constant",
    "warmup_steps": 0,
    "label_smoothing": 0,
    "precision": "float32",
}
"""Values that say what null says: they become null, so that equal trainings are equal questions."""

ADAPTIVE = tuple(field.name for field in fields(AdaptiveNumbers))
"""Numbers of adaptive optimizers, whose defaults become null too."""


class Recipe(ExtendedModel):
    """How one network is trained.

    Attributes:
        optimizer: Optimizer, with torch's definitions.
        learning_rate: Learning rate. By default 0.001 for adam and adamw and 0.01 for the others.
        momentum: Momentum of sgd. By default 0.9; null for the other optimizers.
        nesterov: Nesterov's momentum, for sgd.
        weight_decay: Weight decay, decoupled for adamw (arXiv 1711.05101), L2 regularization for the others. By
            default 0.01 for adamw and 0 for the others.
        batch_size: Training points of one step. The last batch of an epoch may be smaller.
        epochs: Passes over the training set. By default 200; null where steps are given.
        steps: Optimizer steps, instead of epochs.
        schedule: How the learning rate changes from step to step. By default constant; `cosine` lets it fall from
            `learning_rate` to `final_learning_rate` over the budget (arXiv 1608.03983).
        final_learning_rate: Where the schedule `cosine` ends. By default 0; null for the schedule `constant`.
        warmup_steps: Steps at the start in which the learning rate rises linearly (arXiv 1706.02677). By default none.
        clip_norm: Largest norm of the gradient of all parameters of a network; a longer one is scaled to it (arXiv
            1211.5063). By default none.
        label_smoothing: Share of the target that is spread evenly over all classes (arXiv 1512.00567). By default none.
        precision: Numbers that layers compute with on a GPU. By default float32; with `bfloat16` the
            weights and the optimizer stay in float32 (mixed precision, arXiv 1710.03740).
        epsilon: What an adaptive optimizer adds to the number by which it divides a step. By default 1e-10 for adagrad
            and 1e-8 for adam, adamw and rmsprop.
        first_decay: What remains of the mean gradient after a step, beta1 of adam and adamw. By default 0.9.
        second_decay: What remains of the mean squared gradient after a step, beta2 of adam and adamw, alpha of rmsprop.
            By default 0.99 for rmsprop and 0.999 for adam and adamw.

    Raises:
        InvalidValue: Two fields exclude each other, or one belongs to another optimizer or schedule.
    """

    called: ClassVar[str] = "recipe"
    added: ClassVar[tuple[str, ...]] = (
        "schedule", "final_learning_rate", "warmup_steps", "clip_norm", "label_smoothing", "precision",
        "epsilon", "first_decay", "second_decay",
    )  # fmt: skip

    optimizer: Optimizer = "sgd"
    learning_rate: Annotated[float, Field(strict=True, gt=0, le=1e30)] = 0.01
    momentum: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = 0.9
    nesterov: Annotated[bool, Field(strict=True)] = False
    weight_decay: Annotated[float, Field(strict=True, ge=0)] = 0.0
    batch_size: Annotated[int, Field(strict=True, ge=1, le=MANY)] = 32
    epochs: Annotated[int, Field(strict=True, ge=1, le=MANY)] | None = 200
    steps: Annotated[int, Field(strict=True, ge=1, le=MANY)] | None = None
    schedule: Schedule | None = None
    final_learning_rate: Annotated[float, Field(strict=True, ge=0, le=1e30)] | None = None
    warmup_steps: Annotated[int, Field(strict=True, ge=0, le=MANY)] | None = None
    clip_norm: Annotated[float, Field(strict=True, gt=0)] | None = None
    label_smoothing: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = None
    precision: Precision | None = None
    epsilon: Annotated[float, Field(strict=True, ge=1e-30, le=1e30)] | None = None  # above zero in float32 too
    first_decay: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = None
    second_decay: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        optimizer = str(data.get("optimizer") or "sgd")
        usual = {name: DEFAULT_NUMBERS[name].get(optimizer) for name in ADAPTIVE}
        without_effect = WITHOUT_EFFECT | usual
        given = {
            name: value
            for name, value in without_nulls(data).items()
            if isinstance(value, bool) or value != without_effect.get(name)
        }
        defaults = {
            "learning_rate": DEFAULT_LEARNING_RATE.get(optimizer, 0.01),
            "momentum": DEFAULT_NUMBERS["momentum"].get(optimizer),
            "weight_decay": 0.01 if optimizer == "adamw" else 0.0,
            "epochs": None if "steps" in given else 200,
            "final_learning_rate": 0.0 if given.get("schedule") == "cosine" else None,
        }
        return defaults | given

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, optimizers in DEFAULT_NUMBERS.items():
            value = getattr(self, name)
            if value is not None and self.optimizer not in optimizers:
                reason = f"belongs to {' and '.join(optimizers)}, but got {value} with {self.optimizer}: leave it out"
                raise InvalidValue(reason, path=f"recipe.{name}", value=value)
        if self.nesterov and not self.momentum:
            momentum = "no momentum" if self.momentum is None else f"momentum {self.momentum}"
            reason = f"needs sgd with a momentum above 0, but got {momentum} with {self.optimizer}"
            raise InvalidValue(reason, path="recipe.nesterov", value=self.nesterov)
        if self.epochs is not None and self.steps is not None:
            reason = (
                f"and epochs exclude each other, but got {self.epochs} epochs and {self.steps} steps: leave one out"
            )
            raise InvalidValue(reason, path="recipe.steps", value=self.steps)
        self._check_schedule()
        return self

    def _check_schedule(self) -> None:
        final = self.final_learning_rate
        if final is not None and self.schedule is None:
            reason = f"belongs to the schedule 'cosine', but got {final} with 'constant': leave it out"
            raise InvalidValue(reason, path="recipe.final_learning_rate", value=final)
        if final is not None and final > self.learning_rate:
            expected = f"at most the learning rate, {self.learning_rate}, from which the schedule falls"
            raise InvalidValue(path="recipe.final_learning_rate", value=final, expected=expected)
        if self.warmup_steps and self.steps is not None and self.warmup_steps >= self.steps:
            expected = f"below {self.steps}, the steps of the budget"
            raise InvalidValue(path="recipe.warmup_steps", value=self.warmup_steps, expected=expected)

    @property
    def adaptive(self) -> AdaptiveNumbers:
        """The numbers of the optimizer's adaptive steps, with the defaults of those that are left out."""
        given = {name: getattr(self, name) for name in ADAPTIVE}
        usual = {name: DEFAULT_NUMBERS[name].get(self.optimizer) for name in ADAPTIVE}
        return AdaptiveNumbers(**{name: usual[name] if given[name] is None else given[name] for name in ADAPTIVE})

    @property
    def budget(self) -> tuple[str, int]:
        """The field that gives the budget, epochs or steps, and its value."""
        return ("steps", self.steps) if self.steps is not None else ("epochs", self.epochs or 0)

    @property
    def constant_rate(self) -> bool:
        """Whether every step has the same learning rate."""
        return self.schedule is None and self.warmup_steps is None

    def learning_rate_at(self, step: int, total_steps: int) -> float:
        """The learning rate of one optimizer step, in a budget of `total_steps`.

        With t = `step`, W = `warmup_steps`, N = `total_steps` - W:

        - for t < W, learning_rate (t + 1) / W (arXiv 1706.02677, section 2.2);
        - after it, learning_rate or, with the schedule `cosine`, final + (learning_rate - final) / 2
          (1 + cos(pi (t - W) / N)), equation 5 of arXiv 1608.03983 without restarts.

        This is torch's LinearLR(start_factor=1/W, total_iters=W-1), and from step W on CosineAnnealingLR(T_max=N), each
        stepped after every optimizer step.

        Args:
            step: The steps taken before this one: 0 for the first.
            total_steps: Of the whole budget (see `total_steps`).
        """
        warmup = self.warmup_steps or 0
        if step < warmup:
            return self.learning_rate * (step + 1) / warmup
        if self.schedule is None:
            return self.learning_rate
        final = self.final_learning_rate or 0.0
        done = (step - warmup) / (total_steps - warmup)
        return final + (self.learning_rate - final) / 2 * (1 + math.cos(math.pi * done))

    def mean_learning_rate(self, total_steps: int) -> float:
        """The mean of `learning_rate_at` over a budget of `total_steps`.

        The cosines of N steps sum to 1, since all but the first cancel in pairs.
        """
        if self.constant_rate:
            return self.learning_rate
        warmup = self.warmup_steps or 0
        rising = min(warmup, total_steps)
        summed = self.learning_rate * rising * (rising + 1) / (2 * warmup) if rising else 0.0
        left = total_steps - rising
        if left and self.schedule is not None:
            final = self.final_learning_rate or 0.0
            summed += final * left + (self.learning_rate - final) / 2 * (left + 1)
        elif left:
            summed += self.learning_rate * left
        return summed / total_steps

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
