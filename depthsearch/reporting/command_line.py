"""What the command line calls the fields of problems and settings, derived from the models.

An option has the name of its field, with a short alias for some. A key such as `data.name` has the name of its table,
and a field whose name several tables use has the table's name before it: `--data-seed`.
"""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from depthsearch.data.base import DataSource
from depthsearch.networks.base import Network
from depthsearch.networks.shorthands import MODEL, TRAIN
from depthsearch.problem.criterion import CRITERIA, Criterion
from depthsearch.problem.problem import Problem
from depthsearch.problem.recipe import Recipe
from depthsearch.schema import FrozenModel, OneOf, Registered
from depthsearch.search.settings import SearchSettings
from depthsearch.user_code.objects import is_live

ALIASES = {
    "activation": "act",
    "family": "arch",
    "initialization": "init",
    "learning_rate": "lr",
    "normalization": "norm",
    "runs_per_trial": "seeds",
}
"""From a field to the short name that users expect."""

OF_COMMANDS = (
    "at_least", "best_of", "csv", "depth", "details", "device", "engine", "figures", "fresh", "help", "json",
    "markdown", "output", "problem", "quiet", "run", "storage", "study", "tensorboard", "trial", "version",
)  # fmt: skip
"""Options of commands, which no field of a registered entry takes."""

STORED_ONLY = ("hold_share", "hold_epochs")
"""Fields of stored studies that no search takes."""

SHORTHANDS = {
    MODEL: "Your own torch model, as FILE.py:build or package.module:build, in place of a family.",
    TRAIN: "Your own training, as FILE.py:train, in place of a family: train(depth, seed) gives a score per epoch.",
}
"""Options that name a network by a user's code, in place of its family and its source."""

PARTS_OF_SHORTHANDS = ("source",)
"""Fields of networks and data sets that the options `--model`, `--train` and `--data` give."""

REGISTRIES: dict[str, type[Registered]] = {"network": Network, "data": DataSource}
TABLES: dict[str, type[FrozenModel]] = {"recipe": Recipe, "criterion": Criterion}


@dataclass(frozen=True)
class Option:
    """One option of the command line.

    Attributes:
        table: Of the field: "network", "data", "recipe", "criterion" or "settings".
        field: Its name in that table.
        names: As they are typed, the long name first: "--activation", "--act".
        type: What its value is read as; a tuple is written with commas, a dict as KEY=VALUE for each of its entries.
        help: What it is, in one line, with its default.
    """

    table: str
    field: str
    names: tuple[str, ...]
    type: type[Any]
    help: str

    @property
    def path(self) -> str:
        """Where its value belongs: "recipe.learning_rate"."""
        return f"{self.table}.{self.field}"

    @property
    def key(self) -> str:
        """Its name among the values of a command: "recipe_learning_rate"."""
        return f"{self.table}_{self.field}"

    @property
    def shortest(self) -> str:
        """The name that people type: the alias where there is one."""
        return self.names[-1]


@lru_cache(maxsize=1)
def problem_options() -> tuple[Option, ...]:
    """The options of a problem: those of every registered family and data set, of the recipe and of the criterion."""
    shorthands = [Option("network", field, (f"--{field}",), str, text) for field, text in SHORTHANDS.items()]
    found = [option for table, registry in REGISTRIES.items() for option in _registry_options(table, registry)]
    found[1:1] = shorthands
    for table, model in TABLES.items():
        found += [
            _option(table, name, [(model.called, model)]) for name in model.model_fields if name not in STORED_ONLY
        ]
    return tuple(found)


@lru_cache(maxsize=1)
def search_options() -> tuple[Option, ...]:
    """The options of the search settings."""
    return tuple(_option("settings", name, [("settings", SearchSettings)]) for name in SearchSettings.model_fields)


@lru_cache(maxsize=1)
def option_names() -> dict[str, str]:
    """From the path of a field, such as "recipe.learning_rate", to its option, such as "--lr"."""
    return {option.path: option.shortest for option in (*problem_options(), *search_options())}


