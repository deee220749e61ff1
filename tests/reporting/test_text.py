"""An answer on one screen of a terminal, and all else where that is wanted."""

import io
import re
from typing import Any

import pytest
from rich.console import Console

from depthsearch.cli.output import show
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.problem.study_file import Reported
from depthsearch.reporting.terminal.answer import ROWS, SCREEN, CurveChart, StudiesTable, answer_text
from depthsearch.results.answer import Answer, Beyond, LadderResult, Outcome
from depthsearch.results.study_report import StudyRow
from depthsearch.search.curve import CurvePoint
from depthsearch.search.settings import ResolvedSettings, SearchSettings
from depthsearch.workflows import find
from tests.reporting.answers import OF_EACH_OUTCOME, POINTS, UNCONFIRMED, answer, bisected, empty, of_an_earlier_version

WIDTH = 80
ANSWERS = {
    **{outcome.value: found for outcome, found in OF_EACH_OUTCOME.items()},
    "bisection": bisected(),
    "earlier version": of_an_earlier_version(),
    "unconfirmed": answer(**UNCONFIRMED),
}
REPORTED = Reported(depth=8, note="by hand")
WARNINGS = (
    (
        "with fresh seeds, 23 hidden layers trained in 7 of 16 runs: this disagrees with the search, so the curve's "
        "shape, or chance, may mislead here; try a search from another --seed"
    ),
    (
        "unconfirmed: with fresh seeds, no depth reached the reliability with all its runs counted (11 of 16 at 23, "
        "12 of 16 at 22, 7 of 16 at 21)"
    ),
)
"""As long as they get."""


def lines(found: Answer, *, width: int = WIDTH, **more: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False)
    console.print(answer_text(found, place="sqlite:///depthsearch.db", **more))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def facts_of(shown: list[str]) -> dict[str, str]:
    """Each fact by its name; text that goes on in a second line is joined, and the last of equal names counts."""
    found: dict[str, str] = {}
    name = ""
    for line in shown:
        fact = re.match(r"([a-z]+(?: [a-z0-9%]+)?) {2,}(\S.*)", line)
        if fact:
            name, found[fact[1]] = fact[1], fact[2]
        elif name and line.startswith("     "):
            found[name] += f" {line.strip()}"
        else:
            name = ""
    return found


def chart_of(found: Answer) -> list[int]:
    """The places of the lines that the curve takes."""
    return [place for place, line in enumerate(lines(found)) if re.match(r"[ .0-9trains]{6} [│└]", line)]


@pytest.mark.parametrize("reported", [None, REPORTED], ids=["nothing reported", "reported"])
@pytest.mark.parametrize("warnings", [(), WARNINGS], ids=["no warnings", "two long warnings"])
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_takes_at_most_23_lines_of_80_columns(
    name: str, warnings: tuple[str, ...], reported: Reported | None
) -> None:
    found = ANSWERS[name]
    shown = lines(found.model_copy(update={"warnings": warnings or found.warnings}), reported=reported)
    assert len(shown) <= SCREEN == 23
    assert max(map(len, shown)) <= WIDTH
    assert not [line for line in shown if "…" in line]


def test_the_answer_of_a_search_takes_at_most_23_lines(tmp_path: Any) -> None:
    problem = Problem.model_validate({"activation": "relu", "width": 2, "recipe": {"epochs": 8, "learning_rate": 0.05}})
    found = find(problem, SearchSettings(cap=60, max_runs=150), storage=f"sqlite:///{tmp_path}/studies.db")
    shown = lines(found)
    assert len(shown) <= SCREEN
    assert max(map(len, shown)) <= WIDTH
    assert {"max depth", "interval", "trained", "accuracy", "beyond", "cost", "study"} <= set(facts_of(shown))


def test_the_screen_is_the_headline_the_curve_the_facts_and_the_notes() -> None:
    shown = lines(answer(warnings=("take care",)))
    assert shown[0] == "ffnet relu on moons: trains to 7 hidden layers (6 to 9 with 95% probability)"
    curve = chart_of(answer(warnings=("take care",)))
    assert curve == list(range(1, len(curve) + 1))
    assert shown[curve[-1] + 2].strip() == "max depth 7, interval 6 to 9"
    assert facts_of(shown) == {
        "max depth": "7 hidden layers (8 with weights, 9 as Keras counts)",
        "interval": "6 to 9: where 90% of the runs train (95% probability)",
        "useful": "to 5 (4 to 6), within 0.02 of the best shallower median, 0.950 at 2",
        "trained": "train accuracy of at least 0.600 in each of the last 3 epochs",
        "accuracy": "0.850 (0.500 to 0.900), the 16 confirming runs at 7; test 0.830",
        "beyond": "died in 5 of 5 failing runs, at 8 to 30 hidden layers",
        "cost": "10 trials, 66 runs, 1.5 s of training",
        "study": "mine in sqlite:///depthsearch.db",
    }
    assert shown[-1] == "note: take care"


