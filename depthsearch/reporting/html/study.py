"""One study's part of a page: what was found, its curve, the facts, the counts, and the causes past the cliff."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from depthsearch.reporting.html.document import PlacedFigure
from depthsearch.reporting.sentences import count_of, in_words, listed, outcome_words, run_sentence
from depthsearch.reporting.sentences.answers import LARGER_BUDGET
from depthsearch.reporting.terminal.facts import called, details, evidence_rows, facts, versions_fact
from depthsearch.results.answer import Answer, Beyond, Outcome
from depthsearch.results.study_report import StudyReport
from depthsearch.store import StoredRun


def study_values(report: StudyReport, *, place: str, figure: PlacedFigure | None, only_one: bool) -> dict[str, Any]:
    """The values that the template shows of a study.

    Args:
        report: The study.
        place: The store that holds it.
        figure: Its curve; None where there is none.
        only_one: Whether the page shows only this study, so that no label distinguishes it.
    """
    answer = report.answer
    if answer is None:
        return {"heading": report.heading, "damage": report.damage}
    columns, rows, marked = _counts(answer, report.runs)
    label = "" if only_one else report.label
    return {
        "heading": report.heading,
        "damage": "",
        "lead": f"{label or called(answer)}: {answer.sentence}",
        "notices": [*_notices(report, answer)],
        "figure": figure,
        "facts": [*facts(answer, place=place, reported=report.reported), *_more_facts(answer)],
        "beyond": None if answer.beyond is None else _beyond(answer, answer.beyond, report.runs),
        "tracebacks": [
            (answer.problem.network.depth_words(exclusion.depth), exclusion.traceback)
            for exclusion in answer.exclusions
            if exclusion.traceback
        ],
        "columns": columns,
        "rows": rows,
        "marked": marked,
        "fields": [*_fields(answer)],
    }


def _notices(report: StudyReport, answer: Answer) -> Iterator[str]:
    if answer.outcome is not Outcome.FOUND:
        yield _state(report, answer)
    if report.older:
        yield report.older
    for warning in answer.warnings:
        if warning != LARGER_BUDGET or answer.outcome is not Outcome.BUDGET_ENDED:  # the state says it already
            yield f"Note: {warning}"


def _state(report: StudyReport, answer: Answer) -> str:
    """How the search ended, where that is not with a depth."""
    sentence = outcome_words(answer.outcome)
    text = f"{sentence[0].upper()}{sentence[1:]}."
    if not answer.curve:
        text += " No run is finished yet."
    if report.failed:
        text += f" {count_of(report.failed, 'trial')} failed; what they trained is not kept."
    if report.under_way:
        text += f" Under way, or interrupted, when this page was written: {count_of(report.under_way, 'trial')}."
    return text


def _more_facts(answer: Answer) -> Iterator[tuple[str, str]]:
    yield from details(answer)
    yield "sampler", f"{answer.settings.sampler}, root seed {answer.seed}"
    yield versions_fact(answer.versions)
    yield "question", answer.question
    if answer.code:
        yield "code", answer.code


def _beyond(answer: Answer, beyond: Beyond, runs: Sequence[StoredRun]) -> dict[str, Any]:
    """For each way to fail just past the cliff, the shallowest run that did, with its evidence."""
    examples = []
    units = answer.problem.network.depth_words
    for cause, count in sorted(beyond.causes.items(), key=lambda counted: -counted[1]):
        there = [run for run in runs if run.verdict.kind == cause and beyond.depth <= run.depth <= beyond.deepest]
        example = min(there, key=lambda run: (run.depth, run.trial_number, run.run), default=None)
        if example is None:
            continue
        rule = in_words(example.verdict.evidence.rule)
        again = f"--trial {example.trial_number} --run {example.run}"
        examples.append(
            {
                "sentence": f"{count} {in_words(cause)}. For example with {units(example.depth)}, "
                f"seed {example.seed}: {run_sentence(example.verdict)} (rule: {rule})",
                "evidence": evidence_rows(example.verdict.evidence),
                "command": f"depthsearch inspect --study {shlex.quote(answer.study)} {again}",
            }
        )
    return {"sentence": f"{beyond.sentence}. In all: {listed(beyond.causes)}.", "examples": examples}


def _counts(answer: Answer, runs: Sequence[StoredRun]) -> tuple[list[str], list[list[str]], int | None]:
    """The columns of the table of depths, its rows, and the place of max depth among them."""
    failures = Counter((run.depth, run.verdict.kind.value) for run in runs if not run.verdict.trained)
    believed = any(point.low is not None for point in answer.curve)
    columns = [answer.problem.network.units, "trained", *(("P(trained)", "95 % band") if believed else ()), "failed"]
    rows = []
    for point in answer.curve:
        cells = [str(point.depth), f"{point.trained} of {point.of}"]
        if believed:
            cells += [f"{point.p:.2f}", "" if point.low is None else f"{point.low:.2f} to {point.high:.2f}"]
        failed = {kind: count for (depth, kind), count in failures.items() if depth == point.depth}
        rows.append([*cells, listed(failed)])
    marked = next((k for k, point in enumerate(answer.curve) if point.depth == answer.max_depth), None)
    return columns, rows, marked


def _fields(answer: Answer) -> Iterator[tuple[str, str]]:
    for model in (answer.problem, answer.settings):
        for name, value in _flat(model.model_dump(mode="json")):
            if value is not None:
                yield name, str(value)


def _flat(fields: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Fields within fields under both names: "data, noise"."""
    for name, value in fields.items():
        called = f"{before}{in_words(name)}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{called}, ")
        else:
            yield called, value
