"""Numbers, intervals and verdicts in words."""

import pytest

from depthsearch.detection.verdict import Evidence, Verdict, VerdictKind
from depthsearch.reporting.sentences import count_of, interval_words, plural, run_sentence, verdict_sentence


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


EXPLODED = Evidence(
    rule="loss",
    figures={"final_score": 0.5, "loss": float("inf"), "epoch": 3, "entry": "epoch"},
    thresholds={"final_score": 0.6, "loss": 1e3},
)


def test_a_verdict_is_worded_from_its_evidence_alone() -> None:
    assert verdict_sentence(VerdictKind.EXPLODED, EXPLODED) == "exploded: the loss reached inf in epoch 3"


def test_evidence_that_was_stored_is_worded_as_before() -> None:
    read = Evidence.model_validate_json(EXPLODED.model_dump_json())
    assert verdict_sentence(VerdictKind.EXPLODED, read) == "exploded: the loss reached inf in epoch 3"


def test_a_verdict_that_an_earlier_version_worded_keeps_its_sentence() -> None:
    stored = Verdict(kind=VerdictKind.EXPLODED, epoch=3, evidence=EXPLODED, sentence="exploded: as it was")
    assert run_sentence(stored) == "exploded: as it was"
    assert run_sentence(stored.model_copy(update={"sentence": ""})) == "exploded: the loss reached inf in epoch 3"


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence(rule="held_the_accuracy", figures={}, thresholds={}),
        Evidence(rule="loss", figures={"loss": None, "epoch": 3}, thresholds={}),
    ],
    ids=["unknown rule", "missing figures"],
)
def test_evidence_of_another_version_is_given_by_its_rule(evidence: Evidence) -> None:
    assert verdict_sentence(VerdictKind.BORN_DEAD, evidence) == f"born dead: by the rule {evidence.rule}".replace(
        "_", " "
    )
