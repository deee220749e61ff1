"""A comparison as a table and as rows."""

import io
import re
from typing import Any

import pytest
from rich.console import Console

from depthsearch.problem.problem import Problem
from depthsearch.problem.study_file import Reported
from depthsearch.reporting.terminal.comparison import (
    ROW_COLUMNS,
    comparison_markdown,
    comparison_rows,
    comparison_table,
    comparison_text,
)
from depthsearch.results.answer import Answer, Outcome
from depthsearch.results.comparison import Compared, Comparison
from depthsearch.search.settings import ResolvedSettings
from tests.reporting.answers import OF_EACH_OUTCOME, UNCONFIRMED, answer, bisected, empty


def of(*answers: Answer, **more: Any) -> Comparison:
    return Comparison(compared=tuple(Compared(name=f"n{k}", answer=one, **more) for k, one in enumerate(answers)))


def row(found: Answer) -> dict[str, Any]:
    (one,) = comparison_rows(of(found))
    assert tuple(one) == ROW_COLUMNS
    return one


def cell(found: Answer, column: str, **more: Any) -> str:
    columns, (cells,) = comparison_table(of(found, **more))
    return dict(zip(columns, cells, strict=True))[column]


def test_a_row_has_the_answers_numbers() -> None:
    one = row(answer())
    assert (one["max_depth"], one["interval_low"], one["interval_high"], one["interval_level"]) == (7, 6, 9, 0.95)
    assert (one["half_depth"], one["half_low"], one["half_high"]) == (13, 11, 16)
    assert (one["confirmed"], one["bar"], one["final_score"], one["test_accuracy"]) == (True, 0.6, 0.85, 0.83)
    assert (one["useful_depth"], one["useful_low"], one["useful_high"]) == (5, 4, 6)
    assert (one["cause"], one["causes"]) == ("died", {"died": 5})


def test_a_row_is_empty_where_nothing_is_known() -> None:
    one = row(empty())
    for column in ("max_depth", "bar", "final_score", "test_accuracy", "useful_depth", "useful_low", "useful_high"):
        assert one[column] is None, column
    assert one["confirmed"] is False


def test_an_unconfirmed_answer_has_the_scores_of_all_its_runs() -> None:
    one = row(answer(**UNCONFIRMED))
    assert (one["confirmed"], one["final_score"]) == (False, 0.85)


@pytest.mark.parametrize(
    ("found", "confirmed"),
    [
        (answer(), "15 of 16"),
        (bisected(), "15 of 16"),
        (answer(confirmation=(*answer().confirmation, *answer().confirmation)), "30 of 32"),
        (answer(**UNCONFIRMED), "no"),
        (OF_EACH_OUTCOME[Outcome.NEVER_RELIABLE], "yes"),
        (OF_EACH_OUTCOME[Outcome.NOT_MONOTONE], "no"),
    ],
    ids=["confirmed", "bisection", "twice", "unconfirmed", "never reliable", "not monotone"],
)
def test_the_table_says_how_the_depth_was_confirmed(found: Answer, confirmed: str) -> None:
    assert cell(found, "confirmed") == confirmed


def test_the_table_says_how_deep_networks_are_useful_and_how_well_they_score() -> None:
    assert cell(answer(), "useful to") == "5 (4 to 6)"
    assert cell(answer(useful_depth=None), "useful to") == "too few runs"
    assert cell(answer(), "accuracy") == "0.850 / 0.830"
    for column in ("useful to", "accuracy"):
        assert cell(OF_EACH_OUTCOME[Outcome.NEVER_RELIABLE], column) == ""


def test_an_interval_that_is_open_or_ends_at_the_cap_is_given_by_its_lower_end() -> None:
    assert cell(answer(interval=(7, None)), "95 % interval") == "at least 7"
    assert cell(answer(interval=(7, 30), settings=ResolvedSettings(cap=30)), "95 % interval") == "at least 7"
    assert cell(answer(interval=(7, 30)), "95 % interval") == "7 to 30"
    assert cell(OF_EACH_OUTCOME[Outcome.NOT_MONOTONE], "95 % interval") == "crosses it at 3 and 12"
    assert cell(bisected(), "95 % interval") == "none claimed"


