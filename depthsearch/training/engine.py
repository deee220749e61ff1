"""The contract that every engine keeps, and the choice of one. No torch is imported until it is chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from depthsearch.core.errors import UnknownName
from depthsearch.core.names import DEVICES
from depthsearch.core.problem import Problem
from depthsearch.core.trace import Trace

Watch: TypeAlias = Callable[[Trace], int | None]
"""Pure: from the trace so far to the epoch at which its verdict was settled, or None to go on."""


@dataclass(frozen=True)
class Job:
    """One network to train: a depth in the family's units, and the seed of its weights and batches."""

    depth: int
    seed: int


class Engine(Protocol):
    """Trains networks. A run is a pure function of (problem, job).

    - The initial weights and the order of the batches come from NumPy streams of the job's seed alone.
    - A run's trace does not depend on the other jobs of the call; global state (random generators, number of
      threads, default types) is as before when the call returns.
    - The watcher may be asked late, but the trace ends at the epoch that it names.
    """

    def train(self, problem: Problem, jobs: Sequence[Job], *, watch: Watch | None = None) -> list[Trace]:
        """Train every job and return the traces in their order.

        Args:
            problem: What is trained.
            jobs: Which networks.
            watch: Asked as a run goes on; where it names an epoch, the run ends there. None trains every run for
                the whole budget.

        Raises:
            TrainingFailed: A network could not be trained, for example for want of memory.
        """


def choose_engine(device: str = "auto") -> Engine:
    """The engine for a device: "cpu", "cuda", or "auto" (the GPU where torch sees one).

    Raises:
        UnknownName: The device is none of these.
        InvalidValue: "cuda" was asked for and torch sees no GPU.
    """
    if device not in DEVICES:
        raise UnknownName("device", device, DEVICES)
    from depthsearch.training.torch_engine import TorchEngine  # noqa: PLC0415 - seconds of import, paid when used

    return TorchEngine(device)
