"""Shared by the tests of commands that read a store: a module makes one (`stored`), each test has a copy."""

from pathlib import Path

import pytest


@pytest.fixture
def _in_a_folder_with_the_store(
    stored: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In an empty folder, with the module's database as depthsearch.db, and what making it printed forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEPTHSEARCH_STORAGE", raising=False)
    Path("depthsearch.db").write_bytes(stored)
    capsys.readouterr()
