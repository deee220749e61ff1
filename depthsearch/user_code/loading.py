"""A user's code at work: loaded once for each content, called with its imports in place, its exceptions in one line.

While it runs, the folder of the file and the working folder are in `sys.path`, and the modules that it imported from
there in `sys.modules`; afterwards both are as before, and so is the working folder. The module `files` finds and hashes
it, `objects` holds functions of the running process.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from depthsearch.errors import (
    DepthsearchError,
    InvalidValue,
    UserCodeFailed,
    error_words,
    is_out_of_memory,
    one_line,
)
from depthsearch.extras import torchvision_importable
from depthsearch.user_code.files import SourceFile, find_source, is_of_others, shown
from depthsearch.user_code.folder import working_folder_kept
from depthsearch.user_code.objects import hold, is_live, live_object


@dataclass(eq=False)
class UserCode:
    """Code that is loaded.

    Attributes:
        text: As the user named it.
        names: Of its file.
        file: The source file; None for an object of the running process.
        target: The object that the name names.
        folders: In which its imports are looked for.
    """

    text: str
    names: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None
    target: Any = None
    folders: tuple[Path, ...] = ()
    _path: list[str] = field(default_factory=list)
    _modules: dict[str, ModuleType] = field(default_factory=dict)
    _moved_to: Path | None = None
    _inside: int = 0

    @property
    def called(self) -> str:
        """The name of the target: "build"."""
        return self.text.split(":")[1] if is_live(self.text) else self.text.rpartition(":")[2]

    def optional(self, name: str) -> Callable[..., Any] | None:
        """A function of the same file by its name; None where there is none.

        Raises:
            UserCodeFailed: The name is of something that cannot be called.
        """
        found = self.names.get(name)
        if found is None or isinstance(found, ModuleType):
            return None
        if not callable(found):
            raise self.refused(f"{name} must be a function, but is {one_line(repr(found))}")
        return found  # type: ignore[no-any-return]

    def refused(self, reason: str) -> UserCodeFailed:
        """The error that says what is wrong with the code, with its file."""
        where = f"{shown(self.file)}: " if self.file is not None else ""
        return UserCodeFailed(f"{where}{reason}", file=None if self.file is None else str(self.file))

    @contextmanager
    def running(self) -> Iterator[None]:
        """A block in which the code runs: its folders are in `sys.path`, and what it imported in `sys.modules`."""
        if self._inside or not self.folders:
            with working_folder_kept():
                yield
            return
        path, known = list(sys.path), set(sys.modules)
        hidden = {name: sys.modules[name] for name in self._modules if name in sys.modules}
        sys.modules.update(self._modules)
        sys.path[:0] = self._path or map(str, self.folders)
        self._inside += 1
        try:
            with working_folder_kept():
                yield
        finally:
            self._inside -= 1
            self._path = [entry for entry in sys.path if entry not in path]
            sys.path[:] = path
            new = {name: module for name, module in sys.modules.items() if name not in known}
            self._modules |= {name: module for name, module in new.items() if self.holds(module)}
            for name in self._modules:
                sys.modules.pop(name, None)
            sys.modules.update(hidden)

    def holds(self, module: ModuleType) -> bool:
        """Whether a module lies in the folders of the code."""
        file = getattr(module, "__file__", None)
        return bool(file) and self._is_ours(str(file))

    @contextmanager
    def calling(self, doing: str) -> Iterator[None]:
        """A block that runs the code; an exception in it becomes one line with the place where it was raised.

        The block begins in the folder to which the file moved as it was loaded, where it did.

        Args:
            doing: What is done, such as "build(40)".

        Raises:
            UserCodeFailed: The code raised an exception. One that says that memory ran out is raised as it is.
        """
        with torchvision_importable(), self.running(), self.translating(doing):
            if self._moved_to is not None:
                os.chdir(self._moved_to)
            yield

    def loading(self, load: Callable[[], ModuleType]) -> None:
        """Load the file, and remember its names, and the folder that it moves to."""
        assert self.file is not None
        with self.calling(f"importing {self.file.name}"):
            before = Path.cwd()
            self.names = vars(load())
            self._moved_to = Path.cwd() if Path.cwd() != before else None

    @contextmanager
    def translating(self, doing: str) -> Iterator[None]:
        """The same where the imports are in place already."""
        try:
            yield
        except (DepthsearchError, KeyboardInterrupt):
            raise
        except BaseException as error:  # whatever it raises, also to end the process
            if is_out_of_memory(error):
                raise
            raise self._failed(doing, error) from error

    def _failed(self, doing: str, error: BaseException) -> UserCodeFailed:
        file, line = self._place(error)
        where = f"{shown(file)}, line {line}: " if file is not None else ""
        trace = "".join(traceback.format_exception(error))
        return UserCodeFailed(f"{where}{error_words(error)} (in {doing})", file=file, line=line, trace=trace)

    def _place(self, error: BaseException) -> tuple[str | None, int | None]:
        """The innermost line of the user's code that the exception came through."""
        if isinstance(error, SyntaxError) and error.filename:
            return error.filename, error.lineno
        frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
        ours = [(file, line) for file, line in frames if self._is_ours(file)]
        return ours[-1] if ours else (None, None)

    def _is_ours(self, file: str) -> bool:
        if is_of_others(Path(file)):
            return self.file is not None and Path(file) == self.file
        if not self.folders:  # of a running process: a cell of a notebook, or a script
            return not file.startswith((sys.prefix, sys.base_prefix, "<frozen"))
        return any(Path(file).is_relative_to(folder) for folder in self.folders)


