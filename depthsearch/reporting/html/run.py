"""One run as an HTML page: its verdict with the evidence, and every figure of it."""

from datetime import datetime

from plotly import graph_objects as go

from depthsearch.reporting.figures.plot import RUN_FIGURES
from depthsearch.reporting.html.document import place_figures, render
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
    placed = place_figures(figures, {name: figure.layout.title.text for name, figure in figures.items()})
    sentence = inspection.sentence
    return render(
        "run.html",
        title=title,
        written=written,
        heading=f"{title}: {in_words(inspection.verdict)}",
        lead=f"{sentence[0].upper()}{sentence[1:]}.",
        columns=(f"rule: {in_words(inspection.evidence.rule)}", "figure", "threshold"),
        evidence=evidence_rows(inspection.evidence),
        replays=_replays(inspection),
        figures=[(in_words(name).capitalize(), figure) for name, figure in placed.items()],
        facts=[*run_facts(inspection), versions_fact(inspection.versions)],
    )


def _replays(inspection: Inspection) -> list[str]:
    """How a replay compares with what was recorded; nothing for a run that was not replayed."""
    replay = inspection.replay
    if replay is None:
        return []
    how = "the same as recorded, bit for bit" if replay.same else f"not the same as recorded: {replay.differs}"
    return [f"Replay of run {replay.run} of trial {replay.trial} of {replay.study}: {how}."]
