"""The chart of a comparison: a row for each network, with what was reported."""

from typing import Any

from plotly import graph_objects as go

from depthsearch.problem.problem import Problem
from depthsearch.problem.study_file import Reported
from depthsearch.reporting.figures.comparison import comparison_figure
from depthsearch.results.comparison import Compared, Comparison
from tests.reporting.answers import answer, empty


def marks(figure: go.Figure, name: str) -> list[tuple[float, str]]:
    found: list[Any] = [one for one in figure.data if one.name == name]
    return [(x, y) for one in found for x, y in zip(one.x, one.y, strict=True)]


def both(**changes: Any) -> Comparison:
    other = answer(**({"interval": (20, None), "max_depth": 30} | changes))
    first = Compared(name="plain", answer=answer(), reported=Reported(depth=8, note="by hand"))
    return Comparison(title="A report", compared=(first, Compared(name="<b>other", answer=other)))


def test_each_row_has_its_interval_median_half_and_report() -> None:
    figure = comparison_figure(both())
    assert marks(figure, "95 % interval")[:2] == [(6, "plain"), (9, "plain")]
    assert marks(figure, "median") == [(7, "plain"), (7, "&lt;b&gt;other")]
    assert marks(figure, "half of the runs train")[0] == (13, "plain")
    assert marks(figure, "reported") == [(8, "plain")]
    assert figure.layout.title.subtitle.text == "A report"


def test_an_open_interval_ends_in_an_arrow_at_the_edge() -> None:
    figure = comparison_figure(both())
    (low, _), (high, _) = marks(figure, "95 % interval")[2:]
    assert low == 20
    assert high > 20
    assert figure.data[1].marker.size[1] > 0 == figure.data[1].marker.size[0]


def test_the_title_names_the_deepest_and_the_first_row_is_on_top() -> None:
    layers = answer().layers
    assert layers is not None
    figure = comparison_figure(both(layers=layers.model_copy(update={"hidden": 30})))
    assert figure.layout.title.text == "&lt;b&gt;other trains to 30 hidden layers, deepest of 2"
    assert list(figure.layout.yaxis.categoryarray) == ["&lt;b&gt;other", "plain"]


def test_where_units_differ_each_row_names_its_unit() -> None:
    figure = comparison_figure(both(problem=Problem(family="resnet")))
    assert [label for _, label in marks(figure, "median")] == [
        "plain<br><sub>hidden layers</sub>",
        "&lt;b&gt;other<br><sub>residual blocks</sub>",
    ]
    assert "hidden" not in figure.layout.xaxis.title.text


def test_networks_of_which_nothing_is_known_leave_their_rows_empty() -> None:
    figure = comparison_figure(Comparison(compared=(Compared(name="new", answer=empty()),)))
    assert len(figure.data) == 0
    assert figure.layout.title.text == "No network is known to train to any depth"


def test_where_the_curve_does_not_simply_fall_there_is_no_median_and_no_interval() -> None:
    crossed = answer(crossings=(3, 12), interval=None, max_depth=None)
    figure = comparison_figure(Comparison(compared=(Compared(name="odd", answer=crossed),)))
    assert marks(figure, "95 % interval") == []
    assert marks(figure, "median") == []


def test_where_reliabilities_differ_each_row_names_its_share_and_none_is_the_deepest() -> None:
    figure = comparison_figure(both(reliability=0.5))
    assert [label for _, label in marks(figure, "median")] == [
        "plain<br><sub>90% train</sub>",
        "&lt;b&gt;other<br><sub>50% train</sub>",
    ]
    title = figure.layout.title.text.replace("<br>", " ")
    assert "deepest" not in title
    assert title.endswith("not comparable with each other")


def test_rows_of_one_name_stay_apart() -> None:
    twice = tuple(Compared(name="same", answer=answer()) for _ in range(3))
    figure = comparison_figure(Comparison(compared=twice))
    assert len({label for _, label in marks(figure, "median")}) == 3
