"""The configurations of benchmarks/detector.py: kinds of network, each at several depths.

TUNED are looked at while rules are chosen, HELD_OUT are scored and never looked at. The halves share no kind of
network; RMSprop, Nesterov's momentum and regression are held out as a whole. Most are narrow networks on circles, as
AutoTrainer's public models are; at others theory says what happens. THIRD were held out in an earlier benchmark, and
scored once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from depthsearch.problem.problem import Problem


@dataclass(frozen=True)
class Kind:
    """A kind of network, at some depths; by default relu, width 5, SGD for 100 epochs."""

    name: str
    depths: Sequence[int]
    fields: dict[str, Any]
    recipe: dict[str, Any]

    defaults: dict[str, Any] = field(default_factory=lambda: PLAIN)


PLAIN: dict[str, Any] = {"width": 5, "activation": "relu", "data": {"name": "circles", "noise": 0.1, "seed": 1}}


@dataclass(frozen=True)
class Configuration:
    """A kind of network at one depth, and the seeds that are trained."""

    name: str
    problem: Problem
    depth: int
    seeds: int


def kind(name: str, depths: Sequence[int], recipe: dict[str, Any] | None = None, **fields: Any) -> Kind:
    return Kind(name, depths, fields, recipe or {})


def module(name: str, depths: Sequence[int], recipe: dict[str, Any], **fields: Any) -> Kind:
    """A network that torch trains, by a budget in steps."""
    steps = {"epochs": None, "batch_size": 32, "optimizer": "adam", "learning_rate": 0.001}
    return Kind(name, depths, {"data": "digits"} | fields, steps | recipe, {})


def normal(sigma_w2: float, sigma_b2: float = 0.0, **fields: Any) -> dict[str, Any]:
    return {"initialization": "normal", "sigma_w2": sigma_w2, "sigma_b2": sigma_b2, "width": 32} | fields


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


DIGITS: dict[str, Any] = {"data": "digits", "width": 32}
SINGLE: dict[str, Any] = {"batch_size": 1, "momentum": 0.0, "epochs": 30}
PLATEAU: dict[str, Any] = {"activation": "sigmoid", "width": 16}

WIDER = (
    *[
        kind(f"tanh, rate {rate:g}", (4, 12), {"learning_rate": rate}, activation="tanh", width=8, data="moons")
        for rate in (1e-3, 1e-2, 0.1, 1.0, 10.0)
    ],
    *[
        kind(f"relu adam, rate {rate:g}", (4, 10), {"optimizer": "adam", "learning_rate": rate}, width=10)
        for rate in (1e-4, 1e-3, 0.1, 1.0)
    ],
    *[
        kind(f"tanh one by one, rate {rate:g}", (3, 8), SINGLE | {"learning_rate": rate}, activation="tanh", width=8)
        for rate in (0.003, 0.1, 1.0)
    ],
    *[
        kind(
            f"sigmoid one by one, rate {rate:g}",
            (2, 4),
            SINGLE | {"learning_rate": rate},
            activation="sigmoid",
            width=8,
        )
        for rate in (0.1, 1.0)
    ],
    kind("tanh in full batches", (4, 10), {"batch_size": 256, "learning_rate": 0.1}, activation="tanh", width=8),
    kind("tanh without momentum", (4, 12), {"momentum": 0.0, "learning_rate": 0.05}, activation="tanh", width=8),
    kind("tanh large momentum", (4, 12), {"momentum": 0.99}, activation="tanh", width=8),
    kind("deep sigmoid adam", (8, 11, 14), {"optimizer": "adam"}, **PLATEAU),
    kind("deep sigmoid adam, rate 0.03", (8, 12), {"optimizer": "adam", "learning_rate": 0.03}, **PLATEAU),
    *[kind(f"tiny relu adam {sigma:g}", (4, 8), {"optimizer": "adam"}, **normal(sigma)) for sigma in (0.01, 0.1)],
    *[kind(f"tiny tanh {sigma:g}", (3, 6), activation="tanh", **normal(sigma)) for sigma in (0.001, 0.1)],
    *[kind(f"huge tanh {sigma:g}", (2, 5), activation="tanh", **normal(sigma)) for sigma in (100.0, 1000.0)],
    *[kind(f"huge sigmoid {sigma:g}", (2, 5), activation="sigmoid", **normal(sigma)) for sigma in (100.0, 1000.0)],
    kind("digits relu", (4, 10, 20, 30), initialization="he_normal", **DIGITS),
    kind("digits tanh adam", (5, 15, 30), {"optimizer": "adam"}, activation="tanh", **DIGITS),
    kind("digits sigmoid adam", (2, 5, 9), {"optimizer": "adam"}, activation="sigmoid", **DIGITS),
    kind("digits relu adamw, rate 0.1", (4, 8), {"optimizer": "adamw", "learning_rate": 0.1}, **DIGITS),
    kind("adamw tanh", (6, 16, 28), {"optimizer": "adamw"}, activation="tanh", width=8, data="moons"),
    kind("elu adam", (8, 20), ADAM, activation="elu", width=8),
    kind("softplus adam", (4, 10), ADAM, activation="softplus", width=8),
    *[
        kind(f"adagrad relu, rate {rate:g}", (4, 10), {"optimizer": "adagrad", "learning_rate": rate}, width=10)
        for rate in (0.001, 0.01, 0.3)
    ],
    *[
        kind(
            f"adagrad tanh, rate {rate:g}", (6, 16), {"optimizer": "adagrad", "learning_rate": rate}, activation="tanh"
        )
        for rate in (0.001, 0.01, 0.3)
    ],
    kind("adam large epsilon", (4, 10), ADAM | {"epsilon": 0.01}, activation="tanh", width=8),
    module("vgg", (0, 1, 2, 3, 5), {"steps": 100}, family="vgg", filters=8, stages=2),
    module("vgg, rate 0.03", (0, 1), {"steps": 100, "learning_rate": 0.03}, family="vgg", filters=8, stages=2),
    module("post-norm", (2, 8, 14), {"steps": 100, "learning_rate": 0.003}, family="transformer", normalization="post"),
    module("pre-norm", (2, 8), {"steps": 60, "learning_rate": 0.003}, family="transformer", normalization="pre"),
    module("norm-free", (4, 12), {"steps": 100, "learning_rate": 0.003}, family="transformer", normalization="none"),
    module("pre-norm, rate 0.1", (2, 6), {"steps": 100, "learning_rate": 0.1}, family="transformer"),
)

RMSPROP: dict[str, Any] = {"optimizer": "rmsprop"}

OTHERS = (
    *[
        kind(f"relu, rate {rate:g}", (4, 9), {"learning_rate": rate}, width=8, data=HALVES)
        for rate in (1e-3, 0.03, 0.3, 3.0)
    ],
    *[
        kind(
            f"tanh adam, rate {rate:g}",
            (5, 14),
            {"optimizer": "adam", "learning_rate": rate},
            activation="tanh",
            data=RINGS,
        )
        for rate in (3e-4, 0.01, 0.3, 3.0)
    ],
    *[
        kind(
            f"softsign one by one, rate {rate:g}",
            (3, 7),
            SINGLE | {"learning_rate": rate},
            activation="softsign",
            width=8,
        )
        for rate in (0.01, 0.3, 3.0)
    ],
    *[
        kind(f"relu one by one, rate {rate:g}", (3, 7), SINGLE | {"learning_rate": rate}, width=8, data=HALVES)
        for rate in (0.003, 0.05)
    ],
    kind(
        "sigmoid in batches of 128", (2, 4), {"batch_size": 128, "learning_rate": 0.3}, activation="sigmoid", width=10
    ),
    kind("nesterov tanh", (6, 18, 30), {"nesterov": True}, activation="tanh", width=6, data=QUARTERS),
    kind("nesterov relu, rate 0.1", (5, 10), {"nesterov": True, "learning_rate": 0.1}, width=6, data=QUARTERS),
    kind(
        "deep sigmoid adamw",
        (7, 10, 13),
        {"optimizer": "adamw", "learning_rate": 0.003},
        activation="sigmoid",
        width=12,
    ),
    kind("tiny leaky relu adam", (5, 9), {"optimizer": "adam"}, activation="leaky_relu", **normal(0.03)),
    kind("tiny elu", (3, 6), activation="elu", **normal(0.003)),
    kind("tiny tanh adam", (4, 9), {"optimizer": "adam"}, activation="tanh", **normal(0.02)),
    *[kind(f"huge softsign {sigma:g}", (2, 6), activation="softsign", **normal(sigma)) for sigma in (300.0, 3000.0)],
    *[kind(f"huge tanh adam {sigma:g}", (3, 6), ADAM, activation="tanh", **normal(sigma)) for sigma in (200.0,)],
    kind("digits gelu", (4, 9, 16), activation="gelu", **DIGITS),
    kind("digits relu adam", (8, 16, 26), {"optimizer": "adam"}, **DIGITS),
    kind("digits softsign", (5, 15, 30), activation="softsign", **DIGITS),
    kind("digits tanh, rate 1", (4, 8), {"learning_rate": 1.0}, activation="tanh", **DIGITS),
    *[
        kind(f"rmsprop relu, rate {rate:g}", (4, 10, 16), RMSPROP | {"learning_rate": rate}, width=8, data=HALVES)
        for rate in (1e-4, 0.001, 0.01, 0.1)
    ],
    *[
        kind(
            f"rmsprop tanh, rate {rate:g}",
            (6, 16, 26),
            RMSPROP | {"learning_rate": rate},
            activation="tanh",
            data=RINGS,
        )
        for rate in (1e-4, 0.001, 0.01, 0.1)
    ],
    kind("rmsprop sigmoid", (4, 8), RMSPROP | {"learning_rate": 0.001}, activation="sigmoid", width=12),
    *[
        kind(
            f"adagrad sigmoid, rate {rate:g}",
            (2, 5),
            {"optimizer": "adagrad", "learning_rate": rate},
            activation="sigmoid",
            width=8,
        )
        for rate in (0.01, 0.3)
    ],
    kind("adagrad leaky relu", (6, 14), {"optimizer": "adagrad"}, activation="leaky_relu", width=6, data=QUARTERS),
    module("cnn", (4, 10, 16), {"steps": 100}, family="cnn", filters=8, stages=2),
    module(
        "cnn sgd",
        (4, 10, 16),
        {"steps": 100, "optimizer": "sgd", "learning_rate": 0.01},
        family="cnn",
        filters=8,
        stages=2,
    ),
    module("cnn, rate 0.1", (2, 5), {"steps": 100, "learning_rate": 0.1}, family="cnn", filters=8, stages=2),
    module("cnn tanh", (6, 14), {"steps": 100}, family="cnn", activation="tanh", filters=8, stages=2),
    module(
        "wide post-norm",
        (3, 7, 12),
        {"steps": 100, "learning_rate": 0.002},
        family="transformer",
        normalization="post",
        width=48,
    ),
    module("wide pre-norm, rate 0.05", (2, 6), {"steps": 100, "learning_rate": 0.05}, family="transformer", width=48),
    module(
        "regression",
        (3, 8, 14),
        {"steps": 300, "optimizer": "sgd", "learning_rate": 0.01},
        family="ffnet",
        data="friedman",
        width=12,
    ),
    module("regression adam", (6, 14), {"steps": 300}, family="ffnet", data="friedman", width=12, activation="relu"),
)

TUNED = (*FIRST, *SECOND, *WIDER)
HELD_OUT = (*THIRD, *OTHERS)

SEEDS, MODULE_SEEDS = 8, 2
"""Seeds of each configuration, and of each whose training takes seconds."""


def configurations(kinds: Sequence[Kind]) -> Iterator[Configuration]:
    """Every kind at each of its depths."""
    for one in kinds:
        problem = Problem.model_validate(one.defaults | one.fields | {"recipe": {"epochs": 100} | one.recipe})
        for depth in one.depths:
            yield Configuration(f"{one.name}, {depth}", problem, depth, SEEDS if one.defaults else MODULE_SEEDS)
