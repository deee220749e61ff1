"""Traces written by hand."""

from dataclasses import fields
from typing import Any

import numpy as np

from depthsearch.problem.problem import Problem
from depthsearch.training.trace import Snapshot, Trace, TrainingFacts

LAYERS = ("hidden 1", "hidden 2", "hidden 3", "output")
BUDGET = 30
PER_NETWORK = ("output_range", "input_correlation", "test_accuracy")


def make_trace(**changes: Any) -> Trace:
    """A run that nothing explains: no accuracy beyond chance in 30 epochs, though every figure is healthy.

    Any field of Trace or of Snapshot may be changed. A figure of the snapshots, taken at the start and after the
    last entry, may be a number, one for each layer, or one for each layer of each snapshot. `budget_epochs` gives a
    recipe of that many epochs; without it, the budget is that of the problem's recipe.

    The default criterion asks for an accuracy of 0.6 in the last 3 epochs.
    """
    problem = changes.pop("problem", None) or Problem(recipe={"epochs": changes.pop("budget_epochs", BUDGET)})
    points = changes.pop("points", 500)
    step_ends = (0, *problem.recipe.entry_ends(points))
    budget = len(step_ends) - 1
    accuracy = np.asarray(changes.pop("score", [0.5] * budget), dtype=np.float32)
    layers = changes.pop("layers", LAYERS)
    ends = [0, len(accuracy)] if len(accuracy) else [0]
    epochs = np.asarray(changes.pop("epochs", ends), dtype=np.int64)
    figures: dict[str, Any] = {
        "weight_gradient_norm": 1,
        "mean_abs_gradient": 0.1,
        "activation_gradient_norm": 1,
        "weight_norm": 1,
        "weight_change": np.where(epochs == 0, 0, 0.5)[:, None],
        "never_active": 0,
        "output_range": 1,
        "input_correlation": 0.5,
        "test_accuracy": 0.5,
    }
    figures |= {field.name: changes.pop(field.name) for field in fields(Snapshot) if field.name in changes}
    shapes = {name: (len(epochs),) if name in PER_NETWORK else (len(epochs), len(layers)) for name in figures}
    snapshots = Snapshot(
        epochs=epochs,
        **{name: np.broadcast_to(np.asarray(figures[name], dtype=np.float32), shapes[name]).copy() for name in figures},
    )
    loss = np.asarray(changes.pop("loss", np.full(len(accuracy), 0.69)), dtype=np.float32)
    rest: dict[str, Any] = {
        "facts": TrainingFacts.of(problem, points=points),
        "depth": len(layers) - 1,
        "seed": 0,
        "final_test_accuracy": 0.5,
        "steps": step_ends[len(accuracy)],
        "budget_steps": step_ends[-1],
        "baseline": 0.5,
        "points": points,
    }
    return Trace(
        layers=layers,
        loss=loss,
        score=accuracy,
        snapshots=snapshots,
        budget_epochs=budget,
        **(rest | changes),
    )
