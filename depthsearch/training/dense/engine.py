"""The dense engine: compiled kernels for the small dense networks that most searches train, on CPU. No torch.

Each run is one sequence of calls without Python's lock, so runs go side by side on threads and none can touch
another: a run's trace is the same to the last bit whatever else is trained, and on however many threads.
"""

import threading
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import numpy as np
from numpy.typing import NDArray

from depthsearch.data.base import Dataset
from depthsearch.errors import InvalidValue
from depthsearch.interrupts import POLL_SECONDS, interrupts_deferred, raise_if_interrupted
from depthsearch.networks.base import Plan
from depthsearch.networks.dense import as_dense
from depthsearch.networks.initialization import initial_weights
from depthsearch.problem.problem import Problem
from depthsearch.training.dense import passes, training
from depthsearch.training.dense.compile import compile_elsewhere, compiled_before
from depthsearch.training.dense.program import DENSE, LANES, Program, claims, lay_out
from depthsearch.training.detail import DetailRecorder
from depthsearch.training.engine import Job, Record, Watch, cores
from depthsearch.training.failures import out_of_memory, translate_build_errors
from depthsearch.training.recorder import PER_LAYER, EpochOrders, Recorder, RunFacts
from depthsearch.training.trace import Trace

CHUNK = 16
"""Epochs trained between two questions to the watcher; an entry of more epochs is trained as a whole."""

COMPILE = """
from depthsearch.problem.problem import Problem
from depthsearch.training.dense.engine import DenseEngine, Job

list(DenseEngine().train_here(Problem.model_validate({"recipe": {"epochs": 3}}), [Job(1, 0)], record="full"))
"""

Floats = NDArray[np.float32]


class DenseEngine:
    """Trains networks of dense layers, normalizations and plain residual additions, in float32.

    Args:
        threads: Runs trained side by side; by default as many as there are cores for this process.
    """

    name = "dense"

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or cores()

    @property
    def first_use(self) -> str | None:
        """That the kernels are compiled now, where they do not lie on disk yet."""
        if compiled_before("train_entries"):
            return None
        return "compiling the training kernels, once for this version: this takes some 15 to 30 seconds"

    def train(
        self, problem: Problem, jobs: Iterable[Job], *, watch: Watch | None = None, record: Record = "summary"
    ) -> Iterator[tuple[Job, Trace]]:
        """Train every job (see Engine.train)."""
        compile_elsewhere(COMPILE, kernel="train_entries")
        yield from self.train_here(problem, jobs, watch=watch, record=record)

    def train_here(
        self, problem: Problem, jobs: Iterable[Job], *, watch: Watch | None = None, record: Record = "summary"
    ) -> Iterator[tuple[Job, Trace]]:
        """Train every job with kernels that this process compiles where they do not lie on disk."""
        if problem.recipe.precision is not None:
            reason = f"{problem.recipe.precision!r} is not trained by the engine 'dense': choose the engine 'torch'"
            raise InvalidValue(reason, path="recipe.precision", value=problem.recipe.precision)
        jobs, data, stopped = tuple(jobs), problem.data.load().flattened(), threading.Event()

        def one(job: Job) -> Trace | None:
            if stopped.is_set():
                return None
            run = _Run(problem, data, job, full=record == "full")
            trace = run.train(None if record == "full" else watch, stopped)
            return None if run.stopped else trace

        running: dict[Future[Trace | None], Job] = {}
        with ThreadPoolExecutor(min(self.threads, max(len(jobs), 1))) as pool:
            try:
                running.update((pool.submit(one, job), job) for job in jobs)
                while running:
                    raise_if_interrupted()
                    done = wait(running, POLL_SECONDS, return_when=FIRST_COMPLETED).done
                    with interrupts_deferred():  # what is taken out of `running` is yielded
                        yield from _finished(problem, running, done)
            except KeyboardInterrupt as interrupt:
                # The runs under way end at their next question to the watcher; those that are finished are kept,
                # unless the interrupt arrived while the consumer was closing this iterator.
                stopped.set()
                if not isinstance(interrupt.__context__, GeneratorExit):
                    with interrupts_deferred():
                        yield from _finished(problem, running, wait(running).done)
                raise
            finally:
                stopped.set()
                pool.shutdown(cancel_futures=True)


