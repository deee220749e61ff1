"""Figures of a module's layers at one moment, in the order in which the layers run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depthsearch.training.modules.objective import logits_of
from depthsearch.training.modules.tape import Figure, Layer, Tape, norm_of

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
    """

    weight_gradient_norm: Floats
    mean_abs_gradient: Floats
    activation_gradient_norm: Floats
    never_active: Floats
    output_range: float
    input_correlation: float
    unseen: tuple[int, ...]
    matrices: list[Floats]

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
class InitialWeights:
    """The weights of layers before the first step.

    Attributes:
        tensors: Of each layer.
        norms: Their Euclidean norm.
    """

    tensors: list[list[Tensor]]
    norms: list[Figure | None]

    @classmethod
    def of(cls, tensors: list[list[Tensor]]) -> "InitialWeights":
        """Of these weights, which nobody writes to."""
        return cls(tensors, [_norm(weights) for weights in tensors])


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
    def of(cls, layers: Sequence[Layer], order: Sequence[int], initial: InitialWeights) -> "WeightFigures":
        """The figures of the layers in that order."""
        norms, changes = [], []
        for index in order:
            weights, before = layers[index].weights, initial.tensors[index]
            moved = [now.detach() - then for now, then in zip(weights, before, strict=True)]
            norms.append(_norm([weight.detach() for weight in weights]))
            changes.append(_ratio(_norm(moved), initial.norms[index]))
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


def _norm(tensors: Sequence[Tensor]) -> Figure | None:
    """Euclidean norm over all of them; None for none."""
    if not tensors:
        return None
    norms = [norm_of(tensor) for tensor in tensors]
    return norms[0] if len(norms) == 1 else sum(norm**2 for norm in norms) ** 0.5


def _mean_abs(tensors: Sequence[Tensor]) -> Figure | None:
    if not tensors:
        return None
    return sum(_sum_abs(tensor) for tensor in tensors) / sum(tensor.numel() for tensor in tensors)


def _sum_abs(tensor: Tensor) -> Figure:
    total: Tensor = torch.linalg.vector_norm(tensor, 1).double()
    return float(total.item()) if tensor.device.type == "cpu" else total


def _ratio(moved: Figure | None, before: Figure | None) -> Figure | None:
    """The relative change: of weights that start at zero 0 as long as they stay there, then 1."""
    if moved is None or before is None:
        return None
    if isinstance(moved, Tensor) and isinstance(before, Tensor):
        return torch.where(before == 0, (moved > 0).double(), moved / before)
    return moved / before if before else float(moved > 0)


def _as_matrix(gradients: Sequence[Tensor], layer: Layer) -> Floats:
    """The gradients as W lies; NaN where none arrived."""
    if len(gradients) == len(layer.weights):
        return matrix_of(gradients)
    return np.full_like(matrix_of(layer.weights), NOT_SEEN)


def _floats(figures: Sequence[Figure | None], missing: float = NOT_SEEN) -> Floats:
    """[L] in single precision, what lies on a GPU in one transfer."""
    tensors = {place: figure.double() for place, figure in enumerate(figures) if isinstance(figure, Tensor)}
    fetched = dict(zip(tensors, torch.stack([*tensors.values()]).tolist(), strict=True)) if tensors else {}
    values = [fetched.get(place, missing if figure is None else figure) for place, figure in enumerate(figures)]
    with np.errstate(over="ignore"):  # what explodes is infinite in single precision
        return np.array(values, dtype=np.float64).astype(np.float32)
