"""The reference engine: torch, on CPU or CUDA, networks of one depth side by side. It trains every plan there is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from depthsearch.core.errors import InvalidValue, TrainingFailed
from depthsearch.core.problem import ADAM_EPSILON, Problem
from depthsearch.core.trace import Trace
from depthsearch.datasets import load
from depthsearch.datasets.dataset import Dataset
from depthsearch.families import family_of
from depthsearch.families.plan import Activation, output_indices
from depthsearch.training.batches import EpochOrders
from depthsearch.training.engine import Job, Record, Watch
from depthsearch.training.initialization import initial_weights
from depthsearch.training.network import NetworkStack
from depthsearch.training.recorder import Recorder

STACK = 256
"""Networks trained side by side at most."""

WIDE = 256
"""From this width on, a layer's own arithmetic is worth more than one thread."""


class TorchEngine:
    """Trains jobs of one depth side by side, as one stack of networks; runs that are settled leave the stack.

    Args:
        device: "cpu", "cuda", or "auto" for the GPU where torch sees one.

    Raises:
        InvalidValue: "cuda" was asked for and torch sees no GPU.
    """

    def __init__(self, device: str = "auto") -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise InvalidValue("device 'cuda' cannot be used: torch sees no GPU here; accepted: 'auto' or 'cpu'")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(device)

    @property
    def first_use(self) -> str | None:
        """Nothing: its first training takes as long as any."""
        return None

    def train(
        self, problem: Problem, jobs: Sequence[Job], *, watch: Watch | None = None, record: Record = "summary"
    ) -> list[Trace]:
        """Train every job (see Engine.train)."""
        data, full = load(problem.data), record == "full"
        traces: dict[int, Trace] = {}
        with _threads(torch.get_num_threads() if problem.width >= WIDE else 1):
            for depth in dict.fromkeys(job.depth for job in jobs):
                places = [place for place, job in enumerate(jobs) if job.depth == depth]
                for first in range(0, len(places), STACK):
                    chosen = places[first : first + STACK]
                    with _want_of_memory_said(problem, depth):
                        stack = _Stack(problem, data, [jobs[place] for place in chosen], self.device, full=full)
                        traces |= dict(zip(chosen, stack.train(None if full else watch), strict=True))
        return [traces[place] for place in range(len(jobs))]


