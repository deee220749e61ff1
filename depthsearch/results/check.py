"""Whether an answer says that networks of a given depth train: for scripts and CI."""

from enum import StrEnum

from depthsearch.results.answer import Answer, Outcome
from depthsearch.schema import FrozenModel
from depthsearch.search.method import method_class


class GateResult(StrEnum):
    """What an answer says of a required depth."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"


class Gate(FrozenModel):
    """A required depth, compared with an answer.

    Attributes:
        depth: Asked for, in the family's units.
        result: Whether the answer says that it is reached.
        largest: The largest depth that passes; null where none does.
    """

    depth: int
    result: GateResult
    largest: int | None


def gate(answer: Answer, depth: int) -> Gate:
    """Hold a depth against an answer; the search itself is not changed by it.

    It passes where the interval's lower end is at least that deep, and fails where the upper end is shallower.
    Where the search method claims no interval, it passes up to max_depth, and fails from the first depth that fails.
    Reliable at no depth is a failure; an answer that is not monotone decides nothing.
    """
    largest, fails_from = _bounds(answer)
    if answer.outcome is Outcome.NEVER_RELIABLE:
        return Gate(depth=depth, result=GateResult.FAILED, largest=None)
    if largest is not None and largest >= depth:
        result = GateResult.PASSED
    elif fails_from is not None and fails_from <= depth:
        result = GateResult.FAILED
    else:
        result = GateResult.UNDECIDED
    return Gate(depth=depth, result=result, largest=largest)


def _bounds(answer: Answer) -> tuple[int | None, int | None]:
    """The largest depth that passes, and the smallest that fails; null where there is none."""
    if answer.outcome is Outcome.NOT_MONOTONE:
        return None, None
    if answer.interval is not None:
        low, high = answer.interval
        shallowest = min((point.depth for point in answer.curve), default=low)
        # Below the depth that set the bar nothing is known to pass.
        least = min(shallowest, 1) if answer.ladder is None else answer.shallowest
        return (low if low >= least else None), (None if high is None else high + 1)
    if method_class(answer.settings.sampler).claims_interval:
        return None, None
    fails = [point.depth for point in answer.curve if point.p < answer.reliability - 1e-9]
    return answer.max_depth, min((depth for depth in fails if depth > (answer.max_depth or 0)), default=None)
