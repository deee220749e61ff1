"""The frozen pydantic base of the values that users write down, their canonical form, and the open registries.

A registry is a base class with a key field, such as `Network` with `family`: each subclass that gives the key a default
registers itself under it, and `Registered.of` turns a table into the subclass that its key names.
"""

import hashlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails

from depthsearch.errors import InvalidValue, UnknownName

LONGEST_QUOTE = 100
MANY = 1_000_000_000
DEEPEST, LAST_SEED = 1_000_000, 2**63 - 1
"""The largest depth and seed of a single run."""

Seed = Annotated[int, Field(strict=True, ge=0, lt=2**63)]


class FrozenModel(BaseModel):
    """An immutable value. A bad field raises InvalidValue with one line, never pydantic's report."""

    called: ClassVar[str] = "value"
    """What a message calls the whole value."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _raise_invalid_value(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except InvalidValue as error:
            raise error.within(cls.called) from None
        except ValidationError as error:
            # An inner model has already raised InvalidValue, so the first error here is one of this model's fields.
            raise _invalid_value(error.errors()[0], cls.called, tuple(cls.model_fields)).within(cls.called) from None

    def fewest_fields(self) -> dict[str, Any]:
        """The fewest fields that make this value: each is left out where the others make it without."""
        fields = without_nulls(self.model_dump())
        for name in list(fields):
            without = {other: value for other, value in fields.items() if other != name}
            try:
                if type(self).model_validate(without) == self:
                    fields = without
            except InvalidValue:
                continue
        return fields

    def canonical_json(self) -> str:
        """The same text for equal values: every field spelled out, keys sorted, no spaces."""
        return canonical_json(self.model_dump(mode="json"))


class ExtendedModel(FrozenModel):
    """A model with fields that were added after values of it had been stored (`added`).

    Such a field is null by default, and left out wherever it is null: what is stored of an older value reads as what
    is written of an equal one today.
    """

    added: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _without_added_nulls(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {
            name: value for name, value in handler(self).items() if value is not None or name not in type(self).added
        }


class Registered(FrozenModel):
    """A model with subclasses that register themselves.

    A direct subclass is a registry: it says what a message calls a key (`kind`), which field is the key (`key`), which
    package holds its entries (`package`), and which key a table without one means (`default`). A subclass of a registry
    is an entry where its key field has a default.
    """

    kind: ClassVar[str]
    key: ClassVar[str]
    package: ClassVar[str]
    default: ClassVar[str]
    entries: ClassVar[dict[str, type["Registered"]]]
    runs_user_code: ClassVar[bool] = False
    """Whether its methods run code that a user gives: what only shows a stored study calls none of them."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Open a registry for a direct subclass; enter the others under their key."""
        super().__pydantic_init_subclass__(**kwargs)
        if Registered in cls.__bases__:
            cls.entries = {}
            return
        name = cls.model_fields[cls.key].default
        if not isinstance(name, str):
            return
        if cls.__abstractmethods__:
            raise TypeError(f"{cls.kind} {name!r} has no {', '.join(sorted(cls.__abstractmethods__))}")
        known = cls.entries.get(name, cls)
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"{cls.kind} {name!r} is declared twice, in {known.__module__} and in {cls.__module__}")
        cls.entries[name] = cls

    @property
    def code(self) -> str:
        """Hash of the source file of the entry, if that is not a file of depthsearch; else empty."""
        file = Path(inspect.getfile(type(self))).resolve()
        return "" if file.is_relative_to(Path(__file__).parent) else _source_hash(file)

    def identity(self) -> dict[str, Any]:
        """What a question holds of this value: its fields, without nulls. An entry that reads files puts their content
        in the place of their path.
        """
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def read_key(cls, text: str) -> dict[str, Any]:
        """The fields that a bare key gives: the key itself, unless the registry reads more from it."""
        return {cls.key: text}

    def typed(self) -> dict[str, Any]:
        """The fewest fields, as people write them: a user's code as the text that names it."""
        return self.fewest_fields()

    def running(self, doing: str) -> AbstractContextManager[None]:
        """A block in which code of this value runs: a user's finds its imports, and its exceptions become one line.

        Args:
            doing: What is done, such as "training 12 blocks".

        Raises:
            UserCodeFailed: The user's code raised an exception. One that says that memory ran out is raised as it is.
        """
        return nullcontext()

    def fewest_fields(self) -> dict[str, Any]:
        """The fewest fields from which the registry makes this value: its key too, unless it is the default."""
        fields = {name: value for name, value in super().fewest_fields().items() if name != self.key}
        name = getattr(self, self.key)
        return fields if name == self.default else {self.key: name} | fields

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Every registered key in alphabetical order, the default first."""
        load_package(cls.package)
        return tuple(sorted(cls.entries, key=lambda name: (name != cls.default, name)))

    @classmethod
    def offered(cls) -> tuple[str, ...]:
        """The keys that messages and help list: a user's code is named in another way than by its key."""
        return tuple(name for name in cls.names() if not cls.entry(name).runs_user_code)

    @classmethod
    def entry(cls, name: object) -> type[Self]:
        """The class registered under a name.

        Raises:
            UnknownName: There is none.
        """
        if name not in cls.names():
            raise UnknownName(cls.kind, name, cls.offered(), path=f"{cls.called}.{cls.key}")
        return cls.entries[str(name)]  # type: ignore[return-value]

    @classmethod
    def of(cls, value: object) -> Self:
        """A value of the class that the key names, from such a value, a table, or the bare key.

        Raises:
            InvalidValue: The key is unknown, or the class takes no such field.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            value = {cls.key: value}
        if not isinstance(value, Mapping):
            expected = f"a name or a table with {cls.key}"
            raise InvalidValue(f"must be {expected}, but got {quoted(value)}", path=cls.called, value=value)
        table = without_nulls({str(key): inner for key, inner in value.items()})
        if isinstance(text := table.get(cls.key), str):
            table = _merged({**table, cls.key: None}, cls.read_key(text), cls.called)
        chosen = cls.entry(table.get(cls.key, cls.default))
        for field, inner in table.items():
            if field not in chosen.model_fields and any(field in other.model_fields for other in cls.entries.values()):
                accepted = ", ".join(name for name in chosen.model_fields if name != cls.key)
                name = table.get(cls.key, cls.default)
                raise InvalidValue(
                    f"is not an option of the {cls.called} {name!r}, but got {quoted(inner)}: accepted: {accepted}",
                    path=f"{cls.called}.{field}",
                    value=inner,
                    expected=accepted,
                )
        return chosen.model_validate(table)


def _merged(table: dict[str, Any], read: dict[str, Any], called: str) -> dict[str, Any]:
    """The table with what was read from its key; no field is given both ways."""
    for field, value in read.items():
        if table.get(field) not in (None, value):
            reason = f"is given twice, as {quoted(value)} and as {quoted(table[field])}: leave one out"
            raise InvalidValue(reason, path=f"{called}.{field}", value=table[field])
    return table | read


def load_package(name: str, *, skip: Container[str] = ()) -> None:
    """Import every module of a package, so that those which register something have done so, but none in `skip`.

    Raises:
        InvalidValue: A module cannot be imported; the message names its file.
    """
    package = import_module(name)
    if _LOADED.get(name) == list(package.__path__):
        return
    for module in pkgutil.iter_modules(package.__path__):
        if module.name not in skip:
            try:
                import_module(f"{name}.{module.name}")
            except Exception as error:
                folder = getattr(module.module_finder, "path", name)
                reason = f"{type(error).__name__}: {error}"
                raise InvalidValue(f"{folder}/{module.name}.py cannot be imported: {reason}") from error
    _LOADED[name] = list(package.__path__)


_LOADED: dict[str, list[str]] = {}
"""The folders of each package whose modules were imported: a longer path means more modules."""


@lru_cache(maxsize=64)
def _source_hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def one_of(kind: str, names: Any, offered: Iterable[str] | None = None) -> BeforeValidator:
    """A validator that refuses unknown names and offers the nearest known one.

    Args:
        kind: What the name names, for the message.
        names: A Literal, or a function that returns the known names.
        offered: The names that a message lists, where some are kept only for stored values.
    """
    known: Callable[[], tuple[str, ...]] = names if callable(names) and not get_args(names) else lambda: get_args(names)

    return BeforeValidator(OneOf(kind, known, tuple(offered) if offered is not None else None))


@dataclass(frozen=True)
class OneOf:
    """Accepts a name that is on a list, which may grow.

    Attributes:
        kind: What the name names, for the message.
        known: Every name that is accepted.
        offered: The names that a message lists, where these are fewer.
    """

    kind: str
    known: Callable[[], tuple[str, ...]]
    offered: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What a user is offered."""
        return self.known() if self.offered is None else self.offered

    def __call__(self, name: object) -> object:
        """The name, if it is on the list."""
        if name not in self.known():
            raise UnknownName(self.kind, name, self.names, path=self.kind)
        return name


