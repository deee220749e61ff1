"""The recorder of any torch module: what one training step shows of each layer, without an extra pass.

A layer is a module that owns parameters. Hooks exist only while a step is recorded: a forward hook takes the first
floating tensor of a layer's output and hooks its gradient. Weight gradients are read from `Parameter.grad` after the
backward pass.

Three things would give wrong numbers without an error, and are handled here:

- `nn.Linear` on a contiguous 3-d input returns a view, and an in-place activation after it drops the tensor's hooks.
  Views are replaced by a clone, whose hooks survive.
- A layer that is called several times counts the squares of all calls. Where fewer gradients arrive than calls were
  made, the layer's figure is "not seen" (NaN).
- A checkpointed module runs again in the backward pass: a call counts once.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from depthsearch.training.modules.structure import first_tensor, replace_first_tensor

_NORMALIZED_OVER_POINTS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)

_CHANNELS_SECOND = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    *_NORMALIZED_OVER_POINTS,
    *(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d, nn.GroupNorm),
)
"""Layers whose outputs have their units in the second dimension; all others have them in the last."""

_RECTIFIERS: frozenset[Callable[..., Any]] = frozenset(
    {
        torch.relu,
        torch.relu_,
        Tensor.relu,
        Tensor.relu_,
        torch.clamp_min,
        torch.clamp_min_,
        Tensor.clamp_min,
        Tensor.clamp_min_,
        nn.functional.relu,
        nn.functional.relu6,
        nn.functional.threshold,
    }
)
"""Activations with a flat part below zero: a unit that is never above it passes no gradient."""


Figure: TypeAlias = float | Tensor
"""A number: on the CPU itself, on a GPU a tensor [] that is fetched later, with others."""

SMALLEST_SINGLE = 1e-15
"""A norm below which the squares of single-precision numbers may have vanished."""


def norm_of(tensor: Tensor) -> Figure:
    """Euclidean norm, also of numbers whose squares single precision does not hold."""
    if tensor.device.type != "cpu":
        double: Tensor = torch.linalg.vector_norm(tensor, dtype=torch.float64)
        return double
    single: float = torch.linalg.vector_norm(tensor.float()).item()
    if SMALLEST_SINGLE < single < float("inf"):
        return single
    return float(torch.linalg.vector_norm(tensor, dtype=torch.float64).item())


@dataclass(eq=False)
class Layer:
    """A module that owns parameters, or one of the stacked layers of a recurrent module.

    Attributes:
        name: Its path in the network, such as "blocks.3.conv1".
        module: The module.
        parameters: Those counted here; a parameter that several modules share is counted at the first.
        weights: Those with two dimensions or more; where there are none, all of them.
        observed: Whether the module's output is this layer's.
    """

    name: str
    module: nn.Module
    parameters: list[nn.Parameter]
    observed: bool = True

    @cached_property
    def weights(self) -> list[nn.Parameter]:
        """What its gradient norm is taken over: biases are left out."""
        matrices = [parameter for parameter in self.parameters if parameter.dim() > 1]
        return matrices or self.parameters


def layers_of(module: nn.Module) -> list[Layer]:
    """The layers in the order of registration.

    - A module that has parameters, and children that have some, is a container: it shows its weights and no output.
    - An attention module computes with its children's weights without calling them: it is one layer with them.
    - A recurrent module is as many layers as it stacks; its output is that of the last.
    """
    seen: set[int] = set()
    layers: list[Layer] = []
    inside: tuple[str, ...] = ()
    for name, found in module.named_modules():
        if inside and name.startswith(inside):
            continue
        whole = isinstance(found, nn.MultiheadAttention)
        if whole:
            inside = (*inside, f"{name}.")
        owned = list(found.named_parameters(recurse=whole))
        fresh = [(key, parameter) for key, parameter in owned if id(parameter) not in seen]
        seen.update(id(parameter) for _, parameter in fresh)
        if not fresh:
            continue
        shown = name or type(found).__name__
        if isinstance(found, nn.RNNBase):
            layers += _recurrent_layers(shown, found, fresh)
            continue
        container = not whole and any(list(child.parameters()) for child in found.children())
        layers.append(Layer(shown, found, [parameter for _, parameter in fresh], observed=not container))
    return layers


def has_batch_norm(module: nn.Module) -> bool:
    """Whether an output depends on the other points of its batch."""
    return any(isinstance(part, _NORMALIZED_OVER_POINTS) for part in module.modules())


def _recurrent_layers(name: str, module: nn.RNNBase, owned: Sequence[tuple[str, nn.Parameter]]) -> list[Layer]:
    """One layer for each of the stacked ones, both directions together."""
    layers = []
    for index in range(module.num_layers):
        endings = (f"_l{index}", f"_l{index}_reverse")
        parameters = [parameter for key, parameter in owned if key.endswith(endings)]
        layers.append(Layer(f"{name} l{index}", module, parameters, observed=index == module.num_layers - 1))
    return layers


@dataclass(eq=False)
class _Seen:
    """What a recorded step shows of one layer's output.

    Attributes:
        calls: How often it ran.
        gradients: How many of their outputs' gradients arrived.
        square: Sum of the squares of these gradients.
        active: [units] whether a unit was ever above its activation's flat part; None where no such part was seen.
        place: When it first ran, counted over all layers; None where it did not.
    """

    calls: int = 0
    gradients: int = 0
    square: Figure | None = None
    active: Tensor | None = None
    place: int | None = None
    recomputed: int = 0


@dataclass(eq=False)
class Tape:
    """What one training step shows.

    Args:
        module: The network.
        layers: Of it (see layers_of).
        rectifiers: Whether activations with a flat part are looked for, which intercepts every function of torch.

    Attributes:
        rectified: Whether one ran.
    """

    module: nn.Module
    layers: list[Layer]
    rectifiers: bool = True
    rectified: bool = False
    _seen: dict[int, _Seen] = field(default_factory=dict)
    _latest: Layer | None = None
    _ran: int = 0
    _backward: bool = False
    output: Any = None
    _last_inputs: Any = None

    @contextmanager
    def forward(self) -> Iterator[None]:
        """The forward pass runs in this block; the backward pass comes after it, inside `recording`."""
        with _Rectified(self._rectified) if self.rectifiers else nullcontext():
            yield
        self._backward = True

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Forward and backward pass of the recorded step run in this block."""
        with ExitStack() as stack:
            for index, layer in enumerate(self.layers):
                self._seen[index] = _Seen()
                if layer.observed:
                    handle = layer.module.register_forward_hook(self._hook(index, layer), with_kwargs=True)
                    stack.callback(handle.remove)
            handle = self.module.register_forward_hook(self._keep_output)
            stack.callback(handle.remove)
            yield

    def _keep_output(self, _module: nn.Module, _inputs: Any, output: Any) -> None:
        self.output = output

    def _hook(self, index: int, layer: Layer) -> Callable[..., Any]:
        seen = self._seen[index]

        def hook(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
            found = first_tensor(output)
            if self._backward:
                # A checkpoint runs the layer again, for the calls whose gradients no hook of the first pass sees.
                if found is None or seen.recomputed >= seen.calls or seen.square is not None:
                    return None
                seen.recomputed += 1
            else:
                if seen.place is None:
                    seen.place = self._ran
                self._ran += 1
                seen.calls += 1
                self._latest, self._last_inputs = layer, (args, kwargs)
            if found is None or not found.requires_grad:
                return None
            kept = found.clone() if found._is_view() else found  # noqa: SLF001 - torch has no public name for it
            kept.register_hook(lambda gradient: self._add(seen, gradient))  # type: ignore[no-untyped-call]
            return replace_first_tensor(output, found, kept) if kept is not found else None

        return hook

    @staticmethod
    def _add(seen: _Seen, gradient: Tensor) -> None:
        square = norm_of(gradient.detach()) ** 2
        seen.square = square if seen.square is None else seen.square + square
        seen.gradients += 1

    def _rectified(self, output: Any) -> None:
        """An activation with a flat part gave this output: it belongs to the layer that ran last."""
        self.rectified = True
        if self._latest is None or not isinstance(output, Tensor) or output.dim() < 2:  # noqa: PLR2004 - batch, units
            return
        seen = self._seen[self.layers.index(self._latest)]
        units = 1 if isinstance(self._latest.module, _CHANNELS_SECOND) else output.dim() - 1
        with torch.no_grad():
            active = output.amax(dim=[place for place in range(output.dim()) if place != units]) > 0
            if seen.active is None:
                seen.active = active
            elif seen.active.shape == active.shape:
                seen.active = seen.active | active

    def order(self) -> list[int]:
        """The layers' places in `layers`, first to run first; one that did not run comes before the next that did."""
        last = max((seen.place for seen in self._seen.values() if seen.place is not None), default=0)
        following: list[float] = []
        upcoming = last - 0.5
        for index in reversed(range(len(self.layers))):
            place = self._seen[index].place
            upcoming = upcoming if place is None else place - 0.5
            following.append(upcoming if place is None else float(place))
        keys = following[::-1]
        return sorted(range(len(self.layers)), key=lambda index: keys[index])

    def unseen(self, index: int) -> bool:
        """Whether the gradient of that layer's output was not seen, or not for each of its calls."""
        seen = self._seen[index]
        return seen.calls == 0 or seen.gradients != seen.calls

    @property
    def last_input(self) -> Tensor | None:
        """The first floating tensor that the last layer took; None where it took none."""
        return first_tensor(self._last_inputs)

    def activation_gradient_norm(self, index: int) -> Figure | None:
        """Euclidean norm of the gradient of that layer's outputs, over all calls; None where it was not seen."""
        square = self._seen[index].square
        return None if self.unseen(index) or square is None else square**0.5

    def never_active(self, index: int) -> Figure | None:
        """Share of that layer's units whose activation was flat at every point; None where none has a flat part."""
        active = self._seen[index].active
        return None if active is None else 1 - active.float().mean()


class _Rectified(TorchFunctionMode):
    """Tells of the output of every activation with a flat part, be it a module or a function."""

    def __init__(self, tell: Callable[[Any], None]) -> None:
        super().__init__()
        self._tell = tell

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if func in _RECTIFIERS:
            self._tell(output)
        return output
