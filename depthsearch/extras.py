"""Optional libraries: which extra installs one, which version is there, and what they need before they are imported."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from depthsearch.errors import InvalidValue

TORCHVISION_OPERATORS = ("nms", "qnms")
"""The operators of torchvision's compiled library whose absence stops `import torchvision`."""


def require(module: str, *, extra: str, path: str) -> None:
    """Prepare the import of an optional library (see `register_torchvision_operators`); nothing is downloaded after it.

    Args:
        module: Its top-level module.
        extra: The extra of depthsearch that installs it.
        path: The field whose value needs it.

    Raises:
        InvalidValue: It is not installed.
    """
    if find_spec(module) is None:
        reason = f"needs the library {module}: install it with pip install 'depthsearch[{extra}]'"
        raise InvalidValue(reason, path=path, value=module, expected="one whose library is installed")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    register_torchvision_operators()


def version_words(distribution: str) -> str:
    """Name and version of an installed distribution, such as "timm 1.0.31"; the name where it is not installed."""
    try:
        return f"{distribution} {version(distribution)}"
    except PackageNotFoundError:
        return distribution


@cache
def register_torchvision_operators() -> None:
    """Make torchvision importable where its compiled library does not load.

    PyPI's torchvision is compiled for CUDA. Next to a CPU-only torch its library does not load, `import torchvision`
    raises "operator torchvision::nms does not exist", and so do timm and transformers, which import it. This declares
    the operators that are missing; they cannot be called then, and no network here calls them. Where the library
    loads, or torchvision is imported already or not installed, nothing is declared.
    """
    found = PathFinder.find_spec("torchvision")
    if "torchvision" in sys.modules or found is None or found.origin is None:
        return
    import torch  # noqa: PLC0415 - takes seconds to import

    compiled = [*Path(found.origin).parent.glob("_C.*")]
    try:
        for library in compiled:
            torch.ops.load_library(library)  # type: ignore[no-untyped-call]
    except OSError:
        compiled = []
    for name in () if compiled else TORCHVISION_OPERATORS:
        if not hasattr(torch.ops.torchvision, name):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


class _TorchvisionAhead:
    """A finder of modules that finds none: it sees that torchvision is about to be imported."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "torchvision":
            register_torchvision_operators()
        return None


@contextmanager
def torchvision_importable() -> Iterator[None]:
    """A block in which code of others may import torchvision, timm or transformers next to a CPU-only torch.

    Nothing is imported or declared unless it does (see `register_torchvision_operators`).
    """
    finder = _TorchvisionAhead()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