def without_nulls(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are given: null means that a field takes its default."""
    return {name: value for name, value in fields.items() if value is not None}


def canonical_json(value: object) -> str:
    """`value` as JSON with sorted keys and no spaces; NaN and infinities are refused."""
    return json.dumps(_without_minus_zero(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _without_minus_zero(value: Any) -> Any:
    """-0.0 equals 0.0 and must read like it."""
    if isinstance(value, dict):
        return {key: _without_minus_zero(inner) for key, inner in value.items()}
    return 0.0 if isinstance(value, float) and value == 0 else value


def sha256(text: str) -> str:
    """The SHA-256 of the text in UTF-8, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _invalid_value(error: ErrorDetails, called: str, fields: tuple[str, ...]) -> InvalidValue:
    name, value, accepted = ".".join(str(part) for part in error["loc"]), error["input"], ", ".join(fields)
    if not name:
        return InvalidValue(f"must be a table of {accepted}, but got {quoted(value)}", path=called, value=value)
    if error["type"] == "extra_forbidden":
        return UnknownName("field", name, fields, path=name)
    if error["type"] == "missing":
        return InvalidValue("is missing", path=name, expected="given")
    expected = (
        error["msg"].removeprefix("Input should be ").removeprefix("Value error, ").replace("a valid tuple", "a list")
    )
    return InvalidValue(f"must be {expected}, but got {quoted(value)}", path=name, value=value, expected=expected)


def quoted(value: object) -> str:
    """The value as it was written, cut off where it is very long."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}..."
