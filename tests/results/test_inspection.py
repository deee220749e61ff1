"""An inspection as JSON: strict, rounded, and with what is not finite as text."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthsearch.detection.verdict import PRECISION, Evidence, Verdict, VerdictKind
from depthsearch.problem.problem import Problem
from depthsearch.results.inspection import Inspection
from depthsearch.workflows import inspect


@pytest.fixture(scope="module")
def shown() -> Inspection:
    return inspect(Problem.model_validate({"recipe": {"epochs": 3}}), depth=1)


def with_loss(shown: Inspection, first: float) -> dict[str, Any]:
    """The JSON object where the first train loss is another."""
    loss = np.array([first, *shown.train_loss[1:]], np.float32)
    fields: dict[str, Any] = json.loads(replace(shown, trace=replace(shown.trace, loss=loss)).to_json())
    return fields


@pytest.mark.parametrize(
    ("value", "kept"),
    [(float("nan"), "nan"), (float("inf"), "inf"), (float("-inf"), "-inf"), (0.5, 0.5), (-0.0, 0.0)],
)
def test_what_is_not_finite_is_kept_as_text(value: float, kept: float | str, shown: Inspection) -> None:
    assert with_loss(shown, value)["train_loss"][0] == kept


def test_numbers_have_six_significant_digits(shown: Inspection) -> None:
    assert with_loss(shown, 1 / 3)["train_loss"][0] == 0.333333
    assert with_loss(shown, 123456.789)["train_loss"][0] == 123457


def test_indented_json_holds_the_same(shown: Inspection) -> None:
    assert json.loads(shown.to_json(indent=2)) == json.loads(shown.to_json())


def test_points_that_are_given_no_finite_probability_are_in_no_cell(shown: Inspection) -> None:
    predictions = shown.detail.predictions.copy()
    predictions[:7] = np.nan
    trace = replace(shown.trace, detail=replace(shown.detail, predictions=predictions))
    found = replace(shown, trace=trace)
    assert found.confusion.sum() == len(predictions) - 7
    assert json.loads(found.to_json())["predictions"]["undefined"] == 7


def test_the_confidence_of_a_verdict_is_its_precision_in_the_benchmark() -> None:
    text = (Path(__file__).parents[2] / "benchmarks/README.md").read_text(encoding="utf-8")
    table = text.partition("Held out, RMSprop")[2].partition("Those that the rules")[0]
    rows = [[cell.strip() for cell in line.split("|")] for line in table.splitlines() if line.startswith("| ")]
    measured = {row[1].replace(" ", "_"): float(row[4].split()[0]) for row in rows[1:] if row[1].isidentifier()}

    assert measured == {kind.value: PRECISION[kind] for kind in PRECISION if kind.value in measured}
    assert len(measured) == len(PRECISION) - 2  # dead networks share a row
    evidence = Evidence(rule="none_of_the_others", figures={}, thresholds={})
    assert Verdict(kind=VerdictKind.SLOW, epoch=1, evidence=evidence).confidence == measured["slow"]
    assert Verdict(kind=VerdictKind.FLAT, epoch=1, evidence=evidence).confidence is None
