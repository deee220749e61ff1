"""Options that several commands share, each group a decorator, and what their values make."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from depthsearch.cli.errors import with_option_names
from depthsearch.errors import InvalidValue
from depthsearch.problem.problem import Problem
from depthsearch.problem.study_file import NamedProblem, StudyFile, read_study_file
from depthsearch.reporting.command_line import Option, problem_options, read_entry, search_options
from depthsearch.reporting.labels import labels
from depthsearch.search.settings import SearchSettings
from depthsearch.training.engine import DEVICES, ENGINES

Command = TypeVar("Command", bound=Callable[..., Any])


def _all(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


class Number(click.ParamType):  # type: ignore[type-arg]
    """A number; the model that takes it holds it to its range.

    Args:
        kind: int or float.
        accepted: What is accepted, such as "a whole number of 1 to 1000000".
    """

    def __init__(self, kind: type[int] | type[float], accepted: str = "") -> None:
        self.kind = kind
        self.name = "integer" if kind is int else "float"
        self.accepted = accepted or ("a whole number" if kind is int else "a number")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number that was typed."""
        try:
            return self.kind(value)
        except ValueError:
            option = param.opts[-1] if param else "value"
            raise InvalidValue(f"{option} must be {self.accepted}, but got {value!r}") from None


class _Several(click.ParamType):  # type: ignore[type-arg]
    """Values of one kind with commas between them."""

    def __init__(self, one: click.ParamType) -> None:  # type: ignore[type-arg]
        self.one, self.name = one, f"{one.name}[,{one.name}...]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[Any]:
        """The values that were typed."""
        option = param.opts[-1] if param else "value"
        parts = [part.strip() for part in str(value).split(",")]
        if not all(parts):
            raise InvalidValue(f"{option} must be values with commas between them, but got {value!r}")
        values = [self.one.convert(part, param, ctx) for part in parts]
        for one in values:
            if values.count(one) > 1:
                raise InvalidValue(f"{option} gives {one!r} twice, in {value!r}: give each value once")
        return values


class _WholeNumbers(click.ParamType):  # type: ignore[type-arg]
    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """ "3,7,14" as numbers."""
        option = param.opts[-1] if param else "value"
        try:
            return tuple(int(part) for part in str(value).split(","))
        except ValueError:
            raise InvalidValue(
                f"{option} must be whole numbers with commas between them, as in 3,7,14, but got {value!r}"
            ) from None


class _Entry(click.ParamType):  # type: ignore[type-arg]
    name = "key=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """ "hidden_size=64" as a key and a value."""
        try:
            return read_entry(str(value))
        except ValueError:
            option = param.opts[-1] if param else "value"
            raise InvalidValue(f"{option} must be KEY=VALUE, as in hidden_size=64, but got {value!r}") from None


def _gathered(_ctx: click.Context, param: click.Parameter, entries: Sequence[tuple[str, Any]]) -> dict[str, Any] | None:
    """The entries of an option that is given once for each; None where it is not given."""
    keys = [key for key, _ in entries]
    for key in keys:
        if keys.count(key) > 1:
            raise InvalidValue(f"{param.opts[-1]} gives {key!r} twice: give each key once")
    return dict(entries) or None


def _as_click(option: Option, *, several: bool = False) -> Callable[[Command], Command]:
    names = (*option.names, option.key)
    if option.type is bool:
        return click.option(*names, is_flag=True, default=None, help=option.help)
    if option.type is tuple:
        return click.option(*names, type=_WholeNumbers(), metavar="LIST", help=option.help)
    if option.type is dict:
        text = f"{option.help} Given once for each."
        return click.option(*names, type=_Entry(), metavar="KEY=VALUE", multiple=True, callback=_gathered, help=text)
    kind: click.ParamType = click.STRING if option.type is str else Number(option.type)  # type: ignore[type-arg]
    metavar = "NAME" if option.type is str else None
    return click.option(*names, type=_Several(kind) if several else kind, metavar=metavar, help=option.help)


def add_problem_options(*, several: bool = False) -> Callable[[Command], Command]:
    """The options of a problem; with `several`, each takes several values with commas between them."""
    return _all(*(_as_click(option, several=several) for option in problem_options()))


add_search_options = _all(*(_as_click(option) for option in search_options()))

storage_option = click.option(
    "--storage",
    metavar="URL",
    help="Where studies are kept: sqlite:///FILE.db or postgresql+psycopg://... "
    "[default: $DEPTHSEARCH_STORAGE, or sqlite:///depthsearch.db]",
)
engine_options = _all(
    click.option(
        "--engine", metavar="NAME", help=f"What trains: {', '.join(ENGINES)}. [default: auto, the faster one]"
    ),
    click.option("--device", metavar="NAME", help=f"Where torch trains: {', '.join(DEVICES)}. [default: auto]"),
)


def place_options(*, study: bool = True) -> Callable[[Command], Command]:
    """Where the search is kept and what trains; `study` leaves out the study's name."""
    name = [click.option("--study", metavar="NAME", help="Name of the study. [default: made from the problem]")]
    return _all(
        storage_option,
        *(name if study else []),
        click.option("--fresh", is_flag=True, help="Start a new study although there is one of the same problem."),
        engine_options,
    )


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
details_option = click.option(
    "--details", "everything", is_flag=True, help="Print the table of depths and how the answer came about as well."
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress on standard error.")


def _table(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {}
    for option in problem_options():
        if (value := options.get(option.key)) is not None:
            tables.setdefault(option.table, {})[option.field] = value
    return tables


def problem_of(options: dict[str, Any]) -> Problem:
    """The problem that the options describe; an option left out takes its default."""
    with with_option_names():
        return Problem.model_validate(_table(options))


def problems_of(options: dict[str, Any]) -> tuple[NamedProblem, ...]:
    """Every combination of the values that the options give, each under a label that names what differs."""
    several = {option: options[option.key] for option in problem_options() if options.get(option.key) is not None}
    listed = {option: value if isinstance(value, list) else [value] for option, value in several.items()}
    problems = [
        problem_of({option.key: value for option, value in zip(listed, values, strict=True)})
        for values in itertools.product(*listed.values())
    ]
    named = labels([(problem, SearchSettings()) for problem in problems])
    return tuple(NamedProblem(name=name, problem=problem) for name, problem in zip(named, problems, strict=True))


def settings_of(options: dict[str, Any], base: SearchSettings | None = None) -> SearchSettings:
    """The settings that the options describe, over those of a study file where there is one."""
    given = {o.field: options[o.key] for o in search_options() if options.get(o.key) is not None}
    with with_option_names():
        return SearchSettings.model_validate((base.model_dump() if base else {}) | given)


def read_declared(study_file: str, options: dict[str, Any]) -> StudyFile:
    """The study file, which no option of the problem may contradict."""
    given = problem_options_given(options)
    if given:
        raise InvalidValue(f"{given[0]} cannot be combined with the study file {study_file!r}, which says it already")
    return read_study_file(study_file)


def place_of(options: dict[str, Any]) -> dict[str, Any]:
    """Where a search is kept and what trains, as arguments of `find` and `compare`."""
    return {
        "storage": options["storage"],
        "fresh": options["fresh"],
        "engine": options["engine"] or "auto",
        "device": options["device"] or "auto",
    }


def problem_options_given(options: dict[str, Any]) -> Sequence[str]:
    """The problem's options that were given, as they are typed."""
    return [option.shortest for option in problem_options() if options.get(option.key) is not None]
