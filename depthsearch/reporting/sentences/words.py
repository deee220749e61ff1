"""Numbers, names and intervals in words."""

from collections.abc import Mapping

from depthsearch.search.curve import Conclusion, Curve


def count_of(number: int, noun: str) -> str:
    """ "1 epoch", "3 epochs", "2 entries"."""
    return f"{number} {noun if number == 1 else plural(noun)}"


def the_last(number: int, noun: str) -> str:
    """ "the last epoch", "the last 3 epochs"."""
    return f"the last {noun}" if number == 1 else f"the last {number} {plural(noun)}"


def plural(noun: str) -> str:
    """ "epochs", "entries"."""
    return f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"


def in_words(name: str) -> str:
    """A name as people write it: "born_dead" is "born dead"."""
    return name.replace("_", " ")


def listed(counts: Mapping[str, int]) -> str:
    """Counts by name: "2 born dead, 1 vanished"."""
    return ", ".join(f"{count} {in_words(name)}" for name, count in counts.items())


def interval_words(interval: tuple[int, int | None], cap: int | None = None) -> str:
    """ "21 to 26", "7" where it is one depth, "at least 15" where it is open above, or its end only repeats the cap."""
    low, high = interval
    if high is None or (high == cap and low < high):
        return f"at least {low}"
    return str(low) if low == high else f"{low} to {high}"


def conclusion_words(rule: Conclusion) -> str:
    """The rule that ended a search, in words."""
    return {
        Conclusion.ADJACENT: "two adjacent depths were tried: the shallower passes, the deeper fails",
        Conclusion.WIDTH: "the interval is as narrow as asked (--tolerance)",
        Conclusion.LEVEL: (
            "P(trained) at the median is known to lie near the reliability; the curve falls too slowly there for a "
            "narrower interval"
        ),
        Conclusion.GRID: "every depth that was asked for was tried",
        Conclusion.CAP: "the reliability is still reached at the cap",
        Conclusion.SHALLOWEST: "the reliability is not reached by the shallowest network",
    }[rule]


def possible_words(curve: Curve, cap: int) -> str:
    """What is still possible for max_depth: "at least 16", "16 to 23", "below 5", "20", "none", "not known yet"."""
    if curve.interval is not None:
        low, high = curve.interval
        nothing_passes = high is None and low < min((point.depth for point in curve.points), default=0)
        return "not known yet" if nothing_passes else interval_words(curve.interval, cap)
    if curve.fails_at is None:
        return f"{cap}, the cap" if curve.max_depth == cap else f"at least {curve.max_depth or 0}"
    if curve.max_depth is None:
        return "none" if curve.concluded else f"below {curve.fails_at}"
    deepest = curve.fails_at - 1
    is_one = curve.concluded is not None or deepest == curve.max_depth
    return str(curve.max_depth) if is_one else f"{curve.max_depth} to {deepest}"
