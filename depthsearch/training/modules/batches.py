"""The batches of one run, by the run's seed: slices of arrays, items of a torch Dataset, or a user's DataLoader."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from depthsearch.data.augment import augmented
from depthsearch.data.base import Dataset, TorchData
from depthsearch.data.user_batches import limited
from depthsearch.errors import InvalidValue
from depthsearch.training.modules.structure import on_device
from depthsearch.training.recorder import EpochOrders

AUGMENTATION_STREAM = 2
"""Which of a seed's streams the changes of images are drawn from; the order of the batches has another."""


class Batches(Protocol):
    """The training and test data of one run."""

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass."""

    @property
    def full_steps(self) -> int:
        """How many of these, from the first on, hold as many points as any."""

    def epoch(self, number: int, first: int = 0) -> Iterator[Any]:
        """The batches of an epoch, counted from 0, from its batch `first` on."""

    def test(self) -> Iterator[Any]:
        """The batches of the test set."""

    def can_continue_at(self, step: int) -> bool:
        """Whether `epoch` gives the batches from there on to a run that did not take those before."""


def batches_of(
    data: Dataset | TorchData, *, batch_size: int, seed: int, device: torch.device, augmentation: str | None = None
) -> Batches:
    """The batches of a run.

    Args:
        data: What is learned.
        batch_size: Points in a batch; a user's DataLoader has its size already.
        seed: Of the run.
        device: Where the batches are wanted.
        augmentation: Name of the random change of each image in training (see data.augment); None for none.

    Raises:
        InvalidValue: A DataLoader does not know how many batches it has, or has none.
    """
    if isinstance(data, Dataset):
        return ArrayBatches(tensors_of(data, device), batch_size=batch_size, seed=seed, augmentation=augmentation)
    return TorchBatches(data, batch_size=batch_size, seed=seed, device=device)


def tensors_of(data: Dataset, device: torch.device) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """(inputs, targets) for training and for test, on a device."""
    train, test = (
        (torch.tensor(x, device=device), torch.tensor(y, device=device))
        for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test))
    )
    return train, test


class ArrayBatches:
    """Slices of arrays in the order that every engine takes for a seed.

    A last batch of one point is left out: batch normalization has no statistics of it.
    """

    def __init__(
        self,
        data: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]],
        *,
        batch_size: int,
        seed: int,
        augmentation: str | None = None,
    ) -> None:
        self._seed, self._augmentation = seed, augmentation
        (self._x, self._y), self._test = data
        self._batch_size, self._orders = batch_size, EpochOrders(len(self._x), seed)
        points = len(self._x)
        used = points - 1 if points % batch_size == 1 and points > 1 else points
        self.steps_per_epoch = -(-used // batch_size)
        self.full_steps = used // batch_size or 1

    def epoch(self, number: int, first: int = 0) -> Iterator[Any]:
        """The batches of an epoch; epochs are taken one after another, the last one may be taken again."""
        order = torch.from_numpy(self._orders.of_epochs(number, number)[-1]).to(self._x.device)
        for step in range(first, self.steps_per_epoch):
            chosen = order[step * self._batch_size : (step + 1) * self._batch_size]
            yield self._changed(self._x[chosen], number, step), self._y[chosen]

    def _changed(self, images: Tensor, epoch: int, step: int) -> Tensor:
        """The inputs of a batch, changed at random where that is wanted; a step's changes depend on no other."""
        if self._augmentation is None:
            return images
        rng = np.random.default_rng([self._seed, AUGMENTATION_STREAM, epoch, step])
        return torch.from_numpy(augmented(images.cpu().numpy(), self._augmentation, rng)).to(images.device)

    def can_continue_at(self, step: int) -> bool:
        """Anywhere: every epoch's order comes from the seed."""
        return True

    def test(self) -> Iterator[Any]:
        """The test set in its order."""
        size = max(self._batch_size, 256)
        x, y = self._test
        yield from zip(torch.split(x, size), torch.split(y, size), strict=True)


