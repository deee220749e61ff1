"""How every figure looks: colours, fonts, axes. Colours are Okabe and Ito's, told apart by the colour-blind too."""

import html
import math
import textwrap
from collections.abc import Sequence

from plotly import graph_objects as go

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE, GREY = "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#999999"

VERDICTS = {
    "trained": SKY,
    "exploded": VERMILION,
    "born_dead": BLACK,
    "died": GREY,
    "vanished": BLUE,
    "input_blind": PURPLE,
    "unstable": ORANGE,
    "slow": YELLOW,
    "flat": GREEN,
}
PATTERNS = {"exploded": "x", "vanished": "/", "input_blind": "+", "unstable": "\\", "slow": ".", "flat": "-"}
"""Hatching, so that a print without colours still tells the verdicts apart."""

WIDE = 8.0
"""Depths that span more than this factor are drawn on a logarithmic axis."""

LINE = 90
"""Characters of a title that fit into a line."""

_AXIS = {"showline": True, "linecolor": "#444444", "gridcolor": "#E6E6E6", "zeroline": False, "ticks": "outside"}
_TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": "Helvetica, Arial, 'DejaVu Sans', sans-serif", "size": 14, "color": "#222222"},
        "title": {"x": 0.0, "xref": "paper", "xanchor": "left", "font": {"size": 18}, "automargin": True},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "xaxis": _AXIS | {"automargin": True},
        "yaxis": _AXIS | {"automargin": True},
        "colorway": [BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK],
        "legend": {"orientation": "h", "x": 0.0, "xanchor": "left", "y": -0.14, "yanchor": "top"},
        "margin": {"l": 70, "r": 24, "t": 90, "b": 60},
        "hoverlabel": {"align": "left"},
    }
)


def plain(text: str) -> str:
    """Text as plotly has to be given it, so that no markup in it is obeyed."""
    return html.escape(text, quote=False)


def dressed(figure: go.Figure, title: str, subtitle: str = "", *, height: int = 600) -> go.Figure:
    """The figure with the common look, a title in as many lines as it takes, and a height in pixels."""
    text = "<br>".join(plain(line) for line in textwrap.wrap(title, LINE))
    figure.update_layout(template=_TEMPLATE, height=height, title={"text": text, "subtitle": {"text": plain(subtitle)}})
    return figure


def is_wide(depths: Sequence[float]) -> bool:
    """Whether the depths, none of them 0, span more than WIDE."""
    return min(depths) > 0 and max(depths) > WIDE * min(depths)


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
