"""A network as plain data: what an engine builds, what figures name layers by. No engine is imported."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from depthsearch.core.answer import LayerCounts
from depthsearch.core.names import ActivationName
from depthsearch.core.problem import DataSpec, Problem


@dataclass(frozen=True)
class Dense:
    """y = W x + b, with W of shape [units, inputs] and b of shape [units]."""

    name: str
    inputs: int
    units: int


@dataclass(frozen=True)
class Normalization:
    """Batch norm (arXiv 1502.03167) or layer norm (arXiv 1607.06450) over `units` features.

    With a learned scale and shift; epsilon 1e-3 and, for batch norm, momentum 0.99, as in Keras.
    """

    name: str
    kind: Literal["batch", "layer"]
    units: int


@dataclass(frozen=True)
class Activation:
    """An activation, unit by unit. It belongs to the dense layer before it."""

    name: str
    function: ActivationName


@dataclass(frozen=True)
class Add:
    """Adds the output of the layer at index `source` of the plan: a residual connection."""

    name: str
    source: int


Layer: TypeAlias = Dense | Normalization | Activation | Add
Plan: TypeAlias = tuple[Layer, ...]


class Family(Protocol):
    """A rule that turns a depth into a network."""

    @property
    def unit(self) -> str:
        """What one unit of depth is, in the plural: "hidden layers"."""

    def units(self, depth: int) -> str:
        """That many units in words: "1 hidden layer", "7 hidden layers"."""

    @property
    def shallowest(self) -> int:
        """Where depth begins."""

    @property
    def reliability(self) -> float:
        """The share of runs that must train for a depth to pass, where nobody says otherwise."""

    def plan(self, problem: Problem, data_spec: DataSpec, depth: int) -> Plan:
        """The network of that depth, first layer first."""

    def counts(self, problem: Problem, data_spec: DataSpec, depth: int) -> LayerCounts:
        """The size of that network by every convention in use."""


def weight_layers(plan: Plan) -> tuple[Dense, ...]:
    """The layers with a weight matrix, first to last."""
    return tuple(layer for layer in plan if isinstance(layer, Dense))


def output_indices(plan: Plan) -> tuple[int, ...]:
    """For each dense layer, the index in the plan of its output: that of its activation, where it has one."""
    indices: list[int] = []
    for index, layer in enumerate(plan):
        if isinstance(layer, Dense):
            indices.append(index)
        elif isinstance(layer, Activation):
            indices[-1] = index
    return tuple(indices)


def count(plan: Plan, keras: int) -> LayerCounts:
    """The counts of a plan; `keras` is the family's own, since Keras may put an activation inside a layer."""
    dense = weight_layers(plan)
    normalized = sum(layer.units for layer in plan if isinstance(layer, Normalization))
    return LayerCounts(
        hidden=len(dense) - 1,
        weight_layers=len(dense),
        keras=keras,
        parameters=sum((layer.inputs + 1) * layer.units for layer in dense) + 2 * normalized,
    )
