"""What every family of networks is, and a dense network as plain data: its plan. No engine is imported."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.shorthands import expand_shorthands
from depthsearch.schema import FrozenModel, Registered

if TYPE_CHECKING:
    from torch import nn


EPSILON, BATCH_NORM_MOMENTUM = 1e-3, 0.99
"""Of every normalization, and of batch norm's moving averages, as in Keras."""


class LayerCounts(FrozenModel):
    """The size of a network by every convention in use; null where a convention has no meaning.

    Attributes:
        hidden: Layers with an activation, the output left out.
        weight_layers: Layers with a weight matrix, the output counted.
        keras: Layers as Keras counts them, the input included.
        parameters: Trainable numbers.
    """

    hidden: int | None = None
    weight_layers: int | None = None
    keras: int | None = None
    parameters: int | None = None


@dataclass(frozen=True)
class Dense:
    """y = W x + b, with W of shape [units, inputs] and b of shape [units].

    Attributes:
        name: Of the layer.
        inputs: Numbers that it takes.
        units: Numbers that it gives.
        gain: By which its initial weights and biases are multiplied.
    """

    name: str
    inputs: int
    units: int
    gain: float = 1.0


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
    """A registered activation, unit by unit. It belongs to the dense layer before it."""

    name: str
    function: str


@dataclass(frozen=True)
class Add:
    """Adds the output of the layer at index `source` of the plan: a residual connection.

    The index counts every layer of the plan, activations and normalizations too; the input has none.
    """

    name: str
    source: int


@dataclass(frozen=True)
class Scalar:
    """One learned number for the whole layer: "scale" gives a x, "shift" gives x + a.

    Attributes:
        name: Of the layer.
        kind: What the number does.
        initial: The number before training.
    """

    name: str
    kind: Literal["scale", "shift"]
    initial: float


Layer: TypeAlias = Dense | Normalization | Activation | Add | Scalar
Plan: TypeAlias = tuple[Layer, ...]


@dataclass(frozen=True)
class CustomTraining:
    """What a user's code does in place of the engine.

    Attributes:
        loss: From the module's output and the targets to the mean loss of the batch.
        step: From the module and a batch to the mean loss of the batch, or to (loss, correct), where `correct` is a
            tensor of booleans, one for each prediction, or how many predictions were right.
        optimizer: From the module's parameters to a torch optimizer; the recipe's learning rate, momentum and weight
            decay are then not used.
    """

    loss: Callable[..., Any] | None = None
    step: Callable[..., Any] | None = None
    optimizer: Callable[..., Any] | None = None


class Network(Registered):
    """A rule that turns a depth into a network: the open registry of families, by the field `family`.

    A family is a subclass with a default `family`, its options as fields, and the methods `build` and `layer_counts`;
    `plan` is the faster way for dense networks (see `networks.dense`).

    Attributes:
        unit: One unit of depth in the singular: "hidden layer".
        shallowest: Where depth begins.
        reliability: The share of runs that must train for a depth to pass, unless the settings say otherwise.
        family: Kind of network.
    """

    called: ClassVar[str] = "network"
    kind: ClassVar[str] = "family"
    key: ClassVar[str] = "family"
    package: ClassVar[str] = "depthsearch.networks"
    default: ClassVar[str] = "ffnet"

    unit: ClassVar[str]
    shallowest: ClassVar[int] = 1
    reliability: ClassVar[float] = 0.9

    family: str

    @classmethod
    def of(cls, value: object) -> Self:
        """A network from such a value, a table, a bare family, or a table whose `model` or `train` names code."""
        return super().of(expand_shorthands(value) if isinstance(value, Mapping) else value)

    @abstractmethod
    def build(self, spec: DataSpec, depth: int) -> "nn.Module":
        """The network of that depth, from inputs [batch, *spec.shape] to logits [batch, spec.outputs]."""

    def plan(self, spec: DataSpec, depth: int) -> Plan | None:
        """The same network as plain data, first layer first; None for one that no plan describes."""
        return None

    @abstractmethod
    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """The size of that network by every convention in use."""

    def check(self, spec: DataSpec) -> None:
        """Refuse before the first training what no depth makes a network of; every family takes any data by default.

        Raises:
            InvalidValue: An option cannot be used, or does not fit the data.
        """

    def custom_training(self) -> CustomTraining:
        """What the network's code does in place of the engine: nothing, unless it is a user's."""
        return CustomTraining()

    def watch_first_pass(self, module: "nn.Module") -> Callable[[], None]:
        """Watch the first forward pass of a module that `build` returned; the check is called after it.

        Raises:
            InvalidValue: The check finds that a part of the module that makes its depth did not run.
        """
        return lambda: None

    @property
    def units(self) -> str:
        """The unit of depth in the plural: "hidden layers"."""
        return f"{self.unit}s"

    def depth_words(self, depth: int) -> str:
        """That many units in words: "1 hidden layer", "7 hidden layers"."""
        return f"{depth} {self.unit if depth == 1 else self.units}"

    @property
    def label(self) -> str:
        """The few words by which people know such a network: "ffnet tanh"."""
        return self.family


