import pytest

from depthsearch.reporting.sentences import count_of, interval_words, plural


@pytest.mark.parametrize(
    ("interval", "cap", "words"),
    [
        ((21, 26), None, "21 to 26"),
        ((7, 7), None, "7"),
        ((15, None), None, "at least 15"),
        ((21, 26), 100, "21 to 26"),
        ((21, 100), 100, "at least 21"),
        ((100, 100), 100, "100"),
        ((15, None), 100, "at least 15"),
        ((21, 100), None, "21 to 100"),
    ],
)
def test_an_interval_that_is_open_or_ends_with_the_cap_has_a_lower_end_alone(
    interval: tuple[int, int | None], cap: int | None, words: str
) -> None:
    assert interval_words(interval, cap) == words


@pytest.mark.parametrize(("noun", "several"), [("epoch", "epochs"), ("entry", "entries"), ("run", "runs")])
def test_a_plural_is_spelled_as_in_english(noun: str, several: str) -> None:
    assert plural(noun) == several
    assert (count_of(1, noun), count_of(2, noun), count_of(0, noun)) == (f"1 {noun}", f"2 {several}", f"0 {several}")
