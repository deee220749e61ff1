"""One pass over a user's torch Dataset or DataLoader, which shows its points, the shape of an input and the targets."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthsearch.data.base import TARGET_KEYS, target_key
from depthsearch.errors import InvalidValue
from depthsearch.user_code.loading import UserCode

INPUTS = ("input_ids", "pixel_values", "inputs", "x")
"""Keys of a dict whose shape describes an input, the first that is there; else its first tensor."""

PAIR = 2
TARGET_AXES = (1, 2)
"""Of whole-number targets: one for each input, or for each of its positions."""

SPARE = 10
"""Batches that a DataLoader may give beyond twice its length before it counts as endless."""


def as_array(value: Any, code: UserCode, *, what: str) -> NDArray[Any]:
    """An array or a tensor as an array; bfloat16 and shorter floats, which NumPy lacks, as float32.

    Raises:
        UserCodeFailed: It is sparse, on no device, or of a type that NumPy lacks.
    """
    if not hasattr(value, "detach"):
        return np.asarray(value)
    tensor = value.detach()
    try:
        return np.asarray(tensor.cpu().resolve_conj().resolve_neg().numpy())
    except (TypeError, RuntimeError, NotImplementedError):
        pass
    try:
        return np.asarray(tensor.cpu().float().numpy())
    except (TypeError, RuntimeError, NotImplementedError):
        kind, layout = (str(one).removeprefix("torch.") for one in (tensor.dtype, tensor.layout))
        found = f"a {layout} tensor of {kind} on {tensor.device}"
        raise code.refused(f"{what} must be a dense array or tensor of numbers, but are {found}") from None


def length_of(part: Any, code: UserCode, *, name: str) -> int:
    """How many items or batches a part has.

    Raises:
        UserCodeFailed: It does not know, or its code raises an exception.
    """
    with code.calling(f"len({name}) of {code.called}()"):
        try:
            return len(part)
        except TypeError:
            if not _is_loader(part):
                raise
    raise code.refused(f"{name} of {code.called}() must know how many batches it has, but its dataset has no length")


def limited(loader: Any, *, name: str) -> Iterator[Any]:
    """The batches of a DataLoader.

    Raises:
        InvalidValue: There are clearly more than it says, even where each of its workers gives all of them.
    """
    try:
        most: float = SPARE + 2 * len(loader) * max(1, getattr(loader, "num_workers", 0))
    except TypeError:
        most = float("inf")
    for number, batch in enumerate(loader):
        if number >= most:
            reason = f"{name} has {len(loader)} batches by its length, but gave {number}, and more follow"
            raise InvalidValue(f"{reason}: its dataset must end, or have its length")
        yield batch


def _is_loader(part: Any) -> bool:
    return hasattr(part, "batch_size") and hasattr(part, "dataset")


@contextmanager
def generator_kept(loader: Any) -> Iterator[None]:
    """Restore the generator of a DataLoader after the block."""
    generator = getattr(loader, "generator", None)
    state = generator.get_state() if generator is not None else None
    try:
        yield
    finally:
        if generator is not None:
            generator.set_state(state)


def batches_of(source: Any, *, name: str) -> Iterator[Any]:
    """Batches of a DataLoader, or the items of a Dataset as batches of one."""
    if _is_loader(source):
        yield from limited(source, name=name)
        return
    for place in range(len(source)):
        yield _Item(source[place])


@dataclass(frozen=True)
class _Item:
    """An item of a Dataset, which has no dimension for the batch."""

    value: Any


class Pass:
    """What is seen of the batches of a training set.

    Args:
        code: The user's.
        name: Of the set, for messages.
    """

    def __init__(self, code: UserCode, *, name: str) -> None:
        self.points = 0
        self.shape: tuple[int, ...] = ()
        self.vocabulary: int | None = None
        self._targets: list[NDArray[Any]] | None = []
        self._code, self._name = code, name

    def add(self, batch: Any) -> None:
        """One batch or item.

        Raises:
            UserCodeFailed: It holds a value that is not finite, or is no batch.
        """
        single = isinstance(batch, _Item)
        inputs, targets = _parts(batch.value if isinstance(batch, _Item) else batch)
        found = None if targets is None else self._array(targets, "targets", single=single)
        if inputs is not None:
            array = self._array(inputs, "inputs", single=single)
            if not self.points:
                self.shape = tuple(array.shape[1:])
            if array.dtype.kind in "iu" and array.dtype != np.uint8 and array.size:
                self.vocabulary = max(self.vocabulary or 0, int(array.max()) + 1)
            self.points += len(array)
        else:
            self.points += 1 if found is None else len(found)
        if found is None or self._targets is None:
            self._targets = None
            return
        self._targets.append(found)

    def _array(self, value: Any, what: str, *, single: bool) -> NDArray[Any]:
        """With a dimension for the points."""
        what = f"the {what} of {self._name}"
        array = as_array(value, self._code, what=what)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise self._code.refused(f"{what} hold a value that is not finite")
        if single:
            return array[None]
        if not array.ndim:
            found = f"but {what} hold the single value {array}: give the DataLoader a batch_size"
            raise self._code.refused(f"{self._name} must give batches of points, {found}")
        return array

    def targets(self) -> NDArray[Any] | None:
        """All of them; None where none are found, or their shapes differ between batches."""
        if not self._targets or len({one.shape[1:] for one in self._targets}) > 1:
            return None
        joined = np.concatenate(self._targets)
        return (
            joined if joined.dtype.kind in "fiub" and (joined.dtype.kind == "f" or joined.ndim in TARGET_AXES) else None
        )


def _parts(batch: Any) -> tuple[Any, Any]:
    """What describes an input, and the targets, of a batch or an item; None where there are none."""
    if isinstance(batch, Mapping):
        key = target_key(batch)
        targets = None if key is None else batch[key]
        rest = [name for name, value in batch.items() if name not in TARGET_KEYS and hasattr(value, "shape")]
        first = next((key for key in INPUTS if key in rest), rest[0] if rest else None)
        return (None if first is None else batch[first]), targets
    if isinstance(batch, tuple | list) and len(batch) >= PAIR:
        inputs = batch[0] if hasattr(batch[0], "shape") else None
        last = batch[-1]
        return inputs, last if hasattr(last, "shape") or isinstance(last, int | float) else None
    return (batch if hasattr(batch, "shape") else None), None
