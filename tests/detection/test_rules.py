import math
from typing import Any

import numpy as np
import pytest

from depthsearch.core.problem import Criterion, Problem
from depthsearch.core.trace import Trace
from depthsearch.core.verdict import Verdict, VerdictKind
from depthsearch.detection import relapse_of, verdict_of
from tests.detection.traces import make_trace

SHRUNK = [0.05, 0.2, 1, 1]
"""Activation gradients, a twentieth of which reaches the first layer."""


def verdict(trace: Trace) -> Verdict:
    return verdict_of(trace, Criterion())


def rule(trace: Trace) -> tuple[str, str]:
    """The kind, and the rule that decided it."""
    found = verdict(trace)
    return found.kind.value, found.evidence.rule


# Trained.


def test_a_run_that_held_its_accuracy_trained() -> None:
    found = verdict(make_trace(train_accuracy=[0.5, 0.625, 0.75, 0.75] + [0.5] * 26))

    assert (found.kind, found.epoch, found.evidence.rule) == (VerdictKind.TRAINED, 4, "accuracy_held")
    assert found.evidence.figures == {"lowest_accuracy_held": 0.625, "epochs_held": 3, "majority_rate": 0.5}
    assert found.evidence.thresholds == {"lowest_accuracy_held": pytest.approx(0.6), "epochs_held": 3}
    assert found.sentence == "trained: accuracy above 0.600 held for 3 epochs, at epoch 4"


def test_a_run_that_trained_before_it_exploded_trained() -> None:
    trace = make_trace(train_accuracy=[0.75] * 3 + [0.5] * 27, train_loss=[0.5] * 3 + [math.nan] * 27)

    assert verdict(trace).kind is VerdictKind.TRAINED


def test_a_run_that_trained_with_most_units_dead_trained() -> None:
    assert verdict(make_trace(train_accuracy=[0.75] * 30, never_active=0.9)).kind is VerdictKind.TRAINED


# Trained, and lost again.


def relapse(trace: Trace) -> tuple[str, str] | None:
    found = relapse_of(trace, Criterion())
    return None if found is None else (found.kind.value, found.evidence.rule)


def test_what_was_learned_and_lost_again_is_a_relapse() -> None:
    trace = make_trace(train_accuracy=[0.75] * 10 + [0.5] * 20)
    found = relapse_of(trace, Criterion())

    assert found is not None
    assert (found.kind, found.epoch, found.evidence.rule) == (VerdictKind.UNSTABLE, 30, "lost_again")
    assert found.evidence.figures == {
        "best_accuracy": 0.75, "last_accuracy": 0.5, "trained_at_epoch": 3, "last_good_epoch": 10,
        "activation_gradient_ratio_at_start": 1, "activation_gradient_ratio_at_end": 1,
    }  # fmt: skip
    assert found.evidence.thresholds == {"last_accuracy": pytest.approx(0.6)}
    assert found.sentence == (
        "unstable: accuracy rose to 0.750, was above 0.600 for the last time in epoch 10 and ended at 0.500"
    )
    assert verdict(trace).kind is VerdictKind.TRAINED


def test_a_network_that_trained_and_died_or_exploded_says_so() -> None:
    lost = [0.75] * 10 + [0.5] * 20
    dead = [[0, 0, 0, 0], [0, 1, 0, 0]]

    assert relapse(make_trace(train_accuracy=lost, never_active=dead, output_range=[1, 0])) == ("died", "dead_layer")
    assert relapse(make_trace(train_accuracy=lost, train_loss=[0.5] * 10 + [math.nan] * 20)) == ("exploded", "loss")


@pytest.mark.parametrize(
    "accuracy",
    [
        pytest.param([0.75] * 30, id="good to the last"),
        pytest.param([0.75] * 10 + [0.5] * 17 + [0.75, 0.5, 0.5], id="one good epoch in the last three"),
        pytest.param([0.5] * 30, id="never trained"),
        pytest.param([0.75] * 2 + [0.5] * 28, id="never held"),
        pytest.param([0.75] * 10 + [0.5] * 10, id="stopped before its budget ended"),
    ],
)
def test_what_was_not_lost_for_good_or_never_learned_is_no_relapse(accuracy: list[float]) -> None:
    assert relapse(make_trace(train_accuracy=accuracy)) is None


