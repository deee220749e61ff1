"""The problem that is asked, from a problem or from a function that builds a module and what goes with it."""

from collections.abc import Mapping
from typing import Any

from depthsearch.data.base import DataSource
from depthsearch.errors import InvalidValue
from depthsearch.networks.shorthands import MODEL
from depthsearch.problem.problem import Problem
from depthsearch.user_code.loading import check_not_loading, named
from depthsearch.user_code.objects import hold
from depthsearch.workflows.prepare import check_problem

CUSTOM = ("loss", "step", "optimizer")
"""Functions that a user's file may hold besides the one that builds."""


def asked(problem: object, data: object, fields: Mapping[str, Any]) -> Problem:
    """The problem itself; or that of a function that builds a torch module.

    A function that a file defines, and one that loads data, are known by this file. Others, and data themselves, are
    held by the process: the study that is made of them can be read later, and its runs not be trained again.

    Args:
        problem: A problem, or such a function.
        data: For a function: (train, test), a function that loads them, or a data set.
        fields: For a function: other fields of the problem, and `loss`, `step` or `optimizer`.

    Raises:
        InvalidValue: It is neither, a problem is given with fields besides, or a field cannot be used.
    """
    check_not_loading("a search")
    if callable(problem) and not isinstance(problem, Problem):
        return _of_function(problem, data, fields)
    given = [name for name, value in {"data": data, **fields}.items() if value is not None]
    if isinstance(problem, Problem) and given:
        raise InvalidValue(f"{given[0]} is part of the problem: give it there, as in Problem({given[0]}=...)")
    check_problem(problem)
    assert isinstance(problem, Problem)
    return problem


def _of_function(build: Any, data: object, fields: Mapping[str, Any]) -> Problem:
    rest = dict(fields)
    custom = {name: rest.pop(name) for name in CUSTOM if rest.get(name) is not None}
    for name, function in custom.items():
        if not callable(function):
            raise InvalidValue(f"must be a function, but got {function!r:.100}", path=name, value=function)
    found = Problem(**{MODEL: named(build, custom)}, data=_data(data), **rest)
    check_problem(found)
    return found


def _data(data: object) -> Any:
    """The data set of the problem."""
    if data is None:
        raise InvalidValue("is missing: give (train, test), a function that loads them, or a data set", path="data")
    if isinstance(data, str | Mapping | DataSource):
        return data
    return named(data) if callable(data) else hold(data)
