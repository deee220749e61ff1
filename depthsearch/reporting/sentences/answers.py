"""Answers in words: what was found, how sure that is, and what a careful reader should know."""

from collections.abc import Sequence
from dataclasses import dataclass

from depthsearch.networks.base import Network
from depthsearch.reporting.sentences.exclusions import excluded_depths, excluded_from
from depthsearch.reporting.sentences.words import interval_words, listed
from depthsearch.results.answer import Beyond, Confirmation, LadderResult, Outcome, UsefulDepth
from depthsearch.search.curve import Conclusion, Curve
from depthsearch.search.exclusion import Exclusion
from depthsearch.search.method import DEFAULT
from depthsearch.search.settings import ResolvedSettings

FEW_DEPTHS = 8
"""Where nothing deeper was tried, a sentence on all depths says so."""

_OUTCOMES: dict[Outcome, str] = {
    Outcome.FOUND: "found: to this depth the reliability is reached, and deeper it is not",
    Outcome.CAP_REACHED: "the reliability is still reached at the cap: raise the cap to look deeper",
    Outcome.MEMORY_ENDED: (
        "the reliability is still reached at the deepest network for which there is memory: deeper ones need a larger "
        "machine, or a smaller batch size"
    ),
    Outcome.NEVER_RELIABLE: (
        "the reliability is reached at no depth, not even by the shallowest network; "
        "change the recipe, or lower the reliability"
    ),
    Outcome.NOT_MONOTONE: (
        "trainability does not simply fall with depth: shallower networks fail where deeper ones train, "
        "so no single depth describes it; the first and the last crossing are given"
    ),
    Outcome.BUDGET_ENDED: (
        "the budget ended before the search did: this is what is known so far; "
        "the same command with a larger budget resumes the search"
    ),
    Outcome.COULD_NOT_RUN: (
        "networks could not be built or trained, and the search ended: what is known of the other depths is valid; "
        "the excluded depths are tried again by a new study only (--fresh)"
    ),
    Outcome.UNFINISHED: (
        "the search is not finished: it was interrupted, or is still running; the same command resumes it"
    ),
}

_CONCLUSIONS: dict[Conclusion, str] = {
    Conclusion.ADJACENT: "two adjacent depths were tried: the shallower passes, the deeper fails",
    Conclusion.WIDTH: "the interval is as narrow as the tolerance (--tolerance)",
    Conclusion.LEVEL: (
        "P(trained) at the median is known to lie near the reliability; the curve falls too slowly there "
        "for a narrower interval"
    ),
    Conclusion.GRID: "every depth that was asked for was tried",
    Conclusion.CAP: "the reliability is still reached at the cap",
    Conclusion.MEMORY: "the reliability is still reached at the deepest network for which there is memory",
    Conclusion.SHALLOWEST: "the reliability is not reached by the shallowest network",
}

NOT_KNOWN_YET = "not known yet"
"""Where even the shallowest network may fail, and the cap may pass."""

LARGER_BUDGET = "the budget ended first: the same command with a larger budget resumes the search"


def outcome_words(outcome: Outcome) -> str:
    """How a search ended: what happened, the likely reason, and what to do."""
    return _OUTCOMES[outcome]


def conclusion_words(conclusion: Conclusion) -> str:
    """The rule that ended a search."""
    return _CONCLUSIONS[conclusion]


def possible_words(curve: Curve, cap: int) -> str:
    """What is still possible for max_depth: "at least 16", "16 to 23", "below 5", "20", "none", "not known yet"."""
    if curve.interval is not None:
        low, high = curve.interval
        nothing_passes = high is None and low < min((point.depth for point in curve.points), default=0)
        return NOT_KNOWN_YET if nothing_passes else interval_words(curve.interval, cap)
    if curve.fails_at is None:
        return f"{cap}, the cap" if curve.max_depth == cap else f"at least {curve.max_depth or 0}"
    if curve.max_depth is None:
        return "none" if curve.concluded else f"below {curve.fails_at}"
    deepest = curve.fails_at - 1
    return str(curve.max_depth) if curve.concluded or deepest == curve.max_depth else f"{curve.max_depth} to {deepest}"


