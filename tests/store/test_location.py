"""Where a store is."""

import pytest

from depthsearch.errors import InvalidValue
from depthsearch.store.location import resolve_url, shown_url, sqlite_file


def test_the_default_is_a_file_in_the_working_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEPTHSEARCH_STORAGE", raising=False)
    assert shown_url(None) == "sqlite:///depthsearch.db"


def test_the_environment_comes_before_the_default_and_an_argument_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHSEARCH_STORAGE", "sqlite:///elsewhere.db")
    assert shown_url(None) == "sqlite:///elsewhere.db"
    assert shown_url("sqlite:///here.db") == "sqlite:///here.db"


@pytest.mark.parametrize("url", ["mysql://host/db", "redis://host", "file:///x.db", "sqlserver://h/d"])
def test_an_unknown_scheme_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue, match=r"has the unknown scheme .*accepted: sqlite:///FILE.db, postgresql"):
        resolve_url(url)


@pytest.mark.parametrize("url", ["studies.db", "/tmp/studies.db", "not a url"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue, match=r"is not a URL: accepted: sqlite"):
        resolve_url(url)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_store_in_memory_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue, match="a search must outlive its process"):
        resolve_url(url)


def test_a_password_is_never_shown() -> None:
    assert "secret" not in shown_url("postgresql://me:secret@localhost/studies")


def test_postgresql_has_no_file() -> None:
    assert sqlite_file(resolve_url("postgresql+psycopg://localhost/studies")) is None


def test_a_name_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"storage 'sqlite:///b\\udcff.db' is not UTF-8 text: accepted: sqlite"):
        resolve_url("sqlite:///b\udcff.db")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg2://me:secret@localhost/studies",
        "sqlite://me:secret@host/studies.db",
        "postgresql+psycopg://me:sec@ret@localhost:abc/studies",
    ],
)
def test_a_password_is_not_shown_in_a_refusal_either(url: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        resolve_url(url)

    assert "://me:***@" in str(caught.value)
    assert "sec" not in str(caught.value)
