"""Deeper copies of a module that was written for one depth: the blocks of its longest stack, more or fewer of them.

The user's function is called again for the blocks that are missing, under the generators of the moment, so that every
block has the initialization of its author. `reset_parameters` would give another: it is not called.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from depthsearch.errors import InvalidValue, UserCodeFailed

if TYPE_CHECKING:
    from torch import Tensor, nn

LONGEST_PATTERN = 6
"""Children of a container that make one block, at most."""

FEWEST = 2
"""Blocks that make a stack."""


@dataclass(frozen=True)
class Stack:
    """Blocks that follow each other in one container of a module.

    Attributes:
        path: Of the container in the module: "encoder.layers"; empty for the module itself.
        start: Place of its first child that belongs to the stack.
        period: Children that make one block.
        count: Blocks.
        parameters: In each block.
        kind: The class of the child with the most parameters in a block.
    """

    path: str
    start: int
    period: int
    count: int
    parameters: int
    kind: str

    @property
    def name(self) -> str:
        """As Python writes it: "encoder.layers[0:6]"."""
        return f"{self.path or 'the module'}[{self.start}:{self.start + self.count * self.period}]"


def find_stack(module: "nn.Module") -> Stack | None:
    """The stack with the most blocks in any nn.Sequential or nn.ModuleList; None where there is none.

    A block is a pattern of 1 to 6 children with parameters; blocks have equal classes and parameter shapes. A stack
    within a block of another stack does not count. Of two with as many blocks, the one with more parameters.
    """
    found = [stack for path, container in _containers(module) for stack in _stacks(path, list(container.children()))]
    outer = [stack for stack in found if not any(_is_within(stack, other) for other in found)]
    return max(outer, key=lambda stack: (stack.count, stack.parameters, -stack.period), default=None)


def build_repeated(call: Callable[[], "nn.Module"], depth: int, *, called: str) -> tuple["nn.Module", Stack]:
    """A module whose stack has `depth` blocks, and the stack as its author has it.

    Where the blocks of one call have equal weights (nn.TransformerEncoder copies its layer: pytorch issues 72253,
    86274), each call gives one block.

    Args:
        call: The user's function; it draws weights from the global generators.
        depth: Blocks.
        called: The name of the function, for messages.

    Raises:
        UserCodeFailed: The module has no stack, or another one in another call.
    """
    module = call()
    stack = find_stack(module)
    if stack is None:
        raise UserCodeFailed(
            f"{called}() takes no depth, and its module has no nn.Sequential or nn.ModuleList that repeats a block: "
            f"write {called}(depth)"
        )
    children = list(_container(module, stack).children())
    first = _blocks(children, stack)
    per_call = 1 if _start_equal(first) else stack.count
    blocks = first[: min(depth, per_call)]
    while len(blocks) < depth:
        other = call()
        if find_stack(other) != stack:
            raise UserCodeFailed(f"{called}() built another module in another call: its stack was {stack.name}")
        blocks += _blocks(list(_container(other, stack).children()), stack)[: min(per_call, depth - len(blocks))]
    before, after = children[: stack.start], children[stack.start + stack.count * stack.period :]
    _refill(_container(module, stack), before, [child for block in blocks for child in block], after)
    _REPEATED[module] = (stack, tuple(blocks))
    return module, stack


def watch_copies(module: "nn.Module", *, called: str) -> Callable[[], None]:
    """Watch the first forward pass of a module that `build_repeated` made.

    Args:
        module: Of any origin; other modules are not watched.
        called: The name of the user's function, for messages.

    Returns:
        A check to call after the pass. It raises InvalidValue where a block did not run: a module that loops over a
        number of blocks, and not over its container, takes no notice of another length. That is no failure of one run:
        no depth can be searched.
    """
    if module not in _REPEATED:
        return lambda: None
    stack, blocks = _REPEATED[module]
    ran: set[int] = set()
    handles = [
        part.register_forward_pre_hook(lambda *_args, place=place: ran.add(place))
        for place, block in enumerate(blocks)
        for child in block
        for part in child.modules()
    ]

    def check() -> None:
        for handle in handles:
            handle.remove()
        if len(ran) < len(blocks):
            raise InvalidValue(
                f"{len(ran)} of {len(blocks)} blocks of {stack.name} ran: the module of {called}() does not run all "
                f"that its container holds; write {called}(depth)"
            )

    return check


def equal_layers(module: "nn.Module") -> tuple[str, str] | None:
    """Two layers of a module that start with equal weights, by name; None where there are none.

    Layers are modules that own a parameter of two dimensions or more; constant parameters, such as those of
    normalizations, say nothing. A module that is used twice is one layer.
    """
    seen: dict[tuple[Any, ...], list[tuple[str, Tensor]]] = {}
    for name, layer in module.named_modules():
        weight = next((one for one in layer.parameters(recurse=False) if one.dim() > 1 and not _is_constant(one)), None)
        if weight is None:
            continue
        alike = seen.setdefault((type(layer), tuple(weight.shape)), [])
        for other, held in alike:
            if held is not weight and bool((held == weight).all()):
                return other, name
        alike.append((name, weight))
    return None


_REPEATED: "WeakKeyDictionary[nn.Module, tuple[Stack, tuple[list[nn.Module], ...]]]" = WeakKeyDictionary()


def _containers(module: "nn.Module") -> Iterator[tuple[str, "nn.Module"]]:
    from torch import nn  # noqa: PLC0415

    for path, inner in module.named_modules():
        if isinstance(inner, nn.Sequential | nn.ModuleList):
            yield path, inner


def _stacks(path: str, children: Sequence["nn.Module"]) -> Iterator[Stack]:
    """The stacks of one container: for each pattern the longest row of equal blocks.

    Blocks that begin with parameters come first: "Linear, ReLU" rather than "ReLU, Linear" where both are repeated.
    """
    looks = [_look(child) for child in children]
    sizes = [sum(one.numel() for one in child.parameters()) for child in children]
    found: list[Stack] = []
    for period in range(1, min(LONGEST_PATTERN, len(children) // FEWEST) + 1):
        for start in range(len(children) - FEWEST * period + 1):
            pattern, count = looks[start : start + period], 1
            if start >= period and looks[start - period : start] == pattern:
                continue  # the row begins further ahead
            while looks[start + count * period : start + (count + 1) * period] == pattern:
                count += 1
            largest = max(range(start, start + period), key=lambda place: sizes[place])
            if count >= FEWEST and sizes[largest]:
                kind = type(children[largest]).__name__
                found.append(Stack(path, start, period, count, sum(sizes[start : start + period]), kind))
    yield from sorted(found, key=lambda stack: not sizes[stack.start])


def _look(module: "nn.Module") -> tuple[Any, ...]:
    """The classes within a module, and the shapes of its parameters."""
    shapes = tuple((name, tuple(one.shape)) for name, one in module.named_parameters())
    return (*(type(inner) for inner in module.modules()), shapes)


def _is_within(stack: Stack, other: Stack) -> bool:
    """Whether a stack lies within a block of another one."""
    prefix = f"{other.path}." if other.path else ""
    if stack.path == other.path or not stack.path.startswith(prefix):
        return False
    place = stack.path.removeprefix(prefix).split(".")[0]
    return not place.isdigit() or other.start <= int(place) < other.start + other.count * other.period


def _container(module: "nn.Module", stack: Stack) -> "nn.Module":
    return module.get_submodule(stack.path)


def _blocks(children: Sequence["nn.Module"], stack: Stack) -> list[list["nn.Module"]]:
    starts = range(stack.start, stack.start + stack.count * stack.period, stack.period)
    return [list(children[start : start + stack.period]) for start in starts]


def _start_equal(blocks: Sequence[Sequence["nn.Module"]]) -> bool:
    """Whether the first two blocks have equal weights, those left out that are constant."""
    pairs = [
        (one, other)
        for left, right in zip(blocks[0], blocks[1], strict=True)
        for one, other in zip(left.parameters(), right.parameters(), strict=True)
        if not _is_constant(one)
    ]
    return bool(pairs) and all(bool((one == other).all()) for one, other in pairs)


def _is_constant(parameter: "Tensor") -> bool:
    return parameter.numel() == 0 or bool((parameter == parameter.flatten()[0]).all())


def _refill(
    container: "nn.Module",
    before: Sequence["nn.Module"],
    blocks: Sequence["nn.Module"],
    after: Sequence["nn.Module"],
) -> None:
    """Put other children into a container; those that had a name other than their place keep it."""
    names = [name for name, _ in container.named_children()]
    numbered = all(name.isdigit() for name in names)
    kept = [*names[: len(before)], *(f"block {k}" for k in range(len(blocks))), *names[len(names) - len(after) :]]
    for name in names:
        delattr(container, name)
    for place, child in enumerate((*before, *blocks, *after)):
        container.add_module(str(place) if numbered else kept[place].replace(" ", "_"), child)
