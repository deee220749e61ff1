"""How every page is made: a template with its values, and figures drawn by plotly's script. All text is escaped."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly import graph_objects as go

CONFIG = {
    "responsive": True,
    "displaylogo": False,
    "modeBarButtons": [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
}
"""Only those buttons that send nothing anywhere."""

TOP_MARGIN = 36
"""Pixels above a figure whose title is a caption of the page."""


@dataclass(frozen=True)
class PlacedFigure:
    """A figure as a page shows it.

    Attributes:
        caption: In HTML, for the line above the figure.
        markup: The figure and the script that draws it, in HTML.
    """

    caption: Markup
    markup: Markup


def place_figures(figures: Mapping[str, go.Figure], captions: Mapping[str, str]) -> dict[str, PlacedFigure]:
    """The figures of one page, in its order: the first brings plotly's script along.

    Args:
        figures: By name; they are given the ids figure-0, figure-1, ...
        captions: By the same names, as plotly escapes them; a line break is a space.
    """
    placed = {}
    for number, (name, figure) in enumerate(figures.items()):
        bare = go.Figure(figure)
        # A finger that moves over a figure scrolls the page.
        bare.update_layout(title=None, margin_t=TOP_MARGIN, dragmode=False)
        drawn = bare.to_html(
            config=CONFIG,
            include_plotlyjs=number == 0,
            full_html=False,
            default_height=f"{figure.layout.height}px",
            div_id=f"figure-{number}",
        )
        caption = Markup((captions[name] or "").replace("<br>", " "))
        placed[name] = PlacedFigure(caption, Markup(drawn))
    return placed


def render(template: str, *, title: str, written: datetime, place: str = "", **values: object) -> str:
    """A page.

    Args:
        template: Its file.
        title: Of the window.
        written: When it is written, for its foot.
        place: The store that it shows; empty for none.
        values: All else that the template names.
    """
    return _environment().get_template(template).render(title=title, written=written, place=place, **values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("depthsearch.reporting.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
