"""Debian's chromium, which the tests of pages need; nothing is downloaded for them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 30_000
"""Milliseconds that a page may take to show something, on a machine that is busy with other tests."""


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of a fresh browser. Without chromium the test is skipped, but fails where CI is "true"."""
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is missing: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=PATIENCE)
    with (
        sync_playwright() as playwright,
        # The browser's sandbox needs what containers and root do not have; the only pages are ours.
        playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]) as browser,
    ):
        yield browser.new_page()
