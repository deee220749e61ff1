"""The dashboard over a store, asked as its pages ask it."""

import http.client
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from depthsearch.errors import InvalidValue
from depthsearch.results.answer import Answer
from depthsearch.service.dashboard import serve_dashboard
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
