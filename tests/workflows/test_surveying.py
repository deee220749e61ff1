"""survey: networks of one depth, side by side."""

from pathlib import Path

import numpy as np
import pytest

from depthsearch import survey
from depthsearch.errors import InvalidValue
from depthsearch.problem.problem import Problem
from depthsearch.problem.study_file import InspectPlan, NamedProblem, Reported, StudyFile
from depthsearch.results.comparison import Survey
from depthsearch.training.engine import Job, train_all
from depthsearch.training.select import choose_engine

STUDIES = Path(__file__).parents[2] / "studies"
RECIPE = {"epochs": 8, "learning_rate": 0.05}
TANH = NamedProblem(
    name="tanh", problem=Problem(width=3, recipe=RECIPE), reported=Reported(gradient_ratio=30, note="about")
)
DEAD = NamedProblem(name="relu", problem=Problem(width=1, activation="relu", recipe=RECIPE))
FILE = StudyFile(title="two", source="nobody", problems=(TANH, DEAD), inspect=InspectPlan(depth=6, seeds=9))


@pytest.fixture(scope="module")
def surveyed() -> Survey:
    return survey(FILE)


def test_each_problem_is_told_by_its_runs_of_the_seeds_from_0(surveyed: Survey) -> None:
    one = surveyed.surveyed[0]
    traces = train_all(choose_engine(TANH.problem).load(), TANH.problem, [Job(6, seed) for seed in range(9)])
    first, last = (np.array([trace.snapshots.mean_abs_gradient[:, place] for trace in traces]) for place in (0, -1))
    ratios = last.astype(float) / first

    assert (one.name, one.depth, one.runs, one.reported) == ("tanh", 6, 9, TANH.reported)
    assert one.gradient_ratio.start == pytest.approx(np.median(ratios[:, 0]), rel=1e-5)
    assert one.gradient_ratio.middle == pytest.approx(np.median(np.median(ratios, axis=1)), rel=1e-5)
    assert one.gradient_ratio.end == pytest.approx(np.median(ratios[:, -1]), rel=1e-5)
    losses = np.median([trace.loss for trace in traces], axis=0)
    assert one.train_loss == pytest.approx((losses[0], losses[4], losses[7]), rel=1e-5)
    changes = [trace.snapshots.weight_change[-1, 0] for trace in traces]
    assert one.first_layer_change == pytest.approx(np.median(changes), rel=1e-5)
    assert one.test_accuracy == pytest.approx(np.median([trace.final_test_accuracy for trace in traces]))


def test_the_sentence_is_that_of_the_commonest_verdict(surveyed: Survey) -> None:
    one = surveyed.surveyed[1]
    commonest = max(one.verdicts, key=lambda kind: one.verdicts[kind])

    assert sum(one.verdicts.values()) == 9
    assert one.verdicts["born_dead"] >= 5
    assert one.sentence.startswith(f"{commonest.replace('_', ' ')}: ")


def test_a_ratio_that_is_defined_in_no_run_is_null() -> None:
    file = FILE.model_copy(update={"problems": (DEAD,), "inspect": InspectPlan(depth=60, seeds=3)})

    (one,) = survey(file).surveyed

    assert one.verdicts == {"born_dead": 3}
    assert (one.gradient_ratio.start, one.gradient_ratio.middle, one.gradient_ratio.end) == (None, None, None)


def test_a_survey_reads_back_from_its_json(surveyed: Survey) -> None:
    assert Survey.model_validate_json(surveyed.to_json()) == surveyed


def test_eight_sigmoid_layers_stand_still_and_relu_does_not() -> None:
    sigmoid, relu, plain = survey(STUDIES / "moons-sigmoid.toml").surveyed

    # By plain SGD the loss stays the same and the weights do not change: both of the article's signs.
    assert plain.verdicts == {"vanished": 20}
    assert plain.train_loss[1] == pytest.approx(plain.train_loss[2], rel=0.002)
    assert plain.first_layer_change is not None
    assert plain.first_layer_change < 0.001
    assert relu.verdicts["trained"] >= 18
    assert relu.train_loss[2] is not None
    assert relu.train_loss[2] < 0.01
    # Adam divides the gradient by its size: the weights move, and the loss stays the same for half of the budget.
    assert sigmoid.train_loss[1] == pytest.approx(np.log(2), rel=0.002)


def test_the_gradient_falls_most_from_layer_to_layer_with_sigmoid() -> None:
    sigmoid, relu, leaky = survey(str(STUDIES / "activation-gradients.toml")).surveyed

    falls = [one.gradient_ratio.middle or 0.0 for one in (sigmoid, relu, leaky)]
    assert falls[0] > 10
    assert max(falls[1:]) < 6
    assert min(falls[1:]) > 1


def test_without_a_plan_there_is_nothing_to_look_at() -> None:
    with pytest.raises(InvalidValue, match=r"no table \[inspect\]: it says which depth is looked at, as in depth = 8"):
        survey(FILE.model_copy(update={"inspect": None}))


def test_a_depth_below_the_shallowest_is_refused() -> None:
    with pytest.raises(InvalidValue, match="depth must be at least 1 for 'tanh', but got 0"):
        survey(FILE.model_copy(update={"inspect": InspectPlan(depth=0)}))
