"""Names of a module's layers, shortened so that a table or a legend holds them."""

from collections.abc import Sequence

SHOWN = 20
"""Characters of a layer's name in a table of 80 columns."""


def short_layer_names(names: Sequence[str], most: int = SHOWN) -> list[str]:
    """Each name without the path that all share and, where it is still longer than `most`, abbreviated.

    Parts of a path without a number give their first letter, from the left, until the name fits: the number of a block
    and the layer in it say most. What is still too long loses its beginning.

    Example:
        `short_layer_names(["net.embed", "net.encoder.layer.11.output.dense"])` is
        `["embed", "e.l.11.output.dense"]`.
    """
    return [_fitted(name, most) for name in _without_shared_path(list(names))]


def _without_shared_path(names: list[str]) -> list[str]:
    while True:
        first = {name.partition(".")[0] for name in names}
        inner = [name for name in names if "." in name]
        # A number says nothing without the path before it.
        if len(first) != 1 or not inner or any(name.split(".")[1].isdigit() for name in inner):
            return names
        # The root may hold parameters, too: its name is the path.
        names = [name.partition(".")[2] or name for name in names]
        if len(inner) < len(names):
            return names


def _fitted(name: str, most: int) -> str:
    parts = name.split(".")
    for index, part in enumerate(parts[:-1]):
        if len(".".join(parts)) <= most:
            break
        if not any(character.isdigit() for character in part):
            parts[index] = part[:1]
    short = ".".join(parts)
    return short if len(short) <= most else f"…{short[1 - most :]}"
