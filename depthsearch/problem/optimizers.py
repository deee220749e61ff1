"""The optimizers that a recipe names, and the defaults that torch gives their numbers."""

from dataclasses import dataclass
from typing import Annotated, Literal

from depthsearch.schema import one_of

OptimizerName = Literal["sgd", "adam", "adamw", "rmsprop", "adagrad"]


Optimizer = Annotated[OptimizerName, one_of("optimizer", OptimizerName)]


DEFAULT_LEARNING_RATE: dict[str, float] = {"sgd": 0.01, "adam": 0.001, "adamw": 0.001, "rmsprop": 0.01, "adagrad": 0.01}

DEFAULT_NUMBERS: dict[str, dict[str, float]] = {
    "momentum": {"sgd": 0.9},
    "epsilon": {"adam": 1e-8, "adamw": 1e-8, "rmsprop": 1e-8, "adagrad": 1e-10},
    "first_decay": {"adam": 0.9, "adamw": 0.9},
    "second_decay": {"adam": 0.999, "adamw": 0.999, "rmsprop": 0.99},
}
"""For each number that only some optimizers have, its default for each of them: torch's, and momentum 0.9 for sgd."""


@dataclass(frozen=True)
class AdaptiveNumbers:
    """The numbers of an adaptive optimizer, none of them left out; None for those that the optimizer does not have.

    Attributes:
        epsilon: Added to the root of the second moment, by which a step is divided: torch's `eps`.
        first_decay: What remains of the first moment after a step: beta1 of Adam.
        second_decay: What remains of the second moment after a step: beta2 of Adam, alpha of RMSprop.
    """

    epsilon: float | None
    first_decay: float | None
    second_decay: float | None
