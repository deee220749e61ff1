import math
from typing import Any

import pytest

from depthsearch.detection import settled_epoch, verdict_of
from depthsearch.detection.verdict import VerdictKind
from depthsearch.detection.watch import cannot_move
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from tests.detection.traces import make_trace

# At the start hidden 2 is dead: nothing flows back to hidden 1 and 2, nothing but a constant flows forward.
BORN_DEAD: dict[str, Any] = {
    "score": [],
    "never_active": [0, 1, 0, 0],
    "output_range": 0,
    "weight_gradient_norm": [0, 0, 0.2, 0.3],
}


# cannot_move.


def test_a_dead_layer_under_a_constant_output_cannot_move() -> None:
    assert cannot_move(make_trace(**BORN_DEAD))


def test_layers_after_the_dead_one_may_have_gradients() -> None:
    assert cannot_move(make_trace(**BORN_DEAD | {"weight_gradient_norm": [0, 0, 5, 5]}))


@pytest.mark.parametrize("gradient", [[1e-9, 0, 0, 0], [0, 1e-9, 0, 0]], ids=["before-it", "its-own"])
def test_a_gradient_up_to_the_dead_layer_can_move(gradient: list[float]) -> None:
    assert not cannot_move(make_trace(**BORN_DEAD | {"weight_gradient_norm": gradient}))


def test_of_several_dead_layers_the_last_must_have_no_gradient_either() -> None:
    trace = make_trace(**BORN_DEAD | {"never_active": [0, 1, 1, 0], "weight_gradient_norm": [0, 0, 0.1, 0]})

    assert not cannot_move(trace)


def test_an_output_that_is_not_constant_can_move() -> None:
    assert not cannot_move(make_trace(**BORN_DEAD | {"output_range": 1e-6}))


def test_a_layer_with_a_living_unit_can_move() -> None:
    assert not cannot_move(make_trace(**BORN_DEAD | {"never_active": [0, 0.8, 0, 0]}))


def test_zero_gradients_without_a_dead_layer_can_move() -> None:
    assert not cannot_move(make_trace(**BORN_DEAD | {"never_active": 0, "weight_gradient_norm": 0}))


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_weight_decay_moves_weights_that_have_no_gradient(optimizer: str) -> None:
    problem = Problem.model_validate({"recipe": {"optimizer": optimizer, "weight_decay": 1e-4}})
    assert not cannot_move(make_trace(**BORN_DEAD, problem=problem))


def test_with_batch_norm_nothing_is_claimed() -> None:
    assert not cannot_move(make_trace(**BORN_DEAD, problem=Problem(normalization="batch")))


def test_with_layer_norm_a_dead_layer_cannot_move() -> None:
    assert cannot_move(make_trace(**BORN_DEAD, problem=Problem(normalization="layer")))


def test_weight_decay_can_move_a_dead_layer() -> None:
    assert not cannot_move(make_trace(**BORN_DEAD, problem=Problem(recipe={"optimizer": "adamw"})))


@pytest.mark.parametrize("recipe", [{"optimizer": "adam"}, {"optimizer": "adamw", "weight_decay": 0}])
def test_adam_without_weight_decay_cannot_move_a_dead_layer(recipe: dict[str, Any]) -> None:
    assert cannot_move(make_trace(**BORN_DEAD, problem=Problem(recipe=recipe)))


WITHOUT_MOMENTUM = Problem(recipe={"momentum": 0.0, "epochs": 30})

# Alive at the start, hidden 2 is dead at the end of epoch 4.
DIED: dict[str, Any] = {
    "problem": WITHOUT_MOMENTUM,
    "score": [0.75] * 3 + [0.5],
    "epochs": [0, 4],
    "never_active": [[0, 0, 0, 0], [0, 1, 0, 0]],
    "output_range": [1, 0],
    "weight_gradient_norm": [[1, 1, 1, 1], [0, 0, 0.2, 0.3]],
}


def test_without_momentum_a_layer_that_died_later_cannot_move() -> None:
    assert cannot_move(make_trace(**DIED))


@pytest.mark.parametrize("recipe", [{}, {"nesterov": True}, {"optimizer": "adam"}], ids=str)
def test_the_optimizers_memory_can_move_a_layer_that_died_later(recipe: dict[str, Any]) -> None:
    assert not cannot_move(make_trace(**DIED | {"problem": Problem(recipe={"epochs": 30, **recipe})}))


