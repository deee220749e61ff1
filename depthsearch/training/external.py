"""The engine for networks that a user's function trains elsewhere: a trace of scores, without snapshots."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from depthsearch.errors import UserCodeFailed
from depthsearch.interrupts import raise_if_interrupted
from depthsearch.networks.external import ExternalNetwork
from depthsearch.problem.problem import Problem
from depthsearch.schema import MANY
from depthsearch.training.engine import Job, Record, Watch
from depthsearch.training.failures import run_failed, translate_out_of_memory
from depthsearch.training.trace import Snapshot, Trace, TrainingFacts

WORST_LOSS = 2.0
"""The loss of an entry is 1 minus its score, and at most this: how far a score lies below a constant guess says
nothing of a loss that explodes. Of a score that is NaN, the loss is NaN.
"""

POINTS = MANY
"""As many points as to leave a score without a binomial error, so that `min_gain` alone sets the bar."""


class ExternalEngine:
    """Calls the user's function for one job after the other. The budget of a run is the number of its scores."""

    name = "scores"

    def __init__(self) -> None:
        self._budget = 1  # scores of the run before, which the progress of the next is held against

    @property
    def first_use(self) -> str | None:
        """Nothing: it compiles nothing."""
        return None

    def train(
        self, problem: Problem, jobs: Iterable[Job], *, watch: Watch | None = None, record: Record = "summary"
    ) -> Iterator[tuple[Job, Trace]]:
        """Train every job (see Engine.train).

        Raises:
            RunFailed: The user's function raises an exception, or gives no scores; OutOfMemory where memory ran out.
            TypeError: The problem is none of a function that trains elsewhere.
        """
        network = problem.network
        if not isinstance(network, ExternalNetwork):
            raise TypeError(f"the family {network.family!r} does not train itself")
        for job in jobs:
            scores: list[float] = []
            ended: int | None = None
            for score in _scores(problem, network, job):
                raise_if_interrupted()
                scores.append(score)
                budget = max(self._budget, len(scores))
                ended = None if watch is None else watch(score_trace(job, scores, network.baseline, budget=budget))
                if ended is not None:
                    break
            if ended is None:
                self._budget = len(scores)
            yield job, score_trace(job, scores, network.baseline, budget=len(scores))


def _scores(problem: Problem, network: ExternalNetwork, job: Job) -> Iterator[float]:
    """The scores of a run; what ends it too early becomes its failure."""
    try:
        with translate_out_of_memory(problem, job.depth, seed=job.seed):
            yield from network.scores(job.depth, job.seed)
    except UserCodeFailed as error:
        raise run_failed(problem, job.depth, error, seed=job.seed) from error


def score_trace(job: Job, scores: Sequence[float], baseline: float, *, budget: int) -> Trace:
    """The trace of a run of which only scores are known.

    Args:
        job: The run.
        scores: [E] one for each epoch; NaN counts as a constant guess, with a loss that is NaN.
        baseline: The score of a constant guess.
        budget: Scores that the whole run gives.
    """
    given = np.asarray(scores, dtype=np.float32)
    score = np.where(np.isnan(given), np.float32(baseline), given)
    return Trace(
        facts=TrainingFacts(
            optimizer="unknown",
            learning_rate=0.0,
            momentum=0.0,
            weight_decay=0.0,
            first_weights=0,
            batch_statistics=True,
            entry="epoch",
            points_per_entry=POINTS,
            score_name="score",
        ),
        depth=job.depth,
        seed=job.seed,
        layers=(),
        loss=np.minimum(1 - given, np.float32(WORST_LOSS)),  # NaN where the score is
        score=score,
        baseline=baseline,
        snapshots=_no_snapshots(),
        final_test_accuracy=float(score[-1]) if len(score) else baseline,
        steps=len(score),
        budget_epochs=budget,
        budget_steps=budget,
        points=POINTS,
    )


def _no_snapshots() -> Snapshot:
    layers, network = np.empty((0, 0), np.float32), np.empty(0, np.float32)
    return Snapshot(
        epochs=np.empty(0, np.int64),
        weight_gradient_norm=layers,
        mean_abs_gradient=layers,
        activation_gradient_norm=layers,
        weight_norm=layers,
        weight_change=layers,
        never_active=layers,
        output_range=network,
        input_correlation=network,
        test_accuracy=network,
    )
