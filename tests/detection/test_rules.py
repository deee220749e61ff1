import math
from typing import Any

import numpy as np
import pytest

from depthsearch.detection import bar_of, final_score, verdict_of
from depthsearch.detection.verdict import Verdict, VerdictKind
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import run_sentence
from depthsearch.training.trace import Trace
from tests.detection.traces import make_trace

TARGET = Criterion(kind="target", target=0.9)
SHRUNK = [0.05, 0.2, 1, 1]
"""Activation gradients, a twentieth of which reaches the first layer."""


def verdict(trace: Trace) -> Verdict:
    return verdict_of(trace, Criterion())


def rule(trace: Trace) -> tuple[str, str]:
    """The kind, and the rule that decided it."""
    found = verdict(trace)
    return found.kind.value, found.evidence.rule


def figures(found: Verdict) -> dict[str, float | int | str | None]:
    """The figures without the final score, which every verdict has, and without what an entry is called."""
    assert "final_score" in found.evidence.figures
    assert found.evidence.figures.get("entry", "epoch") == "epoch"
    return {name: value for name, value in found.evidence.figures.items() if name not in ("final_score", "entry")}


def thresholds(found: Verdict) -> dict[str, float | int]:
    """The thresholds without the bar, which every verdict has."""
    assert "final_score" in found.evidence.thresholds
    return {name: value for name, value in found.evidence.thresholds.items() if name != "final_score"}


# Trained.


def test_a_run_that_is_good_in_its_last_entries_trained() -> None:
    found = verdict(make_trace(score=[0.5] * 27 + [0.75, 0.625, 0.75]))

    assert (found.kind, found.epoch, found.evidence.rule) == (VerdictKind.TRAINED, 30, "final_score")
    assert found.evidence.figures == {
        "final_score": 0.625, "baseline": 0.5, "last_entries": 3, "entry": "epoch",
    }  # fmt: skip
    assert found.evidence.thresholds == {"final_score": pytest.approx(0.6)}
    assert run_sentence(found) == "trained: accuracy is 0.625 or more in the last 3 epochs, and the threshold is 0.600"


def test_of_a_budget_in_steps_the_sentence_speaks_of_entries() -> None:
    found = verdict(make_trace(problem=Problem(recipe={"steps": 1000}), score=[0.5] * 17 + [0.75] * 3))

    assert found.epoch == 20
    assert run_sentence(found) == "trained: accuracy is 0.750 or more in the last 3 entries, and the threshold is 0.600"


def test_a_run_that_came_back_from_a_loss_past_a_thousand_trained() -> None:
    trace = make_trace(score=[0.5] * 10 + [0.75] * 20, loss=[5000.0] * 10 + [0.5] * 20)

    assert verdict(trace).kind is VerdictKind.TRAINED


def test_a_run_that_trained_with_most_units_dead_trained() -> None:
    assert verdict(make_trace(score=[0.75] * 30, never_active=0.9)).kind is VerdictKind.TRAINED


def test_a_run_whose_loss_is_not_a_number_in_the_end_did_not_train() -> None:
    trace = make_trace(score=[0.75] * 30, loss=[0.5] * 29 + [math.nan])

    assert rule(trace) == ("exploded", "loss")


# Learned, and lost again.


def test_what_was_learned_and_lost_again_is_unstable() -> None:
    found = verdict(make_trace(score=[0.75] * 10 + [0.5] * 20))

    assert (found.kind, found.epoch, found.evidence.rule) == (VerdictKind.UNSTABLE, 30, "lost_again")
    assert found.evidence.figures == {
        "final_score": 0.5, "longest_row_above": 10, "best_accuracy": 0.75, "last_accuracy": 0.5, "fell_in_epoch": 11,
        "entry": "epoch", "activation_gradient_ratio_at_start": 1, "activation_gradient_ratio_at_end": 1,
    }  # fmt: skip
    assert found.evidence.thresholds == {
        "final_score": pytest.approx(0.6), "longest_row_above": 3, "best_accuracy": pytest.approx(0.6),
    }  # fmt: skip
    assert run_sentence(found) == ("unstable: accuracy rose to 0.750, fell below 0.600 in epoch 11 and ended at 0.500")


def test_a_network_that_learned_and_exploded_has_exploded() -> None:
    lost = make_trace(score=[0.75] * 10 + [0.5] * 20, loss=[0.5] * 10 + [math.nan] * 20)

    assert rule(lost) == ("exploded", "loss")