def answer_sentence(
    outcome: Outcome,
    curve: Curve,
    *,
    family: Network,
    settings: ResolvedSettings,
    beyond: Beyond | None,
    useful: UsefulDepth | None,
    exclusions: Sequence[Exclusion] = (),
    bar: float | None = None,
    ladder: LadderResult | None = None,
) -> str:
    """The answer after the problem's name: "trains to 7 hidden layers (6 to 9 with 95% probability)"."""
    found = _found_sentence(
        outcome,
        curve,
        family=family,
        settings=settings,
        beyond=beyond,
        useful=useful,
        exclusions=exclusions,
        ladder=ladder,
    )
    if ladder is None or ladder.best_depth is None or bar is None:
        return found
    budget = f", and {ladder.budget} of training" if ladder.budget else ""
    return f"{found}; given the bar of {bar:.3f}, set at {family.depth_words(ladder.best_depth)}{budget}"


def _found_sentence(
    outcome: Outcome,
    curve: Curve,
    *,
    family: Network,
    settings: ResolvedSettings,
    beyond: Beyond | None,
    useful: UsefulDepth | None,
    exclusions: Sequence[Exclusion],
    ladder: LadderResult | None,
) -> str:
    cause = f" ({listed(beyond.causes)})" if beyond else ""
    match outcome:
        case Outcome.FOUND | Outcome.CAP_REACHED | Outcome.MEMORY_ENDED:
            if curve.max_depth is None:
                where = f"{possible_words(curve, settings.cap)} {family.units}"
                return f"is not reliable at any depth that was tried: the threshold lies at {where}{cause}"
            depth = family.depth_words(curve.max_depth)
            if curve.max_depth == settings.cap and outcome is Outcome.CAP_REACHED:
                depth += ", the cap"
            if outcome is Outcome.MEMORY_ENDED:
                depth += f"; memory ends the search at {excluded_from(exclusions)}"
            past = f"; failing past that: {listed(beyond.causes)}" if beyond else ""
            does = "trains" if ladder is None else "is no worse than shallower networks"
            return f"{does} to {depth}{_certainty(curve, settings.cap)}{_as_good(curve, useful)}{past}"
        case Outcome.NEVER_RELIABLE:
            shallowest = family.shallowest if ladder is None or ladder.best_depth is None else ladder.best_depth
            least, sure = family.depth_words(shallowest), "" if curve.confirmed else " (unconfirmed)"
            share = f"{settings.reliability:.0%}"
            return f"is not reliable at any depth{sure}: fewer than {share} train even with {least}{cause}"
        case Outcome.NOT_MONOTONE:
            return f"does not simply stop at a depth: {_crossing_words(curve, settings.reliability, family)}{cause}"
        case Outcome.BUDGET_ENDED | Outcome.UNFINISHED | Outcome.COULD_NOT_RUN:
            why = "the budget ended first" if outcome is Outcome.BUDGET_ENDED else "not finished yet"
            if outcome is Outcome.COULD_NOT_RUN:
                why = f"could not be built or trained ({excluded_depths(exclusions)})"
                if not curve.points:
                    return f"{why}, and no other depth was tried"
            searched = ladder is None or ladder.best_depth is not None
            known = _known_so_far(curve, settings.cap, family) if searched else None
            return f"{why}; so far, the answer is {known or 'not known'}"


def _known_so_far(curve: Curve, cap: int, family: Network) -> str | None:
    """ "at least 16 hidden layers (unconfirmed)"; None where nothing is known."""
    possible = possible_words(curve, cap)
    if curve.max_depth is not None and possible == NOT_KNOWN_YET:
        possible = str(curve.max_depth)  # the interval says nothing yet, but this depth passes
    if not any(map(str.isdigit, possible)):
        return None
    unit = family.depth_words(1).removeprefix("1 ") if possible.split()[-1] == "1" else family.units
    return f"{possible} {unit} (unconfirmed)"


def _certainty(curve: Curve, cap: int) -> str:
    """ " (21 to 26 with 95% probability; unconfirmed)": the interval where one is claimed, and what is untested."""
    parts = []
    if curve.interval is not None and curve.level is not None:
        parts.append(f"{possible_words(curve, cap)} with {curve.level:.0%} probability")
    parts += [] if curve.confirmed else ["unconfirmed"]
    return f" ({'; '.join(parts)})" if parts else ""


def _as_good(curve: Curve, useful: UsefulDepth | None) -> str:
    if useful is None:
        return ""
    to = "" if useful.depth == curve.max_depth else f" to {useful.depth}"
    return f", as good as the best shallower network{to}"


