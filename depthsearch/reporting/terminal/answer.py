"""Answers, progress and lists of studies for a terminal, as rich renderables."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from depthsearch.networks.base import Network
from depthsearch.problem.study_file import Reported
from depthsearch.reporting.intervals import drawn_interval
from depthsearch.reporting.sentences import count_of, in_words, interval_words, listed, possible_words
from depthsearch.reporting.terminal.curve import BESIDE, HEIGHT, LOWEST, NARROWEST, WIDTH, curve_chart, rows_below
from depthsearch.reporting.terminal.facts import called, details, facts
from depthsearch.results.answer import Answer, Outcome
from depthsearch.results.events import TrialFinished, TrialStarted
from depthsearch.results.study_report import StudyRow
from depthsearch.search.curve import CurvePoint
from depthsearch.search.trial import Purpose

ROWS = 12


WORDS = 18
"""Room for "1000 hidden layers"."""


SCREEN = 23
"""Lines that an answer takes at most where it can: a terminal of 24 has room for the prompt below."""


def answer_text(
    answer: Answer, *, place: str, reported: Reported | None = None, everything: bool = False
) -> RenderableType:
    """An answer for people: what fits one screen, and below it everything else where that is wanted.

    Args:
        answer: What was found.
        place: The store that holds its study.
        reported: What a study file says of the problem.
        everything: Whether to show the table of depths and the facts behind the answer as well.
    """
    screen = AnswerScreen(answer, place, reported)
    if not everything:
        return screen
    # The table has an empty line above and below.
    parts: list[RenderableType] = [screen, _curve(answer) if answer.curve else Text("")]
    hidden = len(answer.curve) - len(_shown(answer))
    if hidden:
        parts.append(Text(f"{count_of(hidden, 'more depth')} in --json\n", style="dim"))
    return Group(*parts, _table(details(answer)))


@dataclass(frozen=True)
class AnswerScreen:
    """The headline, the curve and the facts; the curve as high as a screen of 24 lines leaves room for."""

    answer: Answer
    place: str
    reported: Reported | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        answer = self.answer
        found = answer.confirmed and answer.outcome in (Outcome.FOUND, Outcome.CAP_REACHED, Outcome.MEMORY_ENDED)
        headline = Text(f"{called(answer)}: {answer.sentence}", style="bold green" if found else "bold yellow")
        known = _table(facts(answer, place=self.place, reported=self.reported))
        notes = [Text(f"note: {warning}", style="yellow") for warning in answer.warnings]
        text: list[Text | Table] = [headline, known, *notes]
        room = SCREEN - sum(len(console.render_lines(part, options, pad=False)) for part in text)
        yield headline
        interval = drawn_interval(answer)
        legend = room - rows_below(answer.curve, interval) >= LOWEST
        height = room - rows_below(answer.curve, interval, legend=legend)
        # One depth is no curve; and a curve without room gives way to what went wrong.
        if len(answer.curve) > 1 and (height >= LOWEST or not answer.exclusions):
            yield CurveChart(
                answer.curve,
                interval,
                answer.max_depth,
                answer.reliability,
                answer.problem.network.units,
                answer.settings.cap,
                height=min(max(height, LOWEST), HEIGHT),
                legend=legend,
            )
        yield known
        yield from notes


def started_line(events: Sequence[TrialStarted], family: Network, *, done: int = 0) -> str:
    """What is under way: the trials of one round, and how many of their runs are finished."""
    of = sum(event.runs for event in events)
    networks = f"{done} of {count_of(of, 'network')}" if done else count_of(of, "network")
    *shallower, deepest = sorted({event.depth for event in events})
    depths = (
        f"{', '.join(map(str, shallower))} and {family.depth_words(deepest)}"
        if shallower
        else family.depth_words(deepest)
    )
    return f"trained {networks} of {depths}" if done else f"training {networks} of {depths}"


def finished_line(event: TrialFinished, *, family: Network, cap: int) -> str:
    """One step of a search: the depth, how many seeds trained, what is still possible."""
    if event.score is not None:
        to = "to set the bar" if event.purpose is Purpose.BAR else "to find the best depth"
        return f"{family.depth_words(event.depth):>{WORDS}}: median {event.score:.3f} of {event.runs} runs; {to}"
    step = f"{family.depth_words(event.depth):>{WORDS}}: {event.trained} of {event.runs} trained"
    why = {Purpose.CONFIRM: "to confirm it", Purpose.TAIL: "past the threshold"}
    result = why.get(event.purpose, f"max depth {possible_words(event.curve, cap)}")
    failed = listed({kind: count for kind, count in event.verdicts.items() if kind != "trained"})
    return step + (f" ({failed})" if failed else "") + f"; {result}"


READABLE = 16
"""Room that the problem needs next to the names of studies."""

BETWEEN = 3
"""Columns of a terminal between two cells."""


@dataclass(frozen=True)
class StudiesTable:
    """A list of studies: a name is copied into the next command, and is never broken.

    Where there is not enough room for the problem next to the longest name, it follows in a line below.
    """

    rows: Sequence[StudyRow]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        cells = [(row.study, _max_depth(row), in_words(row.outcome)) for row in self.rows]
        headings = ("study", "max depth", "outcome")
        widths = [max(map(cell_len, column)) for column in zip(headings, *cells, strict=True)]
        needed = sum(widths) + BETWEEN * len(widths)
        fits = needed + BETWEEN + READABLE <= options.max_width
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("study", overflow="fold", min_width=widths[0], max_width=None if fits else widths[0])
        if fits:
            table.add_column("problem", overflow="fold")
        for heading in headings[1:]:
            table.add_column(heading, no_wrap=True)
        for row, (name, depth, outcome) in zip(self.rows, cells, strict=True):
            below = Group(Text(name), Padding(Text(row.problem, style="dim", overflow="fold"), (0, 0, 0, 2)))
            table.add_row(*((name, row.problem) if fits else (below,)), depth, outcome)
        yield from console.render(table, options.update_width(max(options.max_width, needed)))


def _max_depth(row: StudyRow) -> str:
    depth = "-" if row.max_depth is None else str(row.max_depth)
    if row.interval_low is None:
        return depth
    return f"{depth} ({interval_words((row.interval_low, row.interval_high))})"


@dataclass(frozen=True)
class CurveChart:
    """The curve in characters, as wide as there is room for: of an answer, and of a search under way.

    Attributes:
        points: Every depth that was tried.
        interval: Where the threshold lies.
        max_depth: Named below the axis.
        reliability: Asked for.
        unit: Of depth.
        cap: The deepest depth that may be tried.
        height: Rows of the area.
        legend: Whether to explain the shades and marks.
    """

    points: Sequence[CurvePoint]
    interval: tuple[int, int | None] | None
    max_depth: int | None
    reliability: float
    unit: str
    cap: int
    height: int = HEIGHT
    legend: bool = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(WIDTH, options.max_width - BESIDE)
        if width < NARROWEST:
            return
        yield curve_chart(
            self.points,
            reliability=self.reliability,
            interval=self.interval,
            max_depth=self.max_depth,
            unit=self.unit,
            cap=self.cap,
            width=width,
            height=self.height,
            legend=self.legend,
        )


def _curve(answer: Answer) -> Table:
    """The depths that were tried, with the band where there is one; near the threshold all, further away some."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    believed = any(point.low is not None for point in answer.curve)
    table.add_column(answer.problem.network.units, justify="right")
    table.add_column("trained", justify="right")
    table.add_column("P(trained)" if believed else "share that trained", justify="right")
    again = {} if believed else {tried.depth: tried for tried in answer.confirmation}
    if believed:
        table.add_column("95 % band", justify="right")
    elif again:
        table.add_column("fresh seeds", justify="right")
    for point in _shown(answer):
        style = "bold" if point.depth == answer.max_depth else ""
        tried = again.get(point.depth)
        trained = point.trained - (tried.trained if tried else 0)
        of = point.of - (tried.of if tried else 0)
        if point.low is not None and point.high is not None:
            last, share = [f"{point.low:.2f} to {point.high:.2f}"], point.p
        else:
            last, share = [f"{tried.trained} of {tried.of}"] if tried else [], trained / of
        table.add_row(str(point.depth), f"{trained} of {of}", f"{share:.2f}", *last, style=style)
    return table


def _shown(answer: Answer) -> list[CurvePoint]:
    """Some ROWS points, spread over the curve's fall; max_depth and the depths of a short interval are among them."""
    points, (low, high) = answer.curve, answer.interval or (0, None)
    if len(points) <= ROWS:
        return list(points)
    inside = {point.depth for point in points if low <= point.depth <= (high or 0)}
    always = {answer.max_depth} | (inside if len(inside) <= ROWS // 2 else set())
    kept: list[CurvePoint] = []
    apart = 0.005
    while len(kept) == 0 or len(kept) > ROWS:
        kept = [points[0]]
        for point in points[1:-1]:
            moved = abs(point.p - kept[-1].p) + 0.1 * math.log(point.depth / max(kept[-1].depth, 1))
            if moved >= apart or point.depth in always:
                kept.append(point)
        kept.append(points[-1])
        apart *= 1.3
    return kept


def _table(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(name, text)
    return table
