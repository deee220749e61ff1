"""A trace as bytes: a compressed NumPy archive of its arrays, with its other fields as JSON. No pickles."""

import io
import json
from dataclasses import fields

import numpy as np

from depthsearch.core.problem import Problem
from depthsearch.core.snapshot import Snapshot
from depthsearch.core.trace import Trace

_ARRAYS = ("train_loss", "train_accuracy")
_SNAPSHOT = tuple(field.name for field in fields(Snapshot))
_PLAIN = tuple(field.name for field in fields(Trace) if field.name not in (*_ARRAYS, "problem", "snapshots", "detail"))


def encode_trace(trace: Trace) -> bytes:
    """The trace as bytes; its problem is left out, since the study holds it."""
    plain = json.dumps({name: getattr(trace, name) for name in _PLAIN})
    arrays = {name: getattr(trace, name) for name in _ARRAYS}
    arrays |= {f"snapshots.{name}": getattr(trace.snapshots, name) for name in _SNAPSHOT}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, plain=np.frombuffer(plain.encode(), dtype=np.uint8), **arrays)
    return buffer.getvalue()


def decode_trace(data: bytes, problem: Problem) -> Trace:
    """The trace that `encode_trace` wrote, of the study that asks `problem`."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        plain = json.loads(archive["plain"].tobytes().decode())
        return Trace(
            problem=problem,
            **{name: archive[name] for name in _ARRAYS},
            **(plain | {"layers": tuple(plain["layers"])}),
            snapshots=Snapshot(**{name: archive[f"snapshots.{name}"] for name in _SNAPSHOT}),
        )