def _registry_options(table: str, registry: type[Registered]) -> Iterator[Option]:
    models = [(name, registry.entry(name)) for name in registry.names()]
    fields = dict.fromkeys(name for _, model in models for name in model.model_fields)
    for field in [name for name in fields if name not in PARTS_OF_SHORTHANDS]:
        takers = [(name, model) for name, model in models if field in model.model_fields]
        if field == registry.key:
            names = tuple(dict.fromkeys([f"--{_typed(field if table == 'network' else table)}", *_alias(field)]))
            named = ", ".join(registry.offered())
            text = f"{field_text(registry, field).rstrip('.')}: {named}."
            text += " Or your own, as FILE.py:load." if table == "data" else ""
            text += f" [default: {registry.default}]"
            yield Option(table, field, names, str, text)
        else:
            built_in = [(name, model) for name, model in models if not model.runs_user_code]
            described = [taker for taker in takers if taker in built_in] or takers
            yield _option(table, field, described, all_of=len(described) == len(built_in))


def _option(table: str, field: str, takers: Sequence[tuple[str, type[FrozenModel]]], *, all_of: bool = True) -> Option:
    info = takers[0][1].model_fields[field]
    name = field
    if field == "kind":
        name = table
    elif table in REGISTRIES and field in _names_taken(table):
        name = f"{table}-{field}"
    return Option(table, field, (f"--{_typed(name)}", *_alias(field)), _type_of(info), _help(field, takers, all_of))


def _names_taken(table: str) -> set[str]:
    """The names of options that an entry of a registry cannot have: fields of other tables, and of commands."""
    models: list[type[FrozenModel]] = [*TABLES.values(), SearchSettings]
    if table != "network":  # the other registries give way to the networks
        models += Network.entries.values()
    fields = {name for model in models for name in model.model_fields}
    return fields | set(TABLES) | set(REGISTRIES) | set(OF_COMMANDS)


def _typed(name: str) -> str:
    return name.replace("_", "-")


def _alias(field: str) -> tuple[str, ...]:
    return (f"--{ALIASES[field]}",) if field in ALIASES else ()


def _type_of(info: FieldInfo) -> type[Any]:
    """int, float, bool, str, tuple or dict."""
    kinds = [kind for kind in (get_args(info.annotation) or (info.annotation,)) if kind is not type(None)]
    kind = kinds[0]
    if get_origin(info.annotation) is tuple or get_origin(kind) is tuple:
        return tuple
    if dict in (get_origin(info.annotation), get_origin(kind)):
        return dict
    while get_args(kind) and get_origin(kind) is not Literal:
        kind = get_args(kind)[0]
    return kind if kind in (int, float, bool) else str


def _help(field: str, takers: Sequence[tuple[str, type[FrozenModel]]], all_of: bool) -> str:
    """The first sentence on a field, the names that it may be, which entries have it, and its default.

    Where entries describe the field differently, each description has its part of the text; one that only goes on
    where another ends replaces both.
    """
    sentences = {name: first_sentence(field_text(model, field)) for name, model in takers}
    described: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, model in takers:
        sentence = _longest_form(sentences[name], sentences.values())
        described.setdefault((sentence, _names_of(model.model_fields[field])), []).append(name)
    lists = {names for _, names in described}
    parts: list[str] = []
    for (sentence, names), those in described.items():
        text = sentence if all_of and len(described) == 1 else f"{sentence} (of {', '.join(those)})"
        text = text[:1].lower() + text[1:] if parts else text
        is_last_of_list = len(lists) > 1 or len(parts) == len(described) - 1
        parts.append(f"{text}: {', '.join(names)}" if names and is_last_of_list else text)
    default = _default_text({name: _default_of(model, field) for name, model in takers})
    return "; ".join(parts) + "." + (f" [default: {default}]" if default else "")


def _longest_form(text: str, texts: Iterable[str]) -> str:
    """The longest of the texts that begin with this one and go on after a comma or a semicolon; else this one."""
    return max((other for other in texts if other.startswith((f"{text},", f"{text};"))), key=len, default=text)


def _default_of(model: type[FrozenModel], field: str) -> str:
    """What the docstring says of the default of a field, or the default itself; empty where there is none."""
    given = re.search(r"[Bb]y default (.+?)(?=;|\.\s|\.$)", field_text(model, field))
    default = model.model_fields[field].default
    if given is not None:
        return given[1]
    return "" if default is None or default is False or default is PydanticUndefined else str(default)


