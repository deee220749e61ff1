"""Families and data of the tests of the module engine, in no registry: they are made by calling them."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from depthsearch.data.base import Dataset, DataSource, DataSpec, TorchData
from depthsearch.networks.base import CustomTraining, LayerCounts, Network
from depthsearch.problem.problem import Problem

POINTS = 96

NOTHING = CustomTraining()
THREE_CLASSES = DataSpec(shape=(8,), classes=3)


@dataclass(frozen=True)
class Code:
    """What a family of the tests builds, and does in place of the engine."""

    build: Callable[[int], nn.Module]
    custom: CustomTraining = NOTHING
    draw: Callable[[], Dataset | TorchData] | None = None
    spec: DataSpec = THREE_CLASSES


CODES: dict[str, Code] = {}
"""By name: a frozen model holds no functions."""


class Coded(Network):
    """A family whose code is in CODES."""

    unit: ClassVar[str] = "block"
    shallowest: ClassVar[int] = 0

    def build(self, spec: DataSpec, depth: int) -> nn.Module:
        return CODES[self.family].build(depth)

    def custom_training(self) -> CustomTraining:
        return CODES[self.family].custom

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        return LayerCounts()


class CodedData(DataSource):
    """Data whose code is in CODES."""

    @property
    def spec(self) -> DataSpec:
        return CODES[self.name].spec

    def draw(self) -> Dataset | TorchData:
        made = CODES[self.name].draw
        return made() if made is not None else blobs(CODES[self.name].spec)


def problem_of(name: str, code: Code, **recipe: Any) -> Problem:
    """A problem of that code; the recipe is SGD for a few epochs unless it says otherwise."""
    CODES[name] = code
    given = {"epochs": 4, "batch_size": 32, "learning_rate": 0.05} | recipe
    if "steps" in given:
        given.pop("epochs")
    return Problem(network=Coded(family=name), data=CodedData(name=name, seed=len(CODES)), recipe=given)


def blobs(spec: DataSpec, points: int = POINTS) -> Dataset:
    """Points around as many centres as there are classes, of the shape of the spec."""
    rng = np.random.default_rng(0)
    classes = spec.classes or 2
    labels = np.arange(2 * points) % classes
    centres = rng.standard_normal((classes, *spec.shape))
    x = (centres[labels] + 0.3 * rng.standard_normal((2 * points, *spec.shape))).astype(np.float32)
    y = labels.astype(np.int64)
    return Dataset(x[:points], y[:points], x[points:], y[points:], classes)


class Convolutions(nn.Module):
    """Convolutions with batch norm, dropout and in-place activations on inputs of 1 x 8 x 8."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for k in range(depth):
            blocks += [nn.Conv2d(1 if k == 0 else 6, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*blocks, nn.Dropout(0.1))
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(x).mean(dim=(2, 3)))
        return logits


IMAGES = DataSpec(shape=(1, 8, 8), classes=3, image=(1, 8, 8))


class Zoo(nn.Module):
    """Embedding, LSTM, Conv1d, weight sharing, two inputs, and a layer that is never used."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(12, 8)
        self.memory = nn.LSTM(8, 8, num_layers=2, batch_first=True)
        self.shared = nn.Linear(8, 8)
        self.depth = depth
        self.convolution = nn.Conv1d(8, 8, 3, padding=1)
        self.second = nn.Linear(4, 8)
        self.unused = nn.Linear(8, 8)
        self.head = nn.Linear(8, 12)

    def forward(self, tokens: Tensor, features: Tensor) -> Tensor:
        hidden, _ = self.memory(self.embedding(tokens))
        for _ in range(self.depth):
            hidden = torch.relu(self.shared(hidden))
        hidden = self.convolution(hidden.transpose(1, 2)).mean(dim=2) + self.second(features)
        return nn.functional.linear(self.head(hidden), self.embedding.weight.T)


def zoo_data() -> TorchData:
    """Tokens [n, 5], features [n, 4] and labels below 8, as torch Datasets."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, 12, (2 * POINTS, 5), generator=generator)
    features = torch.randn(2 * POINTS, 4, generator=generator)
    labels = tokens[:, 0] % 8
    sets = [
        torch.utils.data.TensorDataset(tokens[part], features[part], labels[part])
        for part in (slice(0, POINTS), slice(POINTS, 2 * POINTS))
    ]
    return TorchData(sets[0], sets[1], POINTS, baseline=float(labels[:POINTS].bincount().max() / POINTS))


def dense(depth: int, inputs: int = 8, outputs: int = 3) -> nn.Module:
    layers: list[nn.Module] = []
    for k in range(depth):
        layers += [nn.Linear(inputs if k == 0 else 16, 16), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(16 if depth else inputs, outputs))


def noisy(depth: int) -> nn.Module:
    """Weights from every generator that there is, and dropout."""
    module = dense(depth)
    with torch.no_grad():
        next(module.parameters()).mul_(1 + random.random()).add_(np.random.rand())  # noqa: NPY002
    return nn.Sequential(module, nn.Dropout(0.2))
