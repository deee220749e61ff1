"""Networks that are trained elsewhere, by Keras, JAX or Lightning: a user's function that gives a score per epoch."""

import inspect
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from depthsearch.data.base import DataSpec
from depthsearch.errors import UserCodeFailed, one_line
from depthsearch.generators import seeded
from depthsearch.networks.base import LayerCounts
from depthsearch.networks.shorthands import TRAIN
from depthsearch.networks.user import NetworkFromSource
from depthsearch.user_code.loading import UserCode

if TYPE_CHECKING:
    from torch import nn


class ExternalNetwork(NetworkFromSource):
    """Any network that you train yourself: `train(depth, seed)` yields or returns a score for each epoch.

    A score is 1 for a perfect network; a constant guess scores `baseline`, a number in the same file (0 without one).
    The verdict comes from the scores; the other causes need a torch module.

    Attributes:
        source: The function: FILE.py:name or package.module:name.
    """

    shorthand: ClassVar[str] = f"network.{TRAIN}"

    family: Literal["external"] = "external"

    @property
    def trainer(self) -> UserCode:
        """The code, whose target takes a depth and a seed.

        Raises:
            InvalidValue: There is no such file.
            UserCodeFailed: It cannot be imported, or the name is of nothing that takes a depth and a seed.
        """
        code = self.loaded
        if not callable(code.target):
            raise code.refused(
                f"{code.called} must be a function train(depth, seed), but is {one_line(repr(code.target))}"
            )
        try:
            inspect.signature(code.target).bind(1, 0)
        except TypeError as error:
            raise code.refused(f"{code.called} must take (depth, seed): {error}") from None
        except ValueError:
            pass  # of a function without a signature
        return code

    @property
    def baseline(self) -> float:
        """The score of a constant guess: `baseline` in the user's file, or 0.

        Raises:
            UserCodeFailed: It is no number from 0 to 1.
        """
        value = self.loaded.names.get("baseline", 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            raise self.loaded.refused(f"baseline must be a number from 0 to below 1, but is {one_line(repr(value))}")
        return float(value)

    def scores(self, depth: int, seed: int) -> Iterator[float]:
        """Train one network, and give the score of each epoch as it comes.

        The global generators of `random`, NumPy and torch are seeded, and as before at the end. A score that is NaN or
        minus infinity is given as NaN: the network exploded.

        Raises:
            UserCodeFailed: The function raises an exception, or gives something else than numbers, or none.
        """
        code = self.trainer
        doing = f"{code.called}({depth}, {seed})"
        with seeded(seed), code.calling(doing):
            found = code.target(depth, seed)
            count = 0
            for score in found if isinstance(found, Iterable) and not isinstance(found, str | bytes) else (found,):
                count += 1
                try:
                    yield self._number(score, doing)
                except GeneratorExit:  # of those who want no more scores, and not of the user's code
                    return
        if not count:
            raise code.refused(f"{doing} gave no score; it must yield or return one for each epoch")

    def _number(self, score: Any, doing: str) -> float:
        try:
            value = float(score)
        except (TypeError, ValueError):
            value = None
        if value is None or isinstance(score, str | bytes | bool):
            raise self.loaded.refused(f"{doing} must give numbers, but gave {one_line(repr(score))}")
        if value > 1:
            raise self.loaded.refused(f"{doing} must give scores of at most 1, but gave {value:g}; is it a loss?")
        return value if math.isfinite(value) else math.nan

    def build(self, spec: DataSpec, depth: int) -> "nn.Module":
        """Nothing: the network is built by the user's function.

        Raises:
            UserCodeFailed: Always.
        """
        raise UserCodeFailed(f"{self.label} trains its network itself, and gives no module")

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """Nothing is known of the network."""
        return LayerCounts()
