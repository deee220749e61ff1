"""A study's note, read back by the dashboard's code."""

from pathlib import Path

import optuna
import pytest
from optuna_dashboard import get_note, save_note, save_plotly_graph_object
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects
from plotly import graph_objects as go
from sqlalchemy import text

from depthsearch.problem.problem import Problem
from depthsearch.search.settings import ResolvedSettings
from depthsearch.store import StoredStudy, open_store
from depthsearch.store.page import HEADING, VERSION


@pytest.fixture
def study(tmp_path: Path) -> StoredStudy:
    store = open_store(f"sqlite:///{tmp_path}/studies.db")
    with store.open_study(Problem(), ResolvedSettings()) as opened:
        return opened


def attributes(study: StoredStudy) -> dict[str, object]:
    return study.storage.get_study_system_attrs(study.study_id)


def test_the_dashboard_reads_what_was_written(study: StoredStudy) -> None:
    study.write_page("found: *23*, ü", "")
    assert get_note(study.optuna_study) == HEADING + "found: *23*, ü"


def test_each_note_replaces_the_last_and_is_a_version_later(study: StoredStudy) -> None:
    for version, one in enumerate(("first " * 1000, "second " * 500, "third"), start=1):
        study.write_page(one, "")
        assert get_note(study.optuna_study) == HEADING + one
        assert attributes(study)[VERSION] == version


def test_the_same_note_is_not_written_again(study: StoredStudy) -> None:
    study.write_page("the same", "")
    study.write_page("the same", "")
    assert attributes(study)[VERSION] == 1


def test_somebody_elses_note_stays(study: StoredStudy) -> None:
    study.write_page("ours", "")
    save_note(study.optuna_study, "somebody's words")
    study.write_page("ours again", "")
    assert get_note(study.optuna_study) == "somebody's words"


def test_a_note_that_was_emptied_is_written_again(study: StoredStudy) -> None:
    study.write_page("ours", "")
    save_note(study.optuna_study, "")
    study.write_page("ours", "")
    assert get_note(study.optuna_study) == HEADING + "ours"


def test_the_dashboard_reads_the_plot_and_each_replaces_the_last(study: StoredStudy) -> None:
    for plot in ('{"data": [%s]}' % ("1," * 3000), '{"data": [2]}', '{"data": ["ü"]}'):
        study.write_page("the same", plot)
        assert get_plotly_graph_objects(attributes(study)) == {"depthsearch": plot}
    assert attributes(study)[VERSION] == 1


def test_the_plot_is_ours_beside_somebody_elses_note_and_plot(study: StoredStudy) -> None:
    save_note(study.optuna_study, "somebody's words")
    save_plotly_graph_object(study.optuna_study, go.Figure(), graph_object_id="mine")
    study.write_page("ours", "{}")
    plots = get_plotly_graph_objects(attributes(study))
    assert sorted(plots) == ["depthsearch", "mine"]
    assert plots["depthsearch"] == "{}"
    assert get_note(study.optuna_study) == "somebody's words"


def test_a_page_that_was_damaged_is_written_anew(study: StoredStudy) -> None:
    study.write_page("ours", '{"data": []}')
    with study.engine.begin() as connection:
        connection.execute(text("UPDATE study_system_attributes SET value_json = '{bad'"))
    study.write_page("ours", '{"data": []}')
    assert get_note(study.optuna_study) == HEADING + "ours"
    assert get_plotly_graph_objects(attributes(study)) == {"depthsearch": '{"data": []}'}


def test_a_study_is_deleted_with_its_note(study: StoredStudy) -> None:
    study.write_page("ours", "")
    optuna.delete_study(study_name=study.name, storage=study.storage)
    assert study.storage.get_all_studies() == []
