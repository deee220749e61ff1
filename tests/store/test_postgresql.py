"""The store on a real PostgreSQL server, started for these tests."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna_dashboard import get_note
from sqlalchemy import MetaData, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from depthsearch.errors import ClaimLost, StoreUnavailable, StudyBusy
from depthsearch.store import Store, StoredStudy, migrations, open_store
from depthsearch.store.errors import kind_of
from depthsearch.workflows import find
from tests.store.old_stores import HELD, REVISIONS, restore
from tests.store.test_claims import WRITES
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


def end_lock_sessions(store: Store) -> int:
    """Lose every lock, as when the network breaks: end the sessions that hold them. Returns how many there were."""
    query = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    engine = create_engine(store._url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        ended = int(connection.execute(text(query)).scalar_one())
        while connection.execute(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).scalar_one():
            pass
    engine.dispose()
    return ended


def content(study: StoredStudy) -> tuple[object, ...]:
    attributes = study.storage.get_study_system_attrs(study.study_id)
    return study.optuna_study.trials, attributes, study.runs_of(0)


@pytest.mark.parametrize("name", WRITES)
def test_after_another_claim_no_write_goes_through(name: str, url: str) -> None:
    settings, study_name = SETTINGS.resolved(), f"taken-{name}"
    with open_store(url) as store, store.open_study(PROBLEM, settings, name=study_name) as study:
        trial = study.optuna_study.ask()
        trial.suggest_int("depth", 1, 100)
        trial.set_user_attr("seeds", [1])
        assert end_lock_sessions(store) == 1
        with open_store(url) as other, other.open_study(PROBLEM, settings, name=study_name) as taken:
            taken.optuna_study.ask()
            before = content(taken)
            with pytest.raises(ClaimLost, match=f"study '{study_name}' was taken over by another process"):
                WRITES[name](study, trial)
            assert content(taken) == before
            taken.optuna_study.tell(trial.number, 4)


def test_a_lock_that_was_lost_is_acquired_again(url: str) -> None:
    settings = SETTINGS.resolved()
    with open_store(url) as store, open_store(url) as other:
        with store.open_study(PROBLEM, settings, name="lost") as study:
            assert end_lock_sessions(store) == 1
            study.optuna_study.ask()
            with pytest.raises(StudyBusy), other.open_study(PROBLEM, settings, name="lost"):
                pass
            study.optuna_study.ask()
            assert end_lock_sessions(store) == 1  # and the study is left without its lock
        with other.open_study(PROBLEM, settings, name="lost"):
            pass


def test_a_dead_connection_is_noticed_by_both_ends(url: str) -> None:
    with open_store(url) as store, store.optuna_storage.engine.connect() as connection:
        parameters = connection.connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
        assert {parameters[f"keepalives_{name}"] for name in ("idle", "interval")} == {"10"}
        # The server reports 0 for a connection over a Unix socket, which needs none.
        assert connection.execute(text("SHOW tcp_keepalives_idle")).scalar_one() in {"0", "10"}


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SET TRANSACTION READ ONLY; CREATE TABLE forbidden (x integer)", "read-only"),
        ("SELECT 1 FROM nothing", ""),
        ("LOCK TABLE ds_studies IN EXCLUSIVE MODE NOWAIT", "busy"),
    ],
)
def test_errors_are_classified_by_their_state(statement: str, kind: str, url: str) -> None:
    with open_store(url) as store:
        engine = store.optuna_storage.engine
        with engine.connect() as blocking, engine.connect() as connection:
            blocking.execute(text("LOCK TABLE ds_studies IN EXCLUSIVE MODE"))
            with pytest.raises(DBAPIError) as caught:
                connection.execute(text(statement))
            assert kind_of(caught.value) == kind


def test_a_server_that_is_not_there_is_reported_in_one_line() -> None:
    message = r"storage 'postgresql\+psycopg://localhost:1/none' cannot be used: "
    with pytest.raises(StoreUnavailable, match=message) as caught:
        open_store("postgresql://localhost:1/none")
    assert "\n" not in str(caught.value)


def copy_store(source: Path, url: str, revision: str) -> None:
    """Copy a SQLite database of an earlier revision to an empty PostgreSQL database, as of that revision."""
    storage = RDBStorage(url)
    old = create_engine(f"sqlite:///{source}")
    with storage.engine.begin() as there, old.connect() as here:
        config = migrations._config()
        config.attributes["connection"] = there
        command.upgrade(config, revision)
        tables, copies = MetaData(), MetaData()
        tables.reflect(here)
        copies.reflect(there)
        for table in tables.sorted_tables:
            rows = [dict(row._mapping) for row in here.execute(table.select())]
            if rows and "version" not in table.name:
                there.execute(copies.tables[table.name].insert(), rows)
    old.dispose()
    storage.engine.dispose()


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_store_of_every_revision_is_brought_up_to_date(revision: str, url: str, tmp_path: Path) -> None:
    restore(revision, tmp_path / "old.db")
    server = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "old{revision}"'))
    engine.dispose()
    there = server.set(database=f"old{revision}").render_as_string(hide_password=False)
    copy_store(tmp_path / "old.db", there, revision)
    with open_store(f"sqlite:///{tmp_path}/old.db") as here, open_store(there) as store:
        ((summary,), (expected,)) = store.studies(), here.studies()
        assert summary == expected
        assert store.read_study(summary.name).runs() == here.read_study(summary.name).runs()
        if revision not in HELD:
            with store.open_study(summary.problem, summary.settings) as study:
                assert study.name == summary.name


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
