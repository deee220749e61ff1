"""A search that takes about a second, and what of it must be the same whenever it is made."""

from typing import Any

from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import run_sentence
from depthsearch.results.answer import Answer
from depthsearch.search.optuna_internals import all_trials
from depthsearch.search.settings import SearchSettings
from depthsearch.search.trial import purpose_of
from depthsearch.store import open_store

PROBLEM = Problem.model_validate({"activation": "relu", "width": 2, "recipe": {"epochs": 8, "learning_rate": 0.05}})
SETTINGS = SearchSettings(sampler="bisect", reliability=0.5, runs_per_trial=2)
BELIEVED = SearchSettings(runs_per_trial=4, cap=60, reliability=0.5, tolerance=0.15)
"""Rounds of a trial and its sentinel, with an interval."""


def essence(answer: Answer) -> dict[str, Any]:
    """The answer without what time it took."""
    return answer.model_dump(exclude={"cost": {"seconds"}})


def history(url: str, study: str) -> list[tuple[Any, ...]]:
    """Every run of the finished trials, in order: purpose, depth, seed, verdict and its sentence, accuracy."""
    with open_store(url, create=False) as store:
        stored = store.read_study(study)
        purposes = {trial.number: purpose_of(trial) for trial in all_trials(stored.optuna_study)}
        return [
            (purposes[run.trial_number], run.depth, run.seed, run_sentence(run.verdict), run.test_accuracy)
            for run in stored.runs()
        ]
