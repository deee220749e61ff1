"""Functions and data of the running process, under a hash of their contents: of notebooks, lambdas, arrays.

They have a name as files do, `memory:NAME:HASH`, by which a problem refers to them. The process holds them; another
process that reads the study knows only the name, and refuses in one line to train it.
"""

import hashlib
import inspect
import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from depthsearch.errors import InvalidValue

MEMORY = "memory"
DEEPEST = 40
"""How far objects within objects are followed."""


@dataclass(frozen=True)
class LiveObject:
    """Something that the process holds.

    Attributes:
        target: It.
        names: What its file would hold besides: `loss`, `step`, `optimizer`.
    """

    target: Any
    names: Mapping[str, Any] = field(default_factory=dict)


_HELD: dict[str, LiveObject] = {}
_PROCESS = os.urandom(16)
"""Part of the fingerprint of objects that only their addresses distinguish: another process has other addresses."""


def hold(target: Any, names: Mapping[str, Any] | None = None) -> str:
    """Hold an object for the rest of the process, and return the text that names it.

    Args:
        target: A function, a class, or data.
        names: What its file would hold besides.
    """
    given = dict(names or {})
    digest = fingerprint((target, sorted(given.items())))
    _HELD[digest] = LiveObject(target, given)
    word = getattr(target, "__name__", type(target).__name__).strip("<>")
    return f"{MEMORY}:{word}:{digest}"


def is_live(text: str) -> bool:
    """Whether a text names an object of a process."""
    return text.startswith(f"{MEMORY}:") and text.count(":") == 2  # noqa: PLR2004 - memory:NAME:HASH


def live_object(text: str, *, path: str) -> LiveObject:
    """The object that a text names.

    Raises:
        InvalidValue: It was held by another process.
    """
    found = _HELD.get(text.rpartition(":")[2])
    if found is None:
        name = text.split(":")[1]
        raise InvalidValue(
            f"was {name!r} of a Python process that has ended, so it cannot be run again: write it into a file, and "
            "name it as FILE.py:name",
            path=path,
            value=text,
        )
    return found


def fingerprint(value: object) -> str:
    """SHA-256 of what an object holds: code, constants, arrays, and what these refer to.

    Objects whose contents cannot be read are distinguished by their addresses, within this process only.
    """
    digest = hashlib.sha256()
    for part in _parts(value, {}, 0):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def _parts(value: Any, seen: dict[int, int], depth: int) -> Iterator[bytes]:
    """The bytes that a value consists of; one that was met before is its number."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        yield repr(value).encode()
        return
    if id(value) in seen:
        yield f"again {seen[id(value)]}".encode()
        return
    seen[id(value)] = len(seen)
    yield type(value).__qualname__.encode()
    array = _as_array(value)
    if array is not None:
        yield f"{array.dtype} {array.shape}".encode()
        yield np.ascontiguousarray(array).tobytes()
    elif isinstance(value, ModuleType | BuiltinFunctionType | np.ufunc):
        yield getattr(value, "__name__", "").encode()
    elif depth > DEEPEST:
        yield _PROCESS + id(value).to_bytes(8, "little")
    else:
        for inner in _contents(value):
            yield from _parts(inner, seen, depth + 1)


def _contents(value: Any) -> Iterator[Any]:
    """What an object holds, in an order that is always the same."""
    if isinstance(value, dict):
        yield from itertools.chain.from_iterable(value.items())
    elif isinstance(value, list | tuple):
        yield from value
    elif isinstance(value, set | frozenset):
        yield sorted(map(repr, value))
    elif isinstance(value, FunctionType):
        yield from _of_function(value)
    elif isinstance(value, CodeType):
        yield from (value.co_code, value.co_names, value.co_varnames, value.co_freevars, value.co_consts)
    elif isinstance(value, type):
        yield from _of_class(value)
    elif hasattr(value, "__func__"):
        yield from (value.__func__, value.__self__)
    elif hasattr(value, "__dict__"):
        yield type(value)
        yield dict(vars(value))
    else:
        yield from (type(value).__module__, _PROCESS, id(value))


def _of_function(function: FunctionType) -> Iterator[Any]:
    """Its code, defaults, closure, and the globals that it refers to."""
    yield function.__qualname__
    if _is_importable(function):
        yield function.__module__
        return
    yield from (function.__code__, function.__defaults__, function.__kwdefaults__)
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            yield "empty"
    for name in _global_names(function.__code__):
        if name in function.__globals__:
            yield name
            yield function.__globals__[name]


def _of_class(kind: type) -> Iterator[Any]:
    yield kind.__qualname__
    if _is_importable(kind):
        yield kind.__module__
        return
    yield kind.__bases__
    for name, member in vars(kind).items():
        if name not in ("__dict__", "__weakref__", "__doc__", "__module__", "__firstlineno__", "__static_attributes__"):
            yield name
            yield getattr(member, "__func__", getattr(member, "fget", member))


def _global_names(code: CodeType) -> list[str]:
    """The names that a function, and the functions within it, look up."""
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    return list(dict.fromkeys([*code.co_names, *(name for one in inner for name in _global_names(one))]))


def _is_importable(value: Any) -> bool:
    """Whether an object belongs to an installed package or the standard library, and so to a version."""
    module = inspect.getmodule(value)
    file = getattr(module, "__file__", None)
    if module is None or value.__module__ == "__main__":
        return False
    return (
        file is None
        or "site-packages" in file
        or "dist-packages" in file
        or Path(file).is_relative_to(Path(os.__file__).parent)
    )


def _as_array(value: Any) -> np.ndarray[Any, Any] | None:
    """The numbers of an array or a tensor; None for other objects."""
    if isinstance(value, np.ndarray | np.generic):
        return None if value.dtype.hasobject else np.asarray(value)
    if hasattr(value, "detach") and hasattr(value, "cpu") and hasattr(value, "numpy"):
        try:
            return np.asarray(value.detach().cpu().numpy())
        except (TypeError, RuntimeError):  # a tensor of a kind that NumPy does not know
            return None
    return None
