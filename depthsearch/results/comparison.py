"""Several problems, each with its answer, side by side."""

from collections.abc import Sequence

from depthsearch.problem.problem import Problem
from depthsearch.problem.study_file import Reported
from depthsearch.results.answer import Answer
from depthsearch.results.ranking import Standing, Tried, Won, deepest, standings
from depthsearch.schema import FrozenModel
from depthsearch.search.curve import CurvePoint


class Compared(FrozenModel):
    """One problem of a comparison.

    Attributes:
        name: By which the comparison knows it.
        answer: What the search found.
        reported: What somebody else reported of it.
        measured: P(trained) with its band at the depths of `reported.rows`; empty where no band is claimed.
        standing: How it compares with the other rows; null where it was not compared.
        won: Where the row is the best of several values of a field, which of them, and what the others reached.
    """

    name: str
    answer: Answer
    reported: Reported | None = None
    measured: tuple[CurvePoint, ...] = ()
    standing: Standing | None = None
    won: Won | None = None


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

    @classmethod
    def ranked(cls, rows: Sequence[Compared], *, title: str = "", source: str = "") -> "Comparison":
        """The comparison of these rows, each with its standing."""
        found = standings([[row.answer] for row in rows]) if rows else ()
        placed = [row.model_copy(update={"standing": standing}) for row, standing in zip(rows, found, strict=True)]
        return cls(title=title, source=source, compared=tuple(placed))

    @classmethod
    def best_of(
        cls,
        groups: Sequence[Sequence[Compared]],
        names: Sequence[str],
        field: str,
        *,
        title: str = "",
        source: str = "",
    ) -> "Comparison":
        """The comparison of the deepest row of each group.

        Args:
            groups: Rows that differ only in one field.
            names: Of the groups.
            field: Path of the field, such as "recipe.learning_rate".
            title: Of the study file.
            source: Where the reported numbers are from.
        """
        found = standings([[row.answer for row in group] for group in groups])
        rows = []
        for name, group, standing in zip(names, groups, found, strict=True):
            best = deepest([row.answer for row in group])
            winner = next(row for row in group if row.answer is best)
            among = tuple(
                Tried(value=_value(row, field), max_depth=row.answer.max_depth, study=row.answer.study) for row in group
            )
            won = Won(field=field, value=_value(winner, field), among=among)
            rows.append(winner.model_copy(update={"name": name, "standing": standing, "won": won}))
        return cls(title=title, source=source, compared=tuple(rows))

    def to_json(self, indent: int | None = 2) -> str:
        """The comparison as one JSON object; `Comparison.model_validate_json` reads it back."""
        return self.model_dump_json(indent=indent)


def _value(row: Compared, field: str) -> object:
    table, _, name = field.partition(".")
    return getattr(getattr(row.answer.problem, table), name, None)


class RatioOverRuns(FrozenModel):
    """The last layer's mean |dL/dW| over the first's, medians over the runs where it is defined; null where in none.

    Attributes:
        start: Before the first step.
        middle: The median over each run's log-spaced snapshots.
        end: After the last step.
    """

    start: float | None
    middle: float | None
    end: float | None


class Surveyed(FrozenModel):
    """One problem's networks of one depth.

    Attributes:
        name: As the study file calls it.
        problem: What was trained.
        depth: In the family's units.
        runs: How many were trained.
        verdicts: How many of each verdict.
        sentence: The verdict of the first run that has the commonest one.
        gradient_ratio: How the gradient falls from the last layer to the first.
        train_loss: Medians in the first epoch, the middle one and the last; null where not finite.
        first_layer_change: Median of |W - W at the start| / |W at the start| at the end; null where not finite.
        train_accuracy: Median in the last epoch.
        test_accuracy: Median at the end.
        reported: What somebody else reported.
    """

    name: str
    problem: Problem
    depth: int
    runs: int
    verdicts: dict[str, int]
    sentence: str
    gradient_ratio: RatioOverRuns
    train_loss: tuple[float | None, float | None, float | None]
    first_layer_change: float | None
    train_accuracy: float
    test_accuracy: float
    reported: Reported | None = None


class Survey(FrozenModel):
    """Several problems, side by side.

    Attributes:
        title: Of the study file.
        source: Where the reported numbers are from.
        surveyed: One for each problem, in the file's order.
    """

    title: str = ""
    source: str = ""
    surveyed: tuple[Surveyed, ...]

    def to_json(self, indent: int | None = 2) -> str:
        """The survey as one JSON object; `Survey.model_validate_json` reads it back."""
        return self.model_dump_json(indent=indent)