@pytest.mark.parametrize(
    ("changes", "decided"),
    [
        ({"never_active": [[0, 0, 0, 0], [0, 1, 0, 0]], "output_range": [1, 0]}, "dead_layer"),
        ({"never_active": [[0, 0, 0, 0], [0.8, 0.8, 0.8, 0]]}, "dead_units"),
    ],
)
def test_a_network_that_learned_and_died_has_died(changes: dict[str, Any], decided: str) -> None:
    assert rule(make_trace(score=[0.75] * 10 + [0.5] * 20, **changes)) == ("died", decided)


def test_a_network_that_learned_was_not_born_dead() -> None:
    trace = make_trace(score=[0.75] * 10 + [0.5] * 20, never_active=[[0.8] * 4, [0.0] * 4])

    assert rule(trace) == ("unstable", "lost_again")


@pytest.mark.parametrize(
    "changes",
    [
        {"activation_gradient_norm": [500, 1, 1, 1]},
        {"activation_gradient_norm": [1e-9, 1, 1, 1]},
        {"input_correlation": 1, "output_range": 0.01},
        {"loss": np.linspace(0.69, 0.6, 30)},
    ],
    ids=["growing", "vanishing", "blind", "improving"],
)
def test_of_what_learned_and_lost_it_no_other_rule_is_asked(changes: dict[str, Any]) -> None:
    assert rule(make_trace(score=[0.75] * 10 + [0.5] * 20, **changes)) == ("unstable", "lost_again")


@pytest.mark.parametrize("place", [27, 28, 29])
def test_one_bad_entry_among_the_last_is_a_loss(place: int) -> None:
    accuracy = [0.75] * 30
    accuracy[place] = 0.5

    found = verdict(make_trace(score=accuracy))

    assert (found.kind, found.evidence.rule) == (VerdictKind.UNSTABLE, "lost_again")
    assert found.evidence.figures["final_score"] == 0.5


def test_a_bad_entry_before_the_last_is_none() -> None:
    assert rule(make_trace(score=[0.75] * 26 + [0.5] + [0.75] * 3)) == ("trained", "final_score")


def test_the_criterion_says_how_many_entries_in_a_row_are_learning() -> None:
    trace = make_trace(score=[0.75] * 4 + [0.5] * 26)

    assert verdict_of(trace, Criterion(last_epochs=4)).evidence.rule == "lost_again"
    assert verdict_of(trace, Criterion(last_epochs=5)).evidence.rule == "crossed_without_holding"


def test_below_a_target_learning_is_held_against_the_chance_bar() -> None:
    found = verdict_of(make_trace(score=[0.75] * 10 + [0.5] * 20), TARGET)

    assert (found.kind, found.evidence.rule) == (VerdictKind.UNSTABLE, "lost_again")
    assert found.evidence.thresholds == {
        "final_score": 0.9, "longest_row_above": 3, "best_accuracy": pytest.approx(0.6),
    }  # fmt: skip


# Better than chance, and below the target.


def test_a_run_that_reached_its_target_trained() -> None:
    found = verdict_of(make_trace(score=[0.5] * 27 + [0.9375] * 3), TARGET)

    assert (found.kind, found.evidence.rule) == (VerdictKind.TRAINED, "final_score")
    assert found.evidence.thresholds == {"final_score": 0.9}
    assert run_sentence(found).endswith("0.938 or more in the last 3 epochs, and the threshold is 0.900")


def test_a_target_below_the_chance_bar_is_enough_by_itself() -> None:
    trace = make_trace(score=[0.5625] * 30)

    assert verdict_of(trace, Criterion(kind="target", target=0.55)).kind is VerdictKind.TRAINED
    assert verdict(trace).kind is VerdictKind.FLAT


def test_a_run_that_stays_below_its_target_is_degraded() -> None:
    found = verdict_of(make_trace(score=[0.75] * 28 + [0.875, 0.75]), TARGET)

    assert (found.kind, found.epoch, found.evidence.rule) == (VerdictKind.DEGRADED, 30, "below_the_bar")
    assert found.evidence.figures == {
        "final_score": 0.75, "best_accuracy": 0.875, "longest_row_above": 0, "improvement": 0, "entry": "epoch",
    }  # fmt: skip
    assert found.evidence.thresholds == {"final_score": 0.9}
    assert run_sentence(found) == "degraded: accuracy ended at 0.750, short of 0.900, and rises no further"


