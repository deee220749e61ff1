"""The page: one file that needs nothing else, whatever stands in the store."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from depthsearch.detection.verdict import Evidence, Verdict, VerdictKind
from depthsearch.problem.study_file import Reported
from depthsearch.reporting.html.page import page
from depthsearch.reporting.sentences import outcome_words
from depthsearch.results.answer import Outcome
from depthsearch.results.study_report import StudyReport
from depthsearch.store import StoredRun
from tests.reporting.answers import OF_EACH_OUTCOME, RUNS, UNCONFIRMED, answer, empty, of_an_earlier_version

WRITTEN = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)


def stored_runs() -> tuple[StoredRun, ...]:
    return tuple(
        StoredRun(
            trial_number=k,
            run=0,
            depth=depth,
            seed=k,
            epochs=200,
            train_accuracy=0.9,
            test_accuracy=0.9,
            verdict=Verdict(
                kind=VerdictKind(verdict),
                epoch=200,
                sentence=f"{verdict} at <depth> {depth}",
                evidence=Evidence(rule="the_rule", figures={"dead share": 0.75}, thresholds={"dead share": 0.7}),
            ),
        )
        for k, (depth, verdict) in enumerate(RUNS)
    )


def report(name: str = "mine", **changes: Any) -> StudyReport:
    return StudyReport(name=name, answer=answer(study=name, **changes), runs=stored_runs())


def written(*reports: StudyReport, **more: Any) -> str:
    return page(reports or (report(),), place="sqlite:///some.db", written=WRITTEN, **more)


class Reader(HTMLParser):
    """Collects the tags with their attributes, and the text that is shown."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style", "title"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_plotlys_script_is_inlined_once_and_nothing_is_fetched() -> None:
    text = written(report("one"), report("two"))
    assert text.count(get_plotlyjs()) == 1
    one = text.replace(get_plotlyjs(), "")
    assert "http" not in one
    assert "@import" not in one
    assert "url(" not in one
    read = Reader(text)
    assert not [tag for tag, attributes in read.tags if {"src", "href"} & set(attributes)]
    assert read.open == []


def test_the_page_is_under_6_megabytes_and_made_for_phones() -> None:
    text = written()
    assert len(text.encode()) < 6_000_000
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert '"responsive": true' in text


def test_it_says_what_was_found_with_facts_counts_and_cost() -> None:
    text = Reader(written()).text
    assert text.startswith("ffnet relu on moons trains to 7 hidden layers, then dies ")
    for expected in (
        "max depth 7 hidden layers (8 with weights, 9 as Keras counts)",
        "interval 6 to 9: where 90% of the runs train (95% probability)",
        "trained train accuracy of at least 0.600 in each of the last 3 epochs",
        "accuracy 0.850 (0.500 to 0.900), the 16 confirming runs at 7; test 0.830",
        "at 50% 11 to 16, median 13",
        "fresh seeds 7 hidden layers: 15 of 16 trained",
        "cost 10 trials, 66 runs, 1.5 s of training",
        "passes a depth at which at least 90% of the runs train",
        "criterion chance: the bar lies 0.2 of the way from a constant guess to an accuracy of 1",
        "study mine in sqlite:///some.db",
        "versions python 3.11",
        "7 29 of 32 0.91 0.85 to 0.95 3 died",
        "data, name moons",
        "Written 2026-07-01 12:30 UTC by depthsearch",
    ):
        assert expected in text, expected


def test_a_depth_that_fresh_seeds_did_not_confirm_is_called_unconfirmed() -> None:
    text = Reader(written(report(**UNCONFIRMED))).text
    assert text.startswith("ffnet relu on moons trains to 7 hidden layers (unconfirmed), then dies ")
    assert "max depth 7 hidden layers, unconfirmed (8 with weights" in text
    assert "unconfirmed" not in Reader(written()).text


