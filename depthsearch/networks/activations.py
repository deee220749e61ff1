"""Activations: the open registry of the functions that hidden layers may use.

An activation is a torch function. The dense engine has compiled kernels for some of them (`training.dense.program`);
networks with any other are trained by torch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from depthsearch.errors import InvalidValue
from depthsearch.schema import load_package

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Activation:
    """A function of each unit's input.

    Attributes:
        name: By which problems name it.
        torch: The torch function: where it can be imported from, such as "torch.nn.functional.elu".
        dead_below: Inputs below this value have exactly zero slope, so a unit that is never above it is dead; None for
            a function without such a part.
    """

    name: str
    torch: str
    dead_below: float | None = None

    @cached_property
    def function(self) -> "Callable[[Tensor], Tensor]":
        """The torch function itself; torch is imported for it.

        Raises:
            InvalidValue: There is none of that name.
        """
        module, _, name = self.torch.rpartition(".")
        try:
            found: Callable[[Tensor], Tensor] = getattr(import_module(module), name)
        except (ImportError, AttributeError, ValueError):
            raise InvalidValue(f"activation {self.name!r}: there is no function {self.torch!r}") from None
        return found


_ACTIVATIONS: dict[str, Activation] = {}


def register_activation(activation: Activation) -> None:
    """Add an activation.

    Raises:
        ValueError: Another one has its name.
    """
    if _ACTIVATIONS.get(activation.name, activation) != activation:
        raise ValueError(f"activation {activation.name!r} is declared twice")
    _ACTIVATIONS[activation.name] = activation


def activation_names() -> tuple[str, ...]:
    """Every registered name, in the order of registration."""
    load_package("depthsearch.networks")
    return tuple(_ACTIVATIONS)


def activation_of(name: str) -> Activation:
    """The activation of a registered name.

    Raises:
        KeyError: There is none.
    """
    activation_names()
    return _ACTIVATIONS[name]


for _activation in (
    Activation("tanh", "torch.tanh"),
    Activation("relu", "torch.relu", dead_below=0.0),
    Activation("leaky_relu", "torch.nn.functional.leaky_relu"),  # slope 0.01 below zero
    Activation("sigmoid", "torch.sigmoid"),
    Activation("elu", "torch.nn.functional.elu"),
    Activation("selu", "torch.nn.functional.selu"),
    Activation("gelu", "torch.nn.functional.gelu"),
    Activation("silu", "torch.nn.functional.silu"),
    Activation("softplus", "torch.nn.functional.softplus"),
    Activation("softsign", "torch.nn.functional.softsign"),
    Activation("identity", "torch.positive"),
):
    register_activation(_activation)
