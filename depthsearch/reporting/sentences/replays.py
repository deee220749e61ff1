"""How a replay compares with its record, in words."""

from collections.abc import Sequence

from depthsearch.reporting.sentences.words import count_of
from depthsearch.results.inspection import Difference

NAMED = 3
"""Differences that are named one by one; of more, the others are counted."""


def difference_words(found: Sequence[Difference]) -> str | None:
    """ "loss from epoch 2 on, by at most 0.1; steps was 30, and is 40; 2 more figures"; None where nothing differs."""
    rest = [count_of(len(found) - NAMED, "more figure")] if len(found) > NAMED else []
    return "; ".join([*map(_words, found[:NAMED]), *rest]) or None


def _words(difference: Difference) -> str:
    name, recorded, replayed = difference.figure, difference.recorded, difference.replayed
    if difference.apart is not None:
        return f"{name} from epoch {difference.epoch} on, by at most {difference.apart:.2g}"
    if name == "epochs" and isinstance(recorded, int):
        return f"{count_of(recorded, 'epoch')} were recorded, and the budget has {replayed}"
    if name == "snapshots":
        return f"snapshots were taken at epochs {recorded}, and are at {replayed}"
    return f"{name} was {recorded}, and is {replayed}"
