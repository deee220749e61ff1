"""Options that several commands share, each group a decorator, and what their values make."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from depthsearch.core.errors import InvalidValue, UnknownName
from depthsearch.core.names import (
    ACTIVATIONS,
    CRITERIA,
    DATA_SETS,
    DEVICES,
    ENGINES,
    FAMILIES,
    INITIALIZATIONS,
    NORMALIZATIONS,
    OPTIMIZERS,
    SAMPLERS,
)
from depthsearch.core.options import PROBLEM_OPTIONS, SEARCH_OPTIONS, as_typed, problem_fields

if TYPE_CHECKING:
    from depthsearch.core.problem import Problem
    from depthsearch.core.settings import SearchSettings
    from depthsearch.core.study_file import NamedProblem, StudyFile

Command = TypeVar("Command", bound=Callable[..., Any])


def _all(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _option(*names: str, text: str, **more: Any) -> Callable[[Command], Command]:
    return click.option(*names, help=text, **more)


class WholeNumber(click.ParamType):  # type: ignore[type-arg]
    """A whole number, whose range is said where it is none.

    Args:
        accepted: The range, such as "1 to 1000000"; whoever uses the number holds it to that.
    """

    name = "integer"

    def __init__(self, accepted: str) -> None:
        self.accepted = accepted

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number that was typed."""
        try:
            return int(value)
        except ValueError:
            option = param.opts[0] if param else "value"
            raise InvalidValue(f"{option} must be a whole number of {self.accepted}, but got {value!r}") from None