class TorchBatches:
    """A user's DataLoaders, or DataLoaders over a user's Datasets in the order of the seed."""

    def __init__(self, data: TorchData, *, batch_size: int, seed: int, device: torch.device) -> None:
        self._data, self._batch_size, self._seed, self._device = data, batch_size, seed, device
        self._orders: EpochOrders | None = None
        if isinstance(data.train, DataLoader):
            self.steps_per_epoch = _length(data.train)
            self.full_steps = _full_steps(data.train, self.steps_per_epoch)
            return
        points = len(data.train)
        used = points - 1 if points % batch_size == 1 and points > 1 else points
        self._orders = EpochOrders(points, seed)
        self.steps_per_epoch, self.full_steps = -(-used // batch_size), used // batch_size or 1

    def epoch(self, number: int, first: int = 0) -> Iterator[Any]:
        """The batches of an epoch; those before `first` are drawn too, since a loader has no other way to get there."""
        loader = self._data.train if self._orders is None else self._ordered(self._orders, number)
        for step, batch in enumerate(loader):
            if step >= first:
                yield on_device(batch, self._device)

    def can_continue_at(self, step: int) -> bool:
        """With a user's DataLoader only between epochs: it draws an order as an epoch begins."""
        return self._orders is not None or step % self.steps_per_epoch == 0

    def test(self) -> Iterator[Any]:
        """The test set in its order."""
        data = self._data.test
        loader = data if isinstance(data, DataLoader) else DataLoader(data, max(self._batch_size, 256))
        for batch in limited(loader, name="the test DataLoader"):
            yield on_device(batch, self._device)

    def _ordered(self, orders: EpochOrders, number: int) -> DataLoader[Any]:
        order = orders.of_epochs(number, number)[-1].tolist()
        size = self._batch_size
        slices = [order[step * size : (step + 1) * size] for step in range(self.steps_per_epoch)]
        return DataLoader(self._data.train, batch_sampler=slices)


@contextmanager
def seeded_loaders(data: Dataset | TorchData, seed: int) -> Iterator[None]:
    """A block in which the generators of a user's DataLoaders begin at the seed; afterwards they go on as before."""
    generators = list(_generators(data)) if isinstance(data, TorchData) else []
    states = [generator.get_state() for generator in generators]
    for generator in generators:
        generator.manual_seed(seed)
    try:
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)


def loader_states(data: Dataset | TorchData) -> list[Tensor]:
    """The states of the generators of a user's DataLoaders."""
    return [generator.get_state() for generator in _generators(data)] if isinstance(data, TorchData) else []


def restore_loaders(data: Dataset | TorchData, states: list[Tensor]) -> None:
    """Let the generators of a user's DataLoaders draw on from these states."""
    if isinstance(data, TorchData):
        for generator, state in zip(_generators(data), states, strict=True):
            generator.set_state(state)


def _generators(data: TorchData) -> Iterator[torch.Generator]:
    """Each generator of the user's DataLoaders once: the loader's, its sampler's, and that of the sampler inside."""
    seen: set[int] = set()
    for loader in (data.train, data.test):
        if not isinstance(loader, DataLoader):
            continue
        inner = getattr(loader.batch_sampler, "sampler", None)
        for holder in (loader, loader.sampler, inner):
            generator = getattr(holder, "generator", None)
            if isinstance(generator, torch.Generator) and id(generator) not in seen:
                seen.add(id(generator))
                yield generator


def _length(loader: DataLoader[Any]) -> int:
    try:
        length = len(loader)
    except TypeError:
        raise InvalidValue(
            "the training DataLoader must know how many batches it has, but its dataset has no length"
        ) from None
    if not length:
        raise InvalidValue("the training DataLoader must hold at least one batch, but got none")
    return length


def _full_steps(loader: DataLoader[Any], steps: int) -> int:
    """All batches but the last, where that may be smaller."""
    try:
        points = len(loader.dataset)  # type: ignore[arg-type]
    except TypeError:
        return max(steps - 1, 1)
    size = loader.batch_size
    return steps if size is None or loader.drop_last or points % size == 0 else max(steps - 1, 1)