def test_a_run_below_its_target_whose_loss_still_falls_is_slow() -> None:
    found = verdict_of(make_trace(score=[0.75] * 30, loss=np.linspace(0.69, 0.6, 30)), TARGET)

    assert (found.kind, found.evidence.rule) == (VerdictKind.SLOW, "improving_below_the_bar")
    assert found.evidence.thresholds == {"final_score": 0.9, "improvement": 3.0}
    assert float(found.evidence.figures["improvement"] or 0) > 3
    assert run_sentence(found) == (
        "slow: accuracy ended at 0.750, short of 0.900, and the loss was still falling as the budget ended"
    )


def test_a_run_that_had_reached_its_target_is_unstable() -> None:
    found = verdict_of(make_trace(score=[0.75] * 5 + [0.9375] * 4 + [0.75] * 21), TARGET)

    assert (found.kind, found.evidence.rule) == (VerdictKind.UNSTABLE, "fell_below_the_bar")
    assert found.evidence.figures == {
        "final_score": 0.75, "best_accuracy": 0.9375, "longest_row_above": 4, "improvement": 0, "entry": "epoch",
    }  # fmt: skip
    assert found.evidence.thresholds == {"final_score": 0.9, "longest_row_above": 3}
    assert run_sentence(found) == "unstable: accuracy ended at 0.750, short of 0.900, which it had reached for 4 epochs"


def test_two_entries_at_the_target_are_no_fall_from_it() -> None:
    accuracy = [0.75] * 5 + [0.9375] * 2 + [0.75] * 23

    assert verdict_of(make_trace(score=accuracy), TARGET).kind is VerdictKind.DEGRADED
    shorter = Criterion(kind="target", target=0.9, last_epochs=2)
    assert verdict_of(make_trace(score=accuracy), shorter).evidence.rule == "fell_below_the_bar"


def test_a_run_that_fell_from_its_target_and_still_improves_is_slow() -> None:
    trace = make_trace(score=[0.9375] * 10 + [0.75] * 20, loss=np.linspace(0.69, 0.6, 30))

    assert verdict_of(trace, TARGET).evidence.rule == "improving_below_the_bar"


def test_most_units_dead_do_not_explain_a_run_that_beats_chance() -> None:
    trace = make_trace(score=[0.75] * 30, never_active=0.9, activation_gradient_norm=[1e-9, 1, 1, 1])

    assert verdict_of(trace, TARGET).kind is VerdictKind.DEGRADED


def test_a_run_that_never_beats_chance_is_explained_by_the_chance_bar() -> None:
    trace = make_trace(activation_gradient_norm=[1e-4, 1e-2, 1, 1])
    found = verdict_of(trace, TARGET)

    assert (found.kind, found.evidence.rule) == (VerdictKind.VANISHED, "activation_gradient_ratio")
    assert found.evidence.thresholds["final_score"] == 0.9
    assert found.evidence.figures["chance_bar"] == pytest.approx(0.6)
    assert verdict_of(make_trace(), TARGET).kind is VerdictKind.FLAT
    late = make_trace(score=[0.5] * 28 + [0.75] * 2)
    assert verdict_of(late, TARGET).evidence.rule == "crossed_at_the_end"


# Exploded.


@pytest.mark.parametrize(("loss", "spelled"), [(math.nan, "nan"), (math.inf, "inf")])
def test_a_loss_that_is_not_finite_is_an_explosion(loss: float, spelled: str) -> None:
    found = verdict(make_trace(loss=[0.5, 0.5, loss, *[math.nan] * 27]))

    assert (found.kind, found.evidence.rule) == (VerdictKind.EXPLODED, "loss")
    assert figures(found) == {"loss": spelled, "epoch": 3}
    assert thresholds(found) == {"loss": 1000.0}
    assert run_sentence(found) == f"exploded: the loss reached {spelled} in epoch 3"


def test_evidence_of_a_nan_survives_json() -> None:
    found = verdict(make_trace(loss=[math.nan] * 30))

    assert Verdict.model_validate_json(found.model_dump_json()) == found


def test_a_loss_of_a_thousand_is_an_explosion() -> None:
    found = verdict(make_trace(loss=[0.5] * 9 + [1000.0] + [0.5] * 20))

    assert (found.kind, found.evidence.rule) == (VerdictKind.EXPLODED, "loss")
    assert figures(found) == {"loss": 1000.0, "epoch": 10}


def test_a_loss_just_below_a_thousand_is_none() -> None:
    assert rule(make_trace(loss=[999.5] * 30)) == ("flat", "none_of_the_others")


def test_the_first_epoch_past_a_thousand_is_named_and_not_the_worst() -> None:
    found = verdict(make_trace(loss=[0.5, 2000.0, math.inf] + [math.nan] * 27))

    assert figures(found) == {"loss": 2000.0, "epoch": 2}


