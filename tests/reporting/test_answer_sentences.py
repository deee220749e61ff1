"""What an answer says in words."""

from typing import Any

import pytest

from depthsearch.networks.ffnet import FFNet
from depthsearch.reporting.sentences import (
    answer_sentence,
    beyond_sentence,
    could_not_run_line,
    crossed_words,
    excluded_depths,
    exclusion_lines,
    exclusion_words,
    outcome_words,
    warning_sentences,
)
from depthsearch.reporting.sentences.answers import AnswerWarnings
from depthsearch.results.answer import Beyond, Confirmation, Outcome
from depthsearch.search.curve import Conclusion, Curve, CurvePoint
from depthsearch.search.exclusion import Exclusion
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.trial import ExclusionKind
from tests.reporting.answers import EXCLUSIONS
from tests.reporting.curves import curve

# The sentence of an answer.


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_sentence(outcome: Outcome) -> None:
    assert len(outcome_words(outcome).split()) > 4


BEYOND = Beyond(depth=8, deepest=8, cause="died", causes={"died": 3, "born_dead": 1}, sentence="")
CERTAIN: dict[str, Any] = {"interval": (6, 9), "level": 0.95}
CROSSES: dict[str, Any] = {
    "points": tuple(CurvePoint(depth=depth, trained=1, of=2, p=0.5) for depth in (1, 9)),
    "monotone": False,
}


@pytest.mark.parametrize(
    ("outcome", "found", "beyond", "words"),
    [
        (
            Outcome.FOUND,
            curve(7, 8, Conclusion.WIDTH, confirmed=True, **CERTAIN),
            BEYOND,
            "trains to 7 hidden layers (6 to 9 with 95% probability); failing past that: 3 died, 1 born dead",
        ),
        (
            Outcome.MEMORY_ENDED,
            curve(7, None, Conclusion.MEMORY, confirmed=True, interval=(6, None), level=0.95),
            None,
            "trains to 7 hidden layers; memory ends the search at 8 (at least 6 with 95% probability)",
        ),
        (
            Outcome.COULD_NOT_RUN,
            curve(4, None, points=(CurvePoint(depth=4, trained=8, of=8, p=1.0),)),
            None,
            (
                "could not be built or trained (depths 9 and 10, and all from 8 on); so far, the answer is at least 4 "
                "hidden layers (unconfirmed)"
            ),
        ),
        (Outcome.FOUND, curve(1, 2, Conclusion.ADJACENT), None, "trains to 1 hidden layer (unconfirmed)"),
        (
            Outcome.FOUND,
            curve(None, 8, Conclusion.WIDTH, **CERTAIN),
            None,
            "is not reliable at any depth that was tried: the threshold lies at 6 to 9 hidden layers",
        ),
        (
            Outcome.CAP_REACHED,
            curve(100, None, Conclusion.CAP, confirmed=True),
            None,
            "trains to 100 hidden layers, the cap",
        ),
        (
            Outcome.NEVER_RELIABLE,
            curve(None, 1, Conclusion.SHALLOWEST),
            BEYOND,
            (
                "is not reliable at any depth (unconfirmed): fewer than 90% train even with 1 hidden layer "
                "(3 died, 1 born dead)"
            ),
        ),
        (
            Outcome.NOT_MONOTONE,
            curve(None, 4, crossings=(3, 12), **CROSSES),
            None,
            (
                "does not simply stop at a depth: fewer than 90% train beyond 3 hidden layers, but again more at "
                "depths up to 12"
            ),
        ),
        (
            Outcome.NOT_MONOTONE,
            curve(None, 1, crossings=(0, 9), **CROSSES),
            None,
            (
                "does not simply stop at a depth: the shallowest already fails, fewer than 90% train with 1 hidden "
                "layer, but more at depths up to 9"
            ),
        ),
        (
            Outcome.NOT_MONOTONE,
            curve(None, 1, crossings=(0, 0), **CROSSES),
            None,
            (
                "does not simply stop at a depth: shallower networks fail more often than some deeper ones; no depth "
                "that was tried reaches 90%"
            ),
        ),
        (
            Outcome.BUDGET_ENDED,
            curve(16, 24),
            None,
            "the budget ended first; so far, the answer is 16 to 23 hidden layers (unconfirmed)",
        ),
        (
            Outcome.BUDGET_ENDED,
            curve(5, None, interval=(0, None), points=(CurvePoint(depth=5, trained=8, of=8, p=0.9),)),
            None,
            "the budget ended first; so far, the answer is 5 hidden layers (unconfirmed)",
        ),
        (
            Outcome.UNFINISHED,
            curve(1, None),
            None,
            "not finished yet; so far, the answer is at least 1 hidden layer (unconfirmed)",
        ),
    ],
)
def test_an_answer_says_what_was_found_and_how_sure_that_is(
    outcome: Outcome, found: Curve, beyond: Beyond | None, words: str
) -> None:
    settings = ResolvedSettings(reliability=0.9, cap=100)
    sentence = answer_sentence(
        outcome, found, family=FFNet(), settings=settings, beyond=beyond, useful=None, exclusions=EXCLUSIONS
    )
    assert sentence == words


@pytest.mark.parametrize(
    ("crossings", "words"),
    [
        ((3, 12), "at 3 and 12"),
        ((9, 9), "at 9"),
        ((0, 4), "at 4; the shallowest already fails"),
        ((0, 0), "at no depth that was tried"),
    ],
)
def test_a_crossing_above_the_shallowest_depth_is_no_depth(crossings: tuple[int, int], words: str) -> None:
    assert crossed_words(crossings, 1) == words


