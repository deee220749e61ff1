"""A curve of a few facts, whose words are looked at."""

from typing import Any

from depthsearch.search.curve import Conclusion, Curve


def curve(
    max_depth: int | None,
    fails_at: int | None,
    concluded: Conclusion | None = None,
    interval: tuple[int, int | None] | None = None,
    **more: Any,
) -> Curve:
    fields: dict[str, Any] = {"points": (), "max_depth": max_depth, "fails_at": fails_at, "concluded": concluded}
    return Curve(**fields | {"interval": interval} | more)
