"""Where torch trains."""

import torch

from depthsearch.errors import InvalidValue


def chosen_device(name: str) -> torch.device:
    """The device of a name: "cpu", "cuda", or "auto" for the GPU where torch sees one.

    Raises:
        InvalidValue: "cuda" was asked for and torch sees no GPU.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise InvalidValue("device 'cuda' cannot be used: torch sees no GPU here; accepted: 'auto' or 'cpu'")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
