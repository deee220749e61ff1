"""Networks of which theory says what they do: detection must say the same."""

import math

import pytest

from depthsearch.core.problem import Problem
from depthsearch.core.trace import Trace
from depthsearch.core.verdict import Verdict, VerdictKind
from depthsearch.detection import verdict_of
from depthsearch.training.engine import Job, choose_engine


def judged(problem: Problem, depth: int, seeds: int) -> tuple[list[Trace], list[Verdict]]:
    traces = choose_engine(problem, device="cpu").train(problem, [Job(depth, seed) for seed in range(seeds)])
    return traces, [verdict_of(trace, problem.criterion) for trace in traces]


# Depth, and the share of zero-bias networks of width 5 that are dead at the start for all inputs on the unit circle
# (Lu et al. 2019, arXiv 1903.06733, simulated for this width).
@pytest.mark.parametrize(("depth", "share"), [(7, 0.033), (10, 0.089), (20, 0.312), (30, 0.488)])
def test_the_share_born_dead_on_the_unit_circle(depth: int, share: float) -> None:
    # Without biases a network's units are active by direction alone: both circles are the unit circle.
    problem = Problem(activation="relu", data={"name": "circles", "noise": 0.0}, recipe={"epochs": 3})
    runs = 4000

    _, verdicts = judged(problem, depth, runs)

    dead = sum(verdict.kind is VerdictKind.BORN_DEAD for verdict in verdicts)
    assert abs(dead / runs - share) < 3 * math.sqrt(share * (1 - share) / runs) + 0.0005


def test_glorot_relu_vanishes_at_width_100_where_the_ratio_of_weight_gradients_shows_nothing() -> None:
    problem = Problem(width=100, activation="relu", data="circles", recipe={"epochs": 20})

    traces, verdicts = judged(problem, 31, 8)

    assert {verdict.kind for verdict in verdicts} == {VerdictKind.VANISHED}
    for trace in traces:
        at_start = trace.snapshots.weight_gradient_norm[0].astype(float)
        assert at_start[0] < 1e-4
        assert at_start[0] / at_start[-1] > 0.01  # AutoTrainer asks for less than 0.001


def test_he_relu_trains_at_width_100() -> None:
    problem = Problem(width=100, activation="relu", initialization="he_normal", recipe={"epochs": 20})

    _, verdicts = judged(problem, 10, 8)

    assert {verdict.kind for verdict in verdicts} == {VerdictKind.TRAINED}


def test_relu_of_far_too_large_weights_explodes() -> None:
    problem = Problem(width=64, activation="relu", initialization="normal", sigma_w2=20.0, recipe={"epochs": 10})

    _, verdicts = judged(problem, 20, 8)

    assert {verdict.kind for verdict in verdicts} <= {VerdictKind.EXPLODED, VerdictKind.INPUT_BLIND}


@pytest.mark.parametrize("sigma_w2", [10.0, 100.0])
def test_tanh_of_far_too_large_weights_never_vanishes(sigma_w2: float) -> None:
    problem = Problem(width=32, initialization="normal", sigma_w2=sigma_w2, recipe={"epochs": 20})

    _, verdicts = judged(problem, 25, 16)

    kinds = {verdict.kind for verdict in verdicts}
    assert VerdictKind.EXPLODED in kinds
    assert VerdictKind.VANISHED not in kinds
