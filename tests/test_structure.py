"""The layout is the architecture: imports run one way, and torch lives in one room."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import depthsearch

PACKAGE = Path(depthsearch.__file__).parent
# A room may import the rooms of its own set and nothing else of depthsearch.
ALLOWED = {
    "core": set(),
    "families": {"core"},
    "datasets": {"core"},
    "training": {"core", "families", "datasets"},
    "detection": {"core", "families", "datasets"},
    "search": {"core", "families", "datasets"},
    "store": {"core", "families", "datasets"},
    "finder": {"core", "families", "datasets", "training", "detection", "search", "store"},
    "reporting": {"core", "families", "datasets", "training", "detection", "search", "store", "finder"},
    "service": {"core", "store"},
    "cli": {"core", "families", "datasets", "search", "store", "finder", "reporting", "service"},
}

# A notebook shows an answer by the answer's methods, which load what draws it.
ALLOWED_BESIDES = {"core/answer.py": {"reporting"}}
# The store and the search share what they know of Optuna's private names.
ALLOWED_BESIDES |= {f"store/{name}.py": {"search"} for name in ("store", "study", "notes", "reading")}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE)


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file; each name of `from package import name` too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0]
    used = {name.split(".")[1] for name in imports(path) if name.startswith("depthsearch.")}
    rooms = used & set(ALLOWED)
    assert rooms <= ALLOWED[room] | {room} | ALLOWED_BESIDES.get(str(path.relative_to(PACKAGE)), set())


def test_every_room_has_its_rule() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert rooms == set(ALLOWED)


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("torch", {"training"}),
        ("sklearn", {"datasets"}),
        ("alembic", {"store"}),
        ("sqlalchemy", {"search", "store", "finder"}),
        ("click", {"cli"}),
        ("rich", {"cli", "reporting"}),
        ("plotly", {"reporting"}),
        ("pandas", {"core"}),
        ("IPython", {"core"}),
        ("optuna", {"search", "store", "finder", "cli", "service"}),
        ("optuna_dashboard", {"service"}),
        ("tensorboard", {"training"}),
    ],
)
def test_a_library_is_imported_only_where_it_belongs(library: str, rooms: set[str]) -> None:
    found = {
        path.relative_to(PACKAGE).parts[0]
        for path in modules()
        if any(name == library or name.startswith(f"{library}.") for name in imports(path))
    }
    assert found <= rooms


def test_private_names_of_optuna_are_used_in_one_file_alone() -> None:
    """Ruff refuses private attributes (SLF001) wherever it is not told otherwise."""
    allowed = PACKAGE / "search" / "optuna_internals.py"
    for path in modules():
        private = [name for name in imports(path) if name.startswith("optuna") and "._" in name]
        assert path == allowed or not private
        assert "SLF001" not in path.read_text()


def test_public_names_are_all_there() -> None:
    for name in depthsearch.__all__:
        assert getattr(depthsearch, name) is not None


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        depthsearch.nothing  # noqa: B018
