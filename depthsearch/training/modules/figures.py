"""Figures of a module's layers at one moment, in the order in which the layers run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthsearch.training.modules.objective import logits_of
from depthsearch.training.modules.tape import Layer, Tape, norm_of

Floats = NDArray[np.float32]

NOT_SEEN = float("nan")


@dataclass(frozen=True, eq=False)
class GradientFigures:
    """What a recorded step shows (see `Snapshot`), over the points of its batch.

    Attributes:
        weight_gradient_norm: [L]; NaN where no gradient arrived.
        mean_abs_gradient: [L].
        activation_gradient_norm: [L]; NaN where it was not seen.
        never_active: [L].
        output_range: Largest difference between an output for any two points.
        input_correlation: Mean cosine between the last layer's inputs for two different points.
        unseen: The places whose activation gradients were not seen.
        matrices: [L] gradients as matrices, where they are kept; else empty.
        ran: Names of the layers that were called.
    """

    weight_gradient_norm: Floats
    mean_abs_gradient: Floats
    activation_gradient_norm: Floats
    never_active: Floats
    output_range: float
    input_correlation: float
    unseen: tuple[int, ...]
    matrices: list[Floats]
    ran: frozenset[str]

    @classmethod
    @torch.no_grad()
    def of(cls, tape: Tape, order: Sequence[int], *, keep: bool) -> "GradientFigures":
        """The figures of the layers in that order; `keep` holds the gradients as well."""
        layers = [tape.layers[index] for index in order]
        gradients = [_gradients(layer) for layer in layers]
        output = logits_of(tape.output)
        return cls(
            weight_gradient_norm=_floats([_norm(of_layer) for of_layer in gradients]),
            mean_abs_gradient=_floats([_mean_abs(of_layer) for of_layer in gradients]),
            activation_gradient_norm=_floats([tape.activation_gradient_norm(index) for index in order]),
            never_active=_floats([tape.never_active(index) for index in order], missing=0.0),
            output_range=NOT_SEEN if output is None else output_range(output),
            input_correlation=NOT_SEEN if tape.last_input is None else correlation(tape.last_input),
            unseen=tuple(place for place, index in enumerate(order) if tape.unseen(index)),
            matrices=[_as_matrix(of_layer, layer) for of_layer, layer in zip(gradients, layers, strict=True)]
            if keep
            else [],
            ran=frozenset(tape.layers[index].name for index in order if tape.ran(index)),
        )

    def values(self) -> dict[str, Floats | float]:
        """By the names of `Snapshot`."""
        return {
            "weight_gradient_norm": self.weight_gradient_norm,
            "mean_abs_gradient": self.mean_abs_gradient,
            "activation_gradient_norm": self.activation_gradient_norm,
            "never_active": self.never_active,
            "output_range": self.output_range,
            "input_correlation": self.input_correlation,
        }


@dataclass(frozen=True, eq=False)
class WeightFigures:
    """The weights at the end of an entry.

    Attributes:
        weight_norm: [L].
        weight_change: [L] |W - W at the start| / |W at the start|.
    """

    weight_norm: Floats
    weight_change: Floats

    @classmethod
    @torch.no_grad()
    def of(cls, layers: Sequence[Layer], order: Sequence[int], initial: Sequence[Sequence[Tensor]]) -> "WeightFigures":
        """The figures of the layers in that order, whose weights at the start were `initial`."""
        norms, changes = [], []
        for index in order:
            weights, before = layers[index].weights, initial[index]
            moved = [now.detach().float() - then.float() for now, then in zip(weights, before, strict=True)]
            norms.append(_norm([weight.detach() for weight in weights]))
            changes.append(_ratio(_norm(moved), _norm(before)))
        return cls(_floats(norms), _floats(changes))

    def values(self) -> dict[str, Floats]:
        """By the names of `Snapshot`."""
        return {"weight_norm": self.weight_norm, "weight_change": self.weight_change}


def matrix_of(tensors: Sequence[Tensor]) -> Floats:
    """A copy of a layer's W as a matrix: [units, ...] flattened, or one row where the layer has several."""
    if len(tensors) == 1 and tensors[0].dim() > 1:
        return np.asarray(tensors[0].detach().float().flatten(1).cpu().numpy().copy())
    flat = [tensor.detach().float().flatten().cpu() for tensor in tensors]
    return np.asarray(torch.cat(flat)[None].numpy().copy())


def output_range(output: Tensor) -> float:
    """The largest difference between one output for any two points of [points, ...]."""
    flat = output.detach().float().reshape(len(output), -1) if output.dim() else output.reshape(1, 1)
    return float((flat.amax(dim=0) - flat.amin(dim=0)).max())


def correlation(inputs: Tensor) -> float:
    """The mean cosine between two points of [points, ...], those of zeros left out; NaN for fewer than two."""
    if not inputs.dim():
        return NOT_SEEN
    flat = inputs.detach().float().reshape(len(inputs), -1)
    norms = flat.norm(dim=1)
    units = flat[norms > 0] / norms[norms > 0, None]
    count = len(units)
    if count < 2:  # noqa: PLR2004 - a pair
        return NOT_SEEN
    # The squared length of the sum holds every pair twice, and each point with itself once.
    return float((units.sum(dim=0).square().sum() - count) / (count * (count - 1)))


def _gradients(layer: Layer) -> list[Tensor]:
    """Those of the layer's weights that arrived."""
    return [weight.grad.detach() for weight in layer.weights if weight.grad is not None]


def _norm(tensors: Sequence[Tensor]) -> Tensor | None:
    """[] Euclidean norm over all of them, in double precision: the squares of small gradients vanish in single."""
    if not tensors:
        return None
    norms = torch.stack([norm_of(tensor) for tensor in tensors])
    total: Tensor = torch.linalg.vector_norm(norms)
    return total


def _mean_abs(tensors: Sequence[Tensor]) -> Tensor | None:
    if not tensors:
        return None
    total = torch.stack([torch.linalg.vector_norm(tensor, 1).double() for tensor in tensors]).sum()
    return total / sum(tensor.numel() for tensor in tensors)


def _ratio(moved: Tensor | None, before: Tensor | None) -> Tensor | None:
    """The relative change: of weights that start at zero 0 as long as they stay there, then 1."""
    if moved is None or before is None:
        return None
    return torch.where(before == 0, (moved > 0).double(), moved / before)


def _as_matrix(gradients: Sequence[Tensor], layer: Layer) -> Floats:
    """The gradients as W lies; NaN where none arrived."""
    if len(gradients) == len(layer.weights):
        return matrix_of(gradients)
    return np.full_like(matrix_of(layer.weights), NOT_SEEN)


def _floats(figures: Sequence[Tensor | None], missing: float = NOT_SEEN) -> Floats:
    """[L] in single precision, in one transfer from the device."""
    values = [torch.tensor(missing, dtype=torch.float64) if figure is None else figure.double() for figure in figures]
    if not values:
        return np.empty(0, np.float32)
    device = next((value.device for value in values if value.device.type != "cpu"), values[0].device)
    doubles = torch.stack([value.to(device) for value in values]).cpu().numpy()
    with np.errstate(over="ignore"):  # what explodes is infinite in single precision
        return np.asarray(doubles.astype(np.float32))