def test_a_snapshot_of_an_earlier_entry_says_nothing_of_the_present_one() -> None:
    assert not cannot_move(make_trace(**DIED | {"score": [0.5] * 5}))
    assert not cannot_move(make_trace(**BORN_DEAD | {"score": [0.5] * 7, "epochs": [0]}))


def test_a_layer_that_was_dead_earlier_and_lives_can_move() -> None:
    revived = {"never_active": [[0, 1, 0, 0], [0, 0, 0, 0]], "output_range": [0, 1], "weight_gradient_norm": 1}

    assert not cannot_move(make_trace(**DIED | revived))


def test_a_gradient_up_to_a_layer_that_died_later_can_move() -> None:
    moving = {"weight_gradient_norm": [[1, 1, 1, 1], [0, 1e-9, 0.2, 0.3]]}

    assert not cannot_move(make_trace(**DIED | moving))


def test_with_batch_norm_nothing_is_claimed_of_later_entries() -> None:
    problem = Problem(normalization="batch", recipe={"momentum": 0.0, "epochs": 30})

    assert not cannot_move(make_trace(**DIED | {"problem": problem}))


def test_before_the_first_snapshot_nothing_is_claimed() -> None:
    assert not cannot_move(make_trace(**BORN_DEAD | {"epochs": [], "never_active": 1}))


# settled_epoch.


def test_a_run_without_epochs_that_can_move_is_open() -> None:
    assert settled_epoch(make_trace(score=[])) is None


@pytest.mark.parametrize("accuracy", [[0.5] * 10, [1.0] * 10, [1.0] * 10 + [0.5] * 19], ids=["flat", "good", "lost"])
def test_no_accuracy_settles_a_run(accuracy: list[float]) -> None:
    assert settled_epoch(make_trace(score=accuracy)) is None


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_run_is_settled_at_the_first_loss_that_is_not_finite(loss: float) -> None:
    trace = make_trace(score=[0.5] * 5, loss=[0.7, 0.7, loss, math.nan, math.nan])

    assert settled_epoch(trace) == 3


def test_a_loss_past_a_thousand_may_still_come_back() -> None:
    assert settled_epoch(make_trace(score=[0.5] * 3, loss=[1e6, 1e6, 1e6])) is None


def test_a_loss_that_is_not_finite_settles_a_run_however_good_it_was() -> None:
    trace = make_trace(score=[1.0] * 5, loss=[0.1] * 4 + [math.nan])

    assert settled_epoch(trace) == 5


def test_a_run_that_cannot_move_is_settled_before_its_first_step() -> None:
    assert settled_epoch(make_trace(**BORN_DEAD)) == 0


def test_a_run_that_died_without_momentum_is_settled_where_it_was_seen_to_be_dead() -> None:
    assert settled_epoch(make_trace(**DIED)) == 4


def test_a_loss_that_is_not_finite_settled_a_run_before_it_was_seen_to_be_dead() -> None:
    assert settled_epoch(make_trace(**DIED | {"loss": [0.5, math.nan, math.nan, math.nan]})) == 2


def test_a_run_settled_before_its_first_step_is_born_dead_as_it_would_be_at_the_end() -> None:
    stopped = verdict_of(make_trace(**BORN_DEAD), Criterion())
    whole = verdict_of(make_trace(**BORN_DEAD | {"score": [0.5] * 30}), Criterion())

    assert stopped.kind is whole.kind is VerdictKind.BORN_DEAD
    assert stopped.evidence == whole.evidence
    assert (stopped.epoch, whole.epoch) == (0, 30)


def test_a_run_settled_where_it_died_has_the_verdict_of_the_whole_budget() -> None:
    stopped = verdict_of(make_trace(**DIED), Criterion())
    whole = verdict_of(make_trace(**DIED | {"score": [0.75] * 3 + [0.5] * 27, "epochs": [0, 30]}), Criterion())

    assert (stopped.kind, stopped.evidence.rule) == (whole.kind, whole.evidence.rule) == ("died", "dead_layer")


@pytest.mark.parametrize("accuracy", [0.5, 1.0])
def test_a_run_settled_by_a_loss_that_is_not_finite_has_exploded_as_it_would_have_at_the_end(accuracy: float) -> None:
    stopped = make_trace(score=[accuracy] * 5, loss=[0.7] * 4 + [math.nan])
    whole = make_trace(score=[accuracy] * 4 + [0.5] * 26, loss=[0.7] * 4 + [math.nan] * 26)

    assert verdict_of(stopped, Criterion()).kind is verdict_of(whole, Criterion()).kind is VerdictKind.EXPLODED
