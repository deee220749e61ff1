"""Seeded randomness for a block: torch, NumPy and `random` as if nothing else had drawn from them."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

NUMPY_SEEDS = 2**32
"""NumPy's global generator takes seeds below this."""


@dataclass(frozen=True)
class GeneratorStates:
    """The states of the global generators, so that a run that is interrupted can draw on as if it had not been.

    Attributes:
        cpu: Of torch's generator on the CPU.
        cuda: Of those on every GPU.
        numpy: Of NumPy's global generator.
        python: Of the module `random`.
    """

    cpu: torch.Tensor
    cuda: list[torch.Tensor]
    numpy: Any
    python: Any

    @classmethod
    def now(cls) -> "GeneratorStates":
        """The present states; a GPU's only where torch has used one."""
        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
        return cls(torch.get_rng_state(), cuda, np.random.get_state(), random.getstate())  # noqa: NPY002

    def restore(self) -> None:
        """Draw on from these states."""
        torch.set_rng_state(self.cpu)
        if self.cuda:
            torch.cuda.set_rng_state_all(self.cuda)
        np.random.set_state(self.numpy)  # noqa: NPY002
        random.setstate(self.python)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """A block whose global generators are seeded with `seed`; afterwards they draw on as before it.

    `torch.random.fork_rng` covers torch only; networks also draw from NumPy and from `random` as they are built.
    """
    before = GeneratorStates.now()
    torch.manual_seed(seed)
    np.random.seed(seed % NUMPY_SEEDS)  # noqa: NPY002
    random.seed(seed)
    try:
        yield
    finally:
        before.restore()


@contextmanager
def undisturbed() -> Iterator[None]:
    """A block after which the global generators draw on as if it had drawn nothing."""
    before = GeneratorStates.now()
    try:
        yield
    finally:
        before.restore()


@contextmanager
def threads(number: int) -> Iterator[None]:
    """torch's number of threads for the block; as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
