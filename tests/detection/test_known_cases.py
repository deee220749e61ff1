"""Networks of which theory says what they do: detection must say the same."""

import math
from typing import Any

import numpy as np
import pytest

from depthsearch.detection import settled_epoch, verdict_of
from depthsearch.detection.verdict import Verdict, VerdictKind
from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import run_sentence
from depthsearch.training.engine import Job, train_all
from depthsearch.training.select import choose_engine
from depthsearch.training.trace import Trace


def judged(problem: Problem, depth: int, seeds: int) -> tuple[list[Trace], list[Verdict]]:
    found = train_all(choose_engine(problem, device="cpu").load(), problem, [Job(depth, seed) for seed in range(seeds)])
    return found, [verdict_of(trace, problem.criterion) for trace in found]


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

    found, verdicts = judged(problem, 31, 8)

    # The signals of some are a hundred thousandth of the inputs' and growing as this short budget ends.
    kinds = [verdict.kind for verdict in verdicts]
    assert set(kinds) <= {VerdictKind.VANISHED, VerdictKind.SLOW}
    assert kinds.count(VerdictKind.VANISHED) >= 4
    for trace in found:
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


@pytest.mark.parametrize("engine", ["dense", "torch"])
@pytest.mark.parametrize(
    "fields",
    [
        {"activation": "relu", "width": 3, "recipe": {"learning_rate": 1.0, "momentum": 0.0}},
        {"activation": "relu", "width": 3, "recipe": {"learning_rate": 0.3, "momentum": 0.9}},
        {"activation": "identity", "recipe": {"learning_rate": 1.0}},
    ],
    ids=["dying", "dying-with-momentum", "exploding"],
)
def test_a_run_that_is_settled_early_has_the_verdict_of_its_whole_budget(engine: str, fields: dict[str, Any]) -> None:
    problem = Problem.model_validate(fields | {"recipe": fields["recipe"] | {"epochs": 20}})
    chosen, jobs = choose_engine(problem, engine=engine, device="cpu").load(), [Job(6, seed) for seed in range(16)]
    whole, stopped = (train_all(chosen, problem, jobs, watch=watch) for watch in (None, settled_epoch))
    early = [one for one in stopped if not one.complete]
    assert early
    if fields["activation"] == "relu":
        # With momentum only the start is final.
        assert any(one.epochs > 0 for one in early) == (problem.recipe.momentum == 0)
    for one, other in zip(stopped, whole, strict=True):
        assert verdict_of(one, problem.criterion).kind is verdict_of(other, problem.criterion).kind
        if not one.complete and np.isfinite(one.loss).all():
            # Nothing up to the dead layer moved any more.
            dead = int(np.flatnonzero(one.snapshots.never_active[-1] == 1)[-1])
            same = slice(0, dead + 1)
            assert np.array_equal(one.snapshots.weight_change[-1, same], other.snapshots.weight_change[-1, same])


TARGET: dict[str, Any] = {"kind": "target", "target": 0.9}

PAST = {
    "final_score": ">", "loss": "<>", "activation_gradient_ratio exploded": "<>", "dead_layer": "<>=",
    "dead_units": "<>", "activation_gradient_ratio vanished": "<<<", "reach": "<<<<", "weights_unchanged": "<<<<",
    "input_correlation": "<><", "crossed_without_holding": "<><", "crossed_at_the_end": "<><", "swings": "<>",
    "still_improving": "<>", "lost_again": "<>>", "improving_below_the_bar": "<>", "fell_below_the_bar": "<>",
    "lost_both_ways vanished": "<<<><", "lost_both_ways input_blind": "<><<", "steps_too_large": "<<>>",
    "signal_grows": "<<",
    "begins_to_distinguish": "<><", "below_the_bar": "<", "none_of_the_others": "<<",
}  # fmt: skip
"""On which side of its thresholds, in their order, each rule's figures lie where it applies.

The first is the bar for the final score.
"""


def lies(figure: float, side: str, threshold: float) -> bool:
    # At its threshold a figure counts as past it.
    return {">": not figure < threshold, "<": figure <= threshold, "=": figure == threshold}[side]


def test_every_verdict_is_borne_out_by_its_figures() -> None:
    """Each threshold has a figure of its name, and lies on the side that the rule asks for."""
    seen = set()
    cases: tuple[tuple[dict[str, Any], tuple[int, ...]], ...] = (
        ({"activation": "relu"}, (4, 12, 30)),
        ({"activation": "tanh"}, (10, 28, 60)),
        ({"activation": "tanh", "criterion": TARGET}, (3, 28, 60)),
        ({"activation": "relu", "criterion": TARGET, "recipe": {"learning_rate": 0.3}}, (2, 4)),
        ({"activation": "identity", "criterion": TARGET}, (2,)),
        ({"activation": "sigmoid"}, (1, 2, 6)),
        ({"activation": "relu", "recipe": {"learning_rate": 3.0}}, (4, 8)),
        ({"activation": "identity", "recipe": {"learning_rate": 0.3}}, (3,)),
        ({"activation": "tanh", "recipe": {"learning_rate": 1e-4}}, (2,)),
        ({"activation": "sigmoid", "recipe": {"optimizer": "adam", "learning_rate": 0.01}}, (6, 12)),
        ({"activation": "relu", "initialization": "normal", "sigma_w2": 20.0, "sigma_b2": 0.0, "width": 32}, (12,)),
    )
    for fields, depths in cases:
        problem = Problem.model_validate(fields | {"recipe": {"epochs": 40} | fields.get("recipe", {})})
        for depth in depths:
            _, verdicts = judged(problem, depth, 6)
            for found in verdicts:
                rule, (thresholds, figures) = found.evidence.rule, (found.evidence.thresholds, found.evidence.figures)
                sides = PAST.get(rule) or PAST[f"{rule} {found.kind}"]
                if rule == "lost_both_ways":
                    # The rule by which it vanished may ask for one figure more.
                    sides = "<" * (len(thresholds) - len(sides)) + sides
                assert len(sides) == len(thresholds)
                for side, (name, threshold) in zip(sides, thresholds.items(), strict=True):
                    assert lies(float(figures[name] or 0.0), side, threshold), (rule, name)
                assert "by the rule" not in run_sentence(found)
                seen.add(rule)
    assert len(seen) > 9