def _finished(
    problem: Problem, running: dict["Future[Trace | None]", Job], done: Collection["Future[Trace | None]"]
) -> Iterator[tuple[Job, Trace]]:
    """The results of the runs that are done, which are taken out of those running; a run that was stopped has none."""
    for future in [future for future in running if future in done]:
        job = running.pop(future)
        try:
            trace = future.result()
        except MemoryError as error:
            raise out_of_memory(problem, job.depth, seed=job.seed, error=error) from error
        if trace is not None:
            yield job, trace


class _Room:
    """Room for so many points on their way through a network."""

    def __init__(self, program: Program, points: int) -> None:
        self.at, rows = program.places(points)
        self.A = np.zeros((rows, LANES), np.float32)

    def logits(self, points: int) -> Floats:
        """[points, outputs] a copy of those that lie here."""
        at = self.at
        rows = self.A[at.Z : at.Z + at.blocks * at.outputs].reshape(at.blocks, at.outputs, LANES)
        return rows.transpose(0, 2, 1).reshape(-1, at.outputs)[:points].copy()


class _Run:
    """One network on its way through its budget."""

    def __init__(self, problem: Problem, data: Dataset, job: Job, *, full: bool = False) -> None:
        with translate_build_errors(problem, job.depth, seed=job.seed):
            plan = as_dense(problem.network).checked_plan(problem.data.spec, job.depth)
        if not claims(plan):
            raise InvalidValue(
                f"engine 'dense' does not train {problem.network.label} at depth {job.depth}: choose the engine 'torch'"
            )
        self.problem, self.data = problem, data
        self.program = lay_out(plan, problem.data.spec)
        facts = RunFacts.of_plan(problem, plan, data, depth=job.depth, seed=job.seed)
        smoothing = problem.recipe.label_smoothing or 0.0
        self.recorder = Recorder(facts, DetailRecorder(data, smoothing=smoothing) if full else None)
        self.orders = EpochOrders(len(data.x_train), job.seed)
        self.P = _initial_parameters(problem, plan, self.program, job.seed)
        self.P0 = self.P.copy()
        self.D, self.V1, self.V2 = (np.zeros_like(self.P) for _ in range(3))
        averages = self.program.normalizations * self.program.width
        self.MM, self.MV = np.zeros(averages, np.float32), np.ones(averages, np.float32)
        self.labels, self.test_labels = data.y_train.astype(np.float32), data.y_test.astype(np.float32)
        self.batch = _Room(self.program, min(problem.recipe.batch_size, len(data.x_train)))
        self.whole = _Room(self.program, max(len(data.x_train), len(data.x_test)))
        self.order = np.arange(max(len(data.x_train), len(data.x_test)))
        self.stopped = False  # before its budget ended, and for no reason of its verdict

    def train(self, watch: Watch | None, stopped: threading.Event) -> Trace:
        recorder = self.recorder
        self._look()
        settled = watch(recorder.trace()) if watch else None
        while settled is None and recorder.epoch < recorder.budget_epochs:
            if stopped.is_set():
                self.stopped = True
                break
            first = recorder.epoch
            states = self._train_until_snapshot()
            settled = watch(recorder.trace()) if watch else None
            if settled is not None and settled < recorder.epoch:
                self._restore(states[settled - first - 1])
                recorder.cut(settled)
            elif recorder.snapshot_due():
                self._look()
                settled = watch(recorder.trace()) if watch else None
        return recorder.trace(self._test_accuracy())

    def _train_until_snapshot(self) -> Floats:
        """Some CHUNK epochs, to the next snapshot at the furthest; the state after each entry of the trace."""
        recorder, recipe, batch = self.recorder, self.problem.recipe, self.batch
        per_epoch, first, done = recorder.steps_per_epoch, recorder.epoch, recorder.steps
        near = done + CHUNK * per_epoch
        ahead = recorder.ends[first : first + recorder.epochs_to_snapshot()]
        ends = np.array([ahead[0], *(end for end in ahead[1:] if end <= near)])
        orders = self.orders.of_epochs(done // per_epoch, int(ends[-1] - 1) // per_epoch)
        losses, accuracies = np.empty(len(ends)), np.empty(len(ends))
        states = np.empty((len(ends), self.P.size + 2 * self.MM.size), np.float32)
        decay, decoupled, numbers = recipe.weight_decay, recipe.optimizer == "adamw", recipe.adaptive
        training.train_entries(
            self.program.steps, self.data.x_train, self.labels, orders, recipe.batch_size,
            self.P, self.D, self.V1, self.V2, batch.A, batch.at, self.MM, self.MV, np.empty(0),
            passes.TRAIN, _rule(self.problem),
            self._rates(done, int(ends[-1])), recipe.momentum or 0.0, decay if decoupled else 0.0,
            numbers.epsilon or 0.0, training.decays_of(numbers),
            recipe.label_smoothing or 0.0, recipe.clip_norm or 0.0, 0.0 if decoupled else decay,
            done, ends, losses, accuracies, states,
        )  # fmt: skip
        for loss, accuracy in zip(losses.tolist(), accuracies.tolist(), strict=True):
            recorder.add_epoch(loss, accuracy)
        return states

    def _rates(self, first: int, end: int) -> NDArray[np.float64]:
        """[end - first] the learning rates of those steps, counted from 0."""
        recipe, total = self.problem.recipe, self.recorder.budget_steps
        if recipe.constant_rate:
            return np.full(end - first, recipe.learning_rate)
        return np.array([recipe.learning_rate_at(step, total) for step in range(first, end)])

    def _restore(self, state: Floats) -> None:
        parameters, averages = self.P.size, self.MM.size
        self.P[:] = state[:parameters]
        self.MM[:] = state[parameters : parameters + averages]
        self.MV[:] = state[parameters + averages :]

    def _look(self) -> None:
        """Take a snapshot."""
        program, room = self.program, self.whole
        per_layer = np.empty((len(PER_LAYER), len(program.weight_offsets)))
        output_range, correlation = training.look(
            passes.LOOK, program.steps, program.weight_offsets, self.P, self.D, self.P0,
            self.data.x_train, self.labels, self.order, room.A, room.at, self.MM, self.MV, program.relu,
            self.problem.recipe.label_smoothing or 0.0, per_layer,
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
        return self._use(self.data.x_test, self.test_labels) / len(self.test_labels)

    def _use(self, points: Floats, labels: Floats) -> float:
        """How many points are classified correctly; their logits are left in the room."""
        room = self.whole
        correct = training.count_correct(
            passes.USE, self.program.steps, self.P, points, labels, self.order, room.A, room.at, self.MM, self.MV
        )
        return float(correct)

    def _layers(self, parameters: Floats) -> list[Floats]:
        """Copies of each layer's W, or of its gradient."""
        return [
            parameters[first : first + units * inputs].reshape(units, inputs).copy()
            for first, units, inputs in self.program.weight_offsets.tolist()
        ]

    def _logits(self, points: Floats) -> Floats:
        """[n, outputs], as many points at a time as there is room for."""
        size = len(self.order)
        pieces = []
        for first in range(0, len(points), size):
            piece = points[first : first + size]
            piece.flags.writeable = False  # like the data set's arrays, for which the kernels are compiled
            self._use(piece, np.zeros(len(piece), np.float32))
            pieces.append(self.whole.logits(len(piece)))
        return np.concatenate(pieces)


def _rule(problem: Problem) -> int:
    recipe = problem.recipe
    if recipe.optimizer == "sgd":
        return training.NESTEROV if recipe.nesterov else training.SGD
    return {"rmsprop": training.RMSPROP, "adagrad": training.ADAGRAD}.get(recipe.optimizer, training.ADAM)


def _initial_parameters(problem: Problem, plan: Plan, program: Program, seed: int) -> Floats:
    """All parameters in one row: normalizations begin at scale 1 and shift 0."""
    parameters = np.zeros(program.parameters, np.float32)
    weights = iter(initial_weights(as_dense(problem.network), plan, seed))
    for kind, _, _, first, second, _, outputs, *_ in program.steps.tolist():
        if kind == DENSE:
            weight, bias = next(weights)
            parameters[first : first + weight.size] = weight.ravel()
            parameters[second : second + outputs] = bias
        elif first != second:
            parameters[first : first + outputs] = 1
    return parameters
