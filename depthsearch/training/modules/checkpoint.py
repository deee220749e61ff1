"""The state of a run that takes minutes, in a file, so that a killed run goes on where it was.

The file holds tensors and plain values only; it is read without unpickling anything else.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from depthsearch.generators import GeneratorStates

SECONDS = 60.0
"""Between two checkpoints, and before the first: a shorter run is trained again instead."""

_FORMAT = 1


@dataclass
class Checkpoint:
    """One run's file.

    Args:
        path: Where it lies; its folder is made when it is first written.
        identity: Of the run and of what trains it: a file of another run is not read.
    """

    path: Path
    identity: str
    _written: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        """Whether a minute has gone by since the run began, or since the last checkpoint."""
        return time.monotonic() - self._written >= SECONDS

    def write(self, state: Mapping[str, Any]) -> None:
        """Write the state, and the generators' states; the former file is replaced at once or not at all.

        A folder that cannot be written costs the checkpoint, never the run.
        """
        self._written = time.monotonic()
        kept = {"format": _FORMAT, "identity": self.identity, "generators": plain_generators(), **state}
        with suppress(OSError, RuntimeError):  # torch.save raises RuntimeError where a disk is full
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_suffix(f".{os.getpid()}.part")
            torch.save(kept, temporary)
            temporary.replace(self.path)

    def read(self) -> dict[str, Any] | None:
        """The state that was written; None where there is none, or where it cannot be read or is of another run."""
        if not self.path.exists():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception:  # a damaged file costs the checkpoint, never the run
            return None
        known = state.get("format") == _FORMAT and state.get("identity") == self.identity
        return state if known else None

    def remove(self) -> None:
        """The run is finished, or has failed: its file is of no use, nor is one that a killed process began."""
        for file in (self.path, *self.path.parent.glob(f"{self.path.stem}.*.part")):
            with suppress(OSError):
                file.unlink(missing_ok=True)
        with suppress(OSError):
            self.path.parent.rmdir()  # once it is empty


def plain_generators() -> dict[str, Any]:
    """The global generators' present states as tensors and plain values."""
    states = GeneratorStates.now()
    name, keys, *rest = states.numpy
    return {
        "cpu": states.cpu,
        "cuda": states.cuda,
        "numpy": [name, torch.from_numpy(keys.astype(np.int64)), *rest],
        "python": list(states.python),
    }


def restore_generators(plain: Mapping[str, Any]) -> None:
    """Draw on from the states that `plain_generators` gave."""
    name, keys, *rest = plain["numpy"]
    version, internal, gauss = plain["python"]
    GeneratorStates(
        cpu=plain["cpu"],
        cuda=plain["cuda"],
        numpy=(name, keys.numpy().astype(np.uint32), *rest),
        python=(version, tuple(internal), gauss),
    ).restore()
