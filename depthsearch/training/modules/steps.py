"""Optimizer steps of a stack of networks: one operation after another, or recorded once and replayed on a GPU."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from depthsearch.problem.recipe import Recipe
from depthsearch.training.modules.device import autocast
from depthsearch.training.modules.optimizer import clip_stacked_gradients
from depthsearch.training.modules.stack import NetworkStack

Step: TypeAlias = Callable[[], None]

WARM_UP = 3
"""Steps before a recording, in which libraries choose their kernels and make their workspaces."""


class Steps:
    """Trains R networks on one batch each at a time, and keeps the sums of an epoch.

    Args:
        networks: The stack.
        optimizer: Of its parameters.
        recipe: Label smoothing, precision, and the norm that gradients are clipped to.

    Attributes:
        losses: [R] since `begin`, the batches' mean losses, each times its number of points.
        correct: [R] since `begin`, points classified correctly.
    """

    def __init__(self, networks: NetworkStack, optimizer: torch.optim.Optimizer, recipe: Recipe) -> None:
        self.networks, self.optimizer, self.recipe = networks, optimizer, recipe
        self.resize()

    def resize(self) -> None:
        """The stack holds other networks than before."""
        weight = self.networks.dense[0].weight
        self.parameters = list(self.networks.parameters())
        self.losses = torch.zeros(len(weight), device=weight.device)
        self.correct = torch.zeros(len(weight), device=weight.device)

    def begin(self) -> None:
        """An epoch begins."""
        self.networks.train()
        self.losses.zero_()
        self.correct.zero_()

    def take(self, x: Tensor, y: Tensor) -> None:
        """One step on points x [R, batch, features] with labels y [R, batch]."""
        self.optimizer.zero_grad()
        with autocast(self.recipe, x.device):
            logits = self.networks(x)
            losses = mean_losses(logits, y, smoothing=self.recipe.label_smoothing or 0.0)
        # A network's loss depends only on its parameters, so the gradient of the sum holds each network's.
        losses.sum().backward()  # type: ignore[no-untyped-call]
        clip_stacked_gradients(self.parameters, self.recipe)
        self.optimizer.step()
        self.losses += losses.detach() * x.shape[1]
        self.correct += count_correct(logits.detach(), y)


class RecordedSteps(Steps):
    """The same, with the step for each size of batch recorded as one graph and replayed from then on.

    A step of a deep narrow stack is hundreds of tiny kernels, and launching them takes longer than running them;
    a graph is launched as a whole. Recording changes nothing: what the warm-up moved is put back.

    Args:
        networks: The stack.
        optimizer: Of its parameters, able to be captured.
        recipe: Label smoothing, precision, and the norm that gradients are clipped to.
        record: Records a step, without taking it, and gives what takes it. By default, as a CUDA graph.
    """

    def __init__(
        self,
        networks: NetworkStack,
        optimizer: torch.optim.Optimizer,
        recipe: Recipe,
        record: Callable[[Step], Step] | None = None,
    ) -> None:
        self._record = record or record_cuda_graph
        super().__init__(networks, optimizer, recipe)

    def resize(self) -> None:
        """Forget the graphs, which point to the memory of the former stack."""
        super().resize()
        self._graphs: dict[int, tuple[Tensor, Tensor, Step]] = {}

    def take(self, x: Tensor, y: Tensor) -> None:
        """One step on points x [R, batch, features] with labels y [R, batch]."""
        size = x.shape[1]
        if size not in self._graphs:
            own_x, own_y = x.clone(), y.clone()

            def step() -> None:
                Steps.take(self, own_x, own_y)

            self._warm_up(step)
            self._graphs[size] = own_x, own_y, self._record(step)
        own_x, own_y, replay = self._graphs[size]
        own_x.copy_(x)
        own_y.copy_(y)
        replay()

    @torch.no_grad()
    def _warm_up(self, step: Step) -> None:
        """Take the step some times, and put everything back; the optimizer's state then exists, as graphs need it."""
        before = {id(tensor): tensor.clone() for tensor in self._tensors()}
        with torch.enable_grad(), warnings.catch_warnings(), _side_stream(self.losses.device):
            warnings.filterwarnings("ignore", "This instance was constructed with capturable=True")
            for _ in range(WARM_UP):
                step()
        for tensor in self._tensors():
            # An optimizer's state begins at zero.
            tensor.copy_(before.get(id(tensor), torch.zeros_like(tensor)))
        self.optimizer.zero_grad()

    def _tensors(self) -> list[Tensor]:
        """All that a step changes."""
        states = [value for state in self.optimizer.state.values() for value in state.values()]
        kept = [value for value in states if isinstance(value, Tensor)]
        return [*self.networks.parameters(), *self.networks.buffers(), *kept, self.losses, self.correct]


@contextmanager
def _side_stream(device: torch.device) -> Iterator[None]:
    """On a GPU, another stream than the present one, as what comes before a recording needs; elsewhere nothing."""
    if device.type != "cuda":
        yield
        return
    present, side = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(present)
    with torch.cuda.stream(side):
        yield
    present.wait_stream(side)


def record_cuda_graph(step: Step) -> Step:
    """A step as a CUDA graph.

    Source: https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
    """
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def mean_losses(logits: Tensor, labels: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """[R] mean cross-entropy over [R, batch, outputs] logits: binary for one output, else multi-class.

    Args:
        logits: [R, batch, outputs], of any floating type; the loss is in float32.
        labels: [R, batch] classes.
        smoothing: Share of each target that is spread evenly over the classes, both of them for one output (arXiv
            1512.00567).
    """
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    if logits.shape[2] == 1:
        targets = labels.to(logits.dtype)
        if smoothing:
            targets = (1 - smoothing) * targets + smoothing / 2
        losses = functional.binary_cross_entropy_with_logits(logits[..., 0], targets, reduction="none")
    else:
        losses = functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none", label_smoothing=smoothing)
    return losses.mean(dim=1)


def count_correct(logits: Tensor, labels: Tensor) -> Tensor:
    """[R] how many of each batch are classified correctly, a logit of exactly 0 counting as class 0."""
    predicted = (logits[..., 0] > 0).long() if logits.shape[2] == 1 else logits.argmax(dim=2)
    return (predicted == labels).sum(dim=1)
