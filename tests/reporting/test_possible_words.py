"""What is still possible for max depth, and why a search ended, in words."""

import pytest

from depthsearch.reporting.sentences import conclusion_words, possible_words
from depthsearch.search.curve import Conclusion, CurvePoint
from tests.reporting.curves import curve


def test_before_the_first_trial_every_depth_is_possible() -> None:
    assert possible_words(curve(None, None), cap=100) == "at least 0"


def test_where_nothing_failed_the_deepest_pass_is_a_lower_end() -> None:
    assert possible_words(curve(16, None), cap=100) == "at least 16"


def test_where_the_cap_passes_it_is_the_answer() -> None:
    assert possible_words(curve(100, None, Conclusion.CAP), cap=100) == "100, the cap"


def test_where_nothing_passed_the_shallowest_fail_is_an_upper_end() -> None:
    assert possible_words(curve(None, 5), cap=100) == "below 5"


def test_where_the_shallowest_network_fails_none_is_left() -> None:
    assert possible_words(curve(None, 1, Conclusion.SHALLOWEST), cap=100) == "none"


def test_between_a_pass_and_a_fail_the_fail_itself_is_left_out() -> None:
    assert possible_words(curve(16, 24), cap=100) == "16 to 23"


def test_an_adjacent_pass_and_fail_leave_one_depth() -> None:
    assert possible_words(curve(20, 21), cap=100) == "20"


def test_a_concluded_search_leaves_one_depth() -> None:
    assert possible_words(curve(20, 21, Conclusion.ADJACENT), cap=100) == "20"


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ((16, 23), "16 to 23"),
        ((20, 20), "20"),
        ((15, None), "at least 15"),
        ((15, 100), "at least 15"),
        ((0, None), "at least 0"),
        ((100, 100), "100"),
        ((100, None), "at least 100"),
    ],
)
def test_an_interval_comes_before_what_was_tried(interval: tuple[int, int | None], words: str) -> None:
    assert possible_words(curve(16, 24, interval=interval), cap=100) == words
    assert possible_words(curve(None, None, Conclusion.WIDTH, interval=interval), cap=100) == words


def test_while_the_shallowest_depth_may_fail_and_the_cap_may_pass_nothing_is_known() -> None:
    begun = curve(None, None, interval=(0, None))
    tried = (CurvePoint(depth=1, trained=1, of=2, p=0.5),)

    assert possible_words(begun.model_copy(update={"points": tried}), cap=100) == "not known yet"
    assert possible_words(begun.model_copy(update={"points": tried, "interval": (1, None)}), cap=100) == "at least 1"
    assert possible_words(begun.model_copy(update={"points": tried, "interval": (0, 9)}), cap=100) == "0 to 9"


@pytest.mark.parametrize("rule", list(Conclusion))
def test_every_conclusion_has_a_sentence(rule: Conclusion) -> None:
    assert len(conclusion_words(rule).split()) > 4
