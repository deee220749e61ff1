"""The dashboard as a browser shows it."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from depthsearch.results.answer import Answer
from depthsearch.workflows import find
from tests import browser
from tests.browser import browser_page
from tests.service.dashboards import dashboard
from tests.workflows.searches import PROBLEM, SETTINGS


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Answer]]:
    """The address of a dashboard, and the answer of the one study in it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('shown')}/studies.db"
    answer = find(PROBLEM, SETTINGS, storage=url)
    with dashboard(url) as (address, _):
        yield address, answer


def test_the_page_of_a_study_says_its_name_and_its_answer(shown: tuple[str, Answer]) -> None:
    address, answer = shown
    console: list[str] = []
    asked: list[str] = []
    with browser_page() as page:
        page.on("console", lambda message: console.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: console.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.get_by_text(answer.study).first.click()
        expect(page).to_have_title("Optuna Dashboard")
        expect(page.get_by_role("heading", name="Hyperparameter Importance")).to_be_visible()
        drawn = page.locator("[id='user-defined-plot:depthsearch']")
        expect(drawn.locator(".scatterlayer .trace path.point").first).to_be_visible()
        expect(drawn.get_by_text(f"depthsearch: max depth {answer.max_depth}")).to_be_visible()
        page.goto(f"{address}dashboard/studies/1/note")
        expect(page.get_by_text(f"{answer.study} (id=1)")).to_be_visible()
        expect(page.get_by_text(answer.sentence)).to_be_visible()
        expect(page.get_by_text(f"max depth: {answer.max_depth} hidden layer")).to_be_visible()
        expect(page.get_by_text("depthsearch find --arch ffnet ")).to_be_visible()
    assert [line for line in console if not line.startswith(("log:", "info:"))] == []
    machines = {urlsplit(request).netloc for request in asked if not request.startswith(("data:", "blob:"))}
    assert machines == {urlsplit(address).netloc}


def test_the_largest_number_of_a_study_is_its_max_depth(shown: tuple[str, Answer]) -> None:
    address, answer = shown
    deepest = max(point.depth for point in answer.curve)
    assert answer.max_depth is not None
    assert answer.max_depth < deepest
    with browser_page() as page:
        page.goto(f"{address}dashboard/studies/1")
        card = page.locator(".MuiCardContent-root").filter(has_text="Best Trial")
        expect(card.locator("h3")).to_have_text(str(answer.max_depth))
        expect(card.get_by_text(f"Params = [depth: {answer.max_depth}]")).to_be_visible()
        sizes = page.evaluate(
            """() => [...document.querySelectorAll('body *')]
                .filter(e => e.children.length === 0 && /^\\d+$/.test(e.textContent.trim()))
                .map(e => [parseFloat(getComputedStyle(e).fontSize), e.textContent.trim()])"""
        )
        assert max(sizes)[1] == str(answer.max_depth)


def test_the_list_says_in_what_studies_differ(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/studies.db"
    for epochs in (8, 9):
        recipe = PROBLEM.recipe.model_copy(update={"epochs": epochs})
        find(PROBLEM.model_copy(update={"recipe": recipe}), SETTINGS, storage=url, study=f"study {epochs}")
    with dashboard(url) as (address, _), browser_page() as page:
        page.goto(address)
        for epochs in (8, 9):
            name = page.get_by_text(f"study {epochs}: ffnet relu on moons, epochs {epochs}")
            expect(name).to_be_visible()
            assert name.count() == 1


def test_a_page_can_change_nothing(shown: tuple[str, Answer]) -> None:
    address, answer = shown
    with browser_page() as page:
        page.goto(f"{address}dashboard/studies/1/note")
        expect(page.get_by_text(answer.sentence)).to_be_visible()
        status = page.evaluate("fetch('/api/studies/1', {method: 'DELETE'}).then(answered => answered.status)")
        assert status == 405
        page.reload()
        expect(page.get_by_text(answer.sentence)).to_be_visible()


def test_without_chromium_a_test_is_skipped_and_under_ci_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(browser, "CHROMIUM", tmp_path / "chromium")
    for setting, outcome in (("", pytest.skip.Exception), ("true", pytest.fail.Exception)):
        monkeypatch.setenv("CI", setting)
        with pytest.raises(outcome, match=r"chromium is missing: apt-get install chromium"), browser.browser_page():
            pass
