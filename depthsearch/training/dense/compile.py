"""How the dense engine's kernels are compiled, and where the results are kept."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from llvmlite.binding import get_host_cpu_features, get_host_cpu_name
from numba import config, njit

from depthsearch.networks import base as networks

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "fastmath": {"contract", "reassoc", "arcp", "nsz", "afn"},
    "nogil": True,
}


def _cache_folder() -> Path | None:
    """The user's folder for compiled kernels of exactly these source files; None where none can be made.

    Numba looks for changes only in the file of a function, and would keep what calls a function that changed in
    another; and it takes nothing that was compiled from a file of another place or time, by another version, or for
    another processor. Hence one folder for each of these: what lies in it is what is loaded.
    """
    # What the kernels take from elsewhere are constants of the networks.
    files = [*sorted(Path(__file__).parent.glob("*.py")), Path(networks.__file__)]
    known = hashlib.sha256(b"".join(path.read_bytes() for path in files))
    places = [(str(path), path.stat().st_mtime_ns) for path in files]
    machine = (sys.version, version("numba"), get_host_cpu_name(), get_host_cpu_features().flatten())
    known.update(repr((places, machine)).encode())
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "depthsearch" / f"kernels-{known.hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


CACHE = _cache_folder()


def compiled_before(name: str) -> bool:
    """Whether the kernel of that name lies compiled in the cache."""
    return CACHE is not None and any(CACHE.rglob(f"*.{name}-*.nbi"))


@lru_cache(maxsize=1)
def compile_elsewhere(script: str, *, kernel: str) -> None:
    """Have another process compile the kernels, so that this one loads them from disk like every later one.

    In the process that compiles, the linker takes other copies of the functions that a kernel calls than when the
    kernel is loaded: the same sums, rounded otherwise. Where no process can be started, or there is no place on disk,
    this one compiles them itself.

    Args:
        script: Python code that calls every kernel once.
        kernel: The one that is compiled last, which shows whether there is something to do.
    """
    if CACHE is None or compiled_before(kernel) or not sys.executable:
        return
    quiet = subprocess.DEVNULL
    try:
        subprocess.run([sys.executable, "-P", "-c", script], stdin=quiet, stdout=quiet, stderr=quiet, check=False)
    except OSError:
        return


def compiled(function: Function) -> Function:
    """Compile a function when it is first called, and keep the result on disk where there is a place for it."""
    if CACHE is None:
        return njit(**_OPTIONS)(function)  # type: ignore[no-any-return]
    before = config.CACHE_DIR
    config.CACHE_DIR = str(CACHE)
    try:
        return njit(**_OPTIONS, cache=True)(function)  # type: ignore[no-any-return]
    finally:
        config.CACHE_DIR = before


def inlined(function: Function) -> Function:
    """Compile a function into each of its callers: a call that passes rows costs as much as the row's arithmetic."""
    return njit(**_OPTIONS, forceinline=True)(function)  # type: ignore[no-any-return]
