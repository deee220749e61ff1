"""The global random generators of `random`, NumPy and torch: seeded for a block, and as before after it.

torch is not imported here: where nothing has imported it, nothing draws from it.
"""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

NUMPY_SEEDS = 2**32
"""NumPy's global generator takes seeds below this."""


@dataclass(frozen=True)
class GeneratorStates:
    """The states of the global generators.

    Attributes:
        cpu: Of torch's generator on the CPU; None where torch is not imported.
        cuda: Of those on every GPU; empty where torch has used none.
        numpy: Of NumPy's global generator.
        python: Of the module `random`.
    """

    cpu: Any
    cuda: list[Any]
    numpy: Any
    python: Any

    @classmethod
    def now(cls) -> "GeneratorStates":
        """The present states."""
        torch = sys.modules.get("torch")
        cpu = None if torch is None else torch.get_rng_state()
        cuda = torch.cuda.get_rng_state_all() if torch is not None and torch.cuda.is_initialized() else []
        return cls(cpu, cuda, np.random.get_state(), random.getstate())  # noqa: NPY002 - what others draw from

    def restore(self) -> None:
        """Draw on from these states."""
        torch = sys.modules.get("torch")
        if torch is not None and self.cpu is not None:
            torch.set_rng_state(self.cpu)
        if torch is not None and self.cuda:
            torch.cuda.set_rng_state_all(self.cuda)
        np.random.set_state(self.numpy)  # noqa: NPY002
        random.setstate(self.python)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A block after which the global generators draw on as if it had drawn nothing."""
    before = GeneratorStates.now()
    try:
        yield
    finally:
        before.restore()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """A block whose global generators are seeded; afterwards they draw on as before it.

    `torch.random.fork_rng` covers torch only; networks also draw from NumPy and from `random` as they are built.
    """
    with undisturbed():
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.manual_seed(seed)
        np.random.seed(seed % NUMPY_SEEDS)  # noqa: NPY002
        random.seed(seed)
        yield
