"""Numbers, names and intervals in words."""

from collections.abc import Mapping


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
