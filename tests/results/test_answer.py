"""An answer outside of a terminal: as a frame, and in a notebook."""

import json
import math
import os
import re
import subprocess
import sys
from html import unescape
from typing import Any, TypedDict

import pytest

from depthsearch.reporting.terminal.facts import facts
from tests.reporting.answers import POINTS, answer, empty


def test_a_frame_has_a_row_for_each_depth() -> None:
    frame = answer().to_frame()
    assert list(frame.columns) == ["depth", "trained", "of", "p", "low", "high"]
    assert [tuple(row) for row in frame.itertuples(index=False)] == [
        (point.depth, point.trained, point.of, point.p, point.low, point.high) for point in POINTS
    ]


def test_where_no_band_is_claimed_the_frame_holds_nan() -> None:
    frame = answer(curve=(POINTS[0].model_copy(update={"low": None, "high": None}),)).to_frame()
    assert math.isnan(frame.low[0])


def test_a_frame_of_nothing_has_its_columns() -> None:
    assert answer(curve=()).to_frame().shape == (0, 6)


def test_as_html_an_answer_is_its_headline_and_its_facts() -> None:
    shown = answer(study="<b>x", interval=(6, None), warnings=("a & b",))._repr_html_()

    assert "<b>ffnet relu on moons</b>: trains to 7 hidden layers" in shown
    for name, text in (
        ("max depth", "7 hidden layers (8 with weights, 9 as Keras counts)"),
        ("interval", "at least 6: where 90% of the runs train (95% probability)"),
        ("trained", "train accuracy of at least 0.600 in each of the last 3 epochs"),
        ("study", "&lt;b&gt;x"),
        ("note", "a &amp; b"),
    ):
        assert re.search(f"<th[^>]*>{name}</th><td[^>]*>{re.escape(text)}</td>", shown), name


def test_as_html_an_answer_says_what_it_says_elsewhere() -> None:
    shown = unescape(answer()._repr_html_())

    for name, text in facts(answer()):
        assert f">{name}</th>" in shown
        assert f">{text}</td>" in shown


def test_as_html_a_search_that_has_only_begun_has_no_max_depth() -> None:
    assert "max depth" not in empty()._repr_html_()


NOTEBOOK = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from tests.reporting.answers import answer, empty

shell = InteractiveShell.instance()
shell.user_ns |= {"found": answer(), "begun": empty()}
shown = {}
for cell in ("found", "begun"):
    with capture_output() as captured:
        shell.run_cell(cell)
    bundles = [output.data for output in captured.outputs]
    shown[cell] = {"bundles": bundles, "printed": captured.stdout + captured.stderr}
json.dump(shown, sys.stdout)
"""


class Shown(TypedDict):
    bundles: list[dict[str, Any]]
    printed: str


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    """What IPython displays of a finished answer and of an empty one; in another process, since its shell is global."""
    environment = os.environ | {"IPYTHONDIR": str(tmp_path_factory.mktemp("ipython")), "PLOTLY_RENDERER": "notebook"}
    done = subprocess.run([sys.executable, "-c", NOTEBOOK], env=environment, capture_output=True, text=True, check=True)
    shown: dict[str, Shown] = json.loads(done.stdout)
    return shown


def html_of(shown: Shown) -> list[str]:
    return [bundle["text/html"] for bundle in shown["bundles"] if "text/html" in bundle]


def figures_of(shown: Shown) -> list[str]:
    return [html for html in html_of(shown) if "Plotly.newPlot" in html]


def test_a_notebook_shows_the_facts_first(notebook: dict[str, Shown]) -> None:
    assert html_of(notebook["found"])[0] == answer()._repr_html_()


def test_a_notebook_shows_the_curve_as_one_figure(notebook: dict[str, Shown]) -> None:
    (figure,) = figures_of(notebook["found"])

    assert "P(trained)" in figure


def test_a_notebook_shows_a_search_that_has_only_begun_without_a_figure(notebook: dict[str, Shown]) -> None:
    assert html_of(notebook["begun"]) == [empty()._repr_html_()]


def test_a_notebook_shows_no_error(notebook: dict[str, Shown]) -> None:
    for shown in notebook.values():
        assert "Error" not in shown["printed"], shown["printed"]


def test_reading_an_answer_loads_neither_pandas_nor_plotly() -> None:
    script = (
        "import sys, depthsearch.results.answer; print([name for name in ('pandas', 'plotly') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