@pytest.mark.parametrize(
    ("start", "end"), [([71, 1, 1, 1], [1, 1, 1, 1]), ([1, 1, 1, 1], [142, 9, 2, 1])], ids=["at-start", "at-end"]
)
def test_a_gradient_that_grows_more_than_70_times_is_an_explosion(start: list[float], end: list[float]) -> None:
    found = verdict(make_trace(activation_gradient_norm=[start, end]))

    assert (found.kind, found.evidence.rule) == (VerdictKind.EXPLODED, "activation_gradient_ratio")
    assert figures(found) == {
        "activation_gradient_ratio": 71, "ratio_at_start": start[0] / start[2], "ratio_at_end": end[0] / end[2],
    }  # fmt: skip
    assert thresholds(found) == {"activation_gradient_ratio": 70.0}
    assert "grows 71 times" in run_sentence(found)


def test_a_gradient_that_grows_70_times_is_none() -> None:
    assert rule(make_trace(activation_gradient_norm=[70, 1, 1, 1])) == ("flat", "none_of_the_others")


def test_a_gradient_that_grows_in_a_network_that_learned_is_none() -> None:
    trace = make_trace(score=[0.75, 0.5] * 15, activation_gradient_norm=[500, 1, 1, 1])

    assert rule(trace) == ("unstable", "crossed_without_holding")


def test_a_loss_of_a_thousand_is_an_explosion_even_in_a_network_that_learned() -> None:
    trace = make_trace(score=[0.75, 0.5] * 15, loss=[0.5] * 29 + [5000.0])

    assert rule(trace) == ("exploded", "loss")


def test_the_gradient_of_the_output_is_no_part_of_the_ratio() -> None:
    assert rule(make_trace(activation_gradient_norm=[1, 1, 1, 1e-6])) == ("flat", "none_of_the_others")


# Born dead, died.


def test_a_layer_dead_from_the_start_under_a_constant_output_is_born_dead() -> None:
    found = verdict(make_trace(never_active=[0.2, 1, 0, 0], output_range=0))

    assert (found.kind, found.evidence.rule, found.epoch) == (VerdictKind.BORN_DEAD, "dead_layer", 30)
    assert figures(found) == {
        "never_active_share": pytest.approx(0.4),
        "dead_layers": 1,
        "output_range": 0.0,
        "epoch": 0,
        "activation_gradient_ratio_at_start": 1.0,
        "layer": "hidden 2",
    }
    assert thresholds(found) == {"dead_layers": 1, "output_range": 0}
    assert "'hidden 2'" in run_sentence(found)


