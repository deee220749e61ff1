"""What can be searched: families and data sets with their options, activations and initializations."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from depthsearch.data.base import DataSource
from depthsearch.networks.activations import activation_names
from depthsearch.networks.base import Network
from depthsearch.networks.initialization import INITIALIZATIONS
from depthsearch.reporting.command_line import field_text, first_sentence, problem_options
from depthsearch.schema import Registered


def families_facts() -> dict[str, Any]:
    """Every family and data set with its description and options, every activation and initialization."""
    return {
        "families": [
            {
                "family": name,
                "description": _summary(Network.entry(name)),
                "unit": Network.entry(name).unit,
                "shallowest": Network.entry(name).shallowest,
                "reliability": Network.entry(name).reliability,
                "options": _options(Network.entry(name), "network"),
            }
            for name in Network.names()
        ],
        "data": [
            {
                "name": name,
                "description": _summary(DataSource.entry(name)),
                "options": _options(DataSource.entry(name), "data"),
            }
            for name in DataSource.names()
        ],
        "activations": list(activation_names()),
        "initializations": list(INITIALIZATIONS),
    }


def families_text() -> RenderableType:
    """The same for a terminal."""
    facts = families_facts()
    parts: list[RenderableType] = []
    for family in facts["families"]:
        parts.append(Text(f"--family {family['family']}", style="bold"))
        article = "an" if family["unit"][0] in "aeiou" else "a"
        parts.append(Text(f"{family['description']} One unit of depth is {article} {family['unit']}."))
        parts.append(_table(family["options"]))
    for source in facts["data"]:
        parts.append(Text(f"--data {source['name']}", style="bold"))
        parts.append(Text(source["description"]))
        parts.append(_table(source["options"]))
    parts.append(Text(f"activations: {', '.join(facts['activations'])}"))
    parts.append(Text(f"initializations: {', '.join(facts['initializations'])}"))
    return Group(*parts)


def _summary(entry: type[Registered]) -> str:
    """The first paragraph of a class's docstring, in one line."""
    return " ".join((entry.__doc__ or "").split("\n\n")[0].split())


def _options(entry: type[Registered], table: str) -> list[dict[str, Any]]:
    return [
        {
            "option": option.shortest,
            "field": option.field,
            "default": None
            if entry.model_fields[option.field].is_required()
            else entry.model_fields[option.field].default,
            "text": first_sentence(field_text(entry, option.field)),
        }
        for option in problem_options()
        if option.table == table and option.field in entry.model_fields and option.field != entry.key
    ]


def _table(options: list[dict[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for option in options:
        default = "" if option["default"] is None else str(option["default"])
        table.add_row(f"  {option['option']}", default, Text(option["text"], style="dim"))
    return table
