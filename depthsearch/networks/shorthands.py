"""Shorthands for networks that a user's code or another library builds: one text in place of a table of fields.

`FILE.py:build` and `package.module:build` name a user's function, `hf:llama` a configuration of transformers,
`timm:vit_tiny_patch16_224` a model of timm, and `FILE.py:train` a function that trains elsewhere.
"""

from collections.abc import Mapping
from typing import Any

from depthsearch.errors import InvalidValue
from depthsearch.schema import load_package, quoted
from depthsearch.user_code.files import check_text

PUBLISHED: set[str] = set()
"""Families of published architectures, the text before the colon: each enters itself."""

MODEL, TRAIN = "model", "train"
"""The shorthands: fields that users give in place of a family, a source and an architecture."""


def network_table(text: str) -> dict[str, Any]:
    """The fields of the network that a text names: family and architecture, or family and source.

    Raises:
        InvalidValue: It is neither a published architecture nor a user's code.
    """
    load_package(__package__)
    library, colon, architecture = text.partition(":")
    if colon and library in PUBLISHED:
        if not architecture:
            expected = f"an architecture after the colon, as in {library}:NAME"
            raise InvalidValue(path=f"network.{MODEL}", value=text, expected=expected)
        return {"family": library, "architecture": architecture}
    check_text(text, path=f"network.{MODEL}")
    return {"family": "model", "source": text}


def training_table(text: str) -> dict[str, Any]:
    """The fields of the network that a user's function trains elsewhere.

    Raises:
        InvalidValue: It is no user's code.
    """
    check_text(text, path=f"network.{TRAIN}")
    return {"family": "external", "source": text}


def expand_shorthands(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a network, with `model` or `train` replaced by the fields that they name.

    Raises:
        InvalidValue: Both are given, or one of them together with another family, source or architecture.
    """
    given = dict(fields)
    tables = {MODEL: network_table, TRAIN: training_table}
    for name in [name for name in tables if given.get(name) is not None]:
        text = given.pop(name)
        if not isinstance(text, str):
            raise InvalidValue(path=f"network.{name}", value=text, expected="a text, as in model.py:build")
        table = tables[name](text)
        for other in (MODEL, TRAIN, "family", "source", "architecture"):
            if given.get(other, table.get(other)) != table.get(other):
                reason = f"names the network, but got {quoted(text)} with {other} {given[other]!r}: leave one out"
                raise InvalidValue(reason, path=f"network.{name}", value=text)
        given |= table
    return given