_LOADED: dict[tuple[Path, str], UserCode] = {}
"""By file and hash of its contents, without a target."""

_loading: list[str] = []


def check_not_loading(called: str) -> None:
    """Refuse a search within a file that is being loaded for a search: it would go on for ever.

    Raises:
        InvalidValue: A user's file is being loaded.
    """
    if _loading:
        raise InvalidValue(
            f'{called} is called while {_loading[-1]} is loaded: put the call under if __name__ == "__main__":'
        )


def code_hash(text: str, *, path: str) -> str:
    """SHA-256 of the contents of a user's code; nothing of it runs.

    Raises:
        InvalidValue: There is no such code.
    """
    return text.rpartition(":")[2] if is_live(text) else find_source(text, path=path).digest()


def load_code(text: str, *, path: str, digest: str) -> UserCode:
    """The object that a text names, with its file; loaded once for each content.

    Args:
        text: FILE.py:name, package.module:name, or the name of an object of this process.
        path: The field that holds the text, for messages.
        digest: Hash of the contents that are expected (see `code_hash`).

    Raises:
        InvalidValue: There is no such file, or none with these contents any more.
        UserCodeFailed: It cannot be imported, or holds no such name.
    """
    if is_live(text):
        held = live_object(text, path=path)
        return UserCode(text, held.names, target=held.target)
    found = find_source(text, path=path)
    if found.digest() != digest:
        reason = f"has changed since it was read, but got {text!r}: make the problem again, or run the command again"
        raise InvalidValue(reason, path=path, value=text)
    key = (found.file, digest)
    if key not in _LOADED:
        _LOADED[key] = _load(found, digest)
    code = _LOADED[key]
    target: Any = code.names.get(found.name.partition(".")[0])
    for part in found.name.split(".")[1:]:
        target = getattr(target, part, None)
    if target is None:
        listed = [
            name
            for name, value in code.names.items()
            if callable(value)
            and not name.startswith("_")
            and getattr(value, "__module__", None) == code.names.get("__name__")
        ]
        raise code.refused(f"it has no {found.name!r}; it has {', '.join(listed) or 'no functions'}")
    return replace(code, text=text, target=target)


def named(target: Any, names: Mapping[str, Any] | None = None) -> str:
    """The text that names an object of this process: that of its file where it is defined in one.

    The file is not loaded again: its module of this process is used for as long as the file is not changed.

    Args:
        target: A function or a class, or data.
        names: Functions that go with it, which its file would hold besides; it is then held by the process.
    """
    module = sys.modules.get(getattr(target, "__module__", None) or "")
    name, file = getattr(target, "__qualname__", "<"), getattr(module, "__file__", None)
    if names or file is None or "<" in name or not Path(file).is_file():
        return hold(target, names)
    if is_of_others(Path(file)):
        return f"{target.__module__}:{name}"
    found = find_source(f"{file}:{name}", path="")
    if getattr(module, name.partition(".")[0], None) is None:
        return hold(target, names)
    digest = found.digest()
    _LOADED.setdefault((found.file, digest), UserCode(found.text, vars(module), found.file, folders=found.folders))
    return f"{shown(found.file)}:{name}"


def _load(found: SourceFile, digest: str) -> UserCode:
    code = UserCode(found.text, file=found.file, folders=found.folders)
    replaced = {} if found.installed else {name: kept for name, kept in sys.modules.items() if code.holds(kept)}
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # a cache of bytecode knows a file by its seconds
    for name in replaced:
        del sys.modules[name]
    importlib.invalidate_caches()
    _loading.append(found.file.name)
    try:
        code.loading(lambda: importlib.import_module(found.module) if found.module else _executed(found, digest))
    finally:
        _loading.pop()
        sys.dont_write_bytecode = written
        sys.modules.update(replaced)
    return code


def _executed(found: SourceFile, digest: str) -> ModuleType:
    """The file as a module of a name that no other module has."""
    module = ModuleType(f"{found.file.stem}_{digest[:12]}")
    module.__file__ = str(found.file)
    sys.modules[module.__name__] = module
    exec(compile(found.file.read_bytes(), str(found.file), "exec"), vars(module))
    return module
