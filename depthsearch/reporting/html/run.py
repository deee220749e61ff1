"""One run as an HTML page: its verdict with the evidence, and every figure of it."""

from collections.abc import Iterator
from datetime import datetime

from plotly import graph_objects as go

from depthsearch.detection.verdict import Evidence
from depthsearch.reporting.figures.plot import RUN_FIGURES
from depthsearch.reporting.html.document import (
    document,
    facts_table,
    figure_place,
    footer,
    heading,
    paragraph,
    scripts,
    table,
)
from depthsearch.reporting.sentences import in_words
from depthsearch.reporting.terminal.facts import called, evidence_rows, run_facts, versions_fact
from depthsearch.results.inspection import Inspection


def figures_of_run(inspection: Inspection) -> dict[str, go.Figure]:
    """Every figure of a run by its name; the regions only where the data are two classes in the plane."""
    drawn = {name: figure(inspection) for name, figure in RUN_FIGURES.items()}
    return {name: figure for name, figure in drawn.items() if figure is not None}


def run_page(inspection: Inspection, *, written: datetime) -> str:
    """The page.

    Args:
        inspection: What is shown.
        written: When, for the foot.
    """
    family = inspection.problem.network
    title = f"{called(inspection.problem)}, {family.depth_words(inspection.depth)}, seed {inspection.seed}"
    figures = figures_of_run(inspection)
    ids = {name: f"figure-{k}" for k, name in enumerate(figures)}
    parts = [heading(f"{title}: {in_words(inspection.verdict)}", 1), *_verdicts(inspection)]
    for name, figure in figures.items():
        parts += [heading(in_words(name).capitalize(), 2), figure_place(figure, ids[name], figure.layout.title.text)]
    parts += [heading("Facts", 2), facts_table((*run_facts(inspection), versions_fact(inspection.versions)))]
    parts.append(footer(written))
    return document(title, "\n".join(parts), scripts(figures, ids))


def _verdicts(inspection: Inspection) -> Iterator[str]:
    yield from _verdict(inspection.sentence, inspection.evidence)
    replay = inspection.replay
    if replay is not None:
        how = "the same as recorded, bit for bit" if replay.same else f"not the same as recorded: {replay.differs}"
        yield paragraph(f"Replay of run {replay.run} of trial {replay.trial} of {replay.study}: {how}.", "notice")


def _verdict(sentence: str, evidence: Evidence) -> Iterator[str]:
    yield paragraph(f"{sentence[0].upper()}{sentence[1:]}.", "lead")
    yield table((f"rule: {in_words(evidence.rule)}", "figure", "threshold"), evidence_rows(evidence))
