"""The figures of one run hold its numbers."""

import math
from typing import Any

import numpy as np
import pytest

import depthsearch
from depthsearch.errors import InvalidValue
from depthsearch.problem.problem import Problem
from depthsearch.reporting.figures import run as run_figures
from depthsearch.results.inspection import Inspection
from depthsearch.workflows import inspect


def run(depth: int, **options: Any) -> Inspection:
    return inspect(Problem.model_validate({"recipe": {"epochs": 12}} | options), depth=depth)


@pytest.fixture(scope="module")
def deep() -> Inspection:
    return run(9)


def test_learning_shows_every_epoch(deep: Inspection) -> None:
    train, test, train_loss, test_loss, guess, asked = run_figures.learning_figure(deep).data
    assert list(train.x) == list(range(1, 13))
    assert list(train.y) == deep.train_score.tolist()
    assert list(test.y) == deep.test_score.tolist()
    assert list(train_loss.y) == deep.train_loss.tolist()
    assert (test_loss.x[0], len(test_loss.y)) == (0, 13)
    assert set(guess.y) == {deep.baseline}
    assert asked.name == "accuracy threshold"
    assert list(asked.y) == [deep.bar] * 2
    # A fifth of the headroom above the majority rate.
    assert deep.bar == pytest.approx(deep.baseline + 0.2 * (1 - deep.baseline))


def test_the_threshold_is_the_target_where_one_is_asked_for() -> None:
    found = run(1, criterion={"kind": "target", "target": 0.95})
    asked = run_figures.learning_figure(found).data[-1]
    assert list(asked.y) == [0.95] * 2


def test_the_title_is_the_verdict_with_what_decided_it(deep: Inspection) -> None:
    title = run_figures.learning_figure(deep).layout.title
    assert title.text.replace("<br>", " ") == f"ffnet tanh on moons, 9 hidden layers, seed 0: {deep.verdict}"
    assert title.subtitle.text.replace("<br>", " ") == deep.sentence.partition(": ")[2]


def test_the_map_has_a_cell_for_each_layer_and_epoch(deep: Inspection) -> None:
    (cells,) = run_figures.gradient_map(deep).data
    snapshots = deep.trace.snapshots
    assert list(cells.x) == [str(epoch) for epoch in snapshots.epochs]
    assert len(cells.z) == len(deep.trace.layers) == 10
    assert cells.z[3][1] == pytest.approx(math.log10(snapshots.mean_abs_gradient[1, 3]))


def test_five_lines_stand_for_all_layers(deep: Inspection) -> None:
    lines = run_figures.gradient_lines(deep).data
    assert [line.name for line in lines] == ["hidden 1", "hidden 2", "hidden 6", "hidden 9", "output"]
    assert list(lines[-1].y) == deep.trace.snapshots.mean_abs_gradient[:, -1].tolist()


def test_the_title_says_how_the_gradients_ended(deep: Inspection) -> None:
    title = run_figures.gradient_map(deep).layout.title.text.replace("<br>", " ")
    assert title.startswith("ffnet tanh on moons, 9 hidden layers, seed 0: the last layer's gradient ends at ")
    assert f"{deep.gradient_ratio[-1]:.2g} times the first's" in title


def test_each_histogram_lies_between_its_least_and_largest_value(deep: Inspection) -> None:
    figure = run_figures.histogram_figure(deep)
    epochs, weights = len(deep.trace.snapshots.epochs), deep.detail.weights
    assert len(figure.data) == 4 * epochs
    latest = figure.data[0]
    assert min(latest.x) == pytest.approx(weights.low[-1, 0])
    assert max(latest.x) == pytest.approx(weights.high[-1, 0])
    assert max(latest.y) == pytest.approx(epochs - 1 + run_figures.HEIGHT_OF_ROW)
    assert [note.text for note in figure.layout.annotations] == [
        "weights, hidden 1",
        "weights, output",
        "gradients, hidden 1",
        "gradients, output",
    ]


def test_regions_show_the_plane_twice_with_every_test_point(deep: Inspection) -> None:
    figure = depthsearch.plot(deep, "regions")
    planes = [drawn for drawn in figure.data if drawn.type == "heatmap"]
    points = [drawn for drawn in figure.data if drawn.type == "scatter"]
    assert deep.regions is not None
    assert [plane.z[4][7] for plane in planes] == pytest.approx(deep.regions.probabilities[[0, -1], 4, 7, 1], abs=1e-3)
    assert sum(len(marks.x) for marks in points) == 2 * len(deep.detail.labels)


def test_data_that_are_not_in_the_plane_have_no_regions() -> None:
    with pytest.raises(InvalidValue, match="figure 'regions' needs points of two classes in the plane"):
        depthsearch.plot(run(1, data="digits", recipe={"epochs": 3}), "regions")


@pytest.mark.parametrize(
    ("depth", "options"),
    [
        (14, {"activation": "relu", "width": 1}),
        (6, {"activation": "identity", "recipe": {"learning_rate": 1e6, "epochs": 3}}),
    ],
    ids=["born dead", "exploded"],
)
def test_what_is_zero_or_not_finite_is_left_out(depth: int, options: dict[str, Any]) -> None:
    found = run(depth, **options)
    for name in ("learning", "gradient_map", "gradient_lines", "histograms", "regions"):
        text = depthsearch.plot(found, name).to_json()
        assert "NaN" not in text
        assert "Infinity" not in text


def test_where_nothing_can_be_drawn_it_says_why() -> None:
    dead = run(12, activation="relu", width=1)
    assert np.isnan(dead.gradient_ratio).all()
    for figure in (run_figures.gradient_map(dead), run_figures.gradient_lines(dead)):
        assert [note.text for note in figure.layout.annotations] == ["every gradient is exactly 0, at every epoch"]
