"""The dense engine: compiled kernels for the small dense networks that most searches train, on CPU. No torch.

Each run is one sequence of calls without Python's lock, so runs go side by side on threads and none can touch
another: a run's trace is the same to the last bit whatever is trained beside it and on however many threads.
"""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from depthsearch.core.errors import TrainingFailed
from depthsearch.core.problem import ADAM_EPSILON, Problem
from depthsearch.core.trace import Trace
from depthsearch.datasets import load
from depthsearch.datasets.dataset import Dataset
from depthsearch.families import family_of
from depthsearch.families.plan import Plan
from depthsearch.training import dense_passes as passes
from depthsearch.training import dense_training as training
from depthsearch.training.batches import EpochOrders
from depthsearch.training.dense_compile import compiled_before
from depthsearch.training.dense_program import DENSE, LANES, Program, lay_out
from depthsearch.training.engine import Job, Record, Watch
from depthsearch.training.initialization import initial_weights
from depthsearch.training.recorder import PER_LAYER, Recorder

CHUNK = 16
"""Epochs trained between two questions to the watcher."""

Floats = NDArray[np.float32]


class DenseEngine:
    """Trains networks of dense layers, normalizations and plain residual additions, in float32.

    Args:
        threads: Runs trained side by side; by default as many as there are cores for this process.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or _cores()

    @property
    def first_use(self) -> str | None:
        """That the kernels are compiled now, where they do not lie on disk yet."""
        if compiled_before("train_epochs"):
            return None
        return "compiling the training kernels, once for this version: this takes some 15 to 30 seconds"

    def train(
        self, problem: Problem, jobs: Sequence[Job], *, watch: Watch | None = None, record: Record = "summary"
    ) -> list[Trace]:
        """Train every job (see Engine.train)."""
        data = load(problem.data)

        stopped = threading.Event()

        def one(job: Job) -> Trace:
            run = _Run(problem, data, job, full=record == "full")
            return run.train(None if record == "full" else watch, stopped)

        try:
            with ThreadPoolExecutor(min(self.threads, max(len(jobs), 1))) as pool:
                try:
                    return list(pool.map(one, jobs))
                except BaseException:
                    # Ctrl-C, or an error in one run: the others end at their next question to the watcher.
                    stopped.set()
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        except MemoryError as error:
            depth = max(job.depth for job in jobs)
            raise TrainingFailed(
                f"out of memory while training {family_of(problem.family).units(depth)} of width {problem.width}: "
                "lower --cap or --width"
            ) from error


class _Points:
    """A set of points cut into blocks."""

    def __init__(self, points: Floats, labels: NDArray[np.int64]) -> None:
        self.n = len(points)
        blocks = -(-self.n // LANES)
        self.X = np.zeros((blocks, points.shape[1], LANES), np.float32)
        self.Y = np.zeros((blocks, LANES), np.float32)
        self.M = np.zeros((blocks, LANES), np.float32)
        training.fill_batch(points, labels.astype(np.float32), np.arange(self.n), 0, self.n, self.X, self.Y, self.M)


class _Buffers:
    """Room for one batch of so many blocks on its way through a network."""

    def __init__(self, program: Program, blocks: int) -> None:
        def room(*shape: int) -> Floats:
            return np.zeros((*shape, LANES), np.float32)

        width, norms = program.width, program.normalizations
        self.X, self.Y, self.M = room(blocks, program.features), room(blocks), room(blocks)
        self.H = room(program.slots, blocks, width)
        self.Z, self.ZG = room(blocks, program.outputs), room(blocks, program.outputs)
        self.NH, self.NS = room(norms, blocks, width), room(norms, blocks, width)
        self.G, self.T, self.S = room(blocks, width), room(blocks, width), room(blocks, width)


class _Run:
    """One network on its way through its budget."""

    def __init__(self, problem: Problem, data: Dataset, job: Job, *, full: bool = False) -> None:
        plan = family_of(problem.family).plan(problem, data.spec, job.depth)
        self.problem, self.data = problem, data
        self.program = lay_out(plan, data.spec)
        self.recorder = Recorder(problem, plan, data, depth=job.depth, seed=job.seed, full=full)
        self.orders = EpochOrders(len(data.x_train), job.seed)
        self.P = _initial_parameters(problem, plan, self.program, job.seed)
        self.P0 = self.P.copy()
        self.D, self.V1, self.V2 = (np.zeros_like(self.P) for _ in range(3))
        norms = (self.program.normalizations, self.program.width)
        self.MM, self.MV = np.zeros(norms, np.float32), np.ones(norms, np.float32)
        self.batch = _Buffers(self.program, -(-min(problem.recipe.batch_size, len(data.x_train)) // LANES))
        self.train_points = _Points(data.x_train, data.y_train)
        self.test_points = _Points(data.x_test, data.y_test)
        self.labels = data.y_train.astype(np.float32)
        self.whole = _Buffers(self.program, len(self.train_points.X))
        same = len(self.test_points.X) == len(self.train_points.X)
        self.whole_test = self.whole if same else _Buffers(self.program, len(self.test_points.X))

    def train(self, watch: Watch | None, stopped: threading.Event) -> Trace:
        recorder = self.recorder
        self._look()
        settled = watch(recorder.trace()) if watch else None
        while settled is None and recorder.epoch < recorder.budget_epochs and not stopped.is_set():
            first = recorder.epoch
            states = self._train_until_snapshot()
            settled = watch(recorder.trace()) if watch else None
            if settled is not None and settled < recorder.epoch:
                self._restore(states[settled - first - 1])
                recorder.cut(settled)
            elif recorder.wants_snapshot():
                self._look()
        return recorder.trace(self._test_accuracy())

    def _train_until_snapshot(self) -> Floats:
        """At most CHUNK epochs, to the next snapshot at the furthest; the state after each of them."""
        recorder, recipe, batch = self.recorder, self.problem.recipe, self.batch
        epochs = min(CHUNK, recorder.epochs_to_snapshot())
        orders = self.orders.take(epochs)
        losses, accuracies = np.empty(epochs), np.empty(epochs)
        states = np.empty((epochs, self.P.size + 2 * self.MM.size), np.float32)
        training.train_epochs(
            self.program.steps, self.data.x_train, self.labels, orders, recipe.batch_size,
            self.P, self.D, self.V1, self.V2,
            batch.X, batch.Y, batch.M, batch.H, batch.Z, batch.ZG, batch.NH, batch.NS, self.MM, self.MV,
            batch.G, batch.T, batch.S, np.empty(0),
            passes.TRAIN, _rule(self.problem),
            recipe.learning_rate, recipe.momentum or 0.0, recipe.weight_decay, ADAM_EPSILON,
            recorder.epoch * recorder.steps_per_epoch, recorder.budget_steps, losses, accuracies, states,
        )  # fmt: skip
        for loss, accuracy in zip(losses.tolist(), accuracies.tolist(), strict=True):
            recorder.add_epoch(loss, accuracy)
        return states

    def _restore(self, state: Floats) -> None:
        parameters, averages = self.P.size, self.MM.size
        self.P[:] = state[:parameters]
        self.MM[:] = state[parameters : parameters + averages].reshape(self.MM.shape)
        self.MV[:] = state[parameters + averages :].reshape(self.MV.shape)

    def _look(self) -> None:
        """Take a snapshot."""
        program, room, points = self.program, self.whole, self.train_points
        per_layer = np.empty((len(PER_LAYER), len(program.weight_offsets)))
        output_range, correlation = training.look(
            passes.LOOK, program.steps, program.weight_offsets, self.P, self.D, self.P0, points.X, points.Y, points.M,
            room.H, room.Z, room.ZG, room.NH, room.NS, self.MM, self.MV, room.G, room.T, room.S,
            points.n, program.relu, per_layer,
        )  # fmt: skip
        figures = dict(zip(PER_LAYER, per_layer, strict=True))
        self.recorder.add_snapshot(
            figures
            | {
                "output_range": output_range,
                "input_correlation": correlation,
                "test_accuracy": self._test_accuracy(),
            }
        )
        if self.recorder.detail:
            weights, gradients = self._layers(self.P), self._layers(self.D)
            self.recorder.detail.add(
                weights, gradients, self._logits, epoch=self.recorder.epoch, regions=self.recorder.log_spaced
            )

    def _test_accuracy(self) -> float:
        return self._use(self.test_points, self.whole_test) / self.test_points.n

    def _use(self, points: _Points, room: _Buffers) -> float:
        """How many points are classified correctly; their logits are left in the room's Z."""
        return float(
            training.count_correct(
                passes.USE, self.program.steps, self.P, points.X, points.Y, points.M,
                room.H, room.Z, room.ZG, room.NH, room.NS, self.MM, self.MV, points.n,
            )
        )  # fmt: skip

    def _layers(self, parameters: Floats) -> list[Floats]:
        """Copies of each layer's W, or of its gradient."""
        return [
            parameters[first : first + units * inputs].reshape(units, inputs).copy()
            for first, units, inputs in self.program.weight_offsets.tolist()
        ]

    def _logits(self, points: Floats) -> Floats:
        """[n, outputs], as many points at a time as there is room for: those of the training set."""
        room, size = self.whole, self.train_points.n
        padded = np.zeros((-(-len(points) // size) * size, points.shape[1]), np.float32)
        padded[: len(points)] = points
        pieces = []
        for first in range(0, len(padded), size):
            self._use(_Points(padded[first : first + size], np.zeros(size, np.int64)), room)
            # [blocks, outputs, LANES] to [blocks * LANES, outputs]; a copy, since Z is written to again
            pieces.append(room.Z.transpose(0, 2, 1).reshape(-1, self.program.outputs)[:size].copy())
        return np.concatenate(pieces)[: len(points)]


def _cores() -> int:
    """Cores that this process may use; not every system tells a process's own share of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _rule(problem: Problem) -> int:
    recipe = problem.recipe
    if recipe.optimizer == "sgd":
        return training.NESTEROV if recipe.nesterov else training.SGD
    return training.ADAM


def _initial_parameters(problem: Problem, plan: Plan, program: Program, seed: int) -> Floats:
    """All parameters in one row: normalizations begin at scale 1 and shift 0."""
    parameters = np.zeros(program.parameters, np.float32)
    weights = iter(initial_weights(problem, plan, seed))
    for kind, _, _, first, second, _, outputs, *_ in program.steps.tolist():
        if kind == DENSE:
            weight, bias = next(weights)
            parameters[first : first + weight.size] = weight.ravel()
            parameters[second : second + outputs] = bias
        elif first != second:
            parameters[first : first + outputs] = 1
    return parameters
