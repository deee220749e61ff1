"""The reference engine: one torch module at a time, on CPU or CUDA. It trains every plan there is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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
from depthsearch.training.engine import Job, Watch
from depthsearch.training.initialization import initial_weights
from depthsearch.training.network import Network
from depthsearch.training.recorder import Recorder

WIDE = 256
"""From this width on, a layer's own arithmetic is worth more than one thread."""


class TorchEngine:
    """Trains the jobs one after another.

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

    def train(self, problem: Problem, jobs: Sequence[Job], *, watch: Watch | None = None) -> list[Trace]:
        """Train every job in turn (see Engine.train)."""
        data = load(problem.data)
        with _threads(torch.get_num_threads() if problem.width >= WIDE else 1):
            return [self._train_one(problem, data, job, watch) for job in jobs]

    def _train_one(self, problem: Problem, data: Dataset, job: Job, watch: Watch | None) -> Trace:
        try:
            return _Run(problem, data, job, self.device).train(watch)
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise TrainingFailed(_out_of_memory(problem, job)) from error
        except RuntimeError as error:
            # torch's CPU allocator raises a bare RuntimeError.
            if not any(words in str(error) for words in ("not enough memory", "can't allocate memory")):
                raise
            raise TrainingFailed(_out_of_memory(problem, job)) from error


class _Run:
    """One network on its way through its budget."""

    def __init__(self, problem: Problem, data: Dataset, job: Job, device: torch.device) -> None:
        plan = family_of(problem.family).plan(problem, data.spec, job.depth)
        self.problem, self.plan, self.seed = problem, plan, job.seed
        self.data = _Tensors(data, device)
        self.network = Network(plan, initial_weights(problem, plan, job.seed)).to(device)
        self.initial = [layer.weight.detach().clone() for layer in self.network.dense]
        self.optimizer = _optimizer(problem, self.network)
        self.kept = output_indices(plan)
        self.recorder = Recorder(problem, plan, data, depth=job.depth, seed=job.seed)

    def train(self, watch: Watch | None) -> Trace:
        recorder = self.recorder
        self._snapshot()
        orders = EpochOrders(len(self.data.x_train), self.seed)
        while recorder.epoch < recorder.budget_epochs and not _settled(watch, recorder):
            self._epoch(orders.take(1)[0])
            if recorder.wants_snapshot():
                self._snapshot()
        return recorder.trace(self._test_accuracy())

    def _epoch(self, order: NDArray[np.int64]) -> None:
        """One pass over the points; the last epoch of a budget of steps may be cut short."""
        batch_size, recorder = self.problem.recipe.batch_size, self.recorder
        steps_left = recorder.budget_steps - recorder.epoch * recorder.steps_per_epoch
        shuffled = torch.from_numpy(order[: steps_left * batch_size]).to(self.data.x_train.device)
        x, y = self.data.x_train[shuffled], self.data.y_train[shuffled]
        self.network.train()
        loss_sum = torch.zeros((), device=x.device)
        correct = torch.zeros((), device=x.device)
        for x_batch, y_batch in zip(torch.split(x, batch_size), torch.split(y, batch_size), strict=True):
            self.optimizer.zero_grad()
            logits = self.network(x_batch)
            loss = mean_loss(logits, y_batch)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            loss_sum += loss.detach() * len(x_batch)
            correct += count_correct(logits.detach(), y_batch)
        recorder.add_epoch(float(loss_sum) / len(x), float(correct) / len(x))

    def _snapshot(self) -> None:
        network, data = self.network, self.data
        network.train()
        network.freeze_statistics(True)
        outputs = network.outputs(data.x_train)
        kept = [outputs[index] for index in self.kept]
        parameters = [layer.weight for layer in network.dense]
        gradients = torch.autograd.grad(mean_loss(outputs[-1], data.y_train), [*parameters, *kept])
        network.freeze_statistics(False)
        weight_gradients, activation_gradients = gradients[: len(parameters)], gradients[len(parameters) :]
        logits = outputs[-1].detach()
        with torch.no_grad():
            weights = list(zip(parameters, self.initial, strict=True))
            self.recorder.add_snapshot(
                {
                    "weight_gradient_norm": _stack([gradient.norm() for gradient in weight_gradients]),
                    "mean_abs_gradient": _stack([gradient.abs().mean() for gradient in weight_gradients]),
                    "activation_gradient_norm": _stack([gradient.norm() for gradient in activation_gradients]),
                    "weight_norm": _stack([weight.norm() for weight in parameters]),
                    "weight_change": _stack([(weight - start).norm() / start.norm() for weight, start in weights]),
                    "never_active": _stack([self._never_active(k, output) for k, output in enumerate(kept)]),
                    "input_correlation": input_correlation(outputs[-2]),
                    "output_range": float((logits.amax(dim=0) - logits.amin(dim=0)).max()),
                    "test_accuracy": self._test_accuracy(),
                }
            )

    def _never_active(self, k: int, output: Tensor) -> Tensor:
        layer = self.plan[self.kept[k]]
        if isinstance(layer, Activation) and layer.function == "relu":
            return 1 - (output > 0).any(dim=0).float().mean()
        return torch.zeros((), device=output.device)

    @torch.no_grad()
    def _test_accuracy(self) -> float:
        self.network.eval()
        logits = self.network(self.data.x_test)
        return float(count_correct(logits, self.data.y_test)) / len(self.data.y_test)


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


def mean_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy over [batch, outputs] logits: binary where there is one output, else multi-class."""
    if logits.shape[1] == 1:
        return functional.binary_cross_entropy_with_logits(logits[:, 0], labels.to(logits.dtype))
    return functional.cross_entropy(logits, labels)


def count_correct(logits: Tensor, labels: Tensor) -> Tensor:
    """How many of the batch are classified correctly, a logit of exactly 0 counting as class 0."""
    predicted = (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(dim=1)
    return (predicted == labels).sum()


def _settled(watch: Watch | None, recorder: Recorder) -> bool:
    return watch is not None and watch(recorder.trace()) is not None


def _optimizer(problem: Problem, network: Network) -> torch.optim.Optimizer:
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


def _stack(values: list[Tensor]) -> NDArray[np.float32]:
    return torch.stack(values).detach().cpu().numpy()


def _out_of_memory(problem: Problem, job: Job) -> str:
    unit = family_of(problem.family).unit
    return f"out of memory while training {job.depth} {unit} of width {problem.width}: lower --cap or --width"


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """torch's number of threads for the block; as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
