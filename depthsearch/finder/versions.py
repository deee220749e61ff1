"""What trained and searched, by name and version."""

import platform
from importlib.metadata import version


def versions() -> dict[str, str]:
    """The versions of Python and of all that a result depends on."""
    return {"python": platform.python_version()} | {
        name: version(name) for name in ("depthsearch", "numba", "numpy", "optuna", "torch")
    }