# Exploded.


@pytest.mark.parametrize(("loss", "spelled"), [(math.nan, "nan"), (math.inf, "inf")])
def test_a_loss_that_is_not_finite_is_an_explosion(loss: float, spelled: str) -> None:
    found = verdict(make_trace(train_loss=[0.5, 0.5, loss, *[math.nan] * 27]))

    assert (found.kind, found.evidence.rule) == (VerdictKind.EXPLODED, "loss")
    assert found.evidence.figures == {"loss": spelled, "epoch": 3}
    assert found.evidence.thresholds == {"loss": 1000.0}
    assert found.sentence == f"exploded: the loss reached {spelled} in epoch 3"


def test_evidence_of_a_nan_survives_json() -> None:
    found = verdict(make_trace(train_loss=[math.nan] * 30))

    assert Verdict.model_validate_json(found.model_dump_json()) == found


def test_a_loss_of_a_thousand_is_an_explosion() -> None:
    found = verdict(make_trace(train_loss=[0.5] * 9 + [1000.0] + [0.5] * 20))

    assert (found.kind, found.evidence.rule) == (VerdictKind.EXPLODED, "loss")
    assert found.evidence.figures == {"loss": 1000.0, "epoch": 10}


def test_a_loss_just_below_a_thousand_is_none() -> None:
    assert rule(make_trace(train_loss=[999.5] * 30)) == ("flat", "none_of_the_others")


def test_the_first_epoch_past_a_thousand_is_named_and_not_the_worst() -> None:
    found = verdict(make_trace(train_loss=[0.5, 2000.0, math.inf] + [math.nan] * 27))

    assert found.evidence.figures == {"loss": 2000.0, "epoch": 2}


@pytest.mark.parametrize(
    ("start", "end"), [([71, 1, 1, 1], [1, 1, 1, 1]), ([1, 1, 1, 1], [142, 9, 2, 1])], ids=["at-start", "at-end"]
)
def test_a_gradient_that_grows_more_than_70_times_is_an_explosion(start: list[float], end: list[float]) -> None:
    found = verdict(make_trace(activation_gradient_norm=[start, end]))

    assert (found.kind, found.evidence.rule) == (VerdictKind.EXPLODED, "activation_gradient_ratio")
    assert found.evidence.figures == {
        "activation_gradient_ratio": 71, "ratio_at_start": start[0] / start[2], "ratio_at_end": end[0] / end[2],
    }  # fmt: skip
    assert found.evidence.thresholds == {"activation_gradient_ratio": 70.0}
    assert "grows 71 times" in found.sentence


def test_a_gradient_that_grows_70_times_is_none() -> None:
    assert rule(make_trace(activation_gradient_norm=[70, 1, 1, 1])) == ("flat", "none_of_the_others")


def test_a_gradient_that_grows_in_a_network_that_learned_is_none() -> None:
    trace = make_trace(train_accuracy=[0.75, 0.5] * 15, activation_gradient_norm=[500, 1, 1, 1])

    assert rule(trace) == ("unstable", "crossed_without_holding")


def test_a_loss_of_a_thousand_is_an_explosion_even_in_a_network_that_learned() -> None:
    trace = make_trace(train_accuracy=[0.75, 0.5] * 15, train_loss=[0.5] * 29 + [5000.0])

    assert rule(trace) == ("exploded", "loss")


def test_the_outputs_own_gradient_is_no_part_of_the_ratio() -> None:
    assert rule(make_trace(activation_gradient_norm=[1, 1, 1, 1e-6])) == ("flat", "none_of_the_others")


# Born dead, died.


def test_a_layer_dead_from_the_start_under_a_constant_output_is_born_dead() -> None:
    found = verdict(make_trace(never_active=[0.2, 1, 0, 0], output_range=0))

    assert (found.kind, found.evidence.rule, found.epoch) == (VerdictKind.BORN_DEAD, "dead_layer", 30)
    assert found.evidence.figures == {
        "never_active_share": pytest.approx(0.4),
        "dead_layers": 1,
        "output_range": 0.0,
        "epoch": 0,
        "activation_gradient_ratio_at_start": 1.0,
        "layer": "hidden 2",
    }
    assert found.evidence.thresholds == {"dead_layers": 1, "output_range": 0}
    assert "'hidden 2'" in found.sentence


