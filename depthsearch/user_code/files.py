"""The source files of a user's code, named as `FILE.py:name` or `package.module:name`: found and hashed, never run.

The hash is of contents, never of paths: of the source file, and of every module that it imports from its directory tree
or the working folder, as their `import` statements name them. An installed package is known by its version.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from depthsearch.errors import InvalidValue
from depthsearch.schema import canonical_json, sha256
from depthsearch.user_code.folder import working_folder
from depthsearch.user_code.objects import is_live

SOURCE_FORMS = "FILE.py:name or package.module:name"
OF_OTHERS = ("site-packages", "dist-packages")
"""Folders within a directory tree that hold installed packages."""


@dataclass(frozen=True)
class SourceFile:
    """Where a user's code is.

    Attributes:
        text: As the user named it.
        folders: In which its imports are looked for, before all others.
        file: The source file.
        module: Its dotted name; empty for a file that is named by its path.
        name: Of the object in it, with dots for one within a class.
    """

    text: str
    folders: tuple[Path, ...]
    file: Path
    module: str
    name: str

    @property
    def installed(self) -> bool:
        """Whether it belongs to an installed package."""
        return is_of_others(self.file)

    def digest(self) -> str:
        """SHA-256 of its contents, and of those of the modules that it imports from its directory tree.

        Of an installed package: of the contents of the file, and the version of the package.
        """
        contents = sha256(self.file.read_bytes().hex())
        imported = [_version_of(self.module.partition(".")[0])] if self.installed else sorted(self._imported().items())
        return sha256(canonical_json([contents, imported]))

    def _imported(self) -> dict[str, str]:
        """The hash of every such module, by its dotted name."""
        hashes: dict[str, str] = {}
        waiting = [(self.file, self.module)]
        while waiting:
            file, module = waiting.pop()
            for dotted in _names_imported(file, module):
                target = self._module_file(dotted) if dotted not in hashes else None
                if target is not None and target != self.file:
                    hashes[dotted] = _scanned(target, *_stamp(target))[0]
                    waiting.append((target, dotted))
        return hashes

    def _module_file(self, dotted: str) -> Path | None:
        """The file of a module, if it belongs to the user's code."""
        for folder in self.folders:
            inner = folder.joinpath(*dotted.split("."))
            for file in (inner / "__init__.py", inner.with_suffix(".py")):
                if file.is_file() and not is_of_others(file):
                    return file
        return None


def check_text(text: str, *, path: str) -> None:
    """Refuse a text that names no code, whether or not the code exists.

    Raises:
        InvalidValue: It is neither FILE.py:name nor package.module:name.
    """
    place, _, name = text.rpartition(":")
    named = all(part.isidentifier() for part in name.split("."))
    if is_live(text) or (named and (place.endswith(".py") or _is_dotted(place))):
        return
    raise InvalidValue(path=path, value=text, expected=f"{SOURCE_FORMS}, as in model.py:build")


def is_code(text: str) -> bool:
    """Whether a text names a user's code."""
    try:
        check_text(text, path="")
    except InvalidValue:
        return False
    return True


def is_found(text: str) -> bool:
    """Whether the code that a text names is there."""
    try:
        return is_live(text) or find_source(text, path="").file.is_file()
    except InvalidValue:
        return False


def find_source(text: str, *, path: str) -> SourceFile:
    """The file that a text names.

    Args:
        text: FILE.py:name or package.module:name.
        path: The field that holds the text, for messages.

    Raises:
        InvalidValue: The text names no code, or there is no such file.
    """
    check_text(text, path=path)
    place, _, name = text.rpartition(":")
    if not place.endswith(".py"):
        return _module_source(text, place, name, path)
    file = (working_folder() / Path(place).expanduser()).resolve()
    if not file.is_file():
        reason = f"names no file, but got {text!r}: there is no {place} in {working_folder()}"
        raise InvalidValue(reason, path=path, value=text, expected=SOURCE_FORMS)
    return SourceFile(text, _distinct(file.parent, working_folder()), file, "", name)


def _module_source(text: str, module: str, name: str, path: str) -> SourceFile:
    """The file of a module, looked for in the working folder first; packages are not imported for it."""
    folders = [str(working_folder()), *sys.path]
    spec: ModuleSpec | None = None
    for dotted in _prefixes(module):
        spec = PathFinder.find_spec(dotted, folders)
        if spec is None:
            reason = f"names no module, but got {text!r}: there is no {dotted}"
            raise InvalidValue(reason, path=path, value=text, expected=SOURCE_FORMS)
        folders = list(spec.submodule_search_locations or ())
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        reason = f"names a module without a source file, but got {text!r}"
        raise InvalidValue(reason, path=path, value=text, expected=SOURCE_FORMS)
    file = Path(spec.origin).resolve()
    levels = module.count(".") + (file.name == "__init__.py")
    return SourceFile(text, _distinct(file.parents[levels], working_folder()), file, module, name)


def is_of_others(file: Path) -> bool:
    """Whether a file belongs to an installed package, or to depthsearch."""
    return file.is_relative_to(Path(__file__).parents[1]) or any(part in OF_OTHERS for part in file.parts)


def _version_of(package: str) -> str:
    """The version of the distribution of that name; empty where none has it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def shown(file: Path | str) -> str:
    """A file as people name it: relative to the working folder where it lies within it."""
    found = Path(file)
    return str(found.relative_to(working_folder())) if found.is_relative_to(working_folder()) else str(found)


def _names_imported(file: Path, module: str) -> Iterator[str]:
    """The dotted names that a file imports, and those of the packages that hold them."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for level, name in _scanned(file, *_stamp(file))[1]:
        base = package.rsplit(".", level - 1)[0] if level > 1 else package
        yield from _prefixes(".".join(filter(None, (base, name))) if level else name)


def _prefixes(dotted: str) -> list[str]:
    """ "a.b.c" as "a", "a.b", "a.b.c"."""
    parts = dotted.split(".") if dotted else []
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def _is_dotted(place: str) -> bool:
    return all(part.isidentifier() for part in place.split("."))


def _distinct(*folders: Path) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(folder.resolve() for folder in folders))


def _stamp(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=1024)
def _scanned(file: Path, _changed: int, _size: int) -> tuple[str, tuple[tuple[int, str], ...]]:
    """The hash of a source file, and its imports: the level (0 where absolute) and the dotted name of each."""
    source = file.read_bytes()
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        nodes = []  # it is refused as it is loaded
    found: dict[tuple[int, str], None] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {(0, alias.name): None for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            found |= {(node.level, f"{base}.{alias.name}".strip(".")): None for alias in node.names}
    return sha256(source.hex()), tuple(found)
