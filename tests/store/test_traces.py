"""A trace is stored and read back unchanged."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depthsearch.problem.problem import Problem
from depthsearch.store import open_store, tables
from depthsearch.store.tables import decode_trace, encode_trace
from depthsearch.training.trace import TrainingFacts
from tests.sameness import assert_same
from tests.store.old_stores import restore
from tests.store.values import trace


def test_a_trace_comes_back_to_the_last_bit() -> None:
    written = trace(Problem())
    read = decode_trace(encode_trace(written), Problem())
    assert_same(written, read)
    plain = [name for name in vars(written) if name not in ("loss", "score", "snapshots")]
    assert {name: getattr(read, name) for name in plain} == {name: getattr(written, name) for name in plain}


def test_a_trace_that_is_not_finite_comes_back() -> None:
    written = trace(Problem())
    written.loss[-1] = np.nan
    assert np.isnan(decode_trace(encode_trace(written), Problem()).loss[-1])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_trace_of_before_the_numbers_of_optimizers_has_those_that_it_was_trained_with(
    optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = Problem.model_validate({"recipe": {"optimizer": optimizer}})
    written = trace(problem)
    monkeypatch.setattr(tables, "asdict", lambda facts: without(asdict(facts), "epsilon"))
    assert decode_trace(encode_trace(written), problem).facts == written.facts


def without(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def test_a_trace_of_twenty_layers_takes_a_few_kilobytes() -> None:
    assert len(encode_trace(trace(Problem(), depth=20, epochs=200))) < 8_000


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_a_trace_with_the_field_names_of_earlier_versions_is_read(revision: str, tmp_path: Path) -> None:
    with open_store(restore(revision, tmp_path / "studies.db")) as store:
        (summary,) = store.studies()
        study = store.read_study(summary.name)
        for run in study.runs():
            read = study.trace(run.trial_number, run.run)
            assert read.loss.shape == read.score.shape == (run.epochs,)
            assert list(read.score[-1:]) == ([np.float32(run.train_accuracy)] if run.epochs else [])
            assert read.baseline == summary.problem.data.load().baseline
            assert read.points == 500
            assert read.facts == TrainingFacts.of(summary.problem, points=500)
