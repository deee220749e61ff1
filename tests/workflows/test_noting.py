"""A study's note says what its answer says, and follows the search."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from optuna_dashboard import get_note
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects
from plotly import graph_objects as go

from depthsearch.cli.main import run
from depthsearch.problem.criterion import Criterion
from depthsearch.reporting.dashboard_note import MOST_POINTS, curve_plot, note_of
from depthsearch.reporting.figures.curve import curve_figure
from depthsearch.results.answer import Outcome
from depthsearch.results.events import Event, TrialFinished
from depthsearch.search.curve import CurvePoint
from depthsearch.search.settings import SearchSettings
from depthsearch.store import open_store
from depthsearch.store.location import DEFAULT
from depthsearch.workflows import answer_of, find
from depthsearch.workflows import note as noting
from tests.workflows.searches import PROBLEM, SETTINGS


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/studies.db"


def note(url: str, study: str = "mine") -> str:
    with open_store(url, create=False) as store:
        return str(get_note(store.read_study(study).optuna_study))


def command(text: str) -> list[str]:
    """The arguments of the command in a note."""
    (line,) = [line for line in text.splitlines() if line.startswith("    depthsearch ")]
    return shlex.split(line)[1:]


def test_the_note_of_a_finished_search_says_its_answer(url: str) -> None:
    answer = find(PROBLEM, SETTINGS, storage=url, study="mine")
    text = note(url)
    assert f"ffnet relu on moons: {answer.sentence}." in text
    assert f"max depth: **{answer.max_depth} hidden layer" in text
    assert answer.beyond is not None
    assert answer.beyond.sentence in text
    assert "Shows the answer again" in text


def test_an_interval_is_in_the_note(url: str) -> None:
    answer = find(PROBLEM, SearchSettings(max_runs=60, cap=30), storage=url, study="mine")
    assert answer.interval is not None
    low, high = answer.interval
    where = f"{low} or more" if high is None else f"{low} to {high}"
    assert f"interval: {where}, where 90% train (95% probability)" in note(url)


def test_the_command_of_the_note_goes_on_with_the_search(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    short = find(PROBLEM, SETTINGS.model_copy(update={"max_runs": 4}), storage=url, study="mine")
    assert short.outcome is Outcome.BUDGET_ENDED
    text = note(url)
    assert "with a larger budget" in text
    assert command(text)[-6:] == ["--max-runs", "8", "--study", "mine", "--storage", url]
    assert run([*command(text), "--quiet"]) == 0
    assert "max depth" in capsys.readouterr().out
    assert command(note(url))[-5] in ("16", "8")


def test_a_cap_that_was_reached_is_raised(url: str) -> None:
    answer = find(PROBLEM, SETTINGS.model_copy(update={"cap": 1}), storage=url, study="mine")
    assert answer.outcome is Outcome.CAP_REACHED
    assert command(note(url))[command(note(url)).index("--cap") + 1] == "2"


def test_an_interrupted_search_leaves_a_note(url: str) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, TrialFinished) and event.depth > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find(PROBLEM, SETTINGS, storage=url, study="mine", on_event=interrupt)
    assert "not finished yet; so far, the answer is" in note(url)
    assert "Resumes it" in note(url)


def test_the_note_follows_the_search(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noting, "SECONDS", 0.0)
    notes: list[str] = []

    def look(event: Event) -> None:
        if isinstance(event, TrialFinished):
            notes.append(note(url))

    find(PROBLEM, SETTINGS, storage=url, study="mine", on_event=look)
    assert notes[0] == ""
    assert "tried: 2 runs in 1 trial" in notes[1]
    assert len(set(notes)) == len(notes)


def test_between_two_notes_some_time_passes(url: str) -> None:
    versions: list[object] = []

    def look(_event: Event) -> None:
        with open_store(url, create=False) as store:
            study = store.read_study("mine")
            versions.append(study.storage.get_study_system_attrs(study.study_id).get("dashboard:note_ver"))

    find(PROBLEM, SETTINGS, storage=url, study="mine", on_event=look)
    assert set(versions) == {None}  # the whole search takes a second


def test_a_problem_that_no_options_say_is_named_by_its_file(url: str) -> None:
    find(PROBLEM, SETTINGS, storage=url, study="mine")
    with open_store(url) as store:
        answer = answer_of(store.read_study("mine"))
    held = answer.model_copy(update={"problem": PROBLEM.model_copy(update={"criterion": Criterion(kind="held")})})
    shown = note_of(held, SETTINGS, place=url, usual_place=DEFAULT)
    assert "Shows the answer again: the study file, or the call, that began it." in shown


def plotted(url: str) -> dict[str, Any]:
    """The study's plot, as the dashboard reads it."""
    with open_store(url, create=False) as store:
        study = store.read_study("mine")
        plots = get_plotly_graph_objects(study.storage.get_study_system_attrs(study.study_id))
    return dict(json.loads(plots["depthsearch"]))