def test_causes_without_a_majority_are_mixed() -> None:
    causes = {"unstable": 3, "saturated": 2, "slow": 1}
    beyond = Beyond(depth=8, deepest=9, cause="unstable", causes=causes, sentence="")
    shown = answer(beyond=beyond)

    words = "mixed: 3 unstable, 2 saturated, 1 slow of 6 failing runs, at 8 to 9 hidden layers"
    assert " ".join(facts_of(lines(shown))["beyond"].split()) == words
    assert not beyond.model_copy(update={"causes": causes | {"unstable": 4}}).mixed


def test_the_curve_is_as_high_as_the_rest_leaves_room_for() -> None:
    low, high = chart_of(answer(warnings=("take care " * 7,))), chart_of(answer(beyond=None, useful_depth=None))
    assert len(low) < len(high) <= 11  # ten rows and the axis
    assert len(lines(answer(warnings=("take care " * 7,)))) == SCREEN
    assert len(lines(answer())) == SCREEN


def test_one_depth_is_no_curve() -> None:
    assert chart_of(answer(curve=POINTS[:1])) == []
    assert len(chart_of(answer(curve=POINTS[:2]))) > 0


def test_what_fresh_seeds_did_not_confirm_is_called_unconfirmed() -> None:
    found = facts_of(lines(answer(**UNCONFIRMED)))
    assert found["max depth"] == "7 hidden layers, unconfirmed (8 with weights, 9 as Keras counts)"
    assert found["accuracy"] == "0.850 (0.500 to 0.900), 32 runs at 7; test 0.830"
    assert "unconfirmed" not in " ".join(lines(answer()))


def styled(found: Answer) -> str:
    console = Console(file=io.StringIO(), width=WIDTH, force_terminal=True, color_system="standard", _environ={})
    console.print(answer_text(found, place=""))
    return console.file.getvalue().partition("\n")[0]  # type: ignore[attr-defined,no-any-return]


def test_the_headline_is_green_only_where_a_depth_is_found_and_confirmed() -> None:
    green, yellow = "\x1b[1;32m", "\x1b[1;33m"
    assert styled(answer()).startswith(green)
    assert styled(OF_EACH_OUTCOME[Outcome.CAP_REACHED]).startswith(green)
    assert styled(answer(**UNCONFIRMED)).startswith(yellow)
    for outcome in (Outcome.NEVER_RELIABLE, Outcome.NOT_MONOTONE, Outcome.BUDGET_ENDED, Outcome.UNFINISHED):
        assert styled(OF_EACH_OUTCOME[outcome]).startswith(yellow), outcome


def test_an_interval_that_is_open_or_ends_at_the_cap_is_given_by_its_lower_end() -> None:
    for found in (answer(interval=(7, None)), answer(interval=(7, 30), settings=ResolvedSettings(cap=30))):
        assert facts_of(lines(found))["interval"] == "at least 7: where 90% of the runs train (95% probability)"
    assert "interval at least 7" in " ".join(lines(OF_EACH_OUTCOME[Outcome.CAP_REACHED]))


LADDER = LadderResult(margin=0.02, rungs=(), best_depth=4, median=0.62, runs=16, budget="200 epochs")


@pytest.mark.parametrize(
    ("interval", "words"),
    [((3, None), "not known yet"), ((3, 9), "4 to 9, or none"), ((4, None), "at least 4"), ((4, 9), "4 to 9")],
)
def test_an_interval_names_no_depth_above_those_that_are_searched(interval: tuple[int, int | None], words: str) -> None:
    found = answer(ladder=LADDER, interval=interval, curve=POINTS[1:])
    shown = lines(found)
    assert facts_of(shown)["interval"].startswith(f"{words}: where 90% of the runs reach the bar")
    assert not [line for line in shown if re.search(r"interval .*\b3\b", line)]


