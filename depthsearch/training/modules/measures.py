"""What the batches of an entry, or of the test set, add up to."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from depthsearch.data.base import NO_TARGET, Dataset, TorchData
from depthsearch.training.detail import Predictions
from depthsearch.training.modules.objective import Outcome

SHOWN_POSITIONS = 10_000
"""Of a sequence's test positions, whose predictions a detail holds."""


@dataclass
class Sums:
    """Of an entry's batches, on the device: a figure is fetched once an entry."""

    loss: Tensor | float = 0.0
    value: Tensor | float | None = 0.0
    points: int = 0
    count: Tensor | int = 0

    def add(self, outcome: Outcome) -> None:
        """One more batch."""
        self.loss = self.loss + outcome.loss.detach().double() * outcome.points
        self.points += outcome.points
        self.count = self.count + outcome.count
        known = outcome.value is not None and self.value is not None
        self.value = self.value + outcome.value.double() * outcome.count if known else None  # type: ignore[operator, union-attr]

    def means(self) -> tuple[float, float | None]:
        """The mean loss over the points, and the mean value over what counts; NaN where there was nothing."""
        if not self.points:
            return float("nan"), None
        loss = float(self.loss) / self.points
        return loss, None if self.value is None else float(self.value) / max(float(self.count), 1.0)


def variance_of(data: Dataset | TorchData) -> Tensor | None:
    """[targets] of the training targets of a regression; None for other tasks."""
    if not isinstance(data, Dataset) or data.classes is not None:
        return None
    variance = torch.tensor(np.asarray(data.y_train, np.float64).reshape(len(data.y_train), -1).var(axis=0))
    return variance.clamp(min=torch.finfo(torch.float32).tiny)


def predictions_of(logits: list[Tensor], labels: list[Tensor]) -> Predictions | None:
    """Of the positions that count, at most SHOWN_POSITIONS of them; None where no classes are learned."""
    if not logits:
        return None
    scores, truth = torch.cat(logits).numpy(), torch.cat(labels).numpy()
    counted = np.flatnonzero(truth != NO_TARGET)
    if len(counted) < len(truth):
        counted = counted[:SHOWN_POSITIONS]
    return Predictions.of(scores[counted], truth[counted])