def _crossing_words(curve: Curve, reliability: float, family: Network) -> str:
    first, last = curve.crossings or (0, 0)
    share, tried = f"{reliability:.0%}", [point.depth for point in curve.points]
    shallowest = min(tried, default=1)
    only = ""
    if tried and tried[-1] <= FEW_DEPTHS:
        only = f"; only {tried[0]} to {family.depth_words(tried[-1])} were tried"
    if first < shallowest <= last:
        least = family.depth_words(shallowest)
        fails = f"the shallowest already fails, fewer than {share} train with {least}"
        return f"{fails}, but more at depths up to {last}{only}"
    if first < last:
        return f"fewer than {share} train beyond {first} {family.units}, but again more at depths up to {last}{only}"
    if last < shallowest:
        return (
            f"shallower networks fail more often than some deeper ones; no depth that was tried reaches {share}{only}"
        )
    past = f"past {family.depth_words(last)} fewer than {share} train"
    return f"{past}, and of some deeper networks more than of those between{only}"


def crossed_words(crossings: tuple[int, int], shallowest: int) -> str:
    """Where a curve that is not monotone crosses the reliability: "at 3 and 12", "at 4; the shallowest already fails".

    Args:
        crossings: The first and the last; below the shallowest depth where there is none.
        shallowest: The shallowest depth that was searched.
    """
    first, last = crossings
    if last < shallowest:
        return "at no depth that was tried"
    if first < shallowest:
        return f"at {last}; the shallowest already fails"
    return f"at {first}" if first == last else f"at {first} and {last}"


def beyond_sentence(failed: int, of: int, *, depths: tuple[int, int], family: Network, example: str) -> str:
    """What happens just past max_depth: "5 of 8 runs fail at 24 hidden layers; for example unstable: ..."."""
    first, last = depths
    where = family.depth_words(first) if first == last else f"{first} to {family.depth_words(last)}"
    return f"{failed} of {of} runs fail at {where}; for example {example}"


@dataclass(frozen=True)
class AnswerWarnings:
    """What a careful reader of an answer should know, as facts.

    Attributes:
        disagreeing: Confirmations that are not what the search lets one expect.
        measures_interval: Whether the sampler claims an interval.
        unconfirmed: Whether a concluded search is not confirmed, and no disagreement explains it.
        next_to_confirm: The depth that the search would have confirmed next; None where there is none.
        refuted: The confirmations after which the search confirms no further depth; empty where it still would.
        budget_left: Whether the budget allows one more trial.
        budget_ended: Whether the budget ended before the search did.
        given_up: Whether depths that could not be built or trained ended the search.
        earlier_rule: Whether the runs were judged by the rule of an earlier version.
    """

    disagreeing: tuple[Confirmation, ...]
    measures_interval: bool
    unconfirmed: bool
    next_to_confirm: int | None
    refuted: tuple[Confirmation, ...]
    budget_left: bool
    budget_ended: bool
    given_up: bool
    earlier_rule: bool


_DISAGREES_WITH_POSTERIOR = "so the curve's shape, or chance, may mislead here; try a search from another --seed"
_DISAGREES_WITH_BRACKET = (
    f"so the cliff is not sharp here; try a search that measures an interval (--fresh --sampler {DEFAULT})"
)


def warning_sentences(warnings: AnswerWarnings, *, family: Network) -> tuple[str, ...]:
    """What a careful reader of an answer should know, one sentence each."""
    advice = _DISAGREES_WITH_POSTERIOR if warnings.measures_interval else _DISAGREES_WITH_BRACKET
    sentences = [
        f"with fresh seeds, {family.depth_words(again.depth)} trained in {again.trained} of {again.of} runs: "
        f"this disagrees with the search, {advice}"
        for again in warnings.disagreeing
    ]
    if warnings.unconfirmed:
        sentences.append(f"unconfirmed: {_why_unconfirmed(warnings, family)}")
    if warnings.budget_ended:
        sentences.append(LARGER_BUDGET)
    if warnings.earlier_rule:
        sentences.append(
            "judged by the rule of an earlier version: a run had trained once it held the accuracy for a tenth of its "
            "epochs, whether or not it lost it later; the same search today gives another answer"
        )
    return tuple(sentences)


def _why_unconfirmed(warnings: AnswerWarnings, family: Network) -> str:
    if warnings.next_to_confirm is not None:
        ended = "the search was interrupted" if warnings.budget_left else "the budget ended"
        ended = "depths that cannot be trained ended the search" if warnings.given_up else ended
        return f"{ended} before {family.depth_words(warnings.next_to_confirm)} could be tried again with fresh seeds"
    if warnings.refuted:
        tried = ", ".join(f"{again.trained} of {again.of} at {again.depth}" for again in warnings.refuted)
        return f"with fresh seeds, no depth reached the reliability with all its runs counted ({tried})"
    return "fresh seeds did not confirm it"