def test_seven_tenths_of_the_units_dead_at_the_start_are_born_dead() -> None:
    found = verdict(make_trace(never_active=[1, 0.75, 0.5, 0]))

    assert (found.kind, found.evidence.rule) == (VerdictKind.BORN_DEAD, "dead_units")
    assert found.evidence.figures == {
        "never_active_share": 0.75,
        "dead_layers": 1,
        "output_range": 1.0,
        "epoch": 0,
        "activation_gradient_ratio_at_start": 1.0,
    }


def test_exactly_seven_tenths_of_the_units_are_enough() -> None:
    # Seven units of ten in every layer, as a recorder in single precision writes them.
    assert rule(make_trace(never_active=[0.7, 0.7, 0.7, 0])) == ("born_dead", "dead_units")


def test_less_than_seven_tenths_of_the_units_are_not_enough() -> None:
    assert rule(make_trace(never_active=[0.6, 0.7, 0.75, 0])) == ("flat", "none_of_the_others")


def test_the_output_layer_is_not_counted_among_the_dead() -> None:
    assert rule(make_trace(never_active=[0.6, 0.6, 0.6, 1])) == ("flat", "none_of_the_others")


def test_a_layer_that_died_later_under_a_constant_output_died() -> None:
    found = verdict(make_trace(never_active=[[0.0] * 4, [0, 0, 1, 0]], output_range=[0.3, 0]))

    assert (found.kind, found.evidence.rule) == (VerdictKind.DIED, "dead_layer")
    assert found.evidence.figures["epoch"] == 30
    assert found.evidence.figures["layer"] == "hidden 3"


def test_units_that_died_later_died() -> None:
    found = verdict(make_trace(never_active=[[0.0] * 4, [0.8, 0.8, 0.8, 0]]))

    assert (found.kind, found.evidence.rule) == (VerdictKind.DIED, "dead_units")
    assert found.evidence.figures["never_active_share"] == pytest.approx(0.8)


def test_a_dead_layer_under_an_output_that_varies_is_not_a_dead_network() -> None:
    assert rule(make_trace(never_active=[0, 1, 0, 0], output_range=0.1)) == ("flat", "none_of_the_others")


def test_a_constant_output_of_living_layers_is_not_a_dead_network() -> None:
    assert rule(make_trace(never_active=0.2, output_range=0)) == ("flat", "none_of_the_others")


def test_a_dead_network_is_called_dead_before_it_is_called_vanished() -> None:
    trace = make_trace(never_active=[0, 1, 0, 0], output_range=0, activation_gradient_norm=0, weight_gradient_norm=0)

    assert rule(trace) == ("born_dead", "dead_layer")


def test_a_loss_that_exploded_is_named_before_a_death() -> None:
    trace = make_trace(train_loss=[math.nan] * 30, never_active=1, output_range=0)

    assert rule(trace) == ("exploded", "loss")


def test_a_death_is_named_before_the_gradient_that_grew_which_is_among_its_figures() -> None:
    found = verdict(
        make_trace(never_active=[[0.0] * 4, [0, 1, 0, 0]], output_range=[1, 0], activation_gradient_norm=[500, 9, 1, 1])
    )

    assert (found.kind, found.evidence.rule) == (VerdictKind.DIED, "dead_layer")
    assert found.evidence.figures["activation_gradient_ratio_at_start"] == 500.0


def test_a_run_stopped_before_its_first_step_is_born_dead() -> None:
    found = verdict(make_trace(train_accuracy=[], never_active=[0, 1, 1, 0], output_range=0))

    assert (found.kind, found.epoch, found.evidence.rule) == (VerdictKind.BORN_DEAD, 0, "dead_layer")
    assert found.evidence.figures["dead_layers"] == 2


# Vanished.


