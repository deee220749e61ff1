"""Ranks, differences and conclusions of a comparison in words."""

from collections.abc import Iterator, Sequence

from depthsearch.reporting.labels import field_name, value_words
from depthsearch.results.comparison import Compared, Comparison
from depthsearch.results.ranking import Relation, Standing


def kinds_of(rows: Sequence[Compared]) -> list[tuple[str, float]]:
    """Unit of depth and reliability of each row: depths of different kinds are not comparable."""
    return [(row.answer.problem.network.units, row.answer.reliability) for row in rows]


def rank_words(row: Compared) -> str:
    """ "1 of 4"; empty where there is no rank."""
    standing = row.standing
    return "" if standing is None or standing.rank is None else f"{standing.rank} of {standing.of}"


def difference_words(row: Compared) -> str:
    """ "+12 (+8 to +15)", "-2 (-6 to +3), unclear", or why there is none."""
    standing = row.standing
    if standing is None:
        return ""
    without_interval = "not known" if standing.difference is None else f"{_number(standing.difference)}, no interval"
    words = {
        Relation.FIRST: "the first row",
        Relation.OTHER_UNIT: f"not compared: in {row.answer.problem.network.units}",
        Relation.OTHER_RELIABILITY: f"not compared: at {row.answer.reliability:.0%}",
        Relation.NO_INTERVAL: without_interval,
        Relation.NOT_DISTINGUISHABLE: f"{_signed(standing)}, unclear",
    }
    return words.get(standing.relation, _signed(standing))


def won_words(row: Compared) -> str:
    """ "lr 0.01 (0.1: 12, 0.01: 23)": which value a row is the best of, and what each reached."""
    if row.won is None:
        return ""
    reached = ", ".join(
        f"{value_words(tried.value)}: {'none' if tried.max_depth is None else tried.max_depth}"
        for tried in row.won.among
    )
    return f"{field_name(row.won.field)} {value_words(row.won.value)} ({reached})"


def conclusions(comparison: Comparison) -> list[str]:
    """What a comparison concludes, one sentence each: which rows are deepest, and how each differs from the first."""
    rows = [row for row in comparison.compared if row.standing is not None]
    if len(rows) < 2:  # noqa: PLR2004 - one row is compared with nothing
        return []
    return [*_deepest(rows), *_differences(rows)]


def _deepest(rows: Sequence[Compared]) -> Iterator[str]:
    kinds = kinds_of(rows)
    units, reliabilities = {unit for unit, _ in kinds}, {share for _, share in kinds}
    if len(units) > 1:
        yield f"Units of depth differ ({', '.join(sorted(units))}): rows are ranked within each."
    if len(reliabilities) > 1:
        shares = ", ".join(f"{share:.0%}" for share in sorted(reliabilities))
        yield f"Reliabilities differ ({shares}): rows are ranked within each."
    for kind in dict.fromkeys(kinds):
        first = [
            row
            for row, same in zip(rows, kinds, strict=True)
            if same == kind and row.standing is not None and row.standing.rank == 1
        ]
        if not first or kinds.count(kind) == 1:
            continue
        depth = first[0].answer.problem.network.depth_words(first[0].answer.max_depth or 0)
        where = "Deepest" if len(set(kinds)) == 1 else f"Deepest in {kind[0]} at {kind[1]:.0%}"
        sure = "" if all(row.answer.confirmed for row in first) else " (unconfirmed)"
        yield f"{where}: {' and '.join(row.name for row in first)}, {depth}{sure}."


def _differences(rows: Sequence[Compared]) -> Iterator[str]:
    parts = [part for row in rows[1:] if (part := _compared(row))]
    if parts:
        yield f"Compared with {rows[0].name}: {'; '.join(parts)}."


def _compared(row: Compared) -> str:
    standing = row.standing
    if standing is None or standing.relation in (Relation.OTHER_UNIT, Relation.OTHER_RELIABILITY):
        return ""
    if standing.relation is Relation.NO_INTERVAL:
        if standing.difference is None:
            return f"{row.name} has no depth to compare"
        return f"{row.name} differs by {_number(standing.difference)}, without an interval"
    if standing.relation is Relation.NOT_DISTINGUISHABLE:
        return f"{row.name} is not distinguishable ({_ends(standing)})"
    by = "" if standing.difference is None else f"{abs(standing.difference)} "
    return f"{row.name} trains {by}{standing.relation.value} ({_ends(standing)} with {standing.level:.0%} probability)"


def _signed(standing: Standing) -> str:
    if standing.difference is None:
        return _ends(standing)
    return f"{_number(standing.difference)} ({_ends(standing)})"


def _ends(standing: Standing) -> str:
    """ "+8 to +15", "at least +8", "at most -5"."""
    low, high = standing.interval or (None, None)
    if low is None and high is None:
        return "no limits"
    if high is None:
        return f"at least {_number(low)}"
    if low is None:
        return f"at most {_number(high)}"
    return _number(low) if low == high else f"{_number(low)} to {_number(high)}"


def _number(value: int | None) -> str:
    """With its sign; 0 has none."""
    return f"{value:+d}" if value else "0"
