"""`find --at-least`: what the exit code says, and why."""

from depthsearch.errors import InvalidValue
from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import interval_words
from depthsearch.results.answer import Answer, Outcome
from depthsearch.results.check import Gate, GateResult
from depthsearch.search.settings import SearchSettings

NOTHING_CONCLUDED = 4
"""The exit code where nothing could be concluded."""

GATE_EXITS = {GateResult.PASSED: 0, GateResult.FAILED: 3, GateResult.UNDECIDED: NOTHING_CONCLUDED}
"""The exit code of each result."""


def check_at_least(at_least: int | None, problem: Problem, settings: SearchSettings) -> None:
    """Refuse a depth that no answer could confirm.

    Raises:
        InvalidValue: It lies above the cap or below the family's shallowest network.
    """
    if at_least is None:
        return
    shallowest = problem.network.shallowest
    if not shallowest <= at_least <= settings.cap:
        raise InvalidValue(f"--at-least must be from {shallowest} to the cap, {settings.cap}, but got {at_least}")


def gate_line(gate: Gate, answer: Answer) -> str:
    """ "at least 18: passed (19 to 22); the largest that passes is 19"."""
    if answer.outcome is Outcome.NEVER_RELIABLE:
        why = " (reliable at no depth)"
    elif answer.outcome is Outcome.NOT_MONOTONE:
        why = " (trainability does not simply fall with depth)"
    elif answer.interval is not None:
        why = f" (max depth {interval_words(answer.interval, answer.settings.cap)})"
    else:
        why = "" if answer.max_depth is None else f" (max depth {answer.max_depth})"
    if not answer.confirmed and gate.result is not GateResult.UNDECIDED:
        why += ", unconfirmed"
    largest = "no depth is known to pass" if gate.largest is None else f"the largest that passes is {gate.largest}"
    return f"at least {gate.depth}: {gate.result}{why}; {largest}"
