"""An answer outside of a terminal: as a frame, and in a notebook."""

import math
import subprocess
import sys

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


def test_a_notebook_shows_the_sentence_and_the_facts() -> None:
    shown = answer(study="<b>x", interval=(6, None))._repr_html_()
    assert "<b>ffnet relu on moons</b>: trains to 7 hidden layers" in shown
    assert "6 or more" in shown
    assert "57 trained, 9 died" in shown
    assert "&lt;b&gt;x" in shown
    assert "max depth" not in empty()._repr_html_()


def test_reading_an_answer_loads_neither_pandas_nor_plotly() -> None:
    script = (
        "import sys, depthsearch.core.answer; print([name for name in ('pandas', 'plotly') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
