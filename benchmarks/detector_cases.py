"""The configurations of benchmarks/detector.py: kinds of network, each at several depths.

FIRST and SECOND were looked at while rules were chosen. THIRD were written down afterwards, at other widths, points and
rates, and labelled before the rules saw them: those are held out. Most are narrow networks on circles, as AutoTrainer's
public models are; at others theory says what happens.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from depthsearch.problem.problem import Problem


@dataclass(frozen=True)
class Kind:
    """A kind of network, at some depths; by default relu, width 5, SGD for 100 epochs."""

    name: str
    depths: Sequence[int]
    fields: dict[str, Any]
    recipe: dict[str, Any]


@dataclass(frozen=True)
class Configuration:
    """A kind of network at one depth."""

    name: str
    problem: Problem
    depth: int


def kind(name: str, depths: Sequence[int], recipe: dict[str, Any] | None = None, **fields: Any) -> Kind:
    return Kind(name, depths, fields, recipe or {})


def normal(sigma_w2: float, sigma_b2: float = 0.0, **fields: Any) -> dict[str, Any]:
    return {"initialization": "normal", "sigma_w2": sigma_w2, "sigma_b2": sigma_b2, "width": 32} | fields


CIRCLES = {"name": "circles", "noise": 0.1, "seed": 1}
ADAM = {"optimizer": "adam", "learning_rate": 0.01}

FIRST = (
    kind("glorot relu", (2, 4, 6, 10, 14, 18, 24, 30)),
    kind("he relu", (4, 10, 18, 30), initialization="he_normal"),
    kind("torch's relu", (2, 6, 12, 18), initialization="torch_default"),
    kind("leaky relu", (3, 8, 16, 24), activation="leaky_relu"),
    kind("tanh", (3, 10, 20, 30, 45), activation="tanh"),
    kind("sigmoid", (1, 2, 4, 6, 12, 18), activation="sigmoid"),
    kind("sigmoid adam", (2, 6, 12), ADAM, activation="sigmoid"),
    kind("relu adam", (6, 14, 22), ADAM),
    kind("selu", (6, 18), activation="selu", initialization="lecun_normal"),
    kind("elu", (6, 18), activation="elu"),
    kind("gelu", (6, 18), activation="gelu"),
    kind("softsign", (6, 18), activation="softsign"),
    kind("relu, rate 0.3", (6,), {"learning_rate": 0.3}),
    kind("relu, rate 1", (6,), {"learning_rate": 1.0}),
    kind("relu, rate 10", (6,), {"learning_rate": 10.0}),
    kind("tanh, rate 0.3", (6,), {"learning_rate": 0.3}, activation="tanh"),
    kind("tanh, rate 1", (6,), {"learning_rate": 1.0}, activation="tanh"),
    kind("tanh, rate 10", (6,), {"learning_rate": 10.0}, activation="tanh"),
    kind("identity, rate 0.3", (4,), {"learning_rate": 0.3}, activation="identity"),
    kind("identity, rate 3", (4,), {"learning_rate": 3.0}, activation="identity"),
    kind("he relu wide, rate 0.3", (8,), {"learning_rate": 0.3}, initialization="he_normal", width=32),
    kind("he relu wide, rate 3", (8,), {"learning_rate": 3.0}, initialization="he_normal", width=32),
    kind("tanh, rate 1e-5", (2,), {"learning_rate": 1e-5}, activation="tanh", width=16, data="moons"),
    kind("tanh, rate 1e-4", (2,), {"learning_rate": 1e-4}, activation="tanh", width=16, data="moons"),
    kind("tanh sigma 4", (10, 20), activation="tanh", **normal(4.0, 0.05)),
    kind("tanh sigma 16", (10, 20), activation="tanh", **normal(16.0, 0.05)),
    kind("relu sigma 8", (10, 20), **normal(8.0)),
    kind("tanh sigma 0.5, biased", (6, 12, 20), activation="tanh", **normal(0.5, 0.3)),
    kind("tanh sigma 0.8, biased", (12, 20, 30), activation="tanh", **normal(0.8, 0.3)),
    kind("he relu wide", (12, 24, 40, 60), initialization="he_normal", width=32),
    kind("glorot relu wide", (10, 20, 31), width=32),
    kind("resnet relu", (20, 60, 150), family="resnet", data="moons"),
    kind("resnet relu plain", (30,), family="resnet", normalization="none", data="moons"),
    kind("resnet tanh plain", (60,), family="resnet", activation="tanh", normalization="none", data="moons"),
    kind("batch norm relu", (6, 14, 24), normalization="batch", width=16),
    kind("layer norm relu", (6, 14, 24), normalization="layer", width=16),
)

SECOND = (
    kind("xor glorot relu", (3, 5, 8, 12, 16, 22, 28), data="xor"),
    kind("moons he relu", (6, 14, 24), initialization="he_uniform", data="moons"),
    kind("xor lecun relu", (4, 9, 15, 21), initialization="lecun_normal", data="xor"),
    kind("moons leaky relu", (5, 12, 20), activation="leaky_relu", data="moons"),
    kind("moons tanh", (4, 15, 25, 35, 50), activation="tanh", data="moons"),
    kind("xor sigmoid", (1, 3, 5, 9, 15), activation="sigmoid", data="xor"),
    kind("moons sigmoid", (2, 8), activation="sigmoid", data="moons"),
    kind("xor sigmoid adam", (3, 8, 10), ADAM, activation="sigmoid", data="xor"),
    kind("moons relu adam", (4, 10, 18), ADAM, data="moons"),
    kind("xor silu", (4, 14), activation="silu", data="xor"),
    kind("xor softplus", (3, 8), activation="softplus", data="xor"),
    kind("moons elu", (8, 25), activation="elu", data="moons"),
    kind("xor gelu", (5, 12), activation="gelu", data="xor"),
    kind("moons relu, rate 0.5", (5,), {"learning_rate": 0.5}, data="moons"),
    kind("moons relu, rate 5", (5,), {"learning_rate": 5.0}, data="moons"),
    kind("xor tanh, rate 0.5", (8,), {"learning_rate": 0.5}, activation="tanh", data="xor"),
    kind("xor tanh, rate 5", (8,), {"learning_rate": 5.0}, activation="tanh", data="xor"),
    kind("xor identity, rate 0.1", (3,), {"learning_rate": 0.1}, activation="identity", data="xor"),
    kind("xor identity, rate 5", (3,), {"learning_rate": 5.0}, activation="identity", data="xor"),
    kind("circles he relu wide, rate 1", (10,), {"learning_rate": 1.0}, initialization="he_uniform", width=24),
    kind("xor tanh, rate 2e-4", (3,), {"learning_rate": 2e-4}, activation="tanh", width=16, data="xor"),
    kind("xor relu, rate 5e-5", (2,), {"learning_rate": 5e-5}, width=16, data="xor"),
    kind("spirals tanh", (3,), {"learning_rate": 0.003}, activation="tanh", width=16, data="spirals"),
    kind("xor tanh sigma 3", (12, 24), activation="tanh", data="xor", **normal(3.0, 0.1)),
    kind("xor tanh sigma 25", (15, 25), activation="tanh", data="xor", **normal(25.0, 0.1)),
    kind("moons relu sigma 6", (12, 24), data="moons", **normal(6.0)),
    kind("xor tanh sigma 0.6, biased", (5, 10, 16, 24), activation="tanh", data="xor", **normal(0.6, 0.2)),
    kind("xor tanh sigma 0.6, biased, adam", (12, 20), ADAM, activation="tanh", data="xor", **normal(0.6, 0.2)),
    kind("xor he relu wide", (16, 32, 50), initialization="he_uniform", width=24, data="xor"),
    kind("xor glorot relu wide", (8, 16, 26), width=24, data="xor"),
    kind("circles resnet relu", (30, 90), family="resnet"),
    kind("moons resnet relu plain", (20, 40), family="resnet", normalization="none", data="moons"),
    kind("xor resnet tanh plain", (40,), family="resnet", activation="tanh", normalization="none", data="xor"),
    kind("xor batch norm tanh", (10, 20), activation="tanh", normalization="batch", width=16, data="xor"),
    kind("moons layer norm relu", (8, 20), normalization="layer", width=12, data="moons"),
)

RINGS = {"name": "circles", "noise": 0.15, "seed": 7}
HALVES = {"name": "moons", "noise": 0.1, "seed": 5}
QUARTERS = {"name": "xor", "noise": 0.05, "seed": 3}

THIRD = (
    kind("rings glorot relu", (3, 5, 7, 9, 12, 16, 20, 26), width=6, data=RINGS),
    kind("halves glorot relu", (4, 8, 13, 19), width=4, data=HALVES),
    kind("rings he relu", (5, 12, 22, 34), initialization="he_normal", width=6, data=RINGS),
    kind("halves torch's relu", (3, 9, 14), initialization="torch_default", width=8, data=HALVES),
    kind("quarters leaky relu", (4, 10, 20), activation="leaky_relu", width=4, data=QUARTERS),
    kind("rings tanh", (6, 12, 22, 32, 42), activation="tanh", width=6, data=RINGS),
    kind("quarters tanh", (8, 18, 28, 40), activation="tanh", width=4, data=QUARTERS),
    kind("rings sigmoid", (1, 3, 7, 14), activation="sigmoid", width=8, data=RINGS),
    kind("halves sigmoid adam", (3, 5, 9), ADAM, activation="sigmoid", width=8, data=HALVES),
    kind("quarters relu adam", (5, 12, 20), ADAM, width=6, data=QUARTERS),
    kind("halves selu", (5, 15), activation="selu", initialization="lecun_normal", data=HALVES),
    kind("rings silu", (3, 9), activation="silu", width=6, data=RINGS),
    kind("quarters softplus", (2, 6), activation="softplus", width=6, data=QUARTERS),
    kind("rings softsign", (5, 20), activation="softsign", data=RINGS),
    kind("halves gelu", (4, 10), activation="gelu", width=6, data=HALVES),
    kind("rings relu, rate 0.2", (5,), {"learning_rate": 0.2}, width=6, data=RINGS),
    kind("quarters relu, rate 2", (4,), {"learning_rate": 2.0}, data=QUARTERS),
    kind("halves relu, rate 20", (4,), {"learning_rate": 20.0}, data=HALVES),
    kind("rings tanh, rate 0.4", (7,), {"learning_rate": 0.4}, activation="tanh", data=RINGS),
    kind("halves tanh, rate 8", (5,), {"learning_rate": 8.0}, activation="tanh", data=HALVES),
    kind("rings identity, rate 0.2", (3,), {"learning_rate": 0.2}, activation="identity", data=RINGS),
    kind("quarters identity, rate 4", (4,), {"learning_rate": 4.0}, activation="identity", data=QUARTERS),
    kind("halves tanh, rate 3e-5", (2,), {"learning_rate": 3e-5}, activation="tanh", width=12, data=HALVES),
    kind("rings tanh, rate 4e-4", (3,), {"learning_rate": 4e-4}, activation="tanh", width=12, data=RINGS),
    kind("quarters relu, rate 1e-4", (3,), {"learning_rate": 1e-4}, width=12, data=QUARTERS),
    kind("rings tanh sigma 6", (8, 18), activation="tanh", data=RINGS, **normal(6.0, 0.05)),
    kind("quarters relu sigma 7", (9, 18), data=QUARTERS, **normal(7.0)),
    kind("rings tanh sigma 0.7, biased", (8, 14, 22), activation="tanh", data=RINGS, **normal(0.7, 0.25)),
    kind("halves tanh sigma 0.5, biased, adam", (8, 16), ADAM, activation="tanh", data=HALVES, **normal(0.5, 0.2)),
    kind("halves he relu wide", (14, 28, 45), initialization="he_normal", width=20, data=HALVES),
    kind("rings glorot relu wide", (12, 22, 31), width=20, data=RINGS),
    kind("quarters resnet relu", (40, 100), family="resnet", width=6, data=QUARTERS),
    kind("rings resnet relu plain", (25,), family="resnet", normalization="none", width=6, data=RINGS),
    kind("halves batch norm relu", (8, 18), normalization="batch", width=10, data=HALVES),
    kind("rings layer norm tanh", (8, 20), activation="tanh", normalization="layer", width=10, data=RINGS),
)


def configurations(kinds: Sequence[Kind]) -> Iterator[Configuration]:
    """Every kind at each of its depths."""
    for one in kinds:
        fields = {"width": 5, "activation": "relu", "data": CIRCLES} | one.fields
        problem = Problem.model_validate(fields | {"recipe": {"epochs": 100} | one.recipe})
        for depth in one.depths:
            yield Configuration(f"{one.name}, {depth}", problem, depth)
