"""What a notebook shows of an answer: the facts of the screen, the notes, and the curve as a figure."""

from html.parser import HTMLParser
from typing import Any

import pytest

from depthsearch.reporting.figures.plot import plot
from depthsearch.reporting.notebook import answer_html
from depthsearch.reporting.terminal.facts import facts
from depthsearch.results.answer import Answer
from tests.reporting.answers import OF_EACH_OUTCOME, answer, empty, of_an_earlier_version


class Cells(HTMLParser):
    """Collects the text of paragraphs and of the cells of tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sentence = ""
        self.cells: list[str] = []
        self._inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        if tag in ("th", "td"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if "p" in self._inside:
            self.sentence += data
        else:
            self.cells[-1] += data

    @property
    def rows(self) -> list[tuple[str, str]]:
        return list(zip(self.cells[::2], self.cells[1::2], strict=True))


@pytest.mark.parametrize(
    "found",
    [*(one for one in OF_EACH_OUTCOME.values() if one.curve), of_an_earlier_version()],
    ids=lambda found: found.outcome.value,
)
def test_a_notebook_shows_the_facts_of_the_screen(found: Answer) -> None:
    shown = Cells(answer_html(found))
    assert shown.sentence == f"ffnet relu on moons: {found.sentence}"
    notes = [("note", warning) for warning in found.warnings]
    assert shown.rows == [*facts(found), *notes]
    assert ("trained", "train accuracy of at least 0.600 in each of the last 3 epochs") in shown.rows or notes


def test_the_notes_are_the_last_rows() -> None:
    shown = Cells(answer_html(answer(warnings=("take care", "and more"))))
    assert shown.rows[-2:] == [("note", "take care"), ("note", "and more")]


def test_names_and_notes_are_text_and_never_markup() -> None:
    shown = Cells(answer_html(answer(study="<b>x", warnings=("<i>care",))))
    assert ("study", "<b>x") in shown.rows
    assert ("note", "<i>care") in shown.rows


def test_a_search_that_has_only_begun_claims_no_depth() -> None:
    shown = Cells(answer_html(empty()))
    assert [name for name, _ in shown.rows] == ["cost", "study"]


@pytest.mark.parametrize(("found", "figures"), [(answer(), 1), (empty(), 0)], ids=["found", "only begun"])
def test_ipython_displays_the_facts_and_the_curve_below_them(
    found: Answer, figures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import IPython.display
    from plotly import graph_objects as go

    shown: list[Any] = []
    monkeypatch.setattr(IPython.display, "display", lambda bundle, *, raw: shown.append((bundle, raw)))
    found._ipython_display_()
    assert all(raw for _, raw in shown)
    (facts_shown, _), *drawn = shown
    assert facts_shown == {"text/html": answer_html(found), "text/plain": str(found)}
    assert len(drawn) == figures
    for bundle, _ in drawn:
        figure = go.Figure(bundle["application/vnd.plotly.v1+json"])  # plotly refuses what is no figure
        assert figure.layout.title.text == plot(found).layout.title.text
        assert "plotly" in bundle["text/html"]
        assert bundle["text/plain"] == "the curve: depthsearch.plot(answer)"