def _whole_numbers(_context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """ "3,7,14" as numbers."""
    if value is None:
        return None
    try:
        return tuple(int(part) for part in value.split(","))
    except ValueError:
        raise InvalidValue(
            f"--{parameter.name} must be whole numbers with commas between them, as in 3,7,14, but got {value!r}"
        ) from None


problem_options = _all(
    _option("--arch", metavar="FAMILY", text=f"Kind of network: {', '.join(FAMILIES)}. [default: ffnet]"),
    _option("--act", metavar="NAME", text=f"Activation: {', '.join(ACTIVATIONS)}. [default: tanh]"),
    _option("--width", type=int, text="Units in each hidden layer. [default: 5]"),
    _option("--init", metavar="NAME", text=f"Initialization: {', '.join(INITIALIZATIONS)}. [default: glorot_uniform]"),
    _option(
        "--sigma-w2", type=float, text="With --init normal: fan_in times the variance of the weights. [default: 1]"
    ),
    _option("--sigma-b2", type=float, text="With --init normal: variance of the biases. [default: 0]"),
    _option(
        "--norm",
        metavar="NAME",
        text=f"Normalization: {', '.join(NORMALIZATIONS)}. [default: ffnet none, resnet batch]",
    ),
    _option("--data", metavar="NAME", text=f"Data set: {', '.join(DATA_SETS)}. [default: moons]"),
    _option("--points", type=int, text="Points of a planar set. [default: 1000]"),
    _option("--test-share", type=float, text="Share of the points that is kept for test. [default: 0.5]"),
    _option("--noise", type=float, text="Noise on the points. [default: 0.2 for moons, 0.1 for the other planar sets]"),
    _option("--data-seed", type=int, text="Seed of the points and of the split. [default: 0]"),
    _option("--optimizer", metavar="NAME", text=f"Optimizer: {', '.join(OPTIMIZERS)}. [default: sgd]"),
    _option("--lr", type=float, text="Learning rate. [default: 0.01 for sgd, 0.001 for adam and adamw]"),
    _option("--momentum", type=float, text="Momentum of sgd. [default: 0.9]"),
    _option("--nesterov", is_flag=True, default=None, text="Nesterov's momentum, for sgd."),
    _option("--weight-decay", type=float, text="Decoupled weight decay of adamw. [default: 0.01]"),
    _option("--batch-size", type=int, text="Points a step. [default: 32]"),
    _option("--epochs", type=int, text="Passes over the training set. [default: 200]"),
    _option("--steps", type=int, text="Optimizer steps, instead of --epochs."),
    _option(
        "--criterion",
        metavar="NAME",
        text=f"When a run counts as trained, in its last epochs: {', '.join(CRITERIA)} (an accuracy that a "
        "constant guess does not reach, or a given one). [default: chance]",
    ),
    _option(
        "--min-gain",
        type=float,
        text="With --criterion chance: the share of the way from a constant guess to an accuracy of 1. [default: 0.2]",
    ),
    _option("--target", type=float, text="With --criterion target: the train accuracy. [default: 0.9]"),
    _option("--last-epochs", type=int, text="How many epochs at the end must all reach it. [default: 3]"),
)
search_options = _all(
    _option(
        "--sampler",
        metavar="NAME",
        text=f"Rule that names the next depth: {', '.join(SAMPLERS)}. [default: threshold]",
    ),
    _option(
        "--reliability",
        type=float,
        text="Share of the runs that must train for a depth to pass. [default: 0.9 for ffnet and resnet]",
    ),
    _option(
        "--tolerance",
        type=float,
        text="Half-width of the interval that is enough, as a share of the depth. [default: 0.05]",
    ),
    _option("--cap", type=int, text="Deepest depth that may be tried. [default: 10000]"),
    _option("--depths", metavar="LIST", callback=_whole_numbers, text="With --sampler grid: the depths, as in 3,7,14."),
    _option(
        "--seeds",
        type=int,
        text="Runs, each of a fresh seed, whenever a depth is tried. [default: 8, or as many as there are cores; 3 for "
        "bisect; 32 on a GPU]",
    ),
    _option("--parallel-trials", type=int, text="Depths tried in one round. [default: by the cores; 2 on up to 15]"),
    _option("--max-runs", type=int, text="Stop before the search takes more runs than this."),
    _option("--max-seconds", type=float, text="Begin no further depth after this many seconds of training."),
    _option("--seed", type=int, text="Root seed, from which all runs' seeds are drawn. [default: 0]"),
)
storage_option = _option(
    "--storage",
    metavar="URL",
    text="Where studies are kept: sqlite:///FILE.db or postgresql+psycopg://... "
    "[default: $DEPTHSEARCH_STORAGE, or sqlite:///depthsearch.db]",
)

engine_options = _all(
    _option("--engine", metavar="NAME", text=f"What trains: {', '.join(ENGINES)}. [default: auto, the faster one]"),
    _option("--device", metavar="NAME", text=f"Where torch trains: {', '.join(DEVICES)}. [default: auto]"),
)


def place_options(*, study: bool = True) -> Callable[[Command], Command]:
    """Where the search is kept and what trains; `study` leaves out the study's name."""
    name = [_option("--study", metavar="NAME", text="Name of the study. [default: made from the problem]")]
    return _all(
        storage_option,
        *(name if study else []),
        _option("--fresh", is_flag=True, text="Start a new study although there is one of the same problem."),
        engine_options,
    )


json_option = _option("--json", "as_json", is_flag=True, text="Print the result as JSON.")
details_option = _option(
    "--details", "everything", is_flag=True, text="Print the table of depths and how the answer came about as well."
)
quiet_option = _option("--quiet", "-q", is_flag=True, text="No progress on standard error.")


def problem_of(options: dict[str, Any]) -> "Problem":
    """The problem that the options describe; an option left out takes its default."""
    from depthsearch.core.problem import Problem  # noqa: PLC0415 - pydantic is not needed for --help

    with named_as_typed({path[-1] if option != "data" else "data": option for option, path in PROBLEM_OPTIONS.items()}):
        return Problem.model_validate(problem_fields(options))


GRID = ("arch", "act", "init", "norm", "data", "optimizer")
"""Options that take several names in a comparison."""


def problems_of(options: dict[str, Any]) -> "tuple[NamedProblem, ...]":
    """Every combination of the names that the options of GRID give, each under a name made of them."""
    from depthsearch.core.study_file import NamedProblem  # noqa: PLC0415 - pydantic is not needed for --help

    several = {name: _names(name, options[name]) for name in GRID if options.get(name) is not None}
    varied = [name for name, values in several.items() if len(values) > 1 or name in ("arch", "act")]
    problems = []
    for values in itertools.product(*several.values()):
        chosen = dict(zip(several, values, strict=True))
        problem = problem_of(options | chosen)
        name = "-".join(chosen[option] for option in varied) or f"{problem.family}-{problem.activation}"
        problems.append(NamedProblem(name=name, problem=problem))
    return tuple(problems)


def _names(option: str, value: str) -> list[str]:
    names = [name.strip() for name in value.split(",")]
    if not all(names):
        raise InvalidValue(f"--{option} must be names with commas between them, but got {value!r}")
    for name in names:
        if names.count(name) > 1:
            raise InvalidValue(f"--{option} names {name!r} twice, in {value!r}: once is enough")
    return names


def settings_of(options: dict[str, Any], base: "SearchSettings | None" = None) -> "SearchSettings":
    """The settings that the options describe, over those of a study file where there is one."""
    from depthsearch.core.settings import SearchSettings  # noqa: PLC0415

    given = {field: options[option] for option, field in SEARCH_OPTIONS.items() if options.get(option) is not None}
    with named_as_typed({field: option for option, field in SEARCH_OPTIONS.items()}):
        return SearchSettings.model_validate((base.model_dump() if base else {}) | given)


@contextmanager
def named_as_typed(options: dict[str, str]) -> Iterator[None]:
    """Errors that begin with the name of a field, said with the option that sets it: "--lr must be ...".

    Args:
        options: From a field to the option that sets it.
    """
    try:
        yield
    except UnknownName:
        raise
    except InvalidValue as error:
        field, space, rest = str(error).partition(" ")
        field, _, place = field.partition(".")
        if field not in options:
            raise
        each = "each of " if place else ""
        raise InvalidValue(f"{each}{as_typed(options[field])}{space}{rest}") from None


def read_declared(study_file: str, options: dict[str, Any]) -> "StudyFile":
    """The study file, which no option of the problem may contradict."""
    from depthsearch.core.study_file import read_study_file  # noqa: PLC0415 - pydantic is not needed for --help

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


def problem_options_given(options: dict[str, Any]) -> list[str]:
    """The problem's options that were given, as they are written."""
    return [as_typed(name) for name in PROBLEM_OPTIONS if options.get(name) is not None]
