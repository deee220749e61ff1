"""The dashboard over a store, asked as its pages ask it."""

import http.client
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import optuna
import pytest

from depthsearch.errors import InvalidValue
from depthsearch.problem.criterion import Criterion
from depthsearch.results.answer import Answer
from depthsearch.service.dashboard import serve_dashboard
from depthsearch.store import open_store
from depthsearch.workflows import find
from tests.service.dashboards import dashboard
from tests.workflows.searches import PROBLEM, SETTINGS


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shown") / "studies.db"


@pytest.fixture(scope="module")
def answer(file: Path) -> Answer:
    return find(PROBLEM, SETTINGS, storage=f"sqlite:///{file}")


@pytest.fixture(scope="module")
def address(file: Path, answer: Answer) -> Iterator[str]:
    with dashboard(f"sqlite:///{file}") as (shown, _):
        yield shown


def ask(address: str, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def dump(file: Path) -> list[str]:
    connection = sqlite3.connect(file)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def test_a_study_and_its_note_are_there(address: str, answer: Answer) -> None:
    status, body = ask(address, "GET", "/api/studies/1?after=0")
    study = json.loads(body)
    assert (status, study["name"]) == (200, answer.study)
    assert answer.sentence in study["note"]["body"]
    assert len(study["trials"]) == answer.cost.trials


def study_of(address: str, query: str = "after=0") -> dict[str, Any]:
    status, body = ask(address, "GET", f"/api/studies/1?{query}")
    assert status == 200
    return dict(json.loads(body))


def test_the_best_trial_is_at_max_depth_and_deeper_ones_are_infeasible(address: str, answer: Answer) -> None:
    study = study_of(address)
    assert answer.max_depth is not None
    (best,) = study["best_trials"]
    assert best["values"] == [answer.max_depth]
    assert max(trial["values"][0] for trial in study["trials"]) > answer.max_depth
    for trial in study["trials"]:
        assert (trial["constraints"][0] <= 0) is (trial["values"][0] <= answer.max_depth)


def test_a_page_that_asks_for_the_newest_trials_gets_these_and_the_best_of_all(address: str, answer: Answer) -> None:
    trials = study_of(address)["trials"]
    for first in (1, len(trials) - 1, len(trials)):
        study = study_of(address, f"after={first}")
        assert [trial["number"] for trial in study["trials"]] == [trial["number"] for trial in trials[first:]]
        assert study["best_trials"][0]["values"] == [answer.max_depth]


def test_where_nothing_trains_no_trial_is_the_best(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/studies.db"
    perfect = Criterion(kind="target", target=1.0)
    answer = find(PROBLEM.model_copy(update={"criterion": perfect}), SETTINGS, storage=url)
    assert answer.max_depth is None
    with dashboard(url) as (shown, _):
        study = study_of(shown)
    assert study["trials"]
    assert study["best_trials"] == []


def test_a_study_of_another_user_of_optuna_is_shown_as_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/studies.db"
    find(PROBLEM, SETTINGS, storage=url)
    with open_store(url) as store:
        other = optuna.create_study(storage=store.optuna_storage, study_name="other", direction="maximize")
        other.add_trial(optuna.trial.create_trial(value=7.0))
    with dashboard(url) as (shown, _):
        status, body = ask(shown, "GET", "/api/studies/2")
        listed = json.loads(ask(shown, "GET", "/api/studies")[1])
    assert (status, json.loads(body)["best_trials"][0]["values"]) == (200, [7.0])
    assert "other" in [study["study_name"] for study in listed["study_summaries"]]


def test_a_study_that_is_not_there_is_a_404(address: str) -> None:
    assert ask(address, "GET", "/api/studies/99")[0] == 404


CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("DELETE", "/api/studies/1", {}),
    ("POST", "/api/studies", {"study_name": "new", "directions": ["maximize"]}),
    ("POST", "/api/studies/1/rename", {"study_name": "renamed"}),
    ("PUT", "/api/studies/1/note", {"version": 2, "body": "mine"}),
    ("PUT", "/api/studies/1/1/note", {"version": 1, "body": "mine"}),
    ("POST", "/api/trials/1/tell", {"state": "Complete", "values": [1e9]}),
    ("POST", "/api/trials/1/user-attrs", {"user_attrs": {"runs": 1}}),
]


def test_nothing_can_be_changed(address: str, file: Path) -> None:
    before = dump(file)
    for method, path, body in CHANGES:
        status, text = ask(address, method, path, body)
        assert (status, path) == (405, path)
        assert json.loads(text)["reason"].startswith("this dashboard is read-only")
    assert dump(file) == before


def test_an_empty_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="host '' would be every address of this machine"):
        serve_dashboard(f"sqlite:///{tmp_path}/none.db", host="", on_ready=print)