def test_a_gradient_that_does_not_reach_the_first_layer_vanished() -> None:
    found = verdict(make_trace(activation_gradient_norm=[1e-4, 1e-2, 1, 1]))

    assert (found.kind, found.evidence.rule) == (VerdictKind.VANISHED, "activation_gradient_ratio")
    assert found.evidence.figures == {
        "activation_gradient_ratio": pytest.approx(1e-4),
        "reach": pytest.approx(48),
        "first_layer_change": 0.5,
        "best_accuracy": 0.5,
    }
    assert found.evidence.thresholds == {
        "activation_gradient_ratio": 1e-3,
        "best_accuracy": pytest.approx(0.6),
    }
    assert "below 0.600 and 0.0001 of the gradient" in found.sentence


def test_a_gradient_that_vanishes_during_training_vanished() -> None:
    trace = make_trace(activation_gradient_norm=[[1.0] * 4, [1e-5, 1e-3, 1, 1]])

    assert rule(trace) == ("vanished", "activation_gradient_ratio")


def test_a_gradient_just_above_a_thousandth_did_not_vanish() -> None:
    assert rule(make_trace(activation_gradient_norm=[1.1e-3, 0.1, 1, 1])) == ("flat", "none_of_the_others")


def test_a_gradient_of_zero_everywhere_has_no_ratio() -> None:
    found = verdict(make_trace(activation_gradient_norm=0))

    assert found.evidence.figures["activation_gradient_ratio_at_start"] is None


def test_a_first_layer_that_could_hardly_move_vanished() -> None:
    # 0.01 / (1 - 0.9) x 480 steps x 0.02 = 0.96
    found = verdict(make_trace(weight_gradient_norm=[0.02, 1, 1, 1], activation_gradient_norm=SHRUNK))

    assert (found.kind, found.evidence.rule) == (VerdictKind.VANISHED, "reach")
    assert found.evidence.figures["reach"] == pytest.approx(0.96)
    assert "can move it by no more than 0.96 in the whole budget (reach)" in found.sentence


def test_a_first_layer_that_could_move_far_enough_did_not_vanish() -> None:
    # 0.01 / (1 - 0.9) x 480 steps x 0.021 = 1.008
    trace = make_trace(weight_gradient_norm=[0.021, 1, 1, 1], activation_gradient_norm=SHRUNK)

    assert rule(trace) == ("flat", "none_of_the_others")


@pytest.mark.parametrize("changes", [{"weight_gradient_norm": 0.002}, {"weight_change": 0}], ids=["reach", "unchanged"])
def test_where_the_gradient_arrives_steps_that_are_too_small_are_no_vanishing(changes: dict[str, Any]) -> None:
    assert rule(make_trace(activation_gradient_norm=[0.1, 0.5, 1, 1], **changes)) == ("flat", "none_of_the_others")
    assert rule(make_trace(activation_gradient_norm=SHRUNK, **changes))[0] == "vanished"


def test_the_reach_is_that_of_the_whole_budget_though_the_run_was_shorter() -> None:
    trace = make_trace(train_accuracy=[0.5] * 15, weight_gradient_norm=[0.021, 1, 1, 1])

    assert verdict(trace).evidence.figures["reach"] == pytest.approx(1.008)


def test_without_momentum_the_reach_is_shorter() -> None:
    problem = Problem(recipe={"momentum": 0, "epochs": 30})

    # 0.01 x 480 steps x 0.2 = 0.96
    found = verdict(make_trace(problem=problem, weight_gradient_norm=[0.2, 1, 1, 1], activation_gradient_norm=SHRUNK))

    assert found.evidence.rule == "reach"
    assert found.evidence.figures["reach"] == pytest.approx(0.96)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_adams_reach_is_the_root_mean_square_gradient_over_epsilon(optimizer: str) -> None:
    problem = Problem(width=8, recipe={"optimizer": optimizer, "epochs": 30})

    # 2 x 8 weights: a norm of 2e-8 is a root mean square of 0.5e-8, half of epsilon.
    found = verdict(make_trace(problem=problem, weight_gradient_norm=[2e-8, 1, 1, 1], activation_gradient_norm=SHRUNK))

    assert (found.kind, found.evidence.rule) == (VerdictKind.VANISHED, "reach")
    assert found.evidence.figures["reach"] == pytest.approx(0.5)


