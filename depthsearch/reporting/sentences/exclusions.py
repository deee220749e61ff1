"""Depths that cannot be trained, in words."""

from collections.abc import Sequence

from depthsearch.networks.base import Network
from depthsearch.search.exclusion import Exclusion
from depthsearch.search.trial import ExclusionKind

PROCESS_ENDED = "one process after another was killed as it trained that depth, as where memory runs out"
"""Why a depth is excluded that leaves no error behind."""

LONGEST = 70
"""Characters of a reason that are shown; JSON and pages have all of it."""


def exclusion_words(exclusion: Exclusion, family: Network) -> str:
    """ "6 hidden layers cannot be built: ValueError: no input is left", in one line, a long reason cut short."""
    depth, reason = family.depth_words(exclusion.depth), exclusion.reason
    if len(reason) > LONGEST:
        reason = f"{reason[: LONGEST - 3]}..."
    match exclusion.kind:
        case ExclusionKind.BUILD:
            return f"{depth} cannot be built: {reason}"
        case ExclusionKind.MEMORY:
            return f"{depth} and everything deeper, for memory: {reason}"
        case ExclusionKind.ERROR:
            return f"{depth}, whose training failed twice from one seed: {reason}"


def excluded_depths(exclusions: Sequence[Exclusion]) -> str:
    """ "depths 6, 7 and 8", "depth 6, and all from 40 on": the depths without reasons; empty where there are none."""
    from_on = excluded_from(exclusions)
    single = [str(exclusion.depth) for exclusion in exclusions if not exclusion.deeper]
    words = [f"depth {single[0]}"] if len(single) == 1 else []
    if len(single) > 1:
        words = [f"depths {', '.join(single[:-1])} and {single[-1]}"]
    if from_on is not None:
        words.append(f"and all from {from_on} on" if words else f"all depths from {from_on} on")
    return ", ".join(words)


def excluded_from(exclusions: Sequence[Exclusion]) -> int | None:
    """The shallowest depth from which on memory excludes all; None where there is none."""
    return min((exclusion.depth for exclusion in exclusions if exclusion.deeper), default=None)


def could_not_run_line(exclusions: Sequence[Exclusion], family: Network) -> str:
    """Why a search that could not train its networks ended, with its first reason and what to do."""
    if not exclusions:
        return "nothing could be trained"
    where, first = excluded_depths(exclusions), exclusion_words(exclusions[0], family)
    remedy = "correct the network's code, or give a lower --cap"
    if exclusions[0].deeper and exclusions[0].depth == family.shallowest:
        remedy = "give smaller networks, or a smaller --batch-size"
    return f"networks could not be built or trained ({where}), and the search ended: {first}; {remedy}"
