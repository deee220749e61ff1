"""The frozen pydantic base of the values that users write down, and their canonical form."""

import hashlib
import json
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails

from depthsearch.core.errors import InvalidValue

LONGEST_QUOTE = 100


class FrozenModel(BaseModel):
    """An immutable value. A bad field raises InvalidValue with one line, never pydantic's report."""

    called: ClassVar[str] = "value"
    """What a message calls the whole value."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _say_it_in_one_line(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            # An inner model has already raised InvalidValue, so the first error here is our own field.
            raise InvalidValue(_one_line(error.errors()[0], cls.called, tuple(cls.model_fields))) from None

    def canonical_json(self) -> str:
        """The same text for equal values: every field spelled out, keys sorted, no spaces."""
        return canonical_json(self.model_dump(mode="json"))


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


def _one_line(error: ErrorDetails, called: str, fields: tuple[str, ...]) -> str:
    name = ".".join(str(part) for part in error["loc"])
    if not name:
        return f"{called} must be a table of {', '.join(fields)}, but got {_quoted(error['input'])}"
    if error["type"] == "extra_forbidden":
        return f"unknown field {name!r}: accepted: {', '.join(fields)}"
    if error["type"] == "missing":
        return f"{name} is missing"
    reason = error["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return f"{name} must be {reason}, but got {_quoted(error['input'])}"


def _quoted(value: object) -> str:
    """The value as it was written, cut off where it is very long."""
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}..."
