"""A user's code is loaded once for each content, and leaves no trace where it runs."""

import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest

from depthsearch.errors import InvalidValue, UserCodeFailed
from depthsearch.generators import seeded
from depthsearch.user_code.loading import UserCode, check_not_loading, code_hash, load_code, named
from depthsearch.user_code.objects import is_live
from tests.user_code.written import write

COUNTING = """
import helper

helper.loads.append(1)


def count():
    import late

    return len(helper.loads), late.A
"""


def load(text: str) -> UserCode:
    return load_code(text, path="network.model", digest=code_hash(text, path="network.model"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, model=COUNTING, helper="loads = []\n", late="A = 7\n")


def test_neighbours_are_imported_and_the_process_is_as_before(folder: Path) -> None:
    path, modules = list(sys.path), set(sys.modules)
    code = load(f"{folder}/model.py:count")
    with code.calling("count()"):
        found = code.target()

    assert found == (1, 7)
    assert sys.path == path
    assert {name for name in set(sys.modules) - modules if name in ("helper", "late", "model")} == set()
    assert not (folder / "__pycache__").exists()


def test_a_file_is_loaded_once_for_each_content(folder: Path) -> None:
    text = f"{folder}/model.py:count"
    first, again = load(text), load(text)
    with again.calling("count()"):
        assert again.target()[0] == 1
    (folder / "late.py").write_text("A = 8\n")
    changed = load(text)

    assert first.target is again.target
    with changed.calling("count()"):
        assert changed.target() == (1, 8)
    with first.calling("count()"):
        assert first.target() == (1, 7)


def test_neighbours_of_one_name_do_not_meet(tmp_path: Path) -> None:
    found = []
    for value in ("1", "2"):
        (tmp_path / value).mkdir()
        write(tmp_path / value, model="import helper\n\n\ndef value():\n    return helper.A\n", helper=f"A = {value}\n")
        code = load(f"{tmp_path / value}/model.py:value")
        with code.calling("value()"):
            found.append(code.target())

    assert found == [1, 2]


def test_code_that_has_changed_since_it_was_read_is_refused(folder: Path) -> None:
    text = f"{folder}/model.py:count"
    digest = code_hash(text, path="network.model")
    (folder / "helper.py").write_text("loads = [1]\n")

    with pytest.raises(InvalidValue, match="model has changed since it was read"):
        load_code(text, path="network.model", digest=digest)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def count(:\n", "model.py, line 1: SyntaxError: invalid syntax (model.py, line 1) (in importing model.py)"),
        ("import nowhere_at_all\n", "model.py, line 1: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        (
            "A = 1\n\nraise ValueError('two\\nlines')\n",
            "model.py, line 3: ValueError: two lines (in importing model.py)",
        ),
        ("import sys\nsys.exit(3)\n", "model.py, line 2: SystemExit: 3 (in importing model.py)"),
        ("raise GeneratorExit\n", "model.py, line 1: GeneratorExit (in importing model.py)"),
        (
            "class Odd(BaseException):\n    pass\n\n\nraise Odd('odd')\n",
            "model.py, line 5: Odd: odd (in importing model.py)",
        ),
        ("import helper\nhelper.broken()\n", "helper.py, line 2: ZeroDivisionError: division by zero"),
        ("def build():\n    pass\n", "model.py: it has no 'count'; it has build"),
    ],
    ids=["syntax", "import", "raises", "exit", "generator", "base", "neighbour", "name"],
)
def test_a_mistake_is_one_line_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    write(tmp_path, model=text, helper="def broken():\n    return 1 / 0\n")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserCodeFailed) as error:
        load("model.py:count")
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_an_exception_in_a_call_keeps_its_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, model="def build(depth):\n    return inner(depth)\n\n\ndef inner(depth):\n    return {}[depth]\n")
    monkeypatch.chdir(tmp_path)
    code = load("model.py:build")

    message = r"^model.py, line 6: KeyError: 3 \(in build\(3\)\)$"
    with pytest.raises(UserCodeFailed, match=message) as error, code.calling("build(3)"):
        code.target(3)
    assert (error.value.file, error.value.line) == (str(tmp_path / "model.py"), 6)
    assert "line 2, in build" in error.value.trace


def test_memory_that_runs_out_is_no_mistake_of_the_code(folder: Path) -> None:
    code = load(f"{folder}/model.py:count")

    with pytest.raises(MemoryError), code.calling("count()"):
        raise MemoryError
    with pytest.raises(RuntimeError, match="can't allocate memory"), code.calling("count()"):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")


def test_a_search_in_a_file_that_is_loaded_is_refused(tmp_path: Path) -> None:
    write(tmp_path, model="from depthsearch import find\n\n\ndef build(depth):\n    pass\n\n\nfind(build)\n")

    with pytest.raises(InvalidValue, match=r"a search is called while model.py is loaded: put the call under"):
        load(f"{tmp_path}/model.py:build")
    check_not_loading("a search")


def test_a_function_of_this_process_is_known_by_its_file() -> None:
    text = named(write)

    assert text.endswith("written.py:write")
    assert load(text).target is write


def test_a_function_of_an_installed_package_is_known_by_its_module() -> None:
    import click

    assert named(click.Command) == "click.core:Command"


def test_a_lambda_is_held_by_the_process() -> None:
    text = named(lambda depth: depth)

    assert is_live(text)
    assert text.startswith("memory:lambda:")
    assert load(text).target(3) == 3


def test_generators_are_seeded_and_as_before() -> None:
    def draws() -> tuple[float, float]:
        return random.random(), float(np.random.random())  # noqa: NPY002

    with seeded(1):
        first = draws()
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    expected = draws()
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    with seeded(1):
        assert draws() == first
    assert draws() == expected


MOVING = """
import os

os.chdir(os.path.dirname(__file__) + "/data")


def where():
    found = os.getcwd()
    os.chdir("/")
    return found
"""


def test_code_that_moves_to_another_folder_leaves_the_process_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    write(tmp_path, moving=MOVING)
    monkeypatch.chdir(tmp_path)
    code = load("moving.py:where")
    assert Path.cwd() == tmp_path
    with code.calling("where()"):
        assert code.target() == str(tmp_path / "data")
        with code.calling("where()"):
            assert code.target() == str(tmp_path / "data")
            assert load("moving.py:where").target is code.target
    assert Path.cwd() == tmp_path


def test_an_object_of_the_process_that_moves_leaves_it_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = UserCode("objects:where")
    with code.calling("where()"):
        os.chdir("/")
    assert Path.cwd() == tmp_path


def test_a_working_folder_that_is_removed_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    ran = []
    with UserCode("objects:where").calling("where()"):
        gone.rmdir()
        ran.append("before")
    with UserCode("objects:where").calling("where()"):
        ran.append("after")
    assert ran == ["before", "after"]
