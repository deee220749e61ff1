"""Writes docs/commands.md from the click commands: every command with its help, its examples and its options.

Run it as `make docs`. A test holds that the page equals what this script writes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from depthsearch.cli.main import cli
from depthsearch.reporting.command_line import problem_options, search_options

PAGE = Path(__file__).with_suffix(".md")

HEAD = """\
# Commands

<!-- Written by `make docs` from the commands themselves: change their help, not this page. -->

The result of a command goes to standard output, progress and notes go to standard error. `depthsearch COMMAND --help`
prints the same as this page, and names every value that an option takes.

An option has the name of the field that it sets; some have a short name as well, such as `--act` for `--activation`.
The last column of the tables below is the field in a [study file](study-files.md) and in [Python](python.md):
`recipe.epochs` is the field `epochs` of the table `recipe`.

| environment variable | meaning |
|---|---|
| `DEPTHSEARCH_STORAGE` | URL of the store, where `--storage` is not given |
| `NO_COLOR` | if it is set, nothing is coloured |
| `COLUMNS` | width of the output where there is no terminal |

| exit code | meaning |
|---|---|
| 0 | a search concluded, whatever its outcome, or its budget ended; every other command that did its work |
| 1 | internal error, out of memory in `inspect`, or output that could not be written |
| 2 | misuse: an option, a study file or a store that cannot be used; one line on standard error names it |
| 3 | `--at-least N`: the answer is below N |
| 4 | nothing is concluded: `--at-least N` stays open, networks fail to run, or another process took the study over |
| 130 | interrupted by Ctrl-C or SIGTERM; every finished run of a search is kept |
"""

TABLES = {
    "network": "of the network",
    "data": "of the data set",
    "recipe": "of the training",
    "criterion": "of the criterion: when a run counts as trained",
}

Row = tuple[str, str, str, str]


def page() -> str:
    """The whole page."""
    shared = {
        "the options of the problem": {option.key for option in problem_options()},
        "the options of the search": {option.key for option in search_options()},
    }
    parts = [HEAD, "## Options of the problem\n", "`find`, `compare` and `inspect` take them.\n"]
    for table, title in TABLES.items():
        options = [option for option in problem_options() if option.table == table]
        parts += [f"### Options {title}\n", _table((o.names, o.help, _field(o.table, o.field)) for o in options)]
    parts += ["## Options of the search\n", "`find` and `compare` take them.\n"]
    parts.append(_table((o.names, o.help, f"settings.{o.field}") for o in search_options()))
    for path, command in commands(cli):
        parts += _command(path, command, shared)
    return "\n".join(parts)


def commands(group: click.Group, path: str = "depthsearch") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it: "depthsearch studies list"."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        elif command is not None:
            yield f"{path} {name}", command


def _command(path: str, command: click.Command, shared: dict[str, set[str]]) -> list[str]:
    """The section of one command."""
    options = [one for one in command.params if isinstance(one, click.Option) and one.name != "help"]
    arguments = [one.make_metavar(click.Context(command)) for one in command.params if isinstance(one, click.Argument)]
    text, _, examples = (command.help or "").partition("\b\n")
    parts = [f"## {path}\n", f"`{' '.join([path, *arguments, '[OPTIONS]'])}`\n", f"{_plain(text)}\n"]
    if examples:
        parts.append(f"```sh\n{_unindented(examples)}\n```\n")
    taken = [title for title, keys in shared.items() if any(option.name in keys for option in options)]
    rest = [option for option in options if option.name not in set().union(*shared.values())]
    if taken:
        parts.append(f"It takes {' and '.join(taken)} (above){', and' if rest else '.'}\n")
    if rest:
        rows = (((*option.opts, *option.secondary_opts), option.help or "", "") for option in rest)
        parts.append(_table(rows, fields=False))
    return parts


def _field(table: str, field: str) -> str:
    """The fields of the network need no table: `activation = "relu"`."""
    return field if table == "network" else f"{table}.{field}"


def _table(options: Iterable[tuple[Sequence[str], str, str]], *, fields: bool = True) -> str:
    """Options as a Markdown table; with `fields`, the name of each field as well."""
    rows: list[Row] = []
    for names, text, field in options:
        meaning, default = _default_of(text)
        rows.append((", ".join(f"`{name}`" for name in names), meaning, default, f"`{field}`"))
    head: Row = ("option", "meaning", "default", "field")
    columns = [k for k in range(4) if (k != 3 or fields) and (k != 2 or any(row[2] for row in rows))]  # noqa: PLR2004
    lines = [head, *rows]
    written = ["| " + " | ".join(row[k].replace("|", "\\|") for k in columns) + " |" for row in lines]
    written.insert(1, "|" + "---|" * len(columns))
    return "\n".join(written) + "\n"


def _default_of(text: str) -> tuple[str, str]:
    """ "Batch size. [default: 32]" as its two parts."""
    found = re.fullmatch(r"(.*?)\s*\[default: (.*)\]", text, flags=re.DOTALL)
    return (found[1], found[2]) if found else (text, "")


def _plain(text: str) -> str:
    """Paragraphs with one line each."""
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


def _unindented(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
