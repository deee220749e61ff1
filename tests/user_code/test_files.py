"""A user's source files are found and hashed without running them."""

import sys
from pathlib import Path

import pytest

from depthsearch.errors import InvalidValue
from depthsearch.networks.user import UserNetwork
from depthsearch.user_code.files import check_text, find_source
from depthsearch.user_code.loading import code_hash
from tests.user_code.written import MODEL, PARTS, write


def digest(text: str) -> str:
    return code_hash(text, path="network.model")


@pytest.mark.parametrize("text", ["model.py:build", "a/b.py:Net.make", "pkg.mod:build", "memory:lambda:0a"])
def test_texts_that_name_code(text: str) -> None:
    assert UserNetwork.model_validate({"source": text}).source == text


@pytest.mark.parametrize("text", ["model.py", "build", "model.py:", "model.py:2", ":build"])
def test_texts_that_name_none(text: str) -> None:
    with pytest.raises(InvalidValue, match=r"model must be FILE.py:name or package.module:name, .* but got"):
        check_text(text, path="network.model")


def test_a_file_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidValue) as error:
        find_source("modle.py:build", path="network.model")
    assert str(error.value) == f"model names no file, but got 'modle.py:build': there is no modle.py in {tmp_path}"


def test_a_module_that_is_not_there() -> None:
    with pytest.raises(InvalidValue, match=r"names no module, .* there is no depthsearch.modle"):
        find_source("depthsearch.modle:build", path="network.model")


def test_nothing_runs_for_the_hash(tmp_path: Path) -> None:
    write(tmp_path, model="raise SystemExit('it ran')")

    assert len(digest(f"{tmp_path}/model.py:build")) == 64


def test_the_hash_is_of_contents_and_not_of_paths(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        write(folder, parts=PARTS)
    write(first, model=MODEL)
    write(second, renamed=MODEL)

    assert digest(f"{first}/model.py:build") == digest(f"{second}/renamed.py:build")


def test_the_hash_holds_every_module_that_is_imported_from_the_tree(tmp_path: Path) -> None:
    (tmp_path / "layers").mkdir()
    write(
        tmp_path, model="import helpers\n\n\ndef build(depth):\n    from layers import dense\n", helpers="import more\n"
    )
    write(tmp_path, more="A = 1\n", unused="A = 1\n")
    write(tmp_path / "layers", __init__="", dense="from . import base\n", base="A = 1\n")
    text = f"{tmp_path}/model.py:build"
    found = {"as written": digest(text)}
    for file in ("helpers", "more", "layers/__init__", "layers/dense", "layers/base", "unused"):
        with (tmp_path / f"{file}.py").open("a") as opened:
            opened.write("# changed\n")
        found[file] = digest(text)

    unused = found.pop("unused")
    assert len(set(found.values())) == len(found)
    assert unused == found["layers/base"]


def test_a_module_is_the_same_code_as_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nets").mkdir()
    write(tmp_path / "nets", __init__="", small="from nets import parts\n", parts=PARTS)
    monkeypatch.chdir(tmp_path)

    found = find_source("nets.small:build", path="")
    assert (found.file, found.module, found.name) == (tmp_path / "nets" / "small.py", "nets.small", "build")
    before = found.digest()
    (tmp_path / "nets" / "parts.py").write_text("changed = 1\n")
    assert found.digest() != before
    assert "nets" not in sys.modules


def test_an_installed_package_is_known_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_source("click.core:Command", path="")
    digest = found.digest()
    monkeypatch.setattr("depthsearch.user_code.files.version", lambda name: f"another {name}")

    assert found.installed
    assert found.digest() != digest
