"""What the detection has to know of how a module is trained."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import nn

from depthsearch.data.base import NO_TARGET, Dataset, TorchData
from depthsearch.problem.problem import Problem
from depthsearch.problem.recipe import Recipe
from depthsearch.training.modules.batches import Batches
from depthsearch.training.modules.tape import Layer, has_batch_norm
from depthsearch.training.trace import TrainingFacts


def training_facts(
    problem: Problem,
    module: nn.Module,
    layers: Sequence[Layer],
    *,
    unseen: tuple[int, ...],
    snapshot_points: int,
    steps_per_epoch: int,
    points_per_entry: int | None,
) -> TrainingFacts:
    """The facts of a module (see `TrainingFacts`).

    Args:
        problem: What is trained.
        module: The network.
        layers: Of it, first to run first.
        unseen: Places of the layers whose activation gradients are not seen.
        snapshot_points: Points in the batch that a snapshot shows.
        steps_per_epoch: Batches in one pass.
        points_per_entry: As TrainingFacts.points_per_entry.
    """
    first = next((index for index in range(len(layers)) if index not in unseen), 0)
    facts = TrainingFacts.of_recipe(
        problem,
        first_weights=sum(weight.numel() for weight in layers[first].weights),
        batch_statistics=has_batch_norm(module),
        points_per_entry=points_per_entry,
        points=steps_per_epoch * problem.recipe.batch_size,
    )
    return replace(facts, snapshot_points=snapshot_points, unseen=unseen)


def points_per_entry(recipe: Recipe, data: Dataset | TorchData, batches: Batches) -> int:
    """Different points, or positions that count, that every entry's score is taken over at least."""
    if isinstance(data, Dataset):
        points, counted = recipe.points_per_entry(data.points), float(np.mean(data.y_train != NO_TARGET))
        return max(int(points * counted * data.y_train[0].size), 1)
    if recipe.steps is None:
        return data.points
    steps = min(recipe.steps // recipe.entries, batches.steps_per_epoch)
    return max(steps * (data.points // batches.steps_per_epoch), 1)
