"""A plan as numbers that compiled code can walk: what the dense engine claims, and how it lays it out.

Hidden values live in slots, each [blocks, width, LANES]: a batch is cut into blocks of LANES points, the points
along the contiguous axis, and the last block is padded. Only NumPy is imported.
"""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import Activation, Add, Dense, Layer, Normalization, Plan, Scalar, output_indices

LANES = 32


INPUT, LOGITS = -1, -2
"""Stand for a slot where a layer reads the inputs or writes the logits."""

DENSE, BATCH_NORM, LAYER_NORM, ACTIVATE, ADD = range(5)


@dataclass(frozen=True)
class Kernel:
    """What the kernels know of an activation.

    Attributes:
        code: By which they choose it.
        needs_input: Whether its slope follows only from its input. The others, whose slope follows from their output,
            overwrite their input.
        dead_below_zero: Whether it is exactly flat below zero.
    """

    code: int
    needs_input: bool = False
    dead_below_zero: bool = False


KERNELS = {
    "tanh": Kernel(0),
    "relu": Kernel(1, dead_below_zero=True),
    "leaky_relu": Kernel(2),
    "sigmoid": Kernel(3),
    "elu": Kernel(4),
    "selu": Kernel(5),
    "gelu": Kernel(6, needs_input=True),
    "silu": Kernel(7, needs_input=True),
    "softplus": Kernel(8),
    "softsign": Kernel(9),
    "identity": Kernel(10),
}
"""The activations that have compiled kernels; networks with any other are trained by torch."""


class Step(NamedTuple):
    """One layer. Columns of the table that the kernels walk, in this order."""

    kind: int
    source: int  # slot read
    target: int  # slot written
    weights: int  # offset of W, or of a normalization's scale, in the parameters
    biases: int  # offset of b, or of its shift
    inputs: int
    outputs: int
    code: int  # activation; index among the normalizations; slot added by ADD
    joins: int  # 1 where, going backward, the gradient kept by an ADD joins in after this step
    dense: int  # index among the dense layers, of which this step produces the output; -1 if none


class Places(NamedTuple):
    """Where things lie in a room of rows, each the first row of its kind, and how many of them there are."""

    X: int  # inputs: blocks x features
    Y: int  # labels: blocks
    M: int  # 1 for a point and 0 for padding: blocks
    H: int  # hidden slots: slots x blocks x width
    Z: int  # logits: blocks x outputs
    ZG: int  # their gradient: blocks x outputs
    NH: int  # normalized values: normalizations x blocks x width
    NS: int  # their inverse deviations: normalizations x blocks x width
    G: int  # gradients on their way backward: blocks x width
    T: int
    S: int
    blocks: int
    width: int
    outputs: int


