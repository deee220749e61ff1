"""The reference engine: torch, on CPU or CUDA, networks of one depth side by side. It trains every plan there is."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthsearch.data.base import Dataset
from depthsearch.interrupts import interrupts_deferred, raise_if_interrupted
from depthsearch.networks.activations import activation_of
from depthsearch.networks.base import Activation, output_indices
from depthsearch.networks.dense import as_dense
from depthsearch.networks.initialization import initial_weights
from depthsearch.problem.problem import Problem
from depthsearch.training.detail import DetailRecorder
from depthsearch.training.engine import Job, Record, Watch
from depthsearch.training.failures import translate_build_errors, translate_out_of_memory
from depthsearch.training.modules.device import check_precision, threads, torch_device
from depthsearch.training.modules.optimizer import can_be_recorded, make_optimizer, set_learning_rate
from depthsearch.training.modules.stack import NetworkStack
from depthsearch.training.modules.steps import RecordedSteps, Steps, count_correct, mean_losses
from depthsearch.training.recorder import EpochOrders, Recorder, RunFacts
from depthsearch.training.trace import Trace

STACK = 256
"""Networks trained side by side at most."""

WIDE = 256
"""From this width on, the arithmetic of one layer is worth more than one thread."""


class TorchEngine:
    """Trains jobs of one depth side by side, as one stack of networks; runs that are settled leave the stack.

    Args:
        device: "cpu", "cuda", or "auto" for the GPU where torch sees one.

    Raises:
        InvalidValue: "cuda" was asked for and torch sees no GPU.
    """

    name = "torch"

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
        jobs, data, full = tuple(jobs), problem.data.load().flattened(), record == "full"
        for depth in dict.fromkeys(job.depth for job in jobs):
            alike = [job for job in jobs if job.depth == depth]
            for first in range(0, len(alike), STACK):
                chosen = alike[first : first + STACK]
                with self._training(problem, depth):
                    stack = _Stack(problem, data, chosen, self.device, full=full)
                while stack.running:
                    interrupt: KeyboardInterrupt | None = None
                    over: set[int] = set()
                    try:
                        with self._training(problem, depth):
                            over = stack.train_until_some_are_over(None if full else watch)
                    except KeyboardInterrupt as arrived:
                        interrupt, over = arrived, stack.ended()
                    with interrupts_deferred():  # what leaves the stack is yielded
                        with self._training(problem, depth):
                            finished = stack.finish(over)
                        yield from ((chosen[place], trace) for place, trace in finished)
                    if interrupt is not None:
                        raise interrupt

    @contextmanager
    def _training(self, problem: Problem, depth: int) -> Iterator[None]:
        """A block that trains: with as many threads as the width is worth, and its lack of memory in one line."""
        number = torch.get_num_threads() if as_dense(problem.network).width >= WIDE else 1
        with threads(number), translate_out_of_memory(problem, depth):
            yield


class _Stack:
    """Networks of one depth on their way through the budget, each with its recorder.

    A run is a row of the stack's tensors. Rows of runs that ended leave the stack: at once on the CPU; on a GPU,
    where idle rows cost little and a smaller stack means another recording of the step, once half of them ended.
    """

    def __init__(
        self, problem: Problem, data: Dataset, jobs: Sequence[Job], device: torch.device, *, full: bool
    ) -> None:
        depth, seeds = jobs[0].depth, [job.seed for job in jobs]
        with translate_build_errors(problem, depth):
            plan = as_dense(problem.network).checked_plan(problem.data.spec, depth)
        self.problem, self.plan = problem, plan
        self.data = _Tensors(data, device)
        weights = [initial_weights(as_dense(problem.network), plan, seed) for seed in seeds]
        self.networks = NetworkStack(plan, weights).to(device)
        self.initial = [layer.weight.detach().clone() for layer in self.networks.dense]
        self.optimizer = make_optimizer(self.networks.parameters(), problem.recipe, device, recordable=True)
        recorded = can_be_recorded(problem.recipe, device)
        steps = RecordedSteps if recorded else Steps
        self.steps = steps(self.networks, self.optimizer, problem.recipe)
        self.share_left_at_once = 0.5 if recorded else 1.0
        self.kept = output_indices(plan)
        self.total_steps = problem.recipe.total_steps(len(data.x_train))
        self.orders = [EpochOrders(len(data.x_train), seed) for seed in seeds]
        self.recorders = [
            Recorder(
                RunFacts.of_plan(problem, plan, data, depth=depth, seed=seed),
                DetailRecorder(data, smoothing=problem.recipe.label_smoothing or 0.0) if full else None,
            )
            for seed in seeds
        ]
        self.rows = len(seeds)
        self.running = {place: place for place in range(self.rows)}  # from a run's place among the jobs to its row

    def train_until_some_are_over(self, watch: Watch | None) -> set[int]:
        """Train on until the budget of some running networks has ended, or their verdict is settled: their places."""
        while True:
            raise_if_interrupted()
            self._snapshot_if_due()
            settled = {place for place in self.running if _settled(watch, self.recorders[place])}
            if over := self.ended() | settled:
                return over
            self._entry()

    def ended(self) -> set[int]:
        """The places of the running networks whose budget has ended."""
        recorders = self.recorders
        return {place for place in self.running if recorders[place].epoch == recorders[place].budget_epochs}

    def finish(self, over: set[int]) -> list[tuple[int, Trace]]:
        """Take networks out of the stack: their places among the jobs, and their traces."""
        if not over:
            return []
        self._snapshot_if_due()
        accuracies = self._test_accuracies()
        finished = [(place, self.recorders[place].trace(accuracies[self.running[place]])) for place in sorted(over)]
        self._leave(over)
        return finished

    def _snapshot_if_due(self) -> None:
        if any(self.recorders[place].snapshot_due() for place in self.running):
            with interrupts_deferred():  # every recorder gets it, or none
                self._snapshot()

    def _leave(self, over: set[int]) -> None:
        """Runs are over; keep only the rows of the others, with what the optimizer remembers of them."""
        self.running = {place: row for place, row in self.running.items() if place not in over}
        if not self.running or len(self.running) > self.share_left_at_once * self.rows:
            return
        rows = torch.tensor(list(self.running.values()), device=self.initial[0].device)
        self.networks.keep(rows)
        self.initial = [weight[rows] for weight in self.initial]
        for state in self.optimizer.state.values():
            for name, value in state.items():
                if isinstance(value, Tensor) and value.dim():
                    state[name] = value[rows]
        self.optimizer.zero_grad()
        self.running = {place: row for row, place in enumerate(self.running)}
        self.rows = len(self.running)
        self.steps.resize()

    def _entry(self) -> None:
        """Train one entry of the trace: an epoch, or for budgets in steps what there is of each epoch in it."""
        recorder = self.recorders[next(iter(self.running))]
        step, end = recorder.steps, recorder.ends[recorder.epoch]
        points = 0
        self.steps.begin()
        while step < end:
            epoch, batch = divmod(step, recorder.steps_per_epoch)
            batches = min(recorder.steps_per_epoch - batch, end - step)
            points += self._batches(epoch, batch, batches)
            step += batches
        losses, correct = self.steps.losses.tolist(), self.steps.correct.tolist()
        for place, row in self.running.items():
            self.recorders[place].add_epoch(losses[row] / points, correct[row] / points)

    def _batches(self, epoch: int, first: int, count: int) -> int:
        """Train `count` batches of an epoch from its batch `first` on; the number of points in them."""
        recipe, points = self.problem.recipe, len(self.data.x_train)
        batch_size, step, total = recipe.batch_size, epoch * recipe.steps_per_epoch(points) + first, self.total_steps
        orders = np.zeros((self.rows, points), np.int64)  # rows of runs that are over train for nobody
        for place, row in self.running.items():
            orders[row] = self.orders[place].of_epochs(epoch, epoch)[0]
        chosen = orders[:, first * batch_size : (first + count) * batch_size]
        shuffled = torch.from_numpy(chosen).to(self.data.x_train.device)
        x, y = self.data.x_train[shuffled], self.data.y_train[shuffled]
        for x_batch, y_batch in zip(torch.split(x, batch_size, 1), torch.split(y, batch_size, 1), strict=True):
            if not recipe.constant_rate:
                set_learning_rate(self.optimizer, recipe.learning_rate_at(step, total))
            self.steps.take(x_batch, y_batch)
            step += 1
        return int(chosen.shape[1])

    def _snapshot(self) -> None:
        networks, data = self.networks, self.data
        networks.train()
        networks.freeze_statistics(True)
        outputs = networks.outputs(data.x_train.expand(self.rows, -1, -1))
        kept = [outputs[index] for index in self.kept]
        parameters = [layer.weight for layer in networks.dense]
        smoothing = self.problem.recipe.label_smoothing or 0.0
        loss = mean_losses(outputs[-1], data.y_train.expand(self.rows, -1), smoothing=smoothing).sum()
        gradients = torch.autograd.grad(loss, [*parameters, *kept])
        networks.freeze_statistics(False)
        weight_gradients, activation_gradients = gradients[: len(parameters)], gradients[len(parameters) :]
        logits = outputs[-1].detach()
        accuracies = self._test_accuracies()
        with torch.no_grad():
            moved = [_relative_change(w, start) for w, start in zip(parameters, self.initial, strict=True)]
            # [runs, layers] each
            per_layer = {
                "weight_gradient_norm": _by_run([_norms(gradient) for gradient in weight_gradients]),
                "mean_abs_gradient": _by_run([gradient.abs().mean(dim=(1, 2)) for gradient in weight_gradients]),
                "activation_gradient_norm": _by_run([_norms(gradient) for gradient in activation_gradients]),
                "weight_norm": _by_run([_norms(weight) for weight in parameters]),
                "weight_change": _by_run(moved),
                "never_active": _by_run([self._never_active(k, output) for k, output in enumerate(kept)]),
            }
            ranges = (logits.amax(dim=1) - logits.amin(dim=1)).amax(dim=1).tolist()
            for place, row in self.running.items():
                self.recorders[place].add_snapshot(
                    {name: values[row] for name, values in per_layer.items()}
                    | {
                        "output_range": ranges[row],
                        "input_correlation": input_correlation(outputs[-2][row]),
                        "test_accuracy": accuracies[row],
                    }
                )
        for place, row in self.running.items():
            recorder = self.recorders[place]
            if recorder.detail:
                recorder.detail.add(
                    [_matrix(weight[row]) for weight in parameters],
                    [_matrix(gradient[row]) for gradient in weight_gradients],
                    partial(self._logits, row),
                    epoch=recorder.epoch,
                    regions=recorder.log_spaced,
                )

    def _never_active(self, k: int, output: Tensor) -> Tensor:
        layer = self.plan[self.kept[k]]
        if isinstance(layer, Activation) and activation_of(layer.function).dead_below is not None:
            return 1 - (output > (activation_of(layer.function).dead_below or 0.0)).any(dim=1).float().mean(dim=1)
        return torch.zeros(len(output), device=output.device)

    @torch.no_grad()
    def _logits(self, row: int, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """[n, outputs] of the network in that row."""
        self.networks.eval()
        x = torch.tensor(points, device=self.data.x_test.device).expand(self.rows, -1, -1)
        return np.asarray(self.networks(x)[row].cpu())

    @torch.no_grad()
    def _test_accuracies(self) -> list[float]:
        self.networks.eval()
        logits = self.networks(self.data.x_test.expand(self.rows, -1, -1))
        correct: list[float] = count_correct(logits, self.data.y_test.expand(self.rows, -1)).tolist()
        return [right / len(self.data.y_test) for right in correct]


class _Tensors:
    """A data set on a device."""

    def __init__(self, data: Dataset, device: torch.device) -> None:
        self.x_train = torch.tensor(data.x_train, device=device)
        self.y_train = torch.tensor(data.y_train, device=device)
        self.x_test = torch.tensor(data.x_test, device=device)
        self.y_test = torch.tensor(data.y_test, device=device)


def input_correlation(hidden: Tensor) -> float:
    """The mean cosine between two rows of [points, units], rows of zeros left out; NaN for fewer than two."""
    norms = hidden.norm(dim=1)
    units = hidden[norms > 0] / norms[norms > 0, None]
    count = len(units)
    if count < 2:  # noqa: PLR2004 - a pair
        return float("nan")
    # The squared length of the sum holds every pair twice, and each row with itself once.
    return float((units.sum(dim=0).square().sum() - count) / (count * (count - 1)))


def _norms(tensor: Tensor) -> Tensor:
    """[R] Euclidean norms over all but the first axis."""
    norms: Tensor = torch.linalg.vector_norm(tensor.flatten(1), dim=1)
    return norms


def _relative_change(weight: Tensor, start: Tensor) -> Tensor:
    """[R] |W - W at the start| / |W at the start|; for a W that starts at zero 0, and 1 once it moved."""
    size = _norms(start)
    size = torch.where(size > 0, size, _norms(weight))
    return torch.where(size > 0, _norms(weight - start) / size, 0.0)


def _settled(watch: Watch | None, recorder: Recorder) -> bool:
    return watch is not None and watch(recorder.trace()) is not None


def _matrix(stacked: Tensor) -> NDArray[np.float32]:
    """A copy of a layer's W, [units, inputs], out of the stack, where it lies transposed."""
    return np.asarray(stacked.detach().cpu().numpy().T.copy())


def _by_run(layers: list[Tensor]) -> NDArray[np.float32]:
    """[R] figures of each layer as [R, layers]."""
    return np.asarray(torch.stack(layers, dim=1).detach().cpu())