def test_a_fall_that_may_be_endless_is_known_from_below_only() -> None:
    assert facts_of(below(answer(transition=(5.0, 1.2, 99.0))))["falls"].endswith("5.0 times the depth (1.2 to 99.0)")
    assert facts_of(below(answer(transition=(5.0, 1.0, 2.7e7))))["falls"].endswith("5.0 times the depth (1.0 or more)")


def test_bisection_says_that_it_claims_no_interval() -> None:
    assert facts_of(lines(bisected()))["interval"] == "none: bisection does not measure its error"


def test_without_a_depth_there_are_neither_accuracies_nor_sizes() -> None:
    for outcome, depth in (
        (Outcome.NEVER_RELIABLE, "none"),
        (Outcome.NOT_MONOTONE, "no single one; crosses the reliability at 3 and 12"),
    ):
        found = facts_of(lines(OF_EACH_OUTCOME[outcome]))
        assert found["max depth"] == depth
        assert not {"accuracy", "useful"} & set(found)
        assert found["trained"] == "train accuracy of at least 0.600 in each of the last 3 epochs"


def test_a_search_that_has_only_begun_has_neither_a_bar_nor_a_curve() -> None:
    assert chart_of(empty()) == []
    assert set(facts_of(lines(empty()))) == {"max depth", "cost", "study"}


def test_what_is_reported_stands_below_the_depth() -> None:
    shown = facts_of(lines(answer(), reported=REPORTED))
    assert list(shown)[:2] == ["max depth", "reported"]
    assert shown["reported"] == "8 hidden layers (by hand)"
    assert "reported" not in facts_of(lines(answer(), reported=Reported(note="by hand")))


@pytest.mark.parametrize(
    ("problem", "trained"),
    [
        ({"criterion": {"last_epochs": 1}}, "train accuracy of at least 0.600 in the last epoch"),
        ({"criterion": {"last_epochs": 5}}, "train accuracy of at least 0.600 in each of the last 5 epochs"),
        (
            {"recipe": {"steps": 400}},
            "train accuracy of at least 0.600 in each of the last 3 twentieths of the steps",
        ),
        (
            {"recipe": {"steps": 400}, "criterion": {"last_epochs": 1}},
            "train accuracy of at least 0.600 in the last twentieth of the steps",
        ),
        ({"train": "elsewhere.py:train"}, "score of at least 0.600 in each of the last 3 epochs"),
        (
            {"criterion": {"hold_share": 0.1}},
            "train accuracy above 0.600 for a tenth of the epochs, even if lost later (an earlier version's rule)",
        ),
    ],
    ids=["one epoch", "five epochs", "steps", "one entry of steps", "a function that trains", "earlier version"],
)
def test_trained_stands_with_its_number_and_its_epochs(problem: dict[str, Any], trained: str) -> None:
    assert facts_of(lines(answer(problem=Problem.model_validate(problem)), width=200))["trained"] == trained


def test_a_useful_depth_that_is_itself_the_best_is_not_compared_with_a_shallower_one() -> None:
    useful = answer().useful_depth
    assert useful is not None
    best = useful.model_copy(update={"depth": 7, "interval": (7, 7), "best_depth": 7})
    found = facts_of(lines(answer(useful_depth=best)))
    assert found["useful"] == "to 7, which has the best median, 0.950"


def test_too_few_runs_for_a_useful_depth_are_mentioned() -> None:
    shown = facts_of(lines(answer(useful_depth=None)))
    assert shown["useful"] == "too few runs here to compare with shallower networks"


def row(study: str, problem: str = "ffnet tanh on moons, seed 0") -> StudyRow:
    return StudyRow(
        study=study, problem=problem, outcome="budget_ended", max_depth=20, unit="hidden layers", interval_low=19,
        interval_high=24, reliability=0.9, trials=1, runs=8, seconds=1.0, seed=0, created="", question="", code="",
    )  # fmt: skip


