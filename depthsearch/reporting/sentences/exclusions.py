"""Depths that cannot be trained, in words."""

from collections.abc import Sequence

from depthsearch.networks.base import Network
from depthsearch.search.exclusion import Exclusion
from depthsearch.search.trial import ExclusionKind

PROCESS_ENDED = "the process that trained it by itself was killed, one after another, as where memory runs out"
"""Why a depth is excluded that leaves no error behind."""


def exclusion_words(exclusion: Exclusion, family: Network) -> str:
    """ "6 hidden layers cannot be built: ValueError: no input is left"."""
    depth = family.depth_words(exclusion.depth)
    match exclusion.kind:
        case ExclusionKind.BUILD:
            return f"{depth} cannot be built: {exclusion.reason}"
        case ExclusionKind.MEMORY:
            return f"{depth} and everything deeper, for memory: {exclusion.reason}"
        case ExclusionKind.ERROR:
            return f"{depth}, whose training failed twice from one seed: {exclusion.reason}"


def excluded_depths(exclusions: Sequence[Exclusion]) -> str:
    """ "6, 7 and 8", "6, and from 40 on": the depths without the reasons; empty where there are none."""
    from_on = excluded_from(exclusions)
    single = [str(exclusion.depth) for exclusion in exclusions if not exclusion.deeper]
    words = f"{', '.join(single[:-1])} and {single[-1]}" if len(single) > 1 else "".join(single)
    if from_on is None:
        return words
    return f"{words}, and from {from_on} on" if words else f"from {from_on} on"


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
    return f"networks could not be built or trained at depth {where}, and the search ended; {first}: {remedy}"