def test_a_gradient_that_falls_below_adams_epsilon_during_training_vanished() -> None:
    problem = Problem(width=8, recipe={"optimizer": "adam", "epochs": 30})
    falls = [[1, 1, 1, 1], [2e-8, 1, 1, 1]]

    found = verdict(make_trace(problem=problem, weight_gradient_norm=falls, activation_gradient_norm=SHRUNK))

    assert (found.kind, found.evidence.rule) == (VerdictKind.VANISHED, "reach")
    assert found.evidence.figures["reach"] == pytest.approx(0.5)


def test_adam_moves_weights_whose_gradient_is_above_epsilon() -> None:
    problem = Problem(width=8, recipe={"optimizer": "adam", "epochs": 30})

    trace = make_trace(problem=problem, weight_gradient_norm=[8e-8, 1, 1, 1], activation_gradient_norm=SHRUNK)

    assert rule(trace) == ("flat", "none_of_the_others")


def test_adam_is_not_hindered_by_a_ratio() -> None:
    problem = Problem(recipe={"optimizer": "adam", "epochs": 30})

    assert rule(make_trace(problem=problem, activation_gradient_norm=[1e-6, 1, 1, 1]))[0] == "flat"


def test_a_first_layer_that_did_not_change_vanished() -> None:
    found = verdict(make_trace(weight_change=[[0.0] * 4, [9e-4, 0.5, 0.5, 0.5]], activation_gradient_norm=SHRUNK))

    assert (found.kind, found.evidence.rule) == (VerdictKind.VANISHED, "weights_unchanged")
    assert found.evidence.figures["first_layer_change"] == pytest.approx(9e-4)
    assert "changed by only 0.0009 of their size" in found.sentence


def test_a_first_layer_that_changed_by_a_thousandth_did_not_vanish() -> None:
    trace = make_trace(weight_change=[[0.0] * 4, [1e-3, 0.5, 0.5, 0.5]], activation_gradient_norm=SHRUNK)

    assert rule(trace) == ("flat", "none_of_the_others")


def test_unchanged_weights_say_nothing_before_the_budget_ended() -> None:
    trace = make_trace(train_accuracy=[0.5] * 29, weight_change=0, activation_gradient_norm=SHRUNK)

    assert rule(trace) == ("flat", "none_of_the_others")


def test_an_accuracy_that_climbs_did_not_vanish() -> None:
    # Ten classes: the threshold is 0.28, and the accuracy climbs by 0.015 an epoch to 0.25.
    trace = make_trace(
        train_accuracy=np.linspace(0.1, 0.25, 11),
        budget_epochs=11,
        majority_rate=0.1,
        activation_gradient_norm=[1e-6, 1, 1, 1],
    )

    assert rule(trace) == ("flat", "none_of_the_others")


def test_one_epoch_has_no_trend_and_is_flat() -> None:
    trace = make_trace(train_accuracy=[0.5], activation_gradient_norm=[1e-6, 1, 1, 1])

    assert rule(trace) == ("vanished", "activation_gradient_ratio")


# Input blind.

BLIND = {"input_correlation": 0.9995, "output_range": 0.05}


def test_a_network_that_says_the_same_of_every_input_is_blind() -> None:
    found = verdict(make_trace(**BLIND))

    assert (found.kind, found.evidence.rule, found.epoch) == (VerdictKind.INPUT_BLIND, "input_correlation", 30)
    assert found.evidence.figures == {
        "input_correlation": pytest.approx(0.9995),
        "input_correlation_at_start": pytest.approx(0.9995),
        "output_range": pytest.approx(0.05),
        "activation_gradient_ratio_at_end": 1.0,
        "reach": pytest.approx(48),
    }
    assert found.evidence.thresholds == {"input_correlation": 0.999, "output_range": 0.1}
    assert "correlate by 0.9995, and their logits differ by no more than 0.05" in found.sentence


@pytest.mark.parametrize(
    "changes",
    [{"input_correlation": 0.9989}, {"output_range": 0.1}, {"input_correlation": math.nan}],
    ids=["told-apart", "answers-differ", "undefined"],
)
def test_a_network_that_tells_its_inputs_apart_is_not_blind(changes: dict[str, float]) -> None:
    assert rule(make_trace(**(BLIND | changes))) == ("flat", "none_of_the_others")