@dataclass(frozen=True, eq=False)
class Program:
    """A plan laid out.

    Attributes:
        steps: [steps, columns of Step] int64.
        slots: How many hidden slots there are.
        normalizations: How many normalizations there are.
        width: Units of every hidden layer.
        features: Numbers in an input.
        outputs: Logits.
        parameters: How many there are, in the order of the plan.
        weight_offsets: [dense layers, 3] offset of W, units, inputs.
        relu: Whether the activation has a flat part.
    """

    steps: NDArray[np.int64]
    slots: int
    normalizations: int
    width: int
    features: int
    outputs: int
    parameters: int
    weight_offsets: NDArray[np.int64]
    relu: bool

    def places(self, points: int) -> tuple[Places, int]:
        """How so many points on their way through the network are laid out, and how many rows that takes."""
        blocks = -(-points // LANES)
        hidden, logits = blocks * self.width, blocks * self.outputs
        sizes = (
            blocks * self.features, blocks, blocks, self.slots * hidden, logits, logits,
            self.normalizations * hidden, self.normalizations * hidden, hidden, hidden, hidden,
        )  # fmt: skip
        first = [0, *itertools.accumulate(sizes)]
        return Places._make([*first[:-1], blocks, self.width, self.outputs]), first[-1]


def claims(plan: Plan) -> bool:
    """Whether the dense engine trains this plan.

    It does if it knows the activations, the hidden layers have one width, no addition is inside another, and there are
    no learned scalars.
    """
    dense = [layer for layer in plan if isinstance(layer, Dense)]
    one_width = len({layer.units for layer in dense[:-1]}) == 1 and isinstance(plan[-1], Dense)
    adds = [(layer.source, index) for index, layer in enumerate(plan) if isinstance(layer, Add)]
    if any(isinstance(layer, Scalar) for layer in plan):
        return False
    if not all(layer.function in KERNELS for layer in plan if isinstance(layer, Activation)):
        return False
    # An activation overwrites its input, and takes no second gradient: what an addition adds comes after it.
    if any(isinstance(plan[layer.source + 1], Activation) for layer in plan if isinstance(layer, Add)):
        return False
    return one_width and all(end <= start for (_, end), (start, _) in itertools.pairwise(adds))


def lay_out(plan: Plan, data_spec: DataSpec) -> Program:
    """The program of a plan that `claims` accepts."""
    layout = _Layout(plan)
    steps = [layout.step(index, layer) for index, layer in enumerate(plan)]
    dense = [layer for layer in plan if isinstance(layer, Dense)]
    weights = [step for step in steps if step.kind == DENSE]
    return Program(
        steps=np.array(steps, dtype=np.int64),
        slots=layout.slots,
        normalizations=layout.normalizations,
        width=dense[0].units,
        features=data_spec.features,
        outputs=data_spec.outputs,
        parameters=layout.parameters,
        weight_offsets=np.array([(step.weights, step.outputs, step.inputs) for step in weights], dtype=np.int64),
        relu=any(isinstance(layer, Activation) and KERNELS[layer.function].dead_below_zero for layer in plan),
    )


class _Layout:
    """Hands out slots and offsets, layer by layer."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.slots = self.normalizations = self.parameters = 0
        self.output_of = {index: dense for dense, index in enumerate(output_indices(plan))}
        self.slot_of: list[int] = []  # of each layer's output
        self.added = {layer.source for layer in plan if isinstance(layer, Add)}

    def step(self, index: int, layer: Layer) -> Step:
        source = self.slot_of[index - 1] if index else INPUT
        # The layer right after the one that an ADD will add reads the same slot: there the two gradients meet.
        joins = int(index - 1 in self.added)
        match layer:
            case Dense():
                target = LOGITS if index == len(self.plan) - 1 else self._new_slot()
                weights, biases = self._take(layer.units * layer.inputs), self._take(layer.units)
                output_of = self.output_of.get(index, -1)
                step = Step(DENSE, source, target, weights, biases, layer.inputs, layer.units, 0, joins, output_of)
            case Normalization():
                kind = BATCH_NORM if layer.kind == "batch" else LAYER_NORM
                scale, shift = self._take(layer.units), self._take(layer.units)
                units, code = layer.units, self.normalizations
                self.normalizations += 1
                step = Step(kind, source, self._new_slot(), scale, shift, units, units, code, joins, -1)
            case Activation():
                kernel = KERNELS[layer.function]
                target = self._new_slot() if kernel.needs_input else source
                step = Step(ACTIVATE, source, target, 0, 0, 0, 0, kernel.code, 0, self.output_of.get(index, -1))
            case Add():
                step = Step(ADD, source, self._new_slot(), 0, 0, 0, 0, self.slot_of[layer.source], 0, -1)
            case Scalar():
                raise TypeError(f"layer {layer.name!r} is a learned scalar, which `claims` refuses")
        self.slot_of.append(step.target)
        return step

    def _new_slot(self) -> int:
        self.slots += 1
        return self.slots - 1

    def _take(self, count: int) -> int:
        self.parameters += count
        return self.parameters - count