def _default_text(defaults: dict[str, str]) -> str:
    """The defaults of one field in several entries: "tanh; relu for cnn, transformer", or "cnn 16, vgg 32"."""
    entries: dict[str, list[str]] = {}
    for name, default in defaults.items():
        entries.setdefault(_longest_form(default, defaults.values()), []).append(name)
    if len(entries) == 1:
        return next(iter(entries))
    usual = max(entries, key=lambda default: len(entries[default]))
    if not usual or len(entries[usual]) == 1:
        return ", ".join(f"{name} {default}" for name, default in defaults.items() if default)
    return "; ".join(
        [
            usual,
            *(f"{default or 'none'} for {', '.join(names)}" for default, names in entries.items() if default != usual),
        ]
    )


def first_sentence(text: str) -> str:
    """The first sentence of a text, without its full stop."""
    return re.split(r"\.(?:\s|$)", text, maxsplit=1)[0]


def _names_of(info: FieldInfo) -> tuple[str, ...]:
    """The names that a field may be, where these are a list."""
    parts = [
        *info.metadata,
        *(item for kind in get_args(info.annotation) for item in getattr(kind, "__metadata__", ())),
    ]
    checks = [getattr(part, "func", None) for part in parts]
    return next((check.names for check in checks if isinstance(check, OneOf)), ())


@cache
def field_text(model: type[FrozenModel], field: str) -> str:
    """What the docstring of a model, or of a class that it extends, says of a field, in one line."""
    for owner in model.__mro__:
        entry = re.search(rf"^\s+{field}: (.*?)(?=^\s+\w+: |^\s*$|\Z)", owner.__doc__ or "", re.MULTILINE | re.DOTALL)
        if entry is not None and "Attributes:" in (owner.__doc__ or ""):
            return " ".join(entry[1].split())
    return ""


def _typed_fields(model: FrozenModel) -> dict[str, Any]:
    """The fewest fields, as they are typed."""
    return model.typed() if isinstance(model, Registered) else model.fewest_fields()


def entry_words(value: Mapping[str, Any]) -> list[str]:
    """The entries of a mapping as they are typed: "hidden_size=64", "act=relu"; `read_entry` reads them back."""
    return [f"{key}={_entry_text(inner)}" for key, inner in value.items()]


def _entry_text(value: Any) -> str:
    return value if isinstance(value, str) and _entry_value(value) == value else json.dumps(value)


def read_entry(text: str) -> tuple[str, Any]:
    """Key and value of "key=value": the value is JSON where it is JSON, else a text.

    Raises:
        ValueError: There is no key, or no sign of equality.
    """
    key, equals, value = text.partition("=")
    if not (key.strip() and equals):
        raise ValueError(text)
    return key.strip(), _entry_value(value)


def _entry_value(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise ValueError(constant)  # NaN and infinities are no JSON

    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError:
        return text


def find_command(problem: Problem, settings: SearchSettings, *, study: str, place: str, usual_place: str) -> str | None:
    """`depthsearch find ...` for a search, without default values; None where no options describe this problem.

    Args:
        problem: What is asked.
        settings: How it is searched, as the user gave them.
        study: Name of the study.
        place: URL of the store.
        usual_place: The URL that is the default.
    """
    if problem.criterion.kind not in CRITERIA:
        return None
    given = {
        f"{table}.{field}": value
        for table in Problem.model_fields
        for field, value in _typed_fields(getattr(problem, table)).items()
    }
    # The kind of network is always named: a command is for people, too.
    if not problem.network.runs_user_code:
        given = {"network.family": problem.network.family} | given
    if hasattr(problem.network, "activation"):
        given = {"network.family": problem.network.family, "network.activation": problem.network.activation} | given
    given |= {f"settings.{field}": value for field, value in settings.fewest_fields().items()}
    words = ["depthsearch", "find"]
    for option in (*problem_options(), *search_options()):
        value = given.get(option.path)
        if isinstance(value, str) and is_live(value):
            return None
        if value is True:
            words.append(option.shortest)
        elif isinstance(value, dict):
            words += [word for entry in entry_words(value) for word in (option.shortest, entry)]
        elif value is not None and value is not False:
            words += [option.shortest, ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
    words += ["--study", study]
    return shlex.join(words if place == usual_place else [*words, "--storage", place])
