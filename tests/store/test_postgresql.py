"""The store on a real PostgreSQL server, started for these tests."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.exceptions import StorageInternalError
from optuna_dashboard import get_note

from depthsearch.errors import StudyBusy
from depthsearch.store import open_store
from depthsearch.workflows import find
from tests.workflows.searches import PROBLEM, SETTINGS, essence, history

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 13), reason="pgserver has no build for this Python")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        import pgserver

        # The server's socket lies in this folder, and a socket's path must be short.
        server = pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")  # type: ignore[attr-defined]
        yield str(server.get_uri())
        server.cleanup()


def test_a_search_there_is_the_search_that_a_file_holds(url: str, tmp_path: Path) -> None:
    here = f"sqlite:///{tmp_path}/studies.db"
    there, local = find(PROBLEM, SETTINGS, storage=url), find(PROBLEM, SETTINGS, storage=here)
    assert essence(there) == essence(local)
    assert history(url, there.study) == history(here, local.study)
    assert find(PROBLEM, SETTINGS, storage=url) == there


def test_a_study_is_searched_by_one_at_a_time(url: str) -> None:
    with (
        open_store(url) as store,
        open_store(url) as other,
        store.open_study(PROBLEM, SETTINGS.resolved(), name="held"),
        pytest.raises(StudyBusy, match="'held' is being searched by another process"),
        other.open_study(PROBLEM, SETTINGS.resolved(), name="held"),
    ):
        pass
    with open_store(url) as store, store.open_study(PROBLEM, SETTINGS.resolved(), name="held"):
        pass


def test_deleting_leaves_nothing_of_the_study(url: str) -> None:
    find(PROBLEM, SETTINGS.model_copy(update={"cap": 1}), storage=url, study="short")
    with open_store(url) as store:
        store.delete_study("short")
        assert "short" not in [study.name for study in store.studies()]


def test_a_store_opened_for_reading_refuses_every_write(url: str) -> None:
    with open_store(url) as store, store.open_study(PROBLEM, SETTINGS.resolved(), name="read") as study:
        study.write_page("as it was", "{}")
    with open_store(url, writes=False) as store:
        read = store.read_study("read")
        with pytest.raises(StorageInternalError):
            read.write_page("changed", "{}")
        assert str(get_note(read.optuna_study)).endswith("as it was")
