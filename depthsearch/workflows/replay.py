"""Whether a run that was trained again is the run that was recorded."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from depthsearch.results.inspection import Difference
from depthsearch.training.trace import Snapshot, Trace

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


def differences(recorded: Trace, replayed: Trace) -> tuple[Difference, ...]:
    """What of a recorded trace a replay of as many epochs does not repeat bit for bit.

    NaN equals NaN. Every number is compared, in the single precision in which traces are kept.
    """
    return tuple(_differences(recorded, replayed))


def _differences(recorded: Trace, replayed: Trace) -> Iterator[Difference]:
    for name in _PLAIN:
        before, after = getattr(recorded, name), getattr(replayed, name)
        if before != after:
            yield Difference(name, before, after)
    if recorded.epochs == replayed.epochs:
        epochs = np.arange(1, recorded.epochs + 1)
        for name in _CURVES:
            yield from _moved(name, epochs, getattr(recorded, name), getattr(replayed, name))
    else:
        yield Difference("epochs", recorded.epochs, replayed.epochs)
    taken, retaken = recorded.snapshots, replayed.snapshots
    if recorded.layers == replayed.layers:
        if np.array_equal(taken.epochs, retaken.epochs):
            for name in _FIGURES:
                yield from _moved(name, taken.epochs, getattr(taken, name), getattr(retaken, name))
        else:
            yield Difference("snapshots", taken.epochs.tolist(), retaken.epochs.tolist())
    scores = (np.array([trace.final_test_accuracy], np.float32) for trace in (recorded, replayed))
    yield from _moved("final_test_accuracy", np.array([recorded.epochs]), *scores)


def _moved(
    name: str, epochs: NDArray[np.int64], recorded: NDArray[np.float32], replayed: NDArray[np.float32]
) -> Iterator[Difference]:
    """Where and by how much a figure differs. Arrays of [epochs] or [epochs, layers]."""
    same = (recorded == replayed) | (np.isnan(recorded) & np.isnan(replayed))
    if same.all():
        return
    first = epochs[np.flatnonzero(~same.reshape(len(epochs), -1).all(axis=1))[0]]
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(recorded.astype(np.float64) - replayed)[~same]
    yield Difference(name, epoch=int(first), apart=float(apart.max()))
