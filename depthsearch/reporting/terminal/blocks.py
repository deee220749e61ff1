"""Pictures of numbers in block characters: lines, charts, bars, histograms, shades. Plain text, no styles."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

EIGHTHS = "▁▂▃▄▅▆▇█"


SHADES = " .:▒▓█"


EDGES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Probabilities between two shades: dots for one class, blocks for the other."""

BROKEN = "x"
"""The mark of a number that is not finite."""

Floats = NDArray[np.float64]


def histogram(counts: Sequence[int]) -> str:
    """A character a bin, as high as its count; a space for an empty one."""
    most = max(counts, default=0)
    return "".join(EIGHTHS[math.ceil(len(EIGHTHS) * count / most) - 1] if count else " " for count in counts)


def chart(values: Sequence[float], *, low: float, high: float, width: int, height: int) -> list[str]:
    """Columns filled to each value's height between low and high, as `height` lines, the top one first.

    More values than columns are averaged, fewer are repeated. A value that is not finite is a BROKEN column.
    """
    levels = [_level(value, low, high, height * len(EIGHTHS)) for value in _fitted(values, width)]
    return ["".join(_cell(level, row) for level in levels) for row in reversed(range(height))]


def bar(share: float, width: int) -> str:
    """A bar filled to a share from 0 to 1; nothing at all where it is not a number."""
    if not math.isfinite(share):
        return " " * width
    filled = round(width * min(max(share, 0.0), 1.0))
    return "█" * filled + "░" * (width - filled)


def shade(probability: float) -> str:
    """From a space for 0, through dots and shades, to a full block for 1."""
    if not math.isfinite(probability):
        return BROKEN
    return SHADES[sum(probability >= edge for edge in EDGES)]


def _fitted(values: Sequence[float], width: int) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if len(found) <= width:
        return found[np.arange(width) * len(found) // width]
    with np.errstate(invalid="ignore", over="ignore"):
        return np.array([part.mean() for part in np.array_split(found, width)])


def _level(value: float, low: float, high: float, levels: int) -> int | None:
    """How many eighths of a line are filled: 1 at the least, so that every column is seen."""
    if not math.isfinite(value):
        return None
    share = (min(max(value, low), high) - low) / (high - low) if high > low else 0.0
    return max(1, math.ceil(share * levels))


def _cell(level: int | None, row: int) -> str:
    if level is None:
        return BROKEN
    filled = level - row * len(EIGHTHS)
    return " " if filled <= 0 else EIGHTHS[min(filled, len(EIGHTHS)) - 1]
