"""Tensors inside nested values: what modules take and give may be tuples, lists, dicts or dataclasses of tensors."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor


def tensors(value: Any) -> Iterator[Tensor]:
    """Every tensor inside a value, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from tensors(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from tensors(inner)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from tensors(getattr(value, field.name))


def first_tensor(value: Any) -> Tensor | None:
    """The first floating tensor inside a value; None where there is none."""
    if isinstance(value, Tensor) and value.is_floating_point():
        return value
    return next((tensor for tensor in tensors(value) if tensor.is_floating_point()), None)


def replace_first_tensor(value: Any, old: Tensor, new: Tensor) -> Any:
    """The same value with one tensor replaced: in place where it is a mapping or a dataclass."""
    if value is old:
        return new
    if isinstance(value, list | tuple):
        inner = [replace_first_tensor(part, old, new) for part in value]
        return type(value)(*inner) if hasattr(value, "_fields") else type(value)(inner)
    if isinstance(value, dict):
        for key, part in value.items():
            value[key] = replace_first_tensor(part, old, new)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            part = getattr(value, field.name)
            replaced = replace_first_tensor(part, old, new)
            if replaced is not part:
                setattr(value, field.name, replaced)
    return value


def mapped(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """The same nested value with every tensor replaced by the function of it."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, Mapping):
        return {key: mapped(inner, function) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        inner = [mapped(part, function) for part in value]
        return type(value)(*inner) if hasattr(value, "_fields") else type(value)(inner)
    return value


def on_device(value: Any, device: torch.device) -> Any:
    """The same nested value with every tensor on a device."""
    return mapped(value, lambda tensor: tensor.to(device))


def points_in(batch: Any) -> int:
    """How many points a batch holds: the length of its first tensor.

    Raises:
        ValueError: It holds no tensor.
    """
    for tensor in tensors(batch):
        return len(tensor) if tensor.dim() else 1
    raise ValueError("a batch holds no tensor")
