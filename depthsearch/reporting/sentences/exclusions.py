"""Depths that cannot be trained, in words."""

import re
from collections.abc import Sequence

from depthsearch.networks.base import Network
from depthsearch.search.exclusion import Exclusion
from depthsearch.search.trial import ExclusionKind

PROCESS_ENDED = "one process after another was killed as it trained that depth, as where memory runs out"
"""Why a depth is excluded that leaves no error behind."""

LONGEST = 200
"""Characters of a reason that are shown in an answer; JSON, pages and errors have all of it."""


def exclusion_words(exclusion: Exclusion, family: Network, *, before: Sequence[Exclusion] = ()) -> str:
    """ "6 hidden layers cannot be built: ValueError: no input is left", in one line, a long reason cut short.

    Args:
        exclusion: A depth and the reason.
        family: Of the network.
        before: Exclusions that were shown: a reason that is among them is not repeated.
    """
    if _reason_of(exclusion) in map(_reason_of, before):
        exclusion = exclusion.model_copy(update={"reason": "the same reason"})
    return _group_words([exclusion], family, longest=LONGEST)


def exclusion_lines(exclusions: Sequence[Exclusion], family: Network) -> tuple[str, ...]:
    """One such line for each reason, "2, 3 and 6 hidden layers cannot be built: ...", the shallowest depth first."""
    return tuple(_group_words(group, family, longest=LONGEST) for group in _by_reason(exclusions))


def _by_reason(exclusions: Sequence[Exclusion]) -> list[list[Exclusion]]:
    """The exclusions by kind and reason, each group from its shallowest depth on, as are the groups."""
    groups: dict[tuple[ExclusionKind, str], list[Exclusion]] = {}
    for exclusion in sorted(exclusions, key=lambda one: one.depth):
        groups.setdefault((exclusion.kind, _reason_of(exclusion)), []).append(exclusion)
    return list(groups.values())


def _reason_of(exclusion: Exclusion) -> str:
    """The reason without the call that failed, " (in build(12))", where that call only repeats the depth."""
    reason, _, call = exclusion.reason.rpartition(" (in ")
    return reason if reason and re.search(rf"\b{exclusion.depth}\b.*\)$", call) else exclusion.reason


def _group_words(group: Sequence[Exclusion], family: Network, *, longest: int | None = None) -> str:
    """The depths of one reason with that reason, which is cut to so many characters."""
    first = group[0]
    reason = _reason_of(first)
    if longest is not None and len(reason) > longest:
        reason = f"{reason[: longest - 3]}..."
    depths = _listed([*(str(one.depth) for one in group[:-1]), family.depth_words(group[-1].depth)])
    match first.kind:
        case ExclusionKind.BUILD:
            return f"{depths} cannot be built: {reason}"
        case ExclusionKind.MEMORY:
            return f"{family.depth_words(first.depth)} and everything deeper, for memory: {reason}"
        case ExclusionKind.ERROR:
            return f"{depths}, whose training failed twice from one seed: {reason}"


def _listed(words: Sequence[str]) -> str:
    """ "6, 7 and 8"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def excluded_depths(exclusions: Sequence[Exclusion]) -> str:
    """ "depths 6, 7 and 8", "depth 6, and all from 40 on": the depths without reasons; empty where there are none."""
    from_on = excluded_from(exclusions)
    single = [str(depth) for depth in sorted(exclusion.depth for exclusion in exclusions if not exclusion.deeper)]
    words = [f"depth{'s' if len(single) > 1 else ''} {_listed(single)}"] if single else []
    if from_on is not None:
        words.append(f"and all from {from_on} on" if words else f"all depths from {from_on} on")
    return ", ".join(words)


def excluded_from(exclusions: Sequence[Exclusion]) -> int | None:
    """The shallowest depth from which on memory excludes all; None where there is none."""
    return min((exclusion.depth for exclusion in exclusions if exclusion.deeper), default=None)


def could_not_run_line(exclusions: Sequence[Exclusion], family: Network) -> str:
    """Why a search that could not train its networks ended, with the reason of the shallowest and what to do."""
    if not exclusions:
        return "nothing could be trained"
    groups = _by_reason(exclusions)
    first = groups[0][0]
    why = _reason_of(first) if len(groups) == 1 else _group_words(groups[0], family)
    remedy = "correct the code, or give a lower --cap"
    if first.depth == family.shallowest:
        remedy = "give smaller networks, or a smaller --batch-size" if first.deeper else "correct the code"
    where = excluded_depths(exclusions)
    return f"networks could not be built or trained ({where}), and the search ended: {why}; {remedy}"
