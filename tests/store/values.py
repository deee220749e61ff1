"""Traces and verdicts to put into a store, made by hand: the store knows nothing of training."""

import numpy as np

from depthsearch.detection.verdict import Evidence, Verdict, VerdictKind
from depthsearch.problem.problem import Problem
from depthsearch.training.trace import Snapshot, Trace, TrainingFacts


def trace(problem: Problem, *, depth: int = 3, seed: int = 1, epochs: int = 4) -> Trace:
    rng = np.random.default_rng([depth, seed])
    layers = depth + 1
    per_layer = {
        name: rng.random((3, layers), dtype=np.float32)
        for name in (
            "weight_gradient_norm",
            "mean_abs_gradient",
            "activation_gradient_norm",
            "weight_norm",
            "weight_change",
            "never_active",
        )
    }
    return Trace(
        facts=TrainingFacts.of(problem, points=500),
        depth=depth,
        seed=seed,
        layers=tuple(f"hidden {k}" for k in range(layers)),
        loss=rng.random(epochs, dtype=np.float32),
        score=rng.random(epochs, dtype=np.float32),
        snapshots=Snapshot(
            epochs=np.array([0, 1, 2], dtype=np.int64),
            output_range=rng.random(3, dtype=np.float32),
            input_correlation=rng.random(3, dtype=np.float32),
            test_accuracy=rng.random(3, dtype=np.float32),
            **per_layer,
        ),
        final_test_accuracy=0.75,
        steps=epochs * 16,
        budget_epochs=200,
        budget_steps=3200,
        baseline=0.5,
        points=500,
    )


def verdict(kind: VerdictKind = VerdictKind.TRAINED) -> Verdict:
    evidence = Evidence(rule="a rule", figures={"loss": float("nan"), "epoch": 3}, thresholds={"loss": 1e3})
    return Verdict(kind=kind, epoch=4, sentence=f"{kind}: as it was", evidence=evidence)
