"""Figures as PNG, SVG and PDF files, drawn by kaleido with the Chrome or Chromium that it finds."""

import errno
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import plotly.io
from plotly import graph_objects as go

from depthsearch.errors import InvalidValue
from depthsearch.reporting.files import check_folder, write_files

FORMATS = ("png", "svg", "pdf")


WIDTH, SCALE = 1000, 2
"""Width in pixels, and how many of them a PNG has to each."""


LONGEST_NAME = 200
"""Bytes of a file's name without its ending, of the 255 that file systems allow."""


def check_images(folder: str) -> None:
    """Refuse before the work what could not be drawn after it.

    Raises:
        InvalidValue: kaleido is missing, or the folder cannot be made or written to.
    """
    if find_spec("kaleido") is None:
        raise InvalidValue("--figures needs kaleido, which is not installed: pip install 'depthsearch[figures]'")
    check_folder(folder)


def write_images(figures: Mapping[str, go.Figure], folder: str) -> list[Path]:
    """Write each figure under its name in every one of FORMATS, all of them or none.

    Args:
        figures: By name.
        folder: Made where it is missing; what it is in must be there.

    Raises:
        InvalidValue: The folder cannot be written to, or kaleido or a browser for it is missing.
    """
    check_images(folder)
    names = [f"{name}.{kind}" for name in _file_names(figures) for kind in FORMATS]
    return write_files(folder, names, lambda files: _draw(figures, files))


def _draw(figures: Mapping[str, go.Figure], files: list[Path]) -> None:
    """Have kaleido draw them all in one sitting of the browser; it does not say which of them it could not write."""
    each = [figure for figure in figures.values() for _ in FORMATS]
    try:
        plotly.io.write_images(
            fig=each,
            file=files,
            width=WIDTH,
            height=[figure.layout.height for figure in each],
            scale=[SCALE if file.suffix == ".png" else 1 for file in files],
        )
    except RuntimeError as error:
        if "Chrome" not in str(error):
            raise
        raise InvalidValue(
            "--figures needs Chrome or Chromium, and none could be started: install one (on Debian: "
            "apt install chromium), or set BROWSER_PATH to it"
        ) from None
    missing = [file.name for file in files if not file.is_file() or not file.stat().st_size]
    if missing:
        raise OSError(errno.EIO, f"{missing[0]} was not drawn")


def _file_names(figures: Mapping[str, go.Figure]) -> list[str]:
    """The figures' names as files may be called, no two alike."""
    names: list[str] = []
    for name in figures:
        plain = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "figure"
        plain = plain.encode()[:LONGEST_NAME].decode(errors="ignore")
        same = sum(other == plain or other.startswith(f"{plain}~") for other in names)
        names.append(f"{plain}~{same + 1}" if same else plain)
    return names
