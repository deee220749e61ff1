"""The shape of the tree: what import-linter (`make lint`) cannot see.

Import rules are contracts in pyproject.toml.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

import pytest

import depthsearch
from depthsearch.data.base import DataSource
from depthsearch.networks.base import Network
from depthsearch.reporting.command_line import OF_COMMANDS
from depthsearch.schema import Registered

PACKAGE = Path(depthsearch.__file__).parent
LEAST_MEDIAN, SLIVER, LONGEST_FUNCTION = 120, 40, 60
"""Lines: of the median file at least, of a file that only one other imports at least, of a function at most."""

KEYS = ("text",)
"""Names of entries that are keys of figures and of JSON, too."""


def files() -> list[Path]:
    """Every module but package inits and migrations."""
    return sorted(
        path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" and "migrations" not in path.parts
    )


def relative(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file; each name of `from package import name` too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def strings(path: Path) -> list[tuple[int, str]]:
    """Every string of a file that is not a docstring, with its line; the constant parts of f-strings too."""
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


def test_the_median_file_is_long_enough_to_hold_a_concept() -> None:
    assert median(lines(path) for path in files()) >= LEAST_MEDIAN


def test_no_short_file_is_imported_by_only_one_other() -> None:
    users: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for name in imports(path):
            users.setdefault(name, set()).add(relative(path))
    slivers = []
    for path in files():
        module = ".".join(("depthsearch", *path.relative_to(PACKAGE).with_suffix("").parts))
        if lines(path) < SLIVER and len(users.get(module, set()) - {relative(path)}) == 1:
            slivers.append(relative(path))
    assert slivers == []


def test_no_function_is_longer_than_a_screen() -> None:
    long = []
    for path in files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
                begin = (first.end_lineno or 0) if documented else node.lineno
                if (node.end_lineno or 0) - begin > LONGEST_FUNCTION:
                    long.append(f"{relative(path)}: {node.name}")
    assert long == []


def test_no_option_is_named_below_the_command_line_and_the_reports() -> None:
    found = [
        f"{relative(path)}, line {line}: {text}"
        for path in files()
        if path.relative_to(PACKAGE).parts[0] not in ("cli", "reporting")
        for line, text in strings(path)
        if re.search(r"(?<![\w-])--[a-z]", text)
    ]
    assert found == []


def entries(kind: str) -> list[tuple[str, Path]]:
    """Every registered name of a kind, and the file that may use it."""
    registries: dict[str, type[Registered]] = {"family": Network, "data": DataSource}
    registry = registries[kind]
    return [
        (name, PACKAGE / Path(*registry.entry(name).__module__.split(".")[1:]).with_suffix(".py"))
        for name in registry.names()
        if name not in KEYS
    ]


@pytest.mark.parametrize("kind", ["family", "data"])
def test_no_family_and_no_data_set_is_named_outside_its_file_and_its_registry(kind: str) -> None:
    registries = {"family": ("networks/base.py", "networks/shorthands.py"), "data": ("data/base.py",)}[kind]
    found = [
        f"{relative(path)}, line {line}: {text}"
        for name, home in entries(kind)
        for path in files()
        if path != home and relative(path) not in registries
        for line, text in strings(path)
        if text == name and text not in OF_COMMANDS  # `csv` is a format of results, too
    ]
    assert found == []


def test_private_names_of_optuna_are_used_in_one_file() -> None:
    """Ruff refuses private attributes (SLF001) in every file for which pyproject.toml makes no exception."""
    allowed = PACKAGE / "search" / "optuna_internals.py"
    of_torch = PACKAGE / "training" / "modules" / "tape.py"  # whether a tensor is a view has no public name
    for path in PACKAGE.rglob("*.py"):
        private = [name for name in imports(path) if name.startswith("optuna") and "._" in name]
        assert path == allowed or not private
        assert path == of_torch or "SLF001" not in path.read_text()


def test_public_names_are_all_there() -> None:
    for name in depthsearch.__all__:
        assert getattr(depthsearch, name) is not None


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        depthsearch.nothing  # noqa: B018
