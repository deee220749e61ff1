"""From a field to what the user typed: its option on the command line."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from depthsearch.errors import InvalidValue
from depthsearch.networks.shorthands import MODEL

PARTS_OF_MODEL = ("network.family", "network.architecture")
"""Fields that one text of `--model` gives, as in hf:llama."""


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
        name = others.get(error.field, "") or _option(error.field, problem)
        if not name:
            raise
        raise InvalidValue(error.with_name(name)) from None


def _option(field: str, problem: bool) -> str:
    from depthsearch.reporting.command_line import option_names  # noqa: PLC0415 - imported where an error is

    if not problem and not field.startswith("settings."):
        return ""
    names = option_names()
    context = click.get_current_context(silent=True)
    if field in PARTS_OF_MODEL and context is not None and context.params.get(f"network_{MODEL}") is not None:
        field = f"network.{MODEL}"
    return names.get(field, "")
