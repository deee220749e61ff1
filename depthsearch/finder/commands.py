"""The command that asks for a search, and nothing in it that goes without saying."""

import shlex
from typing import Any

from depthsearch.core.errors import InvalidValue
from depthsearch.core.names import CRITERIA
from depthsearch.core.options import PROBLEM_OPTIONS, SEARCH_OPTIONS, as_typed, problem_fields
from depthsearch.core.problem import Problem
from depthsearch.core.settings import SearchSettings
from depthsearch.store.urls import DEFAULT


def find_command(problem: Problem, settings: SearchSettings, *, study: str, place: str) -> str | None:
    """`depthsearch find ...` for a search; None where no options say this problem, as with an earlier criterion.

    Args:
        problem: What is asked.
        settings: How it is searched, with nothing filled in that goes without saying.
        study: Name of the study.
        place: URL of the store.
    """
    options = _problem_options(problem)
    if options is None:
        return None
    usual = SearchSettings()
    for option, field in SEARCH_OPTIONS.items():
        value = getattr(settings, field)
        if value != getattr(usual, field):
            options[option] = value
    options["study"] = study
    if place != DEFAULT:
        options["storage"] = place
    words = [word for option, value in options.items() for word in _words(option, value)]
    return shlex.join(["depthsearch", "find", *words])


def _problem_options(problem: Problem) -> dict[str, Any] | None:
    """The fewest options that make this problem: each is left out where the others make it without."""
    dumped = problem.model_dump()
    options = {option: _at(dumped, path) for option, path in PROBLEM_OPTIONS.items()}
    # The kind of network is always named: a command is for people, too.
    for option in list(PROBLEM_OPTIONS)[2:]:
        without = {name: value for name, value in options.items() if name != option}
        if options[option] is None or _say(without, problem):
            options = without
    return options if _say(options, problem) else None


def _say(options: dict[str, Any], problem: Problem) -> bool:
    if problem.criterion.kind not in CRITERIA:
        return False
    try:
        return Problem.model_validate(problem_fields(options)) == problem
    except InvalidValue:
        return False


def _at(fields: dict[str, Any], path: tuple[str, ...]) -> Any:
    return fields[path[0]] if len(path) == 1 else fields[path[0]][path[1]]


def _words(option: str, value: Any) -> list[str]:
    if value is True:
        return [as_typed(option)]
    return [as_typed(option), ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
