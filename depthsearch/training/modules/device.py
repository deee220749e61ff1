"""Where torch trains: the device, its precision, and the number of threads."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from depthsearch.errors import InvalidValue
from depthsearch.problem.recipe import Recipe


def torch_device(name: str) -> torch.device:
    """The device that a name means.

    Args:
        name: "cpu", "cuda", or "auto" for the GPU where torch sees one.

    Raises:
        InvalidValue: "cuda" was asked for and torch sees no GPU.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise InvalidValue("device 'cuda' cannot be used: torch sees no GPU here; accepted: 'auto' or 'cpu'")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def check_precision(recipe: Recipe, device: torch.device) -> None:
    """Refuse a precision that the device does not compute with.

    Raises:
        InvalidValue: Mixed precision on a CPU, or on a GPU without bfloat16.
    """
    if recipe.precision is None:
        return
    if device.type != "cuda":
        needed, got = "a GPU", f"device {device.type!r}"
    elif not torch.cuda.is_bf16_supported(including_emulation=False):
        needed, got = "a GPU that computes in it (from compute capability 8.0)", torch.cuda.get_device_name(device)
    else:
        return
    reason = f"{recipe.precision!r} needs {needed}, but got {got}: leave it out"
    raise InvalidValue(reason, path="recipe.precision", value=recipe.precision)


def autocast(recipe: Recipe, device: torch.device) -> AbstractContextManager[None]:
    """The block of a forward pass and its loss: layers compute in the recipe's precision, the loss in float32.

    bfloat16 has the range of float32, so that gradients need no scaling (arXiv 1905.12322). Snapshots are taken outside
    of this block, in float32. Casts are not kept, since a recorded graph has to hold them.
    """
    if recipe.precision is None:
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16, cache_enabled=False)


@contextmanager
def threads(number: int) -> Iterator[None]:
    """torch's number of threads for the block; as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
