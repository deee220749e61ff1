"""Pages as a browser shows them: figures drawn, nothing asked of any other machine, nothing wider than the screen."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from depthsearch.cli.main import run
from tests.browser import browser_page

QUICK = ["--width", "2", "--epochs", "8", "--lr", "0.05", "--seeds", "4", "--max-runs", "60", "--cap", "20", "--quiet"]
DESKTOP, PHONE = 1100, 390


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pages of one study, of two, and of a run."""
    folder = tmp_path_factory.mktemp("pages")
    place = ["--storage", f"sqlite:///{folder}/studies.db"]
    for act in ("relu", "tanh"):
        assert run(["find", "--act", act, *QUICK, *place, "--study", act]) == 0
    assert run(["report", "relu", *place, "--output", str(folder / "one.html")]) == 0
    assert run(["report", "relu", "tanh", *place, "--output", str(folder / "two.html")]) == 0
    assert run(["inspect", "--act", "tanh", "--depth", "3", "--epochs", "8", "--output", str(folder / "run.html")]) == 0
    return folder


def shown(page: Page, file: Path, *, width: int) -> tuple[list[str], list[str]]:
    """Open a page, and return its console messages and the URLs that it asked for."""
    console: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: console.append(message.text))
    page.on("pageerror", lambda error: console.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(file.as_uri())
    return console, [url for url in asked if not url.startswith(("data:", "blob:"))]


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_the_report_of_a_study_shows_its_curve(pages: Path, width: int) -> None:
    with browser_page() as page:
        console, asked = shown(page, pages / "one.html", width=width)
        figure = page.locator("#figure-0")
        expect(figure.locator(".scatterlayer .trace path.point").first).to_be_visible()
        expect(figure.locator(".barlayer path").first).to_be_visible()
        expect(figure.get_by_text("P(trained), median")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_contain_text("ffnet relu on moons")
        expect(page.get_by_role("heading", name="Every depth that was tried")).to_be_visible()
        page.get_by_text("Problem and settings").click()
        expect(page.get_by_text("initialization")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert console == []
    assert asked == [(pages / "one.html").as_uri()]


def test_the_report_of_two_studies_compares_them(pages: Path) -> None:
    with browser_page() as page:
        console, asked = shown(page, pages / "two.html", width=DESKTOP)
        for number in range(3):
            expect(page.locator(f"#figure-{number} .scatterlayer .trace").first).to_be_attached()
        assert page.evaluate("[...document.querySelectorAll('.wide')].every(w => w.scrollWidth <= w.clientWidth)")
    assert console == []
    assert asked == [(pages / "two.html").as_uri()]


BROKEN_WORDS = """() => {
    const broken = [];
    for (const heading of document.querySelectorAll('h1, h2, h3')) {
        const text = heading.firstChild;
        for (const word of heading.textContent.matchAll(/\\S+/g)) {
            const range = document.createRange();
            range.setStart(text, word.index);
            range.setEnd(text, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(r => r.top)).size > 1) broken.push(word[0]);
        }
    }
    return broken;
}"""


@pytest.mark.parametrize("name", ["one.html", "two.html", "run.html"])
def test_no_heading_breaks_inside_a_word_on_a_phone(pages: Path, name: str) -> None:
    with browser_page() as page:
        shown(page, pages / name, width=PHONE)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate(BROKEN_WORDS) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_the_page_of_a_run_shows_every_figure(pages: Path, width: int) -> None:
    with browser_page() as page:
        console, asked = shown(page, pages / "run.html", width=width)
        for name in ("Learning", "Gradient map", "Gradient lines", "Histograms", "Regions"):
            expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        for number in range(5):
            expect(page.locator(f"#figure-{number} .cartesianlayer .subplot").first).to_be_attached()
        expect(page.locator("#figure-1 .heatmaplayer image").first).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert console == []
    assert asked == [(pages / "run.html").as_uri()]