def shown(comparison: Comparison) -> str:
    console = Console(file=io.StringIO(), width=100, markup=False, emoji=False, highlight=False)
    console.print(comparison_text(comparison, place="sqlite:///some.db"))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_a_terminal_sees_a_column_for_each_network_and_no_empty_line_of_facts() -> None:
    text = shown(of(answer(), answer(**UNCONFIRMED)))
    lines = {line.strip().split("  ")[0]: line.split() for line in text.splitlines()}
    assert lines["max depth"][-2:] == ["7", "7"]
    assert lines["confirmed"][-1] == "no"
    assert lines["accuracy"][-3:] == ["0.850", "/", "0.830"]
    assert "useful to" in lines
    assert "reported" not in lines
    assert "useful to" not in {line.strip().split("  ")[0] for line in shown(of(empty())).splitlines()}


def test_markdown_has_the_same_cells() -> None:
    comparison = of(answer(), reported=Reported(depth=8, note="by | hand"))
    columns, (cells,) = comparison_table(comparison)
    header, _, line = comparison_markdown(comparison).splitlines()
    assert header == f"| {' | '.join(columns)} |"
    assert line == f"| {' | '.join(one.replace('|', chr(92) + '|') for one in cells)} |"


def test_a_ranked_comparison_has_ranks_differences_and_a_conclusion() -> None:
    resnet = answer(problem=Problem(family="resnet"))
    rows = [Compared(name=name, answer=found) for name, found in
            (("first", answer()), ("same", answer()), ("steps", bisected()), ("blocks", resnet))]  # fmt: skip
    comparison = Comparison.ranked(rows)
    columns, cells = comparison_table(comparison)
    assert [row[columns.index("rank")] for row in cells] == ["1 of 3", "1 of 3", "1 of 3", "1 of 1"]
    first, same, steps, blocks = (row[columns.index("to the first")] for row in cells)
    assert (first, steps, blocks) == ("the first row", "0, no interval", "not compared: in residual blocks")
    assert re.fullmatch(r"0 \(-\d+ to \+\d+\), unclear", same)
    text = " ".join(shown(comparison).split())
    assert "Units of depth differ (hidden layers, residual blocks): rows are ranked within each." in text
    assert "Deepest in hidden layers at 90%: first and same and steps, 7 hidden layers." in text
    assert "Compared with first: same is not distinguishable (-" in text
    assert "steps differs by 0, without an interval." in text
    assert comparison_markdown(comparison).rstrip().endswith("steps differs by 0, without an interval.")
    flat = comparison_rows(comparison)
    assert [row["relation"] for row in flat] == ["first", "not_distinguishable", "no_interval", "other_unit"]


def test_where_reliabilities_differ_the_table_and_the_conclusion_say_so() -> None:
    half = answer(reliability=0.5, settings=ResolvedSettings(reliability=0.5))
    comparison = Comparison.ranked([Compared(name="often", answer=answer()), Compared(name="half", answer=half)])
    text = " ".join(shown(comparison).split())
    assert "reliability 90% 50%" in text
    assert "Reliabilities differ (50%, 90%): rows are ranked within each." in text
    assert "not compared: at 50%" in text


def test_a_comparison_that_is_not_ranked_concludes_nothing() -> None:
    columns, _ = comparison_table(of(answer(), answer()))
    assert not {"rank", "to the first", "best of"} & set(columns)
    assert "Deepest" not in shown(of(answer(), answer()))


def test_depths_that_cannot_be_trained_have_a_row_where_there_are_any() -> None:
    found = OF_EACH_OUTCOME[Outcome.COULD_NOT_RUN]
    assert cell(found, "excluded") == row(found)["excluded"] == "depths 9 and 10, and all from 8 on"
    assert "excluded" not in comparison_table(of(answer()))[0]
    assert row(answer())["excluded"] is None
