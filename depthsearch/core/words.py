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
