"""Torch modules, whose snapshots show one batch each: causes come from the second half of the run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthsearch.detection import verdict_of
from depthsearch.detection.verdict import Verdict, VerdictKind
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import run_sentence
from depthsearch.store.tables import decode_trace
from depthsearch.training.engine import Job, train_all
from depthsearch.training.modules.engine import ModuleEngine
from depthsearch.training.trace import Trace
from tests.detection.traces import make_trace

FOLDER = Path(__file__).parent / "module_traces"
VGG = {"steps": 300, "optimizer": "adam", "learning_rate": 0.001, "batch_size": 100}
ROWS = {"steps": 200, "optimizer": "adam", "learning_rate": 0.003, "batch_size": 32}
PROBLEMS: dict[str, dict[str, Any]] = {
    "vgg": {"family": "vgg", "data": "digits", "recipe": VGG},
    "vgg-batch": {"family": "vgg", "data": "digits", "recipe": VGG, "normalization": "batch"},
    "post": {"family": "transformer", "data": "digits", "recipe": ROWS, "normalization": "post"},
    "pre": {"family": "transformer", "data": "digits", "recipe": ROWS, "normalization": "pre"},
}
"""Of the stored traces, which ModuleEngine recorded: NAME-DEPTH-SEED.npz. Of each, six layers are kept: the first two,
the middle one and the last three.
"""


def stored(name: str) -> tuple[Trace, Problem]:
    problem = Problem.model_validate(PROBLEMS[name.rsplit("-", 2)[0]])
    return decode_trace((FOLDER / f"{name}.npz").read_bytes(), problem), problem


def judged(name: str) -> Verdict:
    trace, problem = stored(name)
    return verdict_of(trace, problem.criterion)


def module_trace(**changes: Any) -> Trace:
    """A trace with five snapshots of one batch each, of a run that nothing explains."""
    optimizer = changes.pop("optimizer", "adam")
    problem = Problem(recipe={"steps": 200, "optimizer": optimizer})
    trace = make_trace(problem=problem, epochs=[0, 5, 10, 15, 20], **changes)
    return replace(trace, facts=replace(trace.facts, snapshot_points=32))


def verdict(**changes: Any) -> tuple[str, str]:
    found = verdict_of(module_trace(**changes), Criterion())
    assert "by the rule" not in run_sentence(found)
    return found.kind.value, found.evidence.rule


def ratios(*values: float) -> list[list[float]]:
    """Activation gradients of the snapshots, with those ratios of the first hidden layer's to the last's."""
    return [[value, 1, 1, 1] for value in values]


@pytest.mark.parametrize("name", ["vgg-3-0", "vgg-3-1"])
def test_a_plain_vgg_past_its_cliff_vanished_with_both_figures(name: str) -> None:
    found = judged(name)

    assert (found.kind, found.evidence.rule) == (VerdictKind.VANISHED, "lost_both_ways")
    assert float(found.evidence.figures["activation_gradient_ratio"] or 1) < 1e-6
    assert float(found.evidence.figures["input_correlation"] or 0) > 0.9999
    assert float(found.evidence.figures["output_range"] or 0) < 1e-6
    sentence = run_sentence(found)
    assert "the gradient is lost on the way back (" in sentence
    assert "and the input on the way forward (the last hidden layer's outputs correlate by 1.0000; logits" in sentence


@pytest.mark.parametrize("name", ["post-18-0", "post-18-2", "post-18-3"])
def test_a_post_norm_transformer_that_training_collapsed_took_steps_that_are_too_large(name: str) -> None:
    """With a tenth of the learning rate all three train, to an accuracy of 0.87."""
    trace, problem = stored(name)
    found = verdict_of(trace, problem.criterion)

    assert trace.snapshots.input_correlation[0] < 0.9
    assert float(found.evidence.figures["activation_gradient_ratio_at_start"] or 0) > 1
    assert (found.kind, found.evidence.rule) == (VerdictKind.SATURATED, "steps_too_large")
    assert "saturated: the steps are too large: weights of 'embedding.positions' moved by" in run_sentence(found)


@pytest.mark.parametrize("name", ["vgg-2-0", "vgg-2-2"])
def test_a_network_that_leaves_its_plateau_as_the_budget_ends_is_slow(name: str) -> None:
    """With twice the budget both reach an accuracy of 0.5."""
    found = judged(name)

    assert (found.kind, found.evidence.rule) == (VerdictKind.SLOW, "begins_to_distinguish")
    assert "all outputs were the same (logits differed by 0.00" in run_sentence(found)


@pytest.mark.parametrize("name", ["vgg-1-0", "vgg-batch-5-0", "pre-18-0"])
def test_what_trains_has_trained_whatever_its_start_shows(name: str) -> None:
    assert judged(name).kind is VerdictKind.TRAINED


def test_vgg_trains_from_a_start_that_shows_every_sign_of_failure() -> None:
    problem = Problem.model_validate(PROBLEMS["vgg"] | {"recipe": VGG | {"steps": 80}})

    [trace] = train_all(ModuleEngine("cpu", workers=1), problem, [Job(0, 0)])

    start = trace.snapshots.activation_gradient_norm[0]
    assert start[0] / start[-2] < 1e-3
    assert trace.snapshots.input_correlation[0] > 0.999
    assert trace.snapshots.output_range[0] < 0.001
    assert verdict_of(trace, problem.criterion).kind is VerdictKind.TRAINED


def test_the_start_decides_nothing_where_a_snapshot_shows_one_batch() -> None:
    flat = ("flat", "none_of_the_others")
    assert verdict(activation_gradient_norm=ratios(500, 1, 1, 1, 1)) == flat
    assert verdict(activation_gradient_norm=ratios(1e-6, 1, 1, 1, 1), optimizer="sgd") == flat
    assert verdict(never_active=[[0.9] * 4, *[[0.0] * 4] * 4]) == flat


def test_what_the_end_shows_decides() -> None:
    assert verdict(activation_gradient_norm=ratios(1, 500, 500, 500, 500)) == (
        "exploded", "activation_gradient_ratio",
    )  # fmt: skip
    assert verdict(activation_gradient_norm=ratios(1, 1, 1e-4, 1e-4, 1e-4), optimizer="sgd", weight_change=0.01) == (
        "vanished", "activation_gradient_ratio",
    )  # fmt: skip
    assert verdict(never_active=[[0.0] * 4, *[[0.9] * 4] * 4]) == ("died", "dead_units")
    assert verdict(never_active=0.9) == ("born_dead", "dead_units")
    assert verdict(input_correlation=[0.2, 1, 1, 1, 1], output_range=[3, 0, 0, 0, 0]) == (
        "input_blind", "input_correlation",
    )  # fmt: skip


def test_one_batch_at_the_end_is_not_enough() -> None:
    """The last snapshot and the median of the second half have to agree."""
    flat = ("flat", "none_of_the_others")
    assert verdict(activation_gradient_norm=ratios(1, 1, 1, 1, 500)) == flat
    assert verdict(activation_gradient_norm=ratios(1, 1, 500, 500, 1)) == flat
    assert verdict(input_correlation=[0.2, 0.2, 0.2, 0.2, 1], output_range=[3, 3, 3, 3, 0]) == flat
    assert verdict(never_active=[*[[0.0] * 4] * 4, [0.9] * 4]) == flat


def test_dead_units_of_a_batch_are_not_said_of_the_training_set() -> None:
    found = verdict_of(module_trace(never_active=0.9), Criterion())

    assert run_sentence(found).endswith("inactive at all 32 points of a batch at the start")


def test_a_gradient_that_recovers_was_not_cut_off() -> None:
    assert verdict(activation_gradient_norm=ratios(1, 1, 1e-5, 1e-5, 1e-5)) == ("saturated", "steps_too_large")
    assert verdict(activation_gradient_norm=ratios(1, 1, 1e-5, 1e-5, 1)) == ("flat", "none_of_the_others")


def test_a_loss_that_falls_by_less_than_a_thousandth_is_not_improving() -> None:
    assert verdict(loss=np.linspace(0.7, 0.6998, 20))[0] == "flat"
    assert verdict(loss=np.linspace(0.7, 0.6, 20)) == ("slow", "still_improving")


def test_a_score_that_is_no_accuracy_is_called_by_its_name() -> None:
    trace = module_trace(score=[0.9] * 20)
    regression = replace(trace, facts=replace(trace.facts, score_name="explained variance", points_per_entry=None))

    sentence = run_sentence(verdict_of(regression, Criterion()))

    assert sentence.startswith("trained: explained variance is 0.900 or more")
