"""The trainability curve: that the figure holds the numbers of the answer."""

import itertools
import math
from typing import Any

import pytest
from plotly import graph_objects as go

import depthsearch
from depthsearch.errors import InvalidValue, UnknownName
from depthsearch.reporting.figures import style
from depthsearch.reporting.figures.curve import curve_figure
from depthsearch.results.answer import Beyond, Outcome
from depthsearch.search.settings import ResolvedSettings
from tests.reporting.answers import POINTS, RUNS, answer, bisected, empty


def trace(figure: go.Figure, start: str) -> Any:
    (found,) = [one for one in figure.data if one.name and one.name.startswith(start)]
    return found


def test_points_stand_at_the_share_that_trained_and_grow_with_their_number() -> None:
    runs = trace(curve_figure(answer(), RUNS), "runs")
    assert list(runs.x) == [point.depth for point in POINTS]
    assert list(runs.y) == [point.trained / point.of for point in POINTS]
    assert runs.customdata[2] == "7 hidden layers: 29 of 32 trained"
    by_number = sorted(zip((point.of for point in POINTS), runs.marker.size, strict=True))
    assert [size for _, size in by_number] == sorted(runs.marker.size)


def test_the_belief_is_the_answers_median_and_band() -> None:
    figure = curve_figure(answer(), RUNS)
    median, high = trace(figure, "P(trained)"), trace(figure, "95 % band")
    assert list(median.y) == [point.p for point in POINTS]
    assert [tuple(both) for both in median.customdata] == [(point.low, point.high) for point in POINTS]
    assert list(high.y) == [point.high for point in POINTS]


def test_interval_and_reliability_are_drawn_where_they_lie() -> None:
    figure = curve_figure(answer(), RUNS)
    band, line = trace(figure, "interval 6 to 9"), trace(figure, "reliability 90%")
    assert (min(band.x), max(band.x)) == (6, 9)
    assert set(line.y) == {0.9}


def test_an_open_interval_reaches_the_edge() -> None:
    figure = curve_figure(answer(interval=(7, None)), RUNS)
    edge = 10 ** figure.layout.xaxis.range[1]
    assert max(trace(figure, "interval at least 7").x) == pytest.approx(edge)


def test_an_interval_that_only_repeats_the_cap_is_named_as_open() -> None:
    figure = curve_figure(answer(settings=ResolvedSettings(cap=30), interval=(7, 30)), RUNS)
    assert max(trace(figure, "interval at least 7").x) == 30
    assert "90% of the runs train to a depth of at least 7" in figure.layout.title.subtitle.text.replace("<br>", " ")


def test_an_interval_from_below_the_shallowest_depth_fits_a_logarithmic_axis() -> None:
    figure = curve_figure(answer(interval=(0, 9)), RUNS)
    assert min(trace(figure, "interval 0 to 9").x) > 0


def test_the_mix_adds_up_to_all_runs_of_a_depth() -> None:
    bars = [one for one in curve_figure(answer(), RUNS).data if isinstance(one, go.Bar)]
    assert [bar.name for bar in bars] == ["trained", "died"]
    for k, point in enumerate(POINTS):
        assert bars[0].y[k] == pytest.approx(100 * point.trained / point.of)
        assert sum(bar.y[k] for bar in bars) == pytest.approx(100)
        assert bars[1].customdata[k] == f"{point.of - point.trained} of {point.of}"


def test_a_bar_of_few_runs_is_fainter_than_one_of_many() -> None:
    (bar, _) = [one for one in curve_figure(answer(), RUNS).data if isinstance(one, go.Bar)]
    by_number = sorted(zip((point.of for point in POINTS), bar.marker.opacity, strict=True))
    assert [opacity for _, opacity in by_number] == sorted(bar.marker.opacity)
    assert by_number[-1] == (max(point.of for point in POINTS), 1.0)