def test_past_the_cliff_runs_are_counted_and_one_is_quoted() -> None:
    found = beyond_sentence(3, 8, depths=(8, 9), family=FFNet(), example="died: every unit is inactive")
    assert found == "3 of 8 runs fail at 8 to 9 hidden layers; for example died: every unit is inactive"


def test_an_excluded_depth_has_its_reason_and_a_long_one_is_cut() -> None:
    build, error, memory = (exclusion_words(exclusion, FFNet()) for exclusion in EXCLUSIONS)
    assert build == "9 hidden layers cannot be built: SomeError: <reason> of many words "
    assert error.startswith("10 hidden layers, whose training failed twice from one seed: SomeError")
    assert memory.startswith("8 hidden layers and everything deeper, for memory: SomeError")
    assert memory.endswith("...")
    assert 200 < len(memory) < 260


def test_excluded_depths_are_listed() -> None:
    assert excluded_depths(()) == ""
    assert excluded_depths(EXCLUSIONS[:1]) == "depth 9"
    assert excluded_depths(EXCLUSIONS[:2]) == "depths 9 and 10"
    assert excluded_depths(EXCLUSIONS[1::-1]) == "depths 9 and 10"
    assert excluded_depths(EXCLUSIONS[2:]) == "all depths from 8 on"


def test_a_search_without_a_network_that_fits_is_advised_to_need_less() -> None:
    smallest = EXCLUSIONS[2].model_copy(update={"depth": 1})
    assert could_not_run_line([smallest], FFNet()).endswith("give smaller networks, or a smaller --batch-size")


def failed(depth: int, reason: str, kind: ExclusionKind = ExclusionKind.ERROR) -> Exclusion:
    return Exclusion(depth=depth, kind=kind, deeper=False, reason=reason, traceback="", trial=0)


def test_one_reason_at_several_depths_is_one_line_from_the_shallowest_on() -> None:
    reason = "mine.py, line 3: TypeError: no axes"
    calls = [failed(depth, f"{reason} (in train({depth}, 7))") for depth in (2, 1, 3)]
    other = failed(4, "ValueError: no axes (in training 3 blocks)", ExclusionKind.BUILD)

    assert exclusion_lines([other, *calls], FFNet()) == (
        f"1, 2 and 3 hidden layers, whose training failed twice from one seed: {reason}",
        "4 hidden layers cannot be built: ValueError: no axes (in training 3 blocks)",
    )
    assert could_not_run_line(calls, FFNet()) == (
        f"networks could not be built or trained (depths 1, 2 and 3), and the search ended: {reason}; correct the code"
    )
    assert f"hidden layers, whose training failed twice from one seed: {reason}" in could_not_run_line(
        [other, *calls], FFNet()
    )


def test_a_reason_that_was_shown_is_not_repeated() -> None:
    first, second = failed(2, "TypeError: no axes (in build(2))"), failed(3, "TypeError: no axes (in build(3))")

    assert exclusion_words(second, FFNet(), before=[first]) == (
        "3 hidden layers, whose training failed twice from one seed: the same reason"
    )


def test_the_line_of_a_search_that_could_not_run_has_the_whole_reason() -> None:
    reason = f"RuntimeError: {'many words ' * 25}and the place"

    assert reason in could_not_run_line([failed(2, reason), failed(3, reason)], FFNet())
    assert could_not_run_line([failed(2, reason)], FFNet()).endswith("; correct the code, or give a lower --cap")
    assert "and the place" not in exclusion_words(failed(2, reason), FFNet())


# Warnings.

AGAIN = (
    Confirmation(depth=9, trained=7, of=16, agrees=False),
    Confirmation(depth=8, trained=9, of=16, agrees=True),
)


def warnings(**changes: Any) -> tuple[str, ...]:
    """Nothing to warn of, but for the changes."""
    nothing: dict[str, Any] = {
        "disagreeing": (), "measures_interval": True, "unconfirmed": False, "next_to_confirm": None, "refuted": (),
        "budget_left": True, "budget_ended": False, "given_up": False, "earlier_rule": False,
    }  # fmt: skip
    return warning_sentences(AnswerWarnings(**nothing | changes), family=FFNet())


def test_without_a_reason_nothing_is_warned_of() -> None:
    assert warnings() == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"disagreeing": AGAIN[:1]}, "with fresh seeds, 9 hidden layers trained in 7 of 16 runs: this disagrees with"),
        (
            {"disagreeing": AGAIN[:1], "measures_interval": False},
            "try a search that measures an interval (--fresh --sampler threshold)",
        ),
        (
            {"unconfirmed": True, "next_to_confirm": 1, "budget_left": False},
            "unconfirmed: the budget ended before 1 hidden layer could be tried again with fresh seeds",
        ),
        (
            {"unconfirmed": True, "next_to_confirm": 4},
            "unconfirmed: the search was interrupted before 4 hidden layers could be tried again with fresh seeds",
        ),
        (
            {"unconfirmed": True, "refuted": AGAIN},
            "no depth reached the reliability with all its runs counted (7 of 16 at 9, 9 of 16 at 8)",
        ),
        ({"unconfirmed": True}, "unconfirmed: fresh seeds did not confirm it"),
        ({"budget_ended": True}, "the same command with a larger budget resumes the search"),
        ({"earlier_rule": True}, "judged by the rule of an earlier version"),
    ],
)
def test_each_reason_has_a_warning(changes: dict[str, Any], words: str) -> None:
    (warning,) = warnings(**changes)
    assert words in warning
