"""How every figure looks: colours, fonts, axes. Colours are Okabe and Ito's, which the colour-blind distinguish too."""

import html
import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from depthsearch.search.curve import is_wide

if TYPE_CHECKING:
    from plotly import graph_objects as go

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"


YELLOW, BLUE, VERMILION, PURPLE, GREY = "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#999999"

BROWN = "#7A4B1E"
"""One more than theirs, darker than all but black."""

DARK = "#444444"
BAND, INTERVAL = "rgba(0, 114, 178, 0.18)", "rgba(230, 159, 0, 0.28)"
"""Behind the median of a curve, and where its threshold lies."""

REGION_POINTS = ("#003A5C", "#5C2800")
"""Test points of class 0 and 1, darker than their regions."""

VERDICTS = {
    "trained": SKY,
    "exploded": VERMILION,
    "born_dead": BLACK,
    "died": GREY,
    "saturated": BROWN,
    "vanished": BLUE,
    "input_blind": PURPLE,
    "unstable": ORANGE,
    "slow": YELLOW,
    "flat": GREEN,
}


PATTERNS = {
    "exploded": "x",
    "saturated": "|",
    "vanished": "/",
    "input_blind": "+",
    "unstable": "\\",
    "slow": ".",
    "flat": "-",
}
"""Hatching, so that a print without colours still tells the verdicts apart."""

LINE = 90
"""Characters of a title that fit into a line."""

SUBTITLE_LINE, SUBTITLE_HEIGHT = 140, 18
"""Characters of a subtitle that fit into a line, and the pixels that a line takes."""

TITLE_LINE = 24
"""Pixels that a line of the title takes."""

_AXIS = {
    "title": {"font": {"size": 14}},
    "showline": True,
    "linecolor": DARK,
    "gridcolor": "#E6E6E6",
    "zeroline": False,
    "ticks": "outside",
}


_TEMPLATE = {
    "layout": {
        "font": {"family": "Helvetica, Arial, 'DejaVu Sans', sans-serif", "size": 14, "color": "#222222"},
        "title": {
            "x": 0.0,
            "xref": "paper",
            "xanchor": "left",
            "yref": "container",
            "yanchor": "top",
            "font": {"size": 18},
        },
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "xaxis": _AXIS | {"automargin": True},
        "yaxis": _AXIS | {"automargin": True},
        "colorway": [BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK],
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 0.0,
            "xanchor": "left",
            "yref": "container",
            "y": 0.01,
            "yanchor": "bottom",
        },
        "margin": {"l": 64, "r": 20, "b": 56},
        "hoverlabel": {"align": "left"},
    }
}


def plain(text: str) -> str:
    """Text as plotly has to be given it, so that no markup in it is obeyed."""
    return html.escape(text, quote=False).replace("$", "&#36;")  # two of them would be a formula


def dressed(
    figure: "go.Figure", title: str, subtitle: str = "", *, height: int = 600, headed: bool = False
) -> "go.Figure":
    """The figure with the common look.

    Args:
        figure: Changed, and given back.
        title: Broken into as many lines as it takes.
        subtitle: Broken into lines, too.
        height: In pixels.
        headed: Whether its parts have headings, below the title.
    """
    lines, below = textwrap.wrap(title, LINE), textwrap.wrap(subtitle, SUBTITLE_LINE)
    further = SUBTITLE_HEIGHT * max(len(below) - 1, 0)
    height += further
    figure.update_layout(
        template=_TEMPLATE,
        height=height,
        title={
            "text": "<br>".join(plain(line) for line in lines),
            "subtitle": {"text": "<br>".join(plain(line) for line in below)},
            "y": 1 - (12 + TITLE_LINE * (len(lines) - 1)) / height,
        },
        margin={"t": 60 + TITLE_LINE * len(lines) + further + (24 if headed else 0)},
    )
    return figure


def depth_range(depths: Sequence[float]) -> tuple[float, float]:
    """The least and the largest with some room beyond: a share of the factor, or of the span, between them."""
    low, high = min(depths), max(depths)
    if is_wide(depths):
        room = (high / low) ** 0.04
        return low / room, high * room
    room = max(0.06 * (high - low), 0.5)
    return low - room, high + room


def depth_axis(depths: Sequence[float], title: str) -> dict[str, object]:
    """An axis over the depths, logarithmic where they span much, with ticks at 1, 2, 5, 10, 20, 50, ..."""
    low, high = depth_range(depths)
    if not is_wide(depths):
        return {"title": {"text": title}, "range": [low, high], "type": "linear"}
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [first * 10**decade for decade in decades for first in (1, 2, 5) if low <= first * 10**decade <= high]
    return {
        "title": {"text": f"{title}, log scale"},
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "tickvals": ticks,
        "ticktext": [f"{tick:g}" for tick in ticks],
    }