class _Stack:
    """Networks of one depth on their way through the budget, each with a recorder of its own."""

    def __init__(
        self, problem: Problem, data: Dataset, jobs: Sequence[Job], device: torch.device, *, full: bool
    ) -> None:
        depth, seeds = jobs[0].depth, [job.seed for job in jobs]
        plan = family_of(problem.family).plan(problem, data.spec, depth)
        self.problem, self.plan = problem, plan
        self.data = _Tensors(data, device)
        weights = [initial_weights(problem, plan, seed) for seed in seeds]
        self.networks = NetworkStack(plan, weights).to(device)
        self.initial = [layer.weight.detach().clone() for layer in self.networks.dense]
        self.optimizer = _optimizer(problem, self.networks)
        self.kept = output_indices(plan)
        self.orders = [EpochOrders(len(data.x_train), seed) for seed in seeds]
        self.recorders = [Recorder(problem, plan, data, depth=depth, seed=seed, full=full) for seed in seeds]
        self.places = list(range(len(seeds)))  # of the networks still in the stack

    def train(self, watch: Watch | None) -> list[Trace]:
        traces: dict[int, Trace] = {}
        budget = self.recorders[0].budget_epochs
        epoch = 0
        self._snapshot()
        while True:
            running = [self.recorders[place] for place in self.places]
            over = [epoch >= budget or _settled(watch, recorder) for recorder in running]
            if any(over):
                accuracies = self._test_accuracies()
                for place, accuracy, ended in zip(self.places, accuracies, over, strict=True):
                    if ended:
                        traces[place] = self.recorders[place].trace(accuracy)
                self._leave([k for k, ended in enumerate(over) if not ended])
            if not self.places:
                return [traces[place] for place in range(len(self.recorders))]
            self._epoch(epoch)
            epoch += 1
            if self.recorders[self.places[0]].wants_snapshot():
                self._snapshot()

    def _leave(self, remaining: list[int]) -> None:
        """Keep only these of the networks, with what the optimizer remembers of them."""
        if remaining:
            places = torch.tensor(remaining, device=self.initial[0].device)
            self.networks.keep(places)
            self.initial = [weight[places] for weight in self.initial]
            for state in self.optimizer.state.values():
                for name, value in state.items():
                    if isinstance(value, Tensor) and value.dim():
                        state[name] = value[places]
            self.optimizer.zero_grad()
        self.places = [self.places[k] for k in remaining]

    def _epoch(self, epoch: int) -> None:
        """One pass over the points; the last epoch of a budget of steps may be cut short."""
        batch_size, recorder = self.problem.recipe.batch_size, self.recorders[self.places[0]]
        steps_left = recorder.budget_steps - epoch * recorder.steps_per_epoch
        orders = np.concatenate([self.orders[place].take(1) for place in self.places])
        shuffled = torch.from_numpy(orders[:, : steps_left * batch_size]).to(self.data.x_train.device)
        x, y = self.data.x_train[shuffled], self.data.y_train[shuffled]
        self.networks.train()
        losses = torch.zeros(len(x), device=x.device)
        correct = torch.zeros(len(x), device=x.device)
        for x_batch, y_batch in zip(torch.split(x, batch_size, 1), torch.split(y, batch_size, 1), strict=True):
            self.optimizer.zero_grad()
            logits = self.networks(x_batch)
            loss = mean_losses(logits, y_batch)
            # Each network's loss depends on its own parameters alone, so the sum's gradient is each one's own.
            loss.sum().backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            losses += loss.detach() * x_batch.shape[1]
            correct += count_correct(logits.detach(), y_batch)
        points = x.shape[1]
        for place, total, right in zip(self.places, losses.tolist(), correct.tolist(), strict=True):
            self.recorders[place].add_epoch(total / points, right / points)

    def _snapshot(self) -> None:
        networks, data = self.networks, self.data
        runs = len(self.places)
        networks.train()
        networks.freeze_statistics(True)
        outputs = networks.outputs(data.x_train.expand(runs, -1, -1))
        kept = [outputs[index] for index in self.kept]
        parameters = [layer.weight for layer in networks.dense]
        loss = mean_losses(outputs[-1], data.y_train.expand(runs, -1)).sum()
        gradients = torch.autograd.grad(loss, [*parameters, *kept])
        networks.freeze_statistics(False)
        weight_gradients, activation_gradients = gradients[: len(parameters)], gradients[len(parameters) :]
        logits = outputs[-1].detach()
        accuracies = self._test_accuracies()
        with torch.no_grad():
            moved = [_norms(w - start) / _norms(start) for w, start in zip(parameters, self.initial, strict=True)]
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
            for k, place in enumerate(self.places):
                self.recorders[place].add_snapshot(
                    {name: values[k] for name, values in per_layer.items()}
                    | {
                        "output_range": ranges[k],
                        "input_correlation": input_correlation(outputs[-2][k]),
                        "test_accuracy": accuracies[k],
                    }
                )
        for k, place in enumerate(self.places):
            if detail := self.recorders[place].detail:
                detail.add(
                    [_matrix(weight[k]) for weight in parameters],
                    [_matrix(gradient[k]) for gradient in weight_gradients],
                    partial(self._logits, k),
                    epoch=self.recorders[place].epoch,
                    regions=self.recorders[place].log_spaced,
                )

    def _never_active(self, k: int, output: Tensor) -> Tensor:
        layer = self.plan[self.kept[k]]
        if isinstance(layer, Activation) and layer.function == "relu":
            return 1 - (output > 0).any(dim=1).float().mean(dim=1)
        return torch.zeros(len(output), device=output.device)

    @torch.no_grad()
    def _logits(self, k: int, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """[n, outputs] of the k-th network of the stack."""
        self.networks.eval()
        x = torch.tensor(points, device=self.data.x_test.device).expand(len(self.places), -1, -1)
        return np.asarray(self.networks(x)[k].cpu())

    @torch.no_grad()
    def _test_accuracies(self) -> list[float]:
        self.networks.eval()
        runs, points = len(self.places), len(self.data.y_test)
        logits = self.networks(self.data.x_test.expand(runs, -1, -1))
        correct: list[float] = count_correct(logits, self.data.y_test.expand(runs, -1)).tolist()
        return [right / points for right in correct]


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


def mean_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """[R] mean cross-entropy over [R, batch, outputs] logits: binary for one output, else multi-class."""
    if logits.shape[2] == 1:
        losses = functional.binary_cross_entropy_with_logits(logits[..., 0], labels.to(logits.dtype), reduction="none")
    else:
        losses = functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
    return losses.mean(dim=1)


def count_correct(logits: Tensor, labels: Tensor) -> Tensor:
    """[R] how many of each batch are classified correctly, a logit of exactly 0 counting as class 0."""
    predicted = (logits[..., 0] > 0).long() if logits.shape[2] == 1 else logits.argmax(dim=2)
    return (predicted == labels).sum(dim=1)


def _norms(tensor: Tensor) -> Tensor:
    """[R] Euclidean norms over all but the first axis."""
    norms: Tensor = torch.linalg.vector_norm(tensor.flatten(1), dim=1)
    return norms


def _settled(watch: Watch | None, recorder: Recorder) -> bool:
    return watch is not None and watch(recorder.trace()) is not None


def _optimizer(problem: Problem, network: NetworkStack) -> torch.optim.Optimizer:
    recipe, parameters = problem.recipe, list(network.parameters())
    match recipe.optimizer:
        case "sgd":
            return torch.optim.SGD(
                parameters, recipe.learning_rate, momentum=recipe.momentum or 0.0, nesterov=recipe.nesterov, fused=True
            )
        case "adam":
            return torch.optim.Adam(parameters, recipe.learning_rate, eps=ADAM_EPSILON, fused=True)
        case "adamw":
            return torch.optim.AdamW(
                parameters, recipe.learning_rate, eps=ADAM_EPSILON, weight_decay=recipe.weight_decay, fused=True
            )


def _matrix(stacked: Tensor) -> NDArray[np.float32]:
    """A copy of a layer's W, [units, inputs], out of the stack, where it lies transposed."""
    return np.asarray(stacked.detach().cpu().numpy().T.copy())


def _by_run(layers: list[Tensor]) -> NDArray[np.float32]:
    """[R] figures of each layer as [R, layers]."""
    return np.asarray(torch.stack(layers, dim=1).detach().cpu())


@contextmanager
def _want_of_memory_said(problem: Problem, depth: int) -> Iterator[None]:
    """Want of memory within the block becomes one line that says what asked for it."""
    units = family_of(problem.family).units(depth)
    said = TrainingFailed(f"out of memory while training {units} of width {problem.width}: lower --cap or --width")
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise said from error
    except RuntimeError as error:
        # torch's CPU allocator raises a bare RuntimeError.
        if any(words in str(error) for words in ("not enough memory", "can't allocate memory")):
            raise said from error
        raise


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """torch's number of threads for the block; as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
