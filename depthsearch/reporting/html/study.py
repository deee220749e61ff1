"""One study's part of a page: what was found, its curve, the facts, the counts, and what stands past the cliff."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from depthsearch.reporting.html.document import facts_table, folded, heading, paragraph, table
from depthsearch.reporting.sentences import count_of, in_words, listed, outcome_words, run_sentence
from depthsearch.reporting.terminal.facts import called, details, evidence_rows, facts, versions_fact
from depthsearch.results.answer import Answer, Outcome
from depthsearch.results.study_report import StudyReport
from depthsearch.store import StoredRun


def study_section(report: StudyReport, *, place: str, figure: str, alone: bool) -> Iterator[str]:
    """The parts, as HTML.

    Args:
        report: The study.
        place: The store that holds it.
        figure: Its curve, as HTML.
        alone: Whether the page is of this study alone, and its heading is the study's own.
    """
    answer = report.answer
    if not alone:
        yield heading(report.name)
    if answer is None:
        yield paragraph(f"This study cannot be read: {report.damage}", "notice")
        return
    yield paragraph(f"{called(answer)}: {answer.sentence}", "lead")
    if answer.outcome is not Outcome.FOUND:
        yield paragraph(_state(report, answer), "notice")
    if report.older:
        yield paragraph(report.older, "notice")
    for warning in answer.warnings:
        yield paragraph(f"Note: {warning}", "notice")
    yield figure
    yield heading("Facts", 3)
    yield facts_table((*facts(answer, place=place, reported=report.reported), *_more_facts(answer)))
    if answer.beyond is not None:
        yield from _beyond(answer, report.runs)
    if answer.curve:
        yield heading("Every depth that was tried", 3)
        yield _counts(answer, report.runs)
    yield folded("Problem and settings", _settings(answer))


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


def _beyond(answer: Answer, runs: Sequence[StoredRun]) -> Iterator[str]:
    """For each way to fail just past the cliff, the shallowest run that did, with its evidence."""
    beyond = answer.beyond
    if beyond is None:
        return
    yield heading("Past the cliff", 3)
    yield paragraph(f"{beyond.sentence}. In all: {listed(beyond.causes)}.")
    units = answer.problem.network.depth_words
    for cause, count in sorted(beyond.causes.items(), key=lambda own: -own[1]):
        there = [run for run in runs if run.verdict.kind == cause and beyond.depth <= run.depth <= beyond.deepest]
        example = min(there, key=lambda run: (run.depth, run.trial_number, run.run), default=None)
        if example is None:
            continue
        rule = in_words(example.verdict.evidence.rule)
        yield paragraph(
            f"{count} {in_words(cause)}. For example with {units(example.depth)}, seed {example.seed}: "
            f"{run_sentence(example.verdict)} (rule: {rule})"
        )
        yield table(("", "figure", "threshold"), evidence_rows(example.verdict.evidence))
        again = f"--trial {example.trial_number} --run {example.run}"
        command = f"depthsearch inspect --study {shlex.quote(answer.study)} {again}"
        yield f'<p class="faint">To look at this run: <code>{escape(command)}</code></p>'


def _counts(answer: Answer, runs: Sequence[StoredRun]) -> str:
    failures = Counter((run.depth, run.verdict.kind.value) for run in runs if not run.verdict.trained)
    believed = any(point.low is not None for point in answer.curve)
    columns = [answer.problem.network.units, "trained", *(("P(trained)", "95 % band") if believed else ())]
    rows = []
    for point in answer.curve:
        cells = [str(point.depth), f"{point.trained} of {point.of}"]
        if believed:
            cells += [f"{point.p:.2f}", "" if point.low is None else f"{point.low:.2f} to {point.high:.2f}"]
        failed = {kind: count for (depth, kind), count in failures.items() if depth == point.depth}
        rows.append([*cells, listed(failed)])
    marked = next((k for k, point in enumerate(answer.curve) if point.depth == answer.max_depth), None)
    return table([*columns, "failed"], rows, marked=marked)


def _settings(answer: Answer) -> str:
    rows = [*_flat(answer.problem.model_dump(mode="json")), *_flat(answer.settings.model_dump(mode="json"))]
    return facts_table((name, str(value)) for name, value in rows if value is not None)


def _flat(fields: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Fields within fields under both names: "data, noise"."""
    for name, value in fields.items():
        called = f"{before}{in_words(name)}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{called}, ")
        else:
            yield called, value
