"""Figures as files: the error where they cannot be written, and one of each kind where they can."""

import shutil
from pathlib import Path

import pytest

from depthsearch.errors import InvalidValue
from depthsearch.reporting.figures.curve import curve_figure
from depthsearch.reporting.images import write_images
from tests.reporting.answers import RUNS, answer

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
STARTS = {".png": b"\x89PNG", ".svg": b"<svg", ".pdf": b"%PDF"}


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="neither Chrome nor Chromium is installed")
def test_each_figure_becomes_three_files_under_names_that_files_may_have(tmp_path: Path) -> None:
    figure = curve_figure(answer(), RUNS)
    files = write_images({"curve a/b": figure, "curve a b": figure}, str(tmp_path / "figures"))
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == sorted(path.name for path in files)
    assert {path.stem for path in files} == {"curve-a-b", "curve-a-b~2"}
    for path in files:
        assert path.read_bytes().startswith(STARTS[path.suffix])


def test_a_missing_kaleido_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthsearch.reporting.images.find_spec", lambda name: None)
    with pytest.raises(
        InvalidValue, match=r"needs kaleido, which is not installed: pip install 'depthsearch\[figures\]'"
    ):
        write_images({}, str(tmp_path))


def test_a_missing_browser_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "chromium"))
    with pytest.raises(InvalidValue, match="--figures needs Chrome or Chromium, and none could be started"):
        write_images({"curve": curve_figure(answer(), RUNS)}, str(tmp_path / "figures"))


def test_a_folder_in_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="cannot be written: No such file or directory; give a folder that can be"):
        write_images({}, str(tmp_path / "none" / "figures"))


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="neither Chrome nor Chromium is installed")
def test_all_figures_are_written_or_none(tmp_path: Path) -> None:
    (tmp_path / "curve.png").write_text("old")
    (tmp_path / "curve.pdf").mkdir()
    with pytest.raises(InvalidValue, match=r"curve\.pdf is a folder; give a folder that can be"):
        write_images({"curve": curve_figure(answer(), RUNS)}, str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curve.pdf", "curve.png"]
    assert (tmp_path / "curve.png").read_text() == "old"


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="neither Chrome nor Chromium is installed")
def test_a_long_name_is_cut_to_what_a_file_may_be_called(tmp_path: Path) -> None:
    files = write_images({"深" * 100: curve_figure(answer(), RUNS)}, str(tmp_path))
    assert all(file.stat().st_size > 1000 for file in files)
    assert {len(file.stem) for file in files} == {66}


def test_a_folder_without_a_name_is_refused() -> None:
    with pytest.raises(InvalidValue, match="--figures '' is no folder"):
        write_images({}, "")