def test_seven_tenths_of_the_units_dead_at_the_start_are_born_dead() -> None:
    found = verdict(make_trace(never_active=[1, 0.75, 0.5, 0]))

    assert (found.kind, found.evidence.rule) == (VerdictKind.BORN_DEAD, "dead_units")
    assert figures(found) == {
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
    trace = make_trace(loss=[math.nan] * 30, never_active=1, output_range=0)

    assert rule(trace) == ("exploded", "loss")


def test_a_death_is_named_before_the_gradient_that_grew_which_is_among_its_figures() -> None:
    found = verdict(
        make_trace(never_active=[[0.0] * 4, [0, 1, 0, 0]], output_range=[1, 0], activation_gradient_norm=[500, 9, 1, 1])
    )

    assert (found.kind, found.evidence.rule) == (VerdictKind.DIED, "dead_layer")
    assert found.evidence.figures["activation_gradient_ratio_at_start"] == 500.0


def test_a_run_stopped_before_its_first_step_is_born_dead() -> None:
    found = verdict(make_trace(score=[], never_active=[0, 1, 1, 0], output_range=0))

    assert (found.kind, found.epoch, found.evidence.rule) == (VerdictKind.BORN_DEAD, 0, "dead_layer")
    assert found.evidence.figures["dead_layers"] == 2


# Vanished.


def test_a_gradient_that_does_not_reach_the_first_layer_vanished() -> None:
    found = verdict(make_trace(activation_gradient_norm=[1e-4, 1e-2, 1, 1]))

    assert (found.kind, found.evidence.rule) == (VerdictKind.VANISHED, "activation_gradient_ratio")
    assert figures(found) == {
        "activation_gradient_ratio": pytest.approx(1e-4),
        "reach": pytest.approx(48),
        "first_layer_change": 0.5,
        "best_accuracy": 0.5,
        "share_at_the_bar": 0.0,
        "chance_bar": pytest.approx(0.6),
        "optimizer": "sgd",
    }
    assert thresholds(found) == {"activation_gradient_ratio": 1e-3, "share_at_the_bar": 0.1}
    assert "below 0.600 and 0.0001 of the gradient" in run_sentence(found)


def test_a_gradient_that_vanishes_during_training_vanished() -> None:
    fell = {"activation_gradient_norm": [[1.0] * 4, [1e-5, 1e-3, 1, 1]]}

    assert rule(make_trace(**fell, weight_change=[[0.0] * 4, [0.01] * 4])) == ("vanished", "activation_gradient_ratio")


def test_a_gradient_that_steps_of_half_a_layers_size_cut_off_says_that_they_are_too_large() -> None:
    moved = [[0.0] * 4, [0.5, 0.5, 2.0, 0.5]]
    found = verdict(make_trace(activation_gradient_norm=[[1.0] * 4, [1e-5, 1e-3, 1, 1]], weight_change=moved))

    assert (found.kind, found.evidence.rule) == (VerdictKind.SATURATED, "steps_too_large")
    assert figures(found) == {
        "gradient_ratio_left": pytest.approx(1e-5),
        "first_layer_change": 0.5,
        "largest_change": 2.0,
        "moved_most": "hidden 3",
        "activation_gradient_ratio_at_start": 1.0,
        "activation_gradient_ratio_at_end": pytest.approx(1e-5),
        "output_range": 1.0,
        "learning_rate": pytest.approx(0.01),
        "best_accuracy": 0.5,
        "share_at_the_bar": 0.0,
        "chance_bar": pytest.approx(0.6),
    }
    assert thresholds(found) == {"gradient_ratio_left": 0.03, "first_layer_change": 0.03, "largest_change": 0.2}
    assert run_sentence(found) == (
        "saturated: the steps are too large: weights of 'hidden 3' moved by 2 times their size, those of the first "
        "layer by 0.5, and 1e-05 of the gradient that once reached the first layer still does; try a learning rate of "
        "0.001"
    )


def test_a_signal_that_grows_on_a_plateau_is_slow_and_says_how_many_more_epochs_it_needs() -> None:
    growing = {
        "epochs": [0, 8, 16, 30],
        "output_range": [0.001, 0.001, 0.001, 0.01],
        "weight_gradient_norm": [[0.1] * 4, [0.1] * 4, [0.2] * 4, [0.2] * 4],
        "input_correlation": 1,
        "activation_gradient_norm": [1e-5, 1, 1, 1],
    }
    found = verdict(make_trace(**growing))

    assert (found.kind, found.evidence.rule) == (VerdictKind.SLOW, "signal_grows")
    # Ten times as large in 14 epochs, and thirty times as large when it learns.
    needed = math.log(30) / math.log(10) * 14
    assert found.evidence.figures["budgets_to_learn"] == pytest.approx(needed / 30, rel=1e-4)
    assert found.evidence.figures["more_epochs"] == math.ceil(needed)
    assert run_sentence(found).endswith("its signal is growing: at this rate it learns within some 21 more epochs")
    slower = {"output_range": [0.001, 0.001, 0.0099, 0.01]}
    at_once = {"weight_gradient_norm": [[0.2] * 4, [0.2] * 4, [0.1] * 4, [0.2] * 4]}
    assert rule(make_trace(**(growing | slower)))[0] == "vanished"
    assert rule(make_trace(**(growing | at_once)))[0] == "vanished"


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
    assert "can move it by no more than 0.96 in the whole budget (reach)" in run_sentence(found)


def test_a_first_layer_that_could_move_far_enough_did_not_vanish() -> None:
    # 0.01 / (1 - 0.9) x 480 steps x 0.021 = 1.008
    trace = make_trace(weight_gradient_norm=[0.021, 1, 1, 1], activation_gradient_norm=SHRUNK)

    assert rule(trace) == ("flat", "none_of_the_others")


@pytest.mark.parametrize("changes", [{"weight_gradient_norm": 0.002}, {"weight_change": 0}], ids=["reach", "unchanged"])
def test_where_the_gradient_arrives_steps_that_are_too_small_are_no_vanishing(changes: dict[str, Any]) -> None:
    assert rule(make_trace(activation_gradient_norm=[0.1, 0.5, 1, 1], **changes)) == ("flat", "none_of_the_others")
    assert rule(make_trace(activation_gradient_norm=SHRUNK, **changes))[0] == "vanished"


def test_the_reach_is_that_of_the_whole_budget_though_the_run_was_shorter() -> None:
    trace = make_trace(score=[0.5] * 15, weight_gradient_norm=[0.021, 1, 1, 1])

    assert verdict(trace).evidence.figures["reach"] == pytest.approx(1.008)


def test_without_momentum_the_reach_is_shorter() -> None:
    problem = Problem(recipe={"momentum": 0, "epochs": 30})

    # 0.01 x 480 steps x 0.2 = 0.96
    found = verdict(make_trace(problem=problem, weight_gradient_norm=[0.2, 1, 1, 1], activation_gradient_norm=SHRUNK))

    assert found.evidence.rule == "reach"
    assert found.evidence.figures["reach"] == pytest.approx(0.96)


@pytest.mark.parametrize(
    ("recipe", "epsilon"),
    [
        ({"optimizer": "adam"}, 1e-8),
        ({"optimizer": "adamw"}, 1e-8),
        ({"optimizer": "rmsprop"}, 1e-8),
        ({"optimizer": "adam", "epsilon": 1e-5}, 1e-5),
    ],
    ids=["adam", "adamw", "rmsprop", "epsilon"],
)
def test_adams_reach_is_the_root_mean_square_gradient_over_epsilon(recipe: dict[str, Any], epsilon: float) -> None:
    problem = Problem(width=8, recipe=recipe | {"epochs": 30})

    # 2 x 8 weights: a norm of 2e-8 is a root mean square of 0.5e-8, half of epsilon.
    norms = [2 * epsilon, 1, 1, 1]
    found = verdict(make_trace(problem=problem, weight_gradient_norm=norms, activation_gradient_norm=SHRUNK))

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
    assert "changed by only 0.0009 of their size" in run_sentence(found)


def test_a_first_layer_that_changed_by_a_thousandth_did_not_vanish() -> None:
    trace = make_trace(weight_change=[[0.0] * 4, [1e-3, 0.5, 0.5, 0.5]], activation_gradient_norm=SHRUNK)

    assert rule(trace) == ("flat", "none_of_the_others")


def test_unchanged_weights_say_nothing_before_the_budget_ended() -> None:
    trace = make_trace(score=[0.5] * 29, weight_change=0, activation_gradient_norm=SHRUNK)

    assert rule(trace) == ("flat", "none_of_the_others")


def test_an_accuracy_that_climbs_did_not_vanish() -> None:
    # Ten classes: the threshold is 0.28, and the accuracy climbs by 0.015 an epoch to 0.25.
    trace = make_trace(
        score=np.linspace(0.1, 0.25, 11),
        budget_epochs=11,
        baseline=0.1,
        activation_gradient_norm=[1e-6, 1, 1, 1],
    )

    assert rule(trace) == ("flat", "none_of_the_others")


def test_one_epoch_has_no_trend_and_is_flat() -> None:
    trace = make_trace(score=[0.5], activation_gradient_norm=[1e-6, 1, 1, 1])

    assert rule(trace) == ("vanished", "activation_gradient_ratio")


# Input blind.

BLIND = {"input_correlation": 0.9995, "output_range": 0.05}


def test_a_network_that_says_the_same_of_every_input_is_blind() -> None:
    found = verdict(make_trace(**BLIND))

    assert (found.kind, found.evidence.rule, found.epoch) == (VerdictKind.INPUT_BLIND, "input_correlation", 30)
    assert figures(found) == {
        "input_correlation": pytest.approx(0.9995),
        "input_correlation_at_start": pytest.approx(0.9995),
        "output_range": pytest.approx(0.05),
        "activation_gradient_ratio_at_end": 1.0,
        "reach": pytest.approx(48),
    }
    assert thresholds(found) == {"input_correlation": 0.999, "output_range": 0.1}
    assert "correlate by 0.9995, and their logits differ by no more than 0.05" in run_sentence(found)


@pytest.mark.parametrize(
    "changes",
    [{"input_correlation": 0.9989}, {"output_range": 0.1}, {"input_correlation": math.nan}],
    ids=["distinguishes", "answers-differ", "undefined"],
)
def test_a_network_that_tells_its_inputs_apart_is_not_blind(changes: dict[str, float]) -> None:
    assert rule(make_trace(**(BLIND | changes))) == ("flat", "none_of_the_others")


def test_small_steps_that_still_lower_the_loss_as_the_budget_ends_are_slow() -> None:
    creeping = np.linspace(0.70, 0.69, 30)

    assert rule(make_trace(weight_gradient_norm=1e-3, activation_gradient_norm=SHRUNK)) == ("vanished", "reach")
    assert rule(make_trace(weight_gradient_norm=1e-3, activation_gradient_norm=SHRUNK, loss=creeping)) == (
        "slow", "still_improving",
    )  # fmt: skip
    blind = {"input_correlation": 1, "output_range": 0.01}
    assert rule(make_trace(**blind)) == ("input_blind", "input_correlation")
    assert rule(make_trace(**blind, loss=creeping)) == ("slow", "still_improving")


def test_a_network_that_saw_at_first_is_blind_if_it_ends_so() -> None:
    assert rule(make_trace(input_correlation=[0.2, 0.9999], output_range=[3, 0.01]))[0] == "input_blind"
    assert rule(make_trace(input_correlation=[0.9999, 0.2], output_range=[0.01, 3]))[0] == "flat"


def test_a_gradient_that_vanished_is_named_before_blindness() -> None:
    assert rule(make_trace(activation_gradient_norm=[1e-4, 1e-2, 1, 1], **BLIND))[0] == "vanished"


# Unstable.


def test_an_accuracy_that_was_never_held_long_enough_is_unstable() -> None:
    found = verdict(make_trace(score=[0.75, 0.625, 0.5] + [0.875, 0.5] + [0.25] * 25))

    assert (found.kind, found.epoch, found.evidence.rule) == (VerdictKind.UNSTABLE, 30, "crossed_without_holding")
    assert figures(found) == {
        "best_accuracy": 0.875,
        "last_accuracy": 0.25,
        "epochs_above": 3,
        "longest_row_above": 2,
        "activation_gradient_ratio_at_start": 1.0,
        "activation_gradient_ratio_at_end": 1.0,
    }
    assert thresholds(found) == {"best_accuracy": pytest.approx(0.6), "longest_row_above": 3}
    assert "rose to 0.875 and ended at 0.250; it was above 0.600 in 3 epochs, but never for 3 running" in run_sentence(
        found
    )


def test_a_network_that_learned_for_a_while_is_unstable_though_its_gradient_vanished() -> None:
    trace = make_trace(score=[0.75, 0.75, 0.5, 0.75] + [0.5] * 26, activation_gradient_norm=[1e-9, 1, 1, 1])

    assert rule(trace) == ("unstable", "crossed_without_holding")


def test_an_entry_or_two_at_the_bar_are_chance() -> None:
    found = verdict(make_trace(score=[0.75, 0.75] + [0.5] * 28, activation_gradient_norm=[1e-9, 1, 1, 1]))

    assert (found.kind, found.evidence.rule) == (VerdictKind.VANISHED, "activation_gradient_ratio")
    assert "accuracy is above 0.600 in only 7% of the epochs and" in run_sentence(found)


def test_a_longer_row_is_asked_where_the_criterion_looks_at_more_entries() -> None:
    trace = make_trace(score=[*[0.75] * 19, 0.5, *[0.75] * 19, *[0.5] * 161], budget_epochs=200)
    found = verdict_of(trace, Criterion(last_epochs=20))

    assert (found.kind, found.evidence.rule) == (VerdictKind.UNSTABLE, "crossed_without_holding")
    assert (found.evidence.figures["longest_row_above"], found.evidence.thresholds["longest_row_above"]) == (19, 20)


def test_an_accuracy_that_swings_is_unstable() -> None:
    # Chance alone moves the accuracy of 500 points by up to 0.095; six of 29 steps are larger.
    found = verdict(make_trace(score=[0.5, 0.4] * 3 + [0.5] + [0.45] * 23))

    assert (found.kind, found.evidence.rule) == (VerdictKind.UNSTABLE, "swings")
    chance = pytest.approx(3 * math.sqrt(2 * 0.25 / 500))
    assert figures(found) == {
        "swing_share": pytest.approx(6 / 29), "swing_counted_from": chance, "best_accuracy": 0.5,
    }  # fmt: skip
    assert thresholds(found) == {"swing_share": 0.2}


def test_of_many_points_a_swing_of_three_hundredths_is_enough() -> None:
    trace = make_trace(score=[0.5, 0.469] * 15, points=100_000)

    assert rule(trace) == ("unstable", "swings")
    assert rule(make_trace(score=[0.5, 0.471] * 15, points=100_000))[0] == "flat"


# Slow.


def test_a_loss_that_still_falls_as_the_budget_ends_is_slow() -> None:
    noise = np.tile([0.001, -0.001], 15)
    found = verdict(make_trace(loss=np.linspace(0.69, 0.6, 30) + noise))

    assert (found.kind, found.evidence.rule) == (VerdictKind.SLOW, "still_improving")
    assert thresholds(found) == {"improvement": 3.0}
    # Six epochs a fifth: the means differ by 6 steps.
    losses = np.asarray(np.linspace(0.69, 0.6, 30) + noise, dtype=np.float32).astype(float)
    before, after = losses[18:24], losses[24:]
    error = math.sqrt(before.var(ddof=1) / 6 + after.var(ddof=1) / 6)
    assert found.evidence.figures["improvement"] == pytest.approx((before.mean() - after.mean()) / error)


def test_a_loss_that_fell_and_stays_is_not_slow() -> None:
    noise = np.tile([0.001, -0.001], 15)

    assert rule(make_trace(loss=np.r_[np.linspace(0.69, 0.6, 15), np.full(15, 0.6)] + noise))[0] == "flat"


def test_nobody_knows_whether_a_run_that_was_stopped_was_still_improving() -> None:
    trace = make_trace(score=[0.5] * 29, loss=np.linspace(0.69, 0.6, 29))

    assert rule(trace)[0] == "flat"


# Flat.


def test_a_run_that_nothing_explains_is_flat() -> None:
    found = verdict(make_trace(score=[0.5] * 29 + [0.5625]))

    assert (found.kind, found.epoch, found.evidence.rule) == (VerdictKind.FLAT, 30, "none_of_the_others")
    assert figures(found) == {
        "best_accuracy": 0.5625,
        "activation_gradient_ratio_at_start": 1.0,
        "activation_gradient_ratio_at_end": 1.0,
        "reach": pytest.approx(48),
    }
    assert thresholds(found) == {"best_accuracy": pytest.approx(0.6)}


def test_a_run_without_epochs_and_without_a_cause_is_flat() -> None:
    found = verdict(make_trace(score=[]))

    assert (found.kind, found.epoch) == (VerdictKind.FLAT, 0)
    assert found.evidence.figures["best_accuracy"] == 0.5


# All of them.


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (VerdictKind.TRAINED, {"score": [0.75] * 30}),
        (VerdictKind.EXPLODED, {"loss": [math.nan] * 30}),
        (VerdictKind.BORN_DEAD, {"never_active": 1}),
        (VerdictKind.DIED, {"never_active": [[0.0] * 4, [1.0] * 4]}),
        (VerdictKind.VANISHED, {"weight_gradient_norm": 0, "activation_gradient_norm": 0}),
        (VerdictKind.INPUT_BLIND, {"input_correlation": 0.9999, "output_range": 0.01}),
        (VerdictKind.UNSTABLE, {"score": [0.75, 0.5] * 15}),
        (VerdictKind.SLOW, {"loss": np.linspace(0.69, 0.6, 30)}),
        (VerdictKind.DEGRADED, {"score": [0.75] * 30}),
        (VerdictKind.FLAT, {}),
    ],
)
def test_a_sentence_starts_with_its_verdict_and_is_one_line(kind: VerdictKind, changes: dict[str, Any]) -> None:
    trace, criterion = make_trace(**changes), TARGET if kind is VerdictKind.DEGRADED else Criterion()
    found = verdict_of(trace, criterion)

    assert found.kind is kind
    assert found.evidence.figures["final_score"] == final_score(trace, criterion)
    assert found.evidence.thresholds["final_score"] == bar_of(trace, criterion)
    assert run_sentence(found).startswith(f"{kind.value.replace('_', ' ')}: ")
    assert "\n" not in run_sentence(found)


