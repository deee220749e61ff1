"""plot(found): what was found, as a figure that a notebook shows, and that can be written to a file."""

from collections.abc import Callable

from plotly import graph_objects as go

from depthsearch.errors import InvalidValue, UnknownName
from depthsearch.reporting.figures import run as run_figures
from depthsearch.reporting.figures.comparison import comparison_figure
from depthsearch.reporting.figures.curve import curve_figure
from depthsearch.results.answer import Answer
from depthsearch.results.comparison import Comparison
from depthsearch.results.inspection import Inspection

RUN_FIGURES: dict[str, Callable[[Inspection], go.Figure | None]] = {
    "learning": run_figures.learning_figure,
    "gradient_map": run_figures.gradient_map,
    "gradient_lines": run_figures.gradient_lines,
    "histograms": run_figures.histogram_figure,
    "regions": run_figures.regions_figure,
}


def plot(found: Answer | Comparison | Inspection, figure: str | None = None) -> go.Figure:
    """Draw what was found with plotly.

    Args:
        found: An answer, of which the curve is drawn; a comparison, with a row for each network; or an inspection.
        figure: Of an inspection: learning (the default), gradient_map, gradient_lines, histograms or regions.

    Raises:
        InvalidValue: There is no such figure of this.
    """
    if isinstance(found, Inspection):
        name = "learning" if figure is None else figure
        if not isinstance(name, str) or name not in RUN_FIGURES:
            raise UnknownName("figure", name, RUN_FIGURES)
        drawn = RUN_FIGURES[name](found)
        if drawn is None:
            data = found.problem.data.name
            raise InvalidValue(f"figure {name!r} needs points of two classes in the plane, but the data are {data!r}")
        return drawn
    if figure is not None:
        raise InvalidValue(f"figure is only for inspections, but got {figure!r} for {type(found).__name__}")
    if isinstance(found, Answer):
        return curve_figure(found)
    if isinstance(found, Comparison):
        return comparison_figure(found)
    raise InvalidValue(f"plot takes an Answer, a Comparison or an Inspection, but got {found!r:.100}")
