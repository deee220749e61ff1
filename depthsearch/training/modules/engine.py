"""The engine of any torch module: one network at a time, on CPU or CUDA."""

from collections.abc import Iterable, Iterator

from depthsearch.problem.problem import Problem
from depthsearch.training.engine import Job, Record, Watch
from depthsearch.training.failures import translate_out_of_memory
from depthsearch.training.modules.batches import seeded_loaders
from depthsearch.training.modules.device import check_precision, torch_device
from depthsearch.training.modules.randomness import seeded, threads
from depthsearch.training.modules.run import ModuleRun
from depthsearch.training.trace import Trace


class ModuleEngine:
    """Trains whatever a network's `build` returns, as a plain loop over its batches would.

    On the CPU a run takes one thread: the same bits come out whatever the number of cores.

    Args:
        device: "cpu", "cuda", or "auto" for the GPU where torch sees one.

    Raises:
        InvalidValue: "cuda" was asked for and torch sees no GPU.
    """

    name = "module"

    def __init__(self, device: str = "auto") -> None:
        self.device = torch_device(device)

    @property
    def first_use(self) -> str | None:
        """Nothing: its first training takes as long as any."""
        return None

    def train(
        self, problem: Problem, jobs: Iterable[Job], *, watch: Watch | None = None, record: Record = "summary"
    ) -> Iterator[tuple[Job, Trace]]:
        """Train every job (see Engine.train)."""
        check_precision(problem.recipe, self.device)
        data = problem.data.contents()
        for job in jobs:
            memory = translate_out_of_memory(problem, job.depth, seed=job.seed)
            with memory, threads(1), seeded(job.seed), seeded_loaders(data, job.seed):
                run = ModuleRun(problem, data, job, self.device, full=record == "full")
                trace = run.train(watch if record == "summary" else None)
            yield job, trace
