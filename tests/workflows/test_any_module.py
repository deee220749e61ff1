"""Networks of others, searched and inspected as they are: their code knows nothing of depthsearch."""

import math
from pathlib import Path
from typing import Any

import pytest

from depthsearch import Problem, Recipe, SearchSettings, find, inspect
from depthsearch.results.inspection import Inspection
from docs.transcripts import blocks, pages
from tests.user_code.written import write

FEW = SearchSettings(sampler="grid", depths=(1, 2), runs_per_trial=2, max_runs=6)
QUICK = Recipe(optimizer="adam", learning_rate=0.003, batch_size=16, steps=20)
COPY = {"name": "copy", "points": 80}
WIDTH_64 = {"hidden_size": 64, "num_attention_heads": 2, "intermediate_size": 128}

RESNET = '''
"""ResNet-18 is the network of two blocks in each stage."""

import torch
from torchvision.models.resnet import BasicBlock, ResNet


def build(depth):
    return ResNet(BasicBlock, [depth] * 4, num_classes=2)


def load():
    images = torch.randn(48, 3, 8, 8)
    labels = (images.mean(dim=(1, 2, 3)) > 0).long()
    return (images[:32], labels[:32]), (images[32:], labels[32:])
'''

ZOO = '''
"""Embedding, LSTM, Conv1d, weights that are shared, two inputs, and a layer that is never used."""

import torch
from torch import nn


class Zoo(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.embedding = nn.Embedding(12, 8)
        self.memory = nn.LSTM(8, 8, num_layers=depth, batch_first=True)
        self.shared = nn.Linear(8, 8)
        self.convolution = nn.Conv1d(8, 8, 3, padding=1)
        self.second = nn.Linear(4, 8)
        self.unused = nn.Linear(8, 8)
        self.head = nn.Linear(8, 12, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens, features):
        hidden, _ = self.memory(self.embedding(tokens))
        hidden = torch.relu_(self.shared(torch.relu_(self.shared(hidden))))
        hidden = self.convolution(hidden.transpose(1, 2)).mean(dim=2) + self.second(features)
        return self.head(hidden)


class Items(torch.utils.data.Dataset):
    def __init__(self, items):
        self.tokens = torch.randint(0, 12, (items, 5))
        self.features = torch.randn(items, 4)

    def __len__(self):
        return len(self.tokens)

    def __getitem__(self, place):
        return {"tokens": self.tokens[place], "features": self.features[place], "labels": self.tokens[place, 0]}


def load():
    return Items(64), Items(32)
'''


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DEPTHSEARCH_STORAGE", raising=False)
    return tmp_path


def searched(problem: Problem) -> Inspection:
    """A run of two units of depth, after a search has trained networks of one and of two."""
    answer = find(problem, FEW)
    assert 4 <= answer.cost.runs <= 6
    assert [point.depth for point in answer.curve] == [1, 2]
    assert answer.exclusions == ()
    return inspect(problem, depth=2)


def gradients(run: Inspection) -> dict[str, float]:
    """The norm of each layer's weight gradient in the first snapshot."""
    return dict(zip(run.trace.layers, run.trace.snapshots.weight_gradient_norm[0], strict=True))


def test_the_resnet_18_of_torchvision(folder: Path) -> None:
    write(folder, resnet=RESNET)
    run = searched(Problem(model="resnet.py:build", data="resnet.py:load", recipe=Recipe(batch_size=16, steps=4)))

    assert run.layers.parameters == 11_689_512 - 998 * 513  # two classes in place of 1000
    assert {"conv1", "layer4.1.conv2", "fc"} <= gradients(run).keys()
    assert min(gradients(run).values()) > 0


def test_a_module_of_many_kinds_of_layers(folder: Path) -> None:
    write(folder, zoo=ZOO)
    found = gradients(searched(Problem(model="zoo.py:Zoo", data="zoo.py:load", recipe=QUICK)))

    assert set(found) == {"embedding", "memory l0", "memory l1", "shared", "convolution", "second", "unused"}
    assert [name for name, norm in found.items() if not norm > 0] == ["unused"]


def test_the_transformer_of_the_manual(folder: Path) -> None:
    (listing,) = [block.text for block in blocks(pages()["own-model.md"].read_text()) if block.file == "transformer.py"]
    write(folder, transformer=listing)
    found = gradients(searched(Problem(model="transformer.py:build", data="transformer.py:load", recipe=QUICK)))

    assert {"embed", "layers.0.self_attn", "layers.1.linear2", "head"} <= found.keys()
    assert min(found.values()) > 0


@pytest.mark.parametrize(
    ("model", "settings", "data", "last"),
    [
        ("timm:vit_tiny_patch16_224", {"embed_dim": 64, "num_heads": 2, "patch_size": 4}, "digits", "blocks.1.mlp.fc2"),
        ("hf:gpt2", {"n_embd": 64, "n_head": 2}, COPY, "transformer.h.1.mlp.c_proj"),
        ("hf:llama", WIDTH_64, COPY, "model.layers.1.mlp.down_proj"),
        ("hf:bert", WIDTH_64, COPY | {"masked": True}, "bert.encoder.layer.1.output.dense"),
    ],
    ids=["a ViT of timm", "GPT-2", "Llama", "BERT"],
)
def test_a_published_architecture_of_width_64(model: str, settings: dict[str, Any], data: Any, last: str) -> None:
    run = searched(Problem(model=model, set=settings, data=data, recipe=QUICK))

    assert gradients(run)[f"network.{last}"] > 0
    assert math.isfinite(run.trace.loss[-1])