def test_small_steps_that_still_lower_the_loss_as_the_budget_ends_are_slow() -> None:
    creeping = np.linspace(0.70, 0.69, 30)

    assert rule(make_trace(weight_gradient_norm=1e-3, activation_gradient_norm=SHRUNK)) == ("vanished", "reach")
    assert rule(make_trace(weight_gradient_norm=1e-3, activation_gradient_norm=SHRUNK, train_loss=creeping)) == (
        "slow", "still_improving",
    )  # fmt: skip
    blind = {"input_correlation": 1, "output_range": 0.01}
    assert rule(make_trace(**blind)) == ("input_blind", "input_correlation")
    assert rule(make_trace(**blind, train_loss=creeping)) == ("slow", "still_improving")


def test_a_network_that_saw_at_first_is_blind_if_it_ends_so() -> None:
    assert rule(make_trace(input_correlation=[0.2, 0.9999], output_range=[3, 0.01]))[0] == "input_blind"
    assert rule(make_trace(input_correlation=[0.9999, 0.2], output_range=[0.01, 3]))[0] == "flat"


def test_a_gradient_that_vanished_is_named_before_blindness() -> None:
    assert rule(make_trace(activation_gradient_norm=[1e-4, 1e-2, 1, 1], **BLIND))[0] == "vanished"


# Unstable.


def test_an_accuracy_that_was_never_held_long_enough_is_unstable() -> None:
    found = verdict(make_trace(train_accuracy=[0.75, 0.625, 0.5] + [0.875, 0.5] + [0.25] * 25))

    assert (found.kind, found.epoch, found.evidence.rule) == (VerdictKind.UNSTABLE, 30, "crossed_without_holding")
    assert found.evidence.figures == {
        "best_accuracy": 0.875,
        "last_accuracy": 0.25,
        "epochs_above": 3,
        "longest_row_above": 2,
        "activation_gradient_ratio_at_start": 1.0,
        "activation_gradient_ratio_at_end": 1.0,
    }
    assert found.evidence.thresholds == {"best_accuracy": pytest.approx(0.6), "longest_row_above": 3}
    assert "rose to 0.875 and ended at 0.250; it was above 0.600 in 3 epochs, but never for 3 running" in found.sentence


def test_a_network_that_learned_for_a_while_is_unstable_though_its_gradient_vanished() -> None:
    trace = make_trace(train_accuracy=[0.75, 0.75] + [0.5] * 28, activation_gradient_norm=[[1.0] * 4, [1e-9, 1, 1, 1]])

    assert rule(trace) == ("unstable", "crossed_without_holding")


def test_in_a_longer_budget_a_row_of_19_epochs_is_unstable() -> None:
    trace = make_trace(train_accuracy=[0.75] * 19 + [0.5] * 181, budget_epochs=200)

    assert verdict(trace).evidence.thresholds["longest_row_above"] == 20
    assert verdict(trace).kind is VerdictKind.UNSTABLE


def test_an_accuracy_that_swings_is_unstable() -> None:
    # Chance alone moves the accuracy of 500 points by up to 0.095; six of 29 steps are larger.
    found = verdict(make_trace(train_accuracy=[0.5, 0.4] * 3 + [0.5] + [0.45] * 23))

    assert (found.kind, found.evidence.rule) == (VerdictKind.UNSTABLE, "swings")
    chance = pytest.approx(3 * math.sqrt(2 * 0.25 / 500))
    assert found.evidence.figures == {
        "swing_share": pytest.approx(6 / 29), "swing_counted_from": chance, "best_accuracy": 0.5,
    }  # fmt: skip
    assert found.evidence.thresholds == {"swing_share": 0.2}


def test_of_many_points_a_swing_of_three_hundredths_is_enough() -> None:
    trace = make_trace(train_accuracy=[0.5, 0.469] * 15, points=100_000)

    assert rule(trace) == ("unstable", "swings")
    assert rule(make_trace(train_accuracy=[0.5, 0.471] * 15, points=100_000))[0] == "flat"


# Slow.


