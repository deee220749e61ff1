"""Answers, progress and lists of studies for a terminal, as rich renderables."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from depthsearch.core.answer import Answer, Outcome
from depthsearch.core.curve import CurvePoint
from depthsearch.core.events import Purpose, TrialFinished, TrialStarted
from depthsearch.families import Family, family_of
from depthsearch.reporting.listing import StudyRow

BAR = 20
WORDS = 18
"""Room for "1000 hidden layers"."""


def answer_text(answer: Answer, *, place: str) -> RenderableType:
    """An answer for people. `place` is the store that holds its study."""
    found = answer.outcome in (Outcome.FOUND, Outcome.CAP_REACHED)
    headline = Text(f"{_title(answer)} {answer.sentence}", style="bold green" if found else "bold yellow")
    parts: list[RenderableType] = [headline, Text("")]
    if answer.curve:
        parts += [_curve(answer), Text("")]
    parts.append(_facts(answer, place))
    parts += [Text(f"note: {warning}", style="yellow") for warning in answer.warnings]
    return Group(*parts)


def started_line(event: TrialStarted, family: Family) -> str:
    """What is under way, for a spinner."""
    again = "again " if event.purpose is Purpose.CONFIRM else ""
    return f"training {event.runs} networks of {family.units(event.depth)} {again}..."


def finished_line(event: TrialFinished, *, family: Family, cap: int) -> str:
    """One step of a search: the depth, how many seeds trained, what is still possible."""
    step = f"{family.units(event.depth):>{WORDS}}: {event.trained} of {event.runs} trained"
    if event.purpose is Purpose.CONFIRM:
        said = "tried again with fresh seeds"
    else:
        said = f"possible: {event.curve.possible(cap)}"
    failed = ", ".join(f"{count} {_words(kind)}" for kind, count in event.verdicts.items() if kind != "trained")
    return f"{step}; {said}" + (f" ({failed})" if failed else "")


def studies_table(rows: Sequence[StudyRow]) -> Table:
    """A list of studies."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("study", no_wrap=True)
    table.add_column("problem")
    table.add_column("max depth", justify="right")
    table.add_column("runs", justify="right")
    table.add_column("outcome")
    for row in rows:
        depth = "-" if row.max_depth is None else str(row.max_depth)
        problem = f"{row.family} {row.activation} on {row.data}"
        table.add_row(row.study, problem, depth, str(row.runs), _words(row.outcome))
    return table


def _title(answer: Answer) -> str:
    problem = answer.problem
    return f"{problem.family} {problem.activation} on {problem.data.name}:"


def _curve(answer: Answer) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(family_of(answer.problem.family).unit, justify="right")
    table.add_column("trained", justify="right")
    table.add_column("share that trained")
    for point in answer.curve:
        style = "bold" if point.depth == answer.max_depth else ""
        table.add_row(str(point.depth), f"{point.trained} of {point.of}", _bar(point), style=style)
    return table


def _bar(point: CurvePoint) -> Text:
    filled = round(BAR * point.p)
    return Text("█" * filled + "░" * (BAR - filled) + f" {point.p:.2f}")


def _facts(answer: Answer, place: str) -> Table:
    family = family_of(answer.problem.family)
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    table.add_row("max depth", "none" if answer.max_depth is None else family.units(answer.max_depth))
    if answer.layers is not None:
        counts = answer.layers
        table.add_row(
            "layers",
            f"{counts.hidden} hidden, {counts.weight_layers} with weights, {counts.keras} as Keras counts; "
            f"{counts.parameters} parameters",
        )
    if answer.interval is not None:
        low, high = answer.interval
        table.add_row("interval", f"{low} to {high if high is not None else 'open'} ({answer.interval_level:.0%})")
    elif answer.outcome is Outcome.FOUND:
        table.add_row("interval", f"none claimed: {answer.settings.sampler} does not measure its own error")
    if answer.beyond is not None:
        table.add_row("beyond", answer.beyond.sentence)
    for again in answer.confirmation:
        table.add_row(
            "tried again",
            f"{family.units(again.depth)}: {again.trained} of {again.of} trained; "
            f"accuracy {again.train_accuracy:.3f} train, {again.test_accuracy:.3f} test (median)",
        )
    verdicts = ", ".join(f"{count} {_words(kind)}" for kind, count in answer.verdicts.items())
    table.add_row("runs", verdicts or "none yet")
    cost = answer.cost
    table.add_row("cost", f"{cost.trials} trials, {cost.runs} runs, {cost.seconds:.1f} s of training")
    table.add_row("passes", f"where at least {answer.reliability:.0%} of the runs train")
    table.add_row("study", f"{answer.study} in {place}")
    return table


def _words(name: str) -> str:
    return name.replace("_", " ")