def test_the_criterion_is_what_decides_whether_a_run_trained() -> None:
    trace = make_trace(score=[0.75] * 30)

    assert verdict_of(trace, Criterion(min_gain=0.6)).kind is VerdictKind.FLAT


def test_a_network_that_rose_above_the_criterion_only_as_the_budget_ended_is_slow() -> None:
    found = verdict(make_trace(score=[0.5] * 28 + [0.7] * 2))

    assert (found.kind, found.evidence.rule) == (VerdictKind.SLOW, "crossed_at_the_end")
    assert found.evidence.figures["epochs_above"] == 2
    assert run_sentence(found) == "slow: accuracy rose above 0.600 only as the budget ended, at 0.700"


def test_a_budget_in_steps_swings_by_the_points_of_its_entries() -> None:
    # Chance moves the accuracy of 100 points by up to 0.212, and that of 500 by up to 0.095.
    accuracy = [0.5, 0.35] * 10
    few, all_points = (Problem(recipe={"steps": steps, "batch_size": 50}) for steps in (40, 200))

    assert rule(make_trace(problem=all_points, score=accuracy)) == ("unstable", "swings")
    assert rule(make_trace(problem=few, score=accuracy))[0] == "flat"
    found = verdict(make_trace(problem=all_points, score=accuracy))
    assert "from one entry to the next in 100% of the entries" in run_sentence(found)
