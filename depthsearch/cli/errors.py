"""From a field to what the user typed: its option on the command line."""

from collections.abc import Iterator
from contextlib import contextmanager

from depthsearch.errors import InvalidValue


@contextmanager
def with_option_names(*, problem: bool = True, **others: str) -> Iterator[None]:
    """Name the option instead of the field in the errors of the block.

    Args:
        problem: Whether options describe the problem; where a study file does, its fields keep their names.
        others: From a path outside problems and settings to its option.
    """
    try:
        yield
    except InvalidValue as error:
        name = others.get(error.path, "") or _option(error.path, problem)
        if not name:
            raise
        raise InvalidValue(error.with_name(name)) from None


def _option(path: str, problem: bool) -> str:
    from depthsearch.reporting.command_line import option_names  # noqa: PLC0415 - imported where an error is

    table, _, field = path.partition(".")
    field, _, place = field.partition(".")
    if not field or (table != "settings" and not problem):
        return ""
    name = option_names().get(f"{table}.{field}", "")
    return f"each of {name}" if name and place else name
