"""One run for a terminal: its words and pictures, and that it fits."""

import dataclasses
import io
from typing import Any

import pytest
from rich.console import Console

from depthsearch.detection.verdict import VerdictKind
from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import difference_words
from depthsearch.reporting.terminal.inspection import inspection_text
from depthsearch.results.inspection import Difference, Inspection, Replay
from depthsearch.workflows import inspect

SHORT = {"epochs": 12}


def text_of(found: Inspection, *, width: int = 80, place: str | None = None) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False)
    console.print(inspection_text(found, place=place))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def shown(depth: int, seed: int = 0, **options: Any) -> Inspection:
    return inspect(Problem.model_validate({"recipe": SHORT} | options), depth=depth, seed=seed)


@pytest.fixture(scope="module")
def resnet() -> Inspection:
    return shown(30, family="resnet", activation="relu")


def test_the_verdict_comes_first_and_then_its_evidence(resnet: Inspection) -> None:
    lines = text_of(resnet, width=100).splitlines()
    assert lines[0].startswith("resnet relu on moons, 30 residual blocks, seed 0: trained: accuracy is ")
    rule = next(k for k, line in enumerate(lines) if line.startswith("rule: final score"))
    assert lines[rule].split()[-2:] == ["figure", "threshold"]
    *name, score, side, bar = lines[rule + 2].split()
    assert (name, side) == (["final", "score"], ">")
    assert float(score) == pytest.approx(float(resnet.train_score[-3:].min()), abs=1e-3)
    assert float(bar) == pytest.approx(resnet.bar, abs=1e-3)


def test_nothing_is_cut_off_or_wider_than_80_columns(resnet: Inspection) -> None:
    text = text_of(resnet)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    assert [line for line in text.splitlines() if "…" in line and "more layers" not in line] == []


def test_of_a_deep_network_five_layers_are_shown(resnet: Inspection) -> None:
    text = text_of(resnet)
    names = [line.split("  ")[0] for line in text.split("Mean |gradient| of the weights\n")[1].splitlines()[2:7]]
    assert names == ["input 1", "input 2", "block 16 first", "last hidden", "output"]
    assert "… 59 more layers in --json" in text


def test_of_a_shallow_network_all_layers_are_shown() -> None:
    text = text_of(shown(5))
    assert "more layer" not in text
    assert text.count("\nhidden 4 ") == 4


def test_the_largest_gradient_fills_both_bars(resnet: Inspection) -> None:
    text = text_of(resnet)
    largest = resnet.trace.layers[int(resnet.every_epoch.mean_abs_gradient[0].argmax())]
    line = next(line for line in text.split("Mean |gradient|")[1].splitlines() if line.startswith(largest))
    assert line.count("████████") >= 2


def test_the_ratio_of_gradients_is_there(resnet: Inspection) -> None:
    text = " ".join(text_of(resnet).split())
    start, end = resnet.gradient_ratio[[0, -1]]
    assert f"last layer over first: {start:.3g} at the start, {end:.3g} at the end" in text


def test_the_plane_is_drawn_with_both_classes(resnet: Inspection) -> None:
    picture = [line for line in text_of(resnet).splitlines() if line.endswith("|") and line[7:8] == "|"]
    assert len(picture) == 18
    drawn = "".join(line[8:-1] for line in picture)
    assert drawn.count("█") > 50
    assert drawn.count(" ") > 50
    assert resnet.regions is not None
    top_left = float(resnet.regions.probabilities[-1, -1, 0, 1])
    assert (picture[0][8] in "▒▓█") == (top_left >= 0.5)


def test_a_run_that_was_born_dead_says_zero_instead_of_drawing_it() -> None:
    text = text_of(shown(14, 3, activation="relu"))
    assert "Mean |gradient| of the weights: exactly 0 in every layer, at start and end" in text
    assert "last layer over first" not in text
    assert " everywhere: the probability of class 1 is " in text


def test_a_run_that_exploded_prints() -> None:
    text = text_of(shown(6, activation="identity", recipe={"learning_rate": 1e6, "epochs": 3}))
    assert "the loss is not finite in any epoch" in text
    assert "none is finite" in text
    assert "nothing that is finite" in text
    assert "500 of 500 are given no finite probability" in text
    assert "at the start, undefined at the end" in " ".join(text.split())


def test_digits_have_no_picture_but_ten_classes() -> None:
    text = text_of(shown(2, data="digits"))
    assert "The plane" not in text
    assert text.count(" of 9") >= 3


def replay(**changes: Any) -> Replay:
    fields: dict[str, Any] = {
        "study": "mine",
        "trial": 3,
        "run": 1,
        "epochs": 20,
        "recorded": VerdictKind.TRAINED,
        "whole_budget": VerdictKind.TRAINED,
        "same": True,
        "differs": None,
    }
    return Replay(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "replay of run 1 of trial 3 of mine: the same as recorded (trained, 20 epochs), bit for bit"),
        ({"same": False, "differs": "loss from epoch 2 on, by at most 0.1"}, "not the same as recorded"),
        ({"whole_budget": VerdictKind.SLOW}, "; over the whole budget: slow"),
        ({"recorded": VerdictKind.DIED}, "; judged now: trained"),
    ],
)
def test_a_replay_says_how_it_stands_to_the_record(resnet: Inspection, changes: dict[str, Any], words: str) -> None:
    found = dataclasses.replace(resnet, replay=replay(**changes))
    text = text_of(found, width=300, place="sqlite:///some.db")
    assert words in text
    assert "mine in sqlite:///some.db" in text


def test_a_budget_in_steps_has_entries_and_no_epochs() -> None:
    recipe = {"steps": 60, "batch_size": 100}
    found = inspect(Problem.model_validate({"family": "ffnet", "recipe": recipe}), depth=2, seed=0)
    text = text_of(dataclasses.replace(found, replay=replay()), width=300)
    assert "the same as recorded (trained, 20 entries), bit for bit" in text
    assert "epoch" not in text
    found_to_differ = (Difference("loss", epoch=2, apart=0.1), Difference("epochs", 13, 12))
    assert difference_words(found_to_differ, found.entry) == (
        "loss from entry 2 on, by at most 0.1; 13 entries were recorded, and the budget has 12"
    )
