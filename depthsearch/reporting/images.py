"""Figures as PNG, SVG and PDF files, drawn by kaleido with the Chrome or Chromium that it finds."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import plotly.io
from plotly import graph_objects as go

from depthsearch.core.errors import InvalidValue

FORMATS = ("png", "svg", "pdf")
WIDTH, SCALE = 1000, 2
"""Width in pixels, and how many of them a PNG has to each."""


def check_images() -> None:
    """Raise where kaleido is missing.

    Raises:
        InvalidValue: It is.
    """
    if find_spec("kaleido") is None:
        raise InvalidValue("--figures needs kaleido, which is not installed: pip install 'depthsearch[figures]'")


def write_images(figures: Mapping[str, go.Figure], folder: Path) -> list[Path]:
    """Write each figure under its name in every one of FORMATS; a file that is there already is written anew.

    Args:
        figures: By name.
        folder: Made where it is missing; what it is in must be there.

    Raises:
        InvalidValue: The folder cannot be written to, or kaleido or a browser for it is missing.
    """
    check_images()
    try:
        folder.mkdir(exist_ok=True)
        files = [folder / f"{name}.{kind}" for name in _file_names(figures) for kind in FORMATS]
        each = [figure for figure in figures.values() for _ in FORMATS]
        plotly.io.write_images(
            fig=each,
            file=files,
            width=WIDTH,
            height=[figure.layout.height for figure in each],
            scale=[SCALE if file.suffix == ".png" else 1 for file in files],
        )
    except OSError as error:
        raise InvalidValue(
            f"--figures {str(folder)!r} cannot be written: {error.strerror or error}; give a folder in one that exists"
        ) from None
    except RuntimeError as error:
        if "Chrome" not in str(error):
            raise
        raise InvalidValue(
            "--figures needs Chrome or Chromium, and none could be started: install one (on Debian: "
            "apt install chromium), or set BROWSER_PATH to it"
        ) from None
    return files


def _file_names(figures: Mapping[str, go.Figure]) -> list[str]:
    """The figures' names as files may be called, no two alike."""
    names: list[str] = []
    for name in figures:
        plain = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "figure"
        same = sum(other == plain or other.startswith(f"{plain}~") for other in names)
        names.append(f"{plain}~{same + 1}" if same else plain)
    return names
