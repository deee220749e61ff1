"""Files as users write them."""

from pathlib import Path

MODEL = '''
"""A user's model, its data, and what it may hold besides."""

import torch
from torch import nn

from parts import Block


class Net(nn.Module):
    def __init__(self, depth, width=8):
        super().__init__()
        self.first = nn.Linear(2, width)
        self.blocks = nn.ModuleList([Block(width) for _ in range(depth)])
        self.last = nn.Linear(width, 2)

    def forward(self, points):
        hidden = self.first(points)
        for block in self.blocks:
            hidden = block(hidden)
        return self.last(hidden)


def build(depth):
    return Net(depth)


def build_for(depth, spec):
    return Net(depth, width=4 * spec.classes)


def model():
    return Net(4)


def loss(outputs, targets):
    return nn.functional.cross_entropy(outputs, targets)


def load():
    points = torch.linspace(-1, 1, 80).reshape(40, 2)
    labels = (torch.arange(40) % 2).long()
    return (points[:30], labels[:30]), (points[30:], labels[30:])
'''

PARTS = """
from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Linear(width, width)
        nn.init.normal_(self.inner.weight, std=0.5)

    def forward(self, hidden):
        return hidden + self.inner(hidden).relu()
"""

TRAIN = """
import random

baseline = 0.1


def train(depth, seed):
    for epoch in range(8):
        yield 0.1 + (0.1 * epoch if depth + 4 * random.random() < 9 else 0.0)
"""


def write(folder: Path, **texts: str) -> Path:
    """Write NAME.py for each text, and return the folder."""
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder
