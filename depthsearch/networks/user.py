"""A user's torch module: a function of the depth that builds it, or one of no depth whose blocks are repeated."""

import inspect
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import model_validator

from depthsearch.data.base import DataSpec
from depthsearch.errors import one_line
from depthsearch.generators import seeded
from depthsearch.networks.base import CustomTraining, LayerCounts, Network
from depthsearch.networks.repeated import Stack, build_repeated, watch_copies
from depthsearch.networks.shorthands import MODEL
from depthsearch.user_code.loading import UserCode
from depthsearch.user_code.source import FromSource

if TYPE_CHECKING:
    from torch import nn

MATRIX = 2


class NetworkFromSource(FromSource, Network):
    """A family whose networks a user's code makes."""

    unit: ClassVar[str] = "unit of depth"
    reliability: ClassVar[float] = 0.5

    source: str

    @property
    def units(self) -> str:
        """The plural."""
        return "units of depth"

    @model_validator(mode="before")
    @classmethod
    def _check_source(cls, data: Any) -> Any:
        return cls.with_checked_source(data)


class UserNetwork(NetworkFromSource):
    """Your own torch module, written in a file: `build(depth)` or `build(depth, spec)` returns it.

    A function of no depth may return a module that holds a repeated stack; its depth is then the number of blocks in
    the stack. In the same file, `loss(outputs, targets)`, `step(model, batch)` and `optimizer(parameters)` take the
    place of the recipe's.

    Attributes:
        source: The function: FILE.py:name or package.module:name.
    """

    shorthand: ClassVar[str] = f"network.{MODEL}"

    family: Literal["model"] = "model"

    @property
    def repeats(self) -> bool:
        """Whether the function takes no depth, so that a stack in its module is repeated."""
        return not self._arguments(0, DataSpec(shape=(1,), classes=2))[1]

    def build(self, spec: DataSpec, depth: int) -> "nn.Module":
        """The user's module of that depth. Its weights are drawn from the global generators, as the code has it.

        Raises:
            UserCodeFailed: The function raises an exception, or returns no module, or one without parameters.
        """
        if self.repeats:
            return build_repeated(lambda: self._called(depth, spec), depth, called=self.loaded.called)[0]
        return self._called(depth, spec)

    def stack(self, spec: DataSpec) -> Stack:
        """The stack whose length is the depth, of a function of no depth.

        Raises:
            UserCodeFailed: There is none.
        """
        return build_repeated(lambda: self._called(1, spec), 1, called=self.loaded.called)[1]

    def watch_first_pass(self, module: "nn.Module") -> Callable[[], None]:
        """A check to call after the first forward pass: each copy of a repeated block ran in it."""
        return watch_copies(module, called=self.loaded.called)

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """Parameters, and modules with a weight of two dimensions or more: the module is built for it."""
        with seeded(0):
            module = self.build(spec, depth)
        return module_counts(module)

    def custom_training(self) -> CustomTraining:
        """The functions `loss`, `step` and `optimizer` of the file, where it has them."""
        return CustomTraining(*(self._optional(name) for name in ("loss", "step", "optimizer")))

    def _optional(self, name: str) -> Callable[..., Any] | None:
        """A function of the file, whose exceptions become one line; None where it has none."""
        code = self.loaded
        function = code.optional(name)
        if function is None:
            return None

        def call(*arguments: Any) -> Any:
            with code.translating(name):
                return function(*arguments)

        return call

    @property
    def _callable(self) -> UserCode:
        code = self.loaded
        if not callable(code.target):
            found = one_line(repr(code.target))
            raise code.refused(f"{code.called} must be a function that builds a module, but is {found}")
        return code

    def _called(self, depth: int, spec: DataSpec) -> "nn.Module":
        """What the function returns: a module that was not returned before."""
        from torch.nn import Module  # noqa: PLC0415
        from torch.nn.parameter import is_lazy  # noqa: PLC0415

        code = self._callable
        arguments, takes_depth = self._arguments(depth, spec)
        doing = f"{code.called}({depth})" if takes_depth else f"{code.called}()"
        with code.calling(doing):
            module = code.target(**arguments) if isinstance(arguments, dict) else code.target(*arguments)
        if not isinstance(module, Module):
            raise code.refused(f"{doing} must return a torch module, but returned {one_line(repr(module))}")
        if next(module.parameters(), None) is None:
            raise code.refused(f"{doing} returned a module without parameters: there is nothing to train")
        if any(is_lazy(one) for one in (*module.parameters(), *module.buffers())):
            cure = "give their input sizes, or run a batch through the module before it is returned"
            raise code.refused(f"{doing} returned lazy layers: {cure}")
        if module in _RETURNED:
            raise code.refused(f"{doing} returned a module that it returned before: build a new one in each call")
        _RETURNED.add(module)
        return module

    def _arguments(self, depth: int, spec: DataSpec) -> tuple[dict[str, Any] | tuple[Any, ...], bool]:
        """What the function is called with, and whether the depth is among it.

        Raises:
            UserCodeFailed: It takes more than a depth and a spec.
        """
        code = self._callable
        try:
            parameters = inspect.signature(code.target).parameters
        except (TypeError, ValueError):
            return (depth,), True  # of a function without a signature
        named = {name: value for name, value in (("depth", depth), ("spec", spec)) if name in parameters}
        needed = [
            one.name
            for one in parameters.values()
            if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        ]
        if set(needed) <= set(named) and not _positional(parameters, named):
            return named, "depth" in named
        if len(needed) == 1:
            return (depth,), True
        if len(needed) == MATRIX:
            return (depth, spec), True
        listed = ", ".join(needed)
        raise code.refused(
            f"{code.called}({listed}) takes {len(needed)} arguments; it must take a depth, a depth and a spec, or none"
        )


def _positional(parameters: Any, named: dict[str, Any]) -> bool:
    return any(parameters[name].kind is inspect.Parameter.POSITIONAL_ONLY for name in named)


_RETURNED: "weakref.WeakSet[nn.Module]" = weakref.WeakSet()


def module_counts(module: "nn.Module") -> LayerCounts:
    """The size of any module: a layer with weights owns a parameter of two dimensions or more; shared ones count once.

    Keras's count, and that of hidden layers, have no meaning for it.
    """
    layers, seen = 0, set()
    for owner in module.modules():
        weights = [one for one in owner.parameters(recurse=False) if one.dim() >= MATRIX and id(one) not in seen]
        seen |= {id(one) for one in weights}
        layers += bool(weights)
    parameters = sum(one.numel() for one in module.parameters() if one.requires_grad)
    return LayerCounts(weight_layers=layers, parameters=parameters)