def test_a_loss_that_still_falls_as_the_budget_ends_is_slow() -> None:
    noise = np.tile([0.001, -0.001], 15)
    found = verdict(make_trace(train_loss=np.linspace(0.69, 0.6, 30) + noise))

    assert (found.kind, found.evidence.rule) == (VerdictKind.SLOW, "still_improving")
    assert found.evidence.thresholds == {"improvement": 3.0}
    # Six epochs a fifth: the means differ by 6 steps.
    losses = np.asarray(np.linspace(0.69, 0.6, 30) + noise, dtype=np.float32).astype(float)
    before, after = losses[18:24], losses[24:]
    error = math.sqrt(before.var(ddof=1) / 6 + after.var(ddof=1) / 6)
    assert found.evidence.figures["improvement"] == pytest.approx((before.mean() - after.mean()) / error)


def test_a_loss_that_fell_and_stays_is_not_slow() -> None:
    noise = np.tile([0.001, -0.001], 15)

    assert rule(make_trace(train_loss=np.r_[np.linspace(0.69, 0.6, 15), np.full(15, 0.6)] + noise))[0] == "flat"


def test_nobody_knows_whether_a_run_that_was_stopped_was_still_improving() -> None:
    trace = make_trace(train_accuracy=[0.5] * 29, train_loss=np.linspace(0.69, 0.6, 29))

    assert rule(trace)[0] == "flat"


# Flat.


def test_a_run_that_nothing_explains_is_flat() -> None:
    found = verdict(make_trace(train_accuracy=[0.5] * 29 + [0.5625]))

    assert (found.kind, found.epoch, found.evidence.rule) == (VerdictKind.FLAT, 30, "none_of_the_others")
    assert found.evidence.figures == {
        "best_accuracy": 0.5625,
        "activation_gradient_ratio_at_start": 1.0,
        "activation_gradient_ratio_at_end": 1.0,
        "reach": pytest.approx(48),
    }
    assert found.evidence.thresholds == {"best_accuracy": pytest.approx(0.6)}


def test_a_run_without_epochs_and_without_a_cause_is_flat() -> None:
    found = verdict(make_trace(train_accuracy=[]))

    assert (found.kind, found.epoch) == (VerdictKind.FLAT, 0)
    assert found.evidence.figures["best_accuracy"] == 0.5


# All of them.


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (VerdictKind.TRAINED, {"train_accuracy": [0.75] * 30}),
        (VerdictKind.EXPLODED, {"train_loss": [math.nan] * 30}),
        (VerdictKind.BORN_DEAD, {"never_active": 1}),
        (VerdictKind.DIED, {"never_active": [[0.0] * 4, [1.0] * 4]}),
        (VerdictKind.VANISHED, {"weight_gradient_norm": 0, "activation_gradient_norm": 0}),
        (VerdictKind.INPUT_BLIND, {"input_correlation": 0.9999, "output_range": 0.01}),
        (VerdictKind.UNSTABLE, {"train_accuracy": [0.75, 0.5] * 15}),
        (VerdictKind.SLOW, {"train_loss": np.linspace(0.69, 0.6, 30)}),
        (VerdictKind.FLAT, {}),
    ],
)
def test_a_sentence_starts_with_its_verdict_and_is_one_line(kind: VerdictKind, changes: dict[str, Any]) -> None:
    found = verdict(make_trace(**changes))

    assert found.kind is kind
    assert found.sentence.startswith(f"{kind.value.replace('_', ' ')}: ")
    assert "\n" not in found.sentence


def test_the_criterion_is_what_decides_whether_a_run_trained() -> None:
    trace = make_trace(train_accuracy=[0.75] * 30)

    assert verdict_of(trace, Criterion(min_gain=0.6)).kind is VerdictKind.FLAT


def test_a_network_that_rose_above_the_criterion_only_as_the_budget_ended_is_slow() -> None:
    found = verdict(make_trace(train_accuracy=[0.5] * 28 + [0.7] * 2))

    assert (found.kind, found.evidence.rule) == (VerdictKind.SLOW, "crossed_at_the_end")
    assert found.evidence.figures["epochs_above"] == 2
    assert found.sentence == "slow: accuracy rose above 0.600 only as the budget ended, at 0.700"