def check_plan(plan: Plan, spec: DataSpec) -> None:
    """Refuse a plan whose layers do not fit each other.

    Raises:
        InvalidValue: A layer takes another number of units than it gets, an addition adds outputs of two widths or one
            that does not come before it, or the last layer does not give the logits.
    """
    widths: list[int] = []
    for index, layer in enumerate(plan):
        width = widths[-1] if widths else spec.features
        if isinstance(layer, Dense | Normalization):
            takes = layer.inputs if isinstance(layer, Dense) else layer.units
            if takes != width:
                raise InvalidValue(f"layer {layer.name!r} takes {takes} units, but gets {width}")
            width = layer.units
        elif isinstance(layer, Add):
            if not 0 <= layer.source < index:
                raise InvalidValue(f"layer {layer.name!r} adds layer {layer.source}, which does not come before it")
            if widths[layer.source] != width:
                raise InvalidValue(f"layer {layer.name!r} adds {widths[layer.source]} units to {width}")
        widths.append(width)
    if not plan or not isinstance(plan[-1], Dense) or widths[-1] != spec.outputs:
        raise InvalidValue(f"the last layer must be dense with {spec.outputs} units, the logits")


def weight_layers(plan: Plan) -> tuple[Dense, ...]:
    """The layers with a weight matrix, first to last."""
    return tuple(layer for layer in plan if isinstance(layer, Dense))


def output_indices(plan: Plan) -> tuple[int, ...]:
    """For each dense layer, the index in the plan of its output: that of its activation, where it has one.

    An activation of a sum, or of what a sum also takes without it, belongs to no layer.
    """
    indices: list[int] = []
    added = {layer.source for layer in plan if isinstance(layer, Add)}
    seeks_activation = False
    for index, layer in enumerate(plan):
        if isinstance(layer, Dense):
            indices.append(index)
            seeks_activation = True
        elif isinstance(layer, Activation) and seeks_activation:
            indices[-1] = index
        if isinstance(layer, Add) or index in added:
            seeks_activation = False
    return tuple(indices)


def count_layers(plan: Plan, keras: int | None) -> LayerCounts:
    """The counts of a plan; `keras` comes from the family, since Keras may put an activation inside a layer."""
    dense = weight_layers(plan)
    normalized = sum(layer.units for layer in plan if isinstance(layer, Normalization))
    scalars = sum(isinstance(layer, Scalar) for layer in plan)
    return LayerCounts(
        hidden=len(dense) - 1,
        weight_layers=len(dense),
        keras=keras,
        parameters=sum((layer.inputs + 1) * layer.units for layer in dense) + 2 * normalized + scalars,
    )
