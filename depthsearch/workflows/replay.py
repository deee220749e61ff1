"""Whether a run that was trained again is the run that was recorded."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from depthsearch.reporting.sentences import count_of
from depthsearch.training.trace import Snapshot, Trace

NAMED = 3
"""Differences that are told one by one."""

_CURVES = ("loss", "score")


_COMPARED_OTHERWISE = (*_CURVES, "snapshots", "final_test_accuracy", "detail")


_PLAIN = tuple(field.name for field in fields(Trace) if field.name not in _COMPARED_OTHERWISE)


_FIGURES = tuple(field.name for field in fields(Snapshot) if field.name != "epochs")


def cut(trace: Trace, epochs: int, ends: Sequence[int]) -> Trace:
    """What the run would have recorded had it ended after so many epochs, at most those that it has.

    Args:
        trace: Of the whole budget, with its detail, which knows the test accuracy of every epoch.
        epochs: Where it ends.
        ends: [E] the optimizer steps after which each entry of the budget ends.
    """
    if epochs >= trace.epochs or trace.detail is None:
        return trace
    return replace(
        trace,
        loss=trace.loss[:epochs],
        score=trace.score[:epochs],
        snapshots=trace.snapshots.at_epochs(range(epochs + 1)),
        final_test_accuracy=float(trace.detail.snapshots.test_accuracy[epochs]),
        steps=ends[epochs - 1] if epochs else 0,
    )


def difference(recorded: Trace, replayed: Trace) -> str | None:
    """What of a recorded trace a replay of as many epochs does not repeat bit for bit, in words; None for nothing.

    NaN equals NaN. Every number is compared, in the single precision in which traces are kept.
    """
    found = list(_differences(recorded, replayed))
    rest = [f"{count_of(len(found) - NAMED, 'more figure')}"] if len(found) > NAMED else []
    return "; ".join([*found[:NAMED], *rest]) or None


def _differences(recorded: Trace, replayed: Trace) -> Iterator[str]:
    for name in _PLAIN:
        ours, theirs = getattr(recorded, name), getattr(replayed, name)
        if ours != theirs:
            yield f"{name} was {ours}, and is {theirs}"
    if recorded.epochs == replayed.epochs:
        epochs = np.arange(1, recorded.epochs + 1)
        for name in _CURVES:
            yield from _moved(name, epochs, getattr(recorded, name), getattr(replayed, name))
    else:
        yield f"{count_of(recorded.epochs, 'epoch')} were recorded, and the budget has {replayed.epochs}"
    before, after = recorded.snapshots, replayed.snapshots
    if np.array_equal(before.epochs, after.epochs) and recorded.layers == replayed.layers:
        for name in _FIGURES:
            yield from _moved(name, before.epochs, getattr(before, name), getattr(after, name))
    elif recorded.layers == replayed.layers:
        yield f"snapshots were taken at epochs {before.epochs.tolist()}, and are at {after.epochs.tolist()}"
    ours, theirs = (np.array([trace.final_test_accuracy], np.float32) for trace in (recorded, replayed))
    yield from _moved("final_test_accuracy", np.array([recorded.epochs]), ours, theirs)


def _moved(
    name: str, epochs: NDArray[np.int64], ours: NDArray[np.float32], theirs: NDArray[np.float32]
) -> Iterator[str]:
    """Where and by how much a figure differs. Arrays of [epochs] or [epochs, layers]."""
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    if same.all():
        return
    first = epochs[np.flatnonzero(~same.reshape(len(epochs), -1).all(axis=1))[0]]
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(ours.astype(np.float64) - theirs)[~same]
    yield f"{name} from epoch {first} on, by at most {apart.max():.2g}"
