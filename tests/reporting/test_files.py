"""Files: replaced whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from depthsearch.errors import InvalidValue
from depthsearch.reporting.files import check_writable, write_file


def test_a_page_replaces_the_one_that_is_there_and_keeps_its_mode(tmp_path: Path) -> None:
    place = tmp_path / "page.html"
    place.write_text("old")
    place.chmod(0o600)
    write_file(str(place), "new")
    assert place.read_text() == "new"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [place]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.html").symlink_to("real.html")
    for text in ("first", "second"):
        write_file(str(tmp_path / "link.html"), text)
        assert (tmp_path / "real.html").read_text() == text
    assert (tmp_path / "link.html").is_symlink()


def test_a_device_and_a_pipe_are_written_to_as_they_are(tmp_path: Path) -> None:
    write_file("/dev/null", "gone")
    assert not Path("/dev/null").is_file()
    reader, writer = os.pipe()
    link = tmp_path / "link"
    link.symlink_to(f"/proc/self/fd/{writer}")
    check_writable(str(link))
    write_file(str(link), "through")
    os.close(writer)
    with os.fdopen(reader) as opened:
        assert opened.read() == "through"
    assert link.is_symlink()


def test_the_longest_name_that_a_file_may_have(tmp_path: Path) -> None:
    place = tmp_path / f"{'p' * 250}.html"
    write_file(str(place), "new")
    assert place.read_text() == "new"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("", "--output '' is not a file: give the HTML file to write"),
        (".", "--output '.' is not a file"),
        ("none/page.html", "No such file or directory; give another file, in a folder that exists"),
        ("p" * 300, "File name too long"),
        ("a\0b", "cannot be written"),
    ],
)
def test_what_cannot_be_written_is_refused_beforehand(
    output: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidValue, match=message):
        check_writable(output)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="No space left on device"):
        write_file("/dev/full", "new")