def test_no_two_bars_overlap() -> None:
    (bar, _) = [one for one in curve_figure(answer(), RUNS).data if isinstance(one, go.Bar)]
    edges = [(x - width / 2, x + width / 2) for x, width in zip(bar.x, bar.width, strict=True)]
    assert all(left[1] < right[0] for left, right in itertools.pairwise(edges))
    assert edges[0][0] > 0


def test_without_runs_the_bars_tell_trained_from_failed() -> None:
    bars = [one for one in depthsearch.plot(answer()).data if isinstance(one, go.Bar)]
    assert [bar.name for bar in bars] == ["trained", "failed"]


def test_a_wide_range_of_depths_is_logarithmic_and_a_narrow_one_is_not() -> None:
    wide = curve_figure(answer()).layout.xaxis2
    narrow = curve_figure(answer(curve=POINTS[1:4])).layout.xaxis2
    assert (wide.type, narrow.type) == ("log", "linear")
    assert wide.title.text == "depth (hidden layers), log scale"
    assert wide.range[0] < math.log10(1)
    assert "10" in wide.ticktext


MIXED = Beyond(depth=8, deepest=8, cause="died", causes={"died": 2, "slow": 2}, sentence="")


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "ffnet relu on moons trains to 7 hidden layers, then dies"),
        ({"beyond": None}, "ffnet relu on moons trains to 7 hidden layers"),
        ({"beyond": MIXED}, "ffnet relu on moons trains to 7 hidden layers, then fails in several ways"),
        ({"confirmed": False}, "ffnet relu on moons trains to 7 hidden layers (unconfirmed), then dies"),
        ({"outcome": Outcome.CAP_REACHED}, "ffnet relu on moons trains to 7 hidden layers, the cap"),
        (
            {"outcome": Outcome.CAP_REACHED, "confirmed": False},
            "ffnet relu on moons trains to 7 hidden layers, the cap (unconfirmed)",
        ),
        ({"outcome": Outcome.NEVER_RELIABLE}, "ffnet relu on moons is not reliable at any depth"),
        ({"outcome": Outcome.NOT_MONOTONE}, "ffnet relu on moons does not simply stop at a depth"),
        ({"outcome": Outcome.BUDGET_ENDED, "sentence": "ended"}, "ffnet relu on moons: ended"),
        ({"max_depth": None, "sentence": "is not reliable"}, "ffnet relu on moons: is not reliable"),
    ],
)
def test_the_title_is_the_finding(changes: dict[str, Any], title: str) -> None:
    figure = curve_figure(answer(**changes))
    assert figure.layout.title.text.replace("<br>", " ") == title


def test_bisection_claims_no_band_and_no_interval() -> None:
    figure = curve_figure(bisected())
    assert {one.name for one in figure.data} == {"reliability 90%", "runs (larger: more of them)", "trained", "failed"}


def test_a_search_that_has_only_begun_has_a_figure_that_says_so() -> None:
    figure = curve_figure(empty())
    assert len(figure.data) == 0
    assert figure.layout.title.text == "ffnet relu on moons: nothing has been tried yet"


def test_a_single_depth_is_drawn() -> None:
    assert curve_figure(answer(curve=POINTS[:1], max_depth=1)).layout.xaxis2.type == "linear"


def test_plot_refuses_what_it_cannot_draw() -> None:
    with pytest.raises(InvalidValue, match="plot takes an Answer, a Comparison or an Inspection, but got 7"):
        depthsearch.plot(7)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="figure is only for inspections, but got 'curve' for Answer"):
        depthsearch.plot(answer(), "curve")


def test_plot_names_an_inspections_figures() -> None:
    run = depthsearch.inspect(depthsearch.Problem.model_validate({"recipe": {"epochs": 3}}), depth=2)
    assert depthsearch.plot(run).layout.yaxis.title.text == "accuracy"
    with pytest.raises(UnknownName, match=r"unknown figure 'region': did you mean 'regions'\?"):
        depthsearch.plot(run, "region")


def test_dollars_in_a_name_are_no_formula() -> None:
    assert style.plain("$a^2$ <b>") == "&#36;a^2&#36; &lt;b&gt;"
