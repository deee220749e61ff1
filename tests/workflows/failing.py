"""An engine that fails as its test wants, over the dense engine."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from depthsearch.problem.problem import Problem
from depthsearch.search.settings import SearchSettings
from depthsearch.training.dense.engine import DenseEngine
from depthsearch.training.engine import Job, Record, Watch
from depthsearch.training.trace import Trace

PROBLEM = Problem.model_validate({"family": "resnet", "activation": "tanh", "recipe": {"epochs": 3}})
SETTINGS = SearchSettings(sampler="bisect", reliability=0.5, runs_per_trial=2, cap=24)
"""Networks of every depth up to the cap train: a search tries 1, 2, 4, 8, 16, 24, and confirms 24."""

QUICK = SearchSettings(sampler="grid", depths=(2, 4), reliability=0.5, runs_per_trial=2, cap=9)
"""One round, and a confirmation."""

Fail = Callable[[Job, int, list[Job]], None]
"""Called before a job is trained with the job, how often it was tried, and all jobs of the call; it may raise."""


class FailingEngine:
    """The dense engine, one job after another; `fail` is asked before each."""

    name = "dense"
    first_use = None

    def __init__(self, fail: Fail) -> None:
        self._fail, self._real = fail, DenseEngine()
        self.calls: list[list[Job]] = []
        self.tried: Counter[Job] = Counter()

    def train(
        self, problem: Problem, jobs: Iterable[Job], *, watch: Watch | None = None, record: Record = "summary"
    ) -> Iterator[tuple[Job, Trace]]:
        jobs = list(jobs)
        self.calls.append(jobs)
        for job in jobs:
            self.tried[job] += 1
            self._fail(job, self.tried[job], jobs)
            yield from self._real.train(problem, [job], watch=watch, record=record)