@pytest.mark.parametrize(("length", "lines_each"), [(8, 1), (36, 2), (43, 2), (90, 2)])
def test_the_name_of_a_study_is_never_broken(
    length: int, lines_each: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The problem goes to further lines; a name that leaves no room makes its line longer than the terminal."""
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    name = "n" * length
    show(StudiesTable([row(name), row("short")]))
    heading, _, *printed = capsys.readouterr().out.strip().splitlines()
    assert heading.split() == ["study", *["problem"] * (lines_each == 1), "max", "depth", "outcome"]
    assert len(printed) == 2 * lines_each
    (line,) = [line for line in printed if name in line]
    assert line.endswith("20 (19 to 24)   budget ended")
    assert " ".join(" ".join(printed).split()).count("moons, seed 0") == 2
    assert max(map(len, printed)) <= max(WIDTH, length + 37)


def test_names_are_no_markup() -> None:
    assert facts_of(lines(answer(study="[red]x[/red]")))["study"] == "[red]x[/red] in sqlite:///depthsearch.db"


def below(found: Answer) -> list[str]:
    """What the details add below the screen."""
    screen, all_of_it = lines(found), lines(found, everything=True)
    assert all_of_it[: len(screen)] == screen
    return all_of_it[len(screen) :]


def depths_of(shown: list[str]) -> list[list[str]]:
    """The rows of the table of depths."""
    return [re.split(r" {2,}", line.strip()) for line in shown if re.match(r" +\d+ +\d+ of \d+ ", line)]


def test_the_details_add_the_table_of_depths_and_the_facts_behind_the_answer() -> None:
    shown = below(answer())
    assert depths_of(shown) == [
        ["1", "8 of 8", "0.99", "0.95 to 1.00"],
        ["4", "7 of 8", "0.95", "0.88 to 0.98"],
        ["7", "29 of 32", "0.91", "0.85 to 0.95"],
        ["8", "13 of 16", "0.85", "0.75 to 0.91"],
        ["30", "0 of 2", "0.02", "0.00 to 0.10"],
    ]
    assert facts_of(shown) == {
        "layers": "7 hidden, 8 with weights, 9 as Keras counts; 201 parameters",
        "at 50%": "11 to 16, median 13: where 50% of the runs train",
        "falls": "the curve falls from 90 % to 10 % of its height within 2.0 times the depth (1.5 to 3.0)",
        "failing": "5 of 18 runs fail",
        "fresh seeds": "7 hidden layers: 15 of 16 trained; with all runs there, 29 of 32",
        "runs": "57 trained, 9 died",
        "ended": "the interval is as narrow as the tolerance (--tolerance)",
        "passes": "a depth at which at least 90% of the runs train",
        "criterion": "chance: the bar lies 0.2 of the way from a constant guess to an accuracy of 1, "
        "and three standard errors above the guess at least",
    }


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        (
            Criterion(min_gain=0.35),
            (
                "chance: the bar lies 0.35 of the way from a constant guess to an accuracy of 1, "
                "and three standard errors above the guess at least"
            ),
        ),
        (Criterion(kind="target", min_gain=None), "target: the bar is the accuracy that was asked for"),
        (
            Criterion(kind="held", last_epochs=None),
            "held: the rule of an earlier version; such studies are read, not resumed",
        ),
    ],
    ids=["chance", "target", "held"],
)
def test_the_details_say_where_the_bar_is_from(criterion: Criterion, words: str) -> None:
    assert facts_of(below(answer(problem=Problem(criterion=criterion))))["criterion"] == words


def test_bisections_details_tell_the_search_from_the_fresh_seeds() -> None:
    rows = depths_of(below(bisected()))
    assert ["7", "14 of 16", "0.88", "15 of 16"] in rows
    assert ["8", "7 of 8", "0.88", "6 of 8"] in rows
    assert ["30", "0 of 2", "0.00"] in rows


def test_without_fresh_seeds_there_is_no_column_for_them() -> None:
    unconfirmed = below(bisected(**UNCONFIRMED))
    assert ["7", "29 of 32", "0.91"] in depths_of(unconfirmed)
    assert "fresh seeds" not in "".join(unconfirmed)
    assert "fresh seeds" in "".join(below(bisected()))


def test_of_many_depths_the_details_show_some_and_count_the_others() -> None:
    many = tuple(
        CurvePoint(depth=depth, trained=40 - depth, of=40, p=1 - depth / 40, low=0.0, high=1.0)
        for depth in range(1, 41)
    )
    shown = below(answer(curve=many))
    rows = depths_of(shown)
    assert len(rows) <= ROWS
    assert "7" in [row[0] for row in rows]
    assert f"{40 - len(rows)} more depths in --json" in shown


def test_the_chart_of_an_answer_is_the_one_that_progress_shows() -> None:
    found = answer()
    height = len(chart_of(found)) - 1
    console = Console(file=io.StringIO(), width=WIDTH)
    unit = found.problem.network.units
    console.print(
        CurveChart(found.curve, found.interval, found.max_depth, found.reliability, unit, found.settings.cap, height)
    )
    drawn = [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert lines(found)[1 : 1 + len(drawn)] == drawn
