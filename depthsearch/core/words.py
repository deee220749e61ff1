"""Numbers and names in words."""


def count_of(number: int, noun: str) -> str:
    """ "1 epoch", "3 epochs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def in_words(name: str) -> str:
    """A name as people write it: "born_dead" is "born dead"."""
    return name.replace("_", " ")


def listed(counts: dict[str, int]) -> str:
    """Counts by name: "2 born dead, 1 vanished"."""
    return ", ".join(f"{count} {in_words(name)}" for name, count in counts.items())


def interval_words(interval: tuple[int, int | None]) -> str:
    """ "21 to 26", "500 or more" where it is open above, "7" where it is one depth."""
    low, high = interval
    if high is None:
        return f"{low} or more"
    return str(low) if low == high else f"{low} to {high}"