def test_a_study_of_an_earlier_version_says_by_which_rule_it_was_judged() -> None:
    text = Reader(written(StudyReport(name="mine", answer=of_an_earlier_version(), runs=stored_runs()))).text
    assert "Note: judged by the rule of an earlier version" in text
    assert "for a tenth of the epochs, even if lost later (an earlier version's rule)" in text
    assert "criterion held: the rule of an earlier version; such studies are read, not resumed" in text


def test_the_cause_past_the_cliff_stands_with_its_evidence_and_how_to_look_at_it() -> None:
    text = Reader(written()).text
    assert "Past the cliff 5 of 18 runs fail. In all: 5 died." in text
    assert "5 died. For example with 8 hidden layers, seed 61: died at <depth> 8 (rule: the rule)" in text
    assert "dead share 0.75 > 0.7" in text
    assert "depthsearch inspect --study mine --trial 61 --run 0" in text


def test_names_are_text_and_never_markup() -> None:
    name = "<b>x</script>&'\""
    text = written(report(name), report("other"), title="<i>t", source="<u>s")
    read = Reader(text)
    assert not {"b", "i", "u"} & {tag for tag, _ in read.tags}
    assert read.text.count(name) >= 2
    assert "<i>t" in read.text
    assert "<u>s" in read.text
    # The figure's text, as plotly reads it.
    assert re.search(r"\\u0026lt;b\\u0026gt;x|&lt;b&gt;x", text)


def test_a_search_that_is_not_finished_says_so() -> None:
    going = StudyReport(
        name="mine", answer=answer(outcome=Outcome.UNFINISHED, sentence="not finished yet"), under_way=2
    )
    text = Reader(written(going)).text
    assert "The search is not finished: it was interrupted, or is still running" in text
    assert "Under way, or interrupted, when this page was written: 2 trials." in text


def test_a_study_without_runs_says_so_and_needs_no_script() -> None:
    text = written(StudyReport(name="mine", answer=empty()))
    assert "No run is finished yet." in Reader(text).text
    assert "ffnet relu on moons: nothing has been tried yet" in text
    assert "<script" not in text


def test_a_study_that_cannot_be_read_says_why_beside_those_that_can() -> None:
    text = Reader(written(StudyReport(name="bad", answer=None, damage="no such <column>"), report())).text
    assert "Not compared, since nothing is known of it: bad" in text
    assert "This study cannot be read: no such <column>" in text
    assert "study mine in sqlite:///some.db" in text


def test_warnings_stand_above_the_curve() -> None:
    text = written(report(warnings=("take care",)))
    assert text.index("Note: take care") < text.index("<figure>")


def test_several_studies_are_compared_with_what_was_reported() -> None:
    rows = ({"depth": 4, "train_accuracy": 0.9},)
    first = StudyReport(name="one", answer=answer(), reported=Reported.model_validate({"depth": 8, "rows": rows}))
    text = written(first, report("two"), title="A report", source="Somebody")
    shown = Reader(text).text
    assert shown.startswith("A report Somebody one trains to 7 hidden layers, deepest of 2")
    assert "one 4 0.900 / -" in shown
    assert "reported 8 hidden layers" in shown
    assert text.replace(get_plotlyjs(), "").count("Plotly.newPlot(") == 3


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.FOUND])
def test_every_other_outcome_is_explained(outcome: Outcome) -> None:
    shown = Reader(written(report(outcome=outcome, sentence="so it is"))).text
    assert outcome_words(outcome)[1:] in shown


def test_excluded_depths_stand_with_reason_and_traceback() -> None:
    text = written(StudyReport(name="mine", answer=OF_EACH_OUTCOME[Outcome.COULD_NOT_RUN], runs=stored_runs()))
    shown = Reader(text).text
    assert "9 hidden layers cannot be built: SomeError: <reason>" in shown
    assert "Why 10 hidden layers cannot be trained: the traceback Traceback (most recent call last): <module>" in shown
    assert "the excluded depths are tried again by a new study only" in shown