def drawn(plot: dict[str, Any]) -> dict[str, Any]:
    """The traces of a plot by name."""
    figure = go.Figure(plot)  # plotly refuses what is no figure
    return {trace.name: trace for trace in figure.data}


def test_the_curve_is_drawn_next_to_the_note(url: str) -> None:
    answer = find(PROBLEM, SearchSettings(max_runs=60, cap=30), storage=url, study="mine")
    traces = drawn(plotted(url))
    median, seen, band = traces["P(trained), median"], traces["runs"], traces["95 % band"]
    assert list(median.x) == list(seen.x) == list(band.x) == [point.depth for point in answer.curve]
    assert list(seen.customdata) == [f"{point.trained} of {point.of}" for point in answer.curve]
    assert list(median.y) == [round(point.p, 3) for point in answer.curve]
    assert list(band.y) == [round(point.high or 0, 3) for point in answer.curve]
    assert f"max depth {answer.max_depth}" in go.Figure(plotted(url)).layout.title.text


def test_the_dashboard_draws_what_a_page_draws(url: str) -> None:
    answer = find(PROBLEM, SearchSettings(max_runs=60, cap=30), storage=url, study="mine")
    page = {trace.name: trace for trace in curve_figure(answer).data}
    for name, trace in drawn(plotted(url)).items():
        same = page["runs (larger: more of them)" if name == "runs" else name]
        assert list(trace.x or []) == pytest.approx(list(same.x or []), abs=1e-3)
        assert trace.fillcolor == same.fillcolor
        assert (trace.line.color, trace.line.dash) == (same.line.color, same.line.dash)


def test_a_bisection_draws_what_was_seen(url: str) -> None:
    find(PROBLEM, SETTINGS, storage=url, study="mine")
    assert set(drawn(plotted(url))) == {"reliability 50%", "runs"}


def test_of_many_depths_some_are_drawn_and_the_ends_are_among_them(url: str) -> None:
    answer = find(PROBLEM, SETTINGS, storage=url, study="mine")
    many = tuple(CurvePoint(depth=d, trained=d % 3, of=3, p=0.5, low=0.4, high=0.6) for d in range(1, 200))
    plot = curve_plot(answer.model_copy(update={"curve": many}))
    depths = drawn(json.loads(plot))["runs"].x
    assert (len(depths), depths[0], depths[-1]) == (MOST_POINTS, 1, 199)
    assert len(plot) < 3500
    assert curve_plot(answer.model_copy(update={"curve": ()})) == ""


def test_a_note_is_small(url: str) -> None:
    answer = find(PROBLEM, SETTINGS, storage=url, study="m" * 100)
    with open_store(url, create=False) as store:
        study = store.read_study(answer.study)
        values = study.storage.get_study_system_attrs(study.study_id)
    assert sum(len(key) + len(str(value)) for key, value in values.items()) < 3000
