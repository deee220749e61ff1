"""depthsearch dashboard: what it says, and how it ends. What it shows is tested with the service."""

import signal
import socket
import sys
from pathlib import Path

import pytest

from depthsearch.cli.main import run
from tests.service.dashboards import dashboard
from tests.workflows.searches import PROBLEM, SETTINGS


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> str:
    from depthsearch.store import open_store

    url = f"sqlite:///{tmp_path_factory.mktemp('stored')}/studies.db"
    with open_store(url) as store, store.open_study(PROBLEM, SETTINGS.resolved()):
        return url


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEPTHSEARCH_STORAGE", raising=False)


@pytest.mark.parametrize(
    ("host", "number"),
    [("127.0.0.1", signal.SIGINT), ("localhost", signal.SIGINT), ("127.0.0.1", signal.SIGTERM)],
)
def test_it_is_on_this_machine_alone_until_a_signal_and_exits_130(
    stored: str, host: str, number: signal.Signals
) -> None:
    with dashboard(stored, "--host", host) as (address, process):
        assert address.startswith(f"http://{host}:")
        process.send_signal(number)
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert rest == "the dashboard has ended\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--storage", "sqlite:///none.db"], "storage 'sqlite:///none.db' does not exist yet"),
        ([], "storage 'sqlite:///depthsearch.db' does not exist yet"),
        (["--port", "65536"], "--port must be a whole number of 0 to 65535, but got 65536"),
        (["--port", "-1"], "--port must be a whole number of 0 to 65535, but got -1"),
        (["--port", "http"], "--port must be a whole number, but got 'http'"),
    ],
)
def test_misuse_is_one_line_and_exit_2(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dashboard", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert message in line


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("nowhere.invalid", "--host 'nowhere.invalid' cannot be listened on (no such address)"),
        ("192.0.2.1", "--host '192.0.2.1' cannot be listened on (Cannot assign requested address)"),
    ],
)
def test_an_address_that_is_not_ours_is_refused(
    host: str, message: str, stored: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["dashboard", "--storage", stored, "--host", host]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_port_that_is_taken_is_one_line(stored: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["dashboard", "--storage", stored, "--port", str(port)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"error: --port {port} is taken on 127.0.0.1: give another, or 0 for any that is free"


def test_a_missing_extra_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    assert run(["dashboard"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("needs the package 'optuna-dashboard': pip install 'depthsearch[dashboard]'")
