"""Several problems, each with its answer, side by side."""

from depthsearch.core.answer import Answer
from depthsearch.core.curve import CurvePoint
from depthsearch.core.model import FrozenModel
from depthsearch.core.study_file import Reported


class Compared(FrozenModel):
    """One problem of a comparison.

    Attributes:
        name: By which the comparison knows it.
        answer: What the search found.
        reported: What somebody else reported of it.
        measured: P(trained) with its band at the depths of `reported.rows`; empty where no band is claimed.
    """

    name: str
    answer: Answer
    reported: Reported | None = None
    measured: tuple[CurvePoint, ...] = ()


class Comparison(FrozenModel):
    """Several problems side by side.

    Attributes:
        title: Of the study file.
        source: Where the reported numbers are from.
        compared: In the order of the file, or of the grid.
    """

    title: str = ""
    source: str = ""
    compared: tuple[Compared, ...]

    def to_json(self, indent: int | None = 2) -> str:
        """The comparison as one JSON object; `Comparison.model_validate_json` reads it back."""
        return self.model_dump_json(indent=indent)
