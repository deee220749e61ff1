"""A hypothesis strategy over everything that a Problem may say."""

from typing import Any

from hypothesis import strategies as st

from depthsearch.data.base import DataSource
from depthsearch.networks.activations import activation_names
from depthsearch.networks.base import Network
from depthsearch.networks.dense import DenseNetwork
from depthsearch.networks.initialization import INITIALIZATIONS
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.optimizers import DEFAULT_NUMBERS
from depthsearch.problem.problem import Problem
from depthsearch.problem.recipe import Recipe

_positive = st.floats(1e-12, 1e6)
LAST = st.integers(1, 20)
DENSE = [name for name in Network.names() if issubclass(Network.entry(name), DenseNetwork)]


def _data() -> st.SearchStrategy[DataSource]:
    shared: dict[str, st.SearchStrategy[Any]] = {"test_share": st.floats(0.05, 0.95), "seed": st.integers(0, 2**32 - 1)}
    planar: dict[str, st.SearchStrategy[Any]] = {
        "name": st.sampled_from(["moons", "circles", "xor", "spirals"]),
        "noise": st.none() | st.floats(0, 10),
        "points": st.none() | st.integers(40, 10_000),
    }
    tables = st.fixed_dictionaries(planar | shared) | st.fixed_dictionaries({"name": st.just("digits")} | shared)
    return tables.map(DataSource.of)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """Any valid recipe."""
    optimizer = draw(st.sampled_from(["sgd", "adam", "adamw", "rmsprop", "adagrad"]))
    fields: dict[str, Any] = {
        "optimizer": optimizer,
        "learning_rate": draw(st.none() | _positive),
        "batch_size": draw(st.integers(1, 10_000)),
        draw(st.sampled_from(["epochs", "steps"])): draw(st.integers(50, 10_000)),
    }
    if optimizer == "sgd":
        momentum = draw(st.none() | st.floats(0, 1, exclude_max=True))
        fields |= {"momentum": momentum, "nesterov": momentum != 0 and draw(st.booleans())}
    for name in ("epsilon", "first_decay", "second_decay"):
        if optimizer in DEFAULT_NUMBERS[name]:
            fields[name] = draw(st.none() | st.floats(1e-12, 0.9999))
    fields |= {
        "weight_decay": draw(st.none() | st.floats(0, 10)),
        "schedule": draw(st.none() | st.sampled_from(["constant", "cosine"])),
        "warmup_steps": draw(st.none() | st.integers(0, 49)),
        "clip_norm": draw(st.none() | _positive),
        "label_smoothing": draw(st.none() | st.floats(0, 0.9)),
        "precision": draw(st.none() | st.sampled_from(["float32", "bfloat16"])),
    }
    if fields["schedule"] == "cosine" and fields["learning_rate"] is not None:
        fields["final_learning_rate"] = draw(st.none() | st.floats(0, fields["learning_rate"]))
    return Recipe(**fields)


def _criteria() -> st.SearchStrategy[Criterion]:
    chance = st.builds(Criterion, min_gain=st.none() | st.floats(0.01, 0.99), last_epochs=st.none() | LAST)
    target = st.builds(Criterion, kind=st.just("target"), target=st.none() | st.floats(0.01, 1), last_epochs=LAST)
    held = st.builds(
        Criterion,
        kind=st.just("held"),
        min_gain=st.floats(0.01, 0.99),
        hold_share=st.floats(0, 1),
        hold_epochs=st.integers(1, 50),
    )
    return chance | target | held


@st.composite
def _dense(draw: st.DrawFn) -> Network:
    initialization = draw(st.sampled_from(INITIALIZATIONS))
    variances: dict[str, Any] = {}
    if initialization == "normal":
        variances = {"sigma_w2": draw(st.none() | _positive), "sigma_b2": draw(st.none() | st.floats(0, 10))}
    family = draw(st.sampled_from(["ffnet", "fixup", "preact", "resnet", "rezero"]))
    return Network.of(
        {
            "family": family,
            "width": draw(st.integers(1, 10_000)),
            "activation": draw(st.sampled_from(activation_names())),
            "initialization": initialization,
            "normalization": draw(st.none() | st.sampled_from(["none", "batch", "layer"]))
            if family != "fixup"
            else None,
        }
        | variances
    )


def _modules() -> st.SearchStrategy[Network]:
    """The families that torch modules come from."""
    filters, stages = st.integers(1, 1000), st.integers(1, 6)
    blocks: dict[str, st.SearchStrategy[Any]] = {
        "normalization": st.sampled_from(["none", "batch"]),
        "residual": st.booleans(),
        "filters": filters,
        "stages": stages,
    }
    vgg = st.fixed_dictionaries(blocks | {"family": st.just("vgg"), "slope": st.floats(0, 1)})
    cnn = st.fixed_dictionaries(blocks | {"family": st.just("cnn"), "activation": st.sampled_from(activation_names())})
    resnet = st.fixed_dictionaries(
        {"family": st.just("resnet_image"), "like": st.sampled_from([None, 18, 50]), "filters": filters}
        | {"stem": st.sampled_from([None, "3x3", "7x7"])}
    )
    transformer = st.fixed_dictionaries(
        {"family": st.just("transformer"), "width": st.sampled_from([4, 12, 64]), "heads": st.sampled_from([1, 2, 4])}
        | {"normalization": st.sampled_from(["none", "pre", "post"]), "dropout": st.floats(0, 0.9)}
        | {"feed_forward": st.none() | st.integers(1, 500)}
    )
    return (vgg | cnn | resnet | transformer).map(Network.of)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Any valid problem."""
    return Problem(
        network=draw(_dense() | _modules()),
        data=draw(_data()),
        recipe=draw(recipes()),
        criterion=draw(_criteria()),
    )
