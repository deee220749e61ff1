"""Reads the fenced blocks of README.md and docs/*.md, and brings their transcripts up to date.

Run it as `make docs`: the commands of `console` blocks run in a temporary directory, and what they print takes the
place of what the page shows: standard output, and with `--quiet` the notes on standard error. A transcript that begins
or ends with "..." keeps its number of lines; one that shows nothing stays empty. tests/test_docs.py describes the kinds
of blocks.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH = "90"
"""Columns of a transcript."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        language: The word after the fence: console, python, toml, sh or text.
        text: All its lines.
    """

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that a listing is, which its first line names; None for other blocks."""
        found = re.match(r"# (\w+\.py)$", self.text, flags=re.MULTILINE)
        return found[1] if found is not None and self.language == "python" else None

    @property
    def commands(self) -> Iterator[tuple[str, str]]:
        """Each command after "$ ", and what the page shows below it."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def pages() -> dict[str, Path]:
    """The README and the manual, by file name."""
    return {path.name: path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)]


def prepare(folder: Path) -> None:
    """Make a directory in which the commands of a page can run."""
    shutil.copytree(ROOT / "studies", folder / "studies")


def refreshed(text: str, folder: Path) -> str:
    """The page with today's output of its commands, which run in the folder."""
    for block in blocks(text):
        if block.language == "toml":
            (folder / "study.toml").write_text(block.text, encoding="utf-8")
        elif block.file is not None:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            parts = [_transcript(command, shown, folder) for command, shown in block.commands]
            text = text.replace(f"```console\n{block.text}```", f"```console\n{''.join(parts)}```")
    return text


def _transcript(command: str, shown: str, folder: Path) -> str:
    words = [sys.executable, "-m", *shlex.split(command, comments=True)]
    environment = os.environ | {"COLUMNS": WIDTH, "PYTHONPATH": str(ROOT)}
    environment.pop("DEPTHSEARCH_STORAGE", None)
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr}")
    notes = done.stderr if "--quiet" in words else ""  # without it, progress may be among them
    printed = (done.stdout + notes).strip("\n").splitlines()
    lines = shown.splitlines()
    if not lines:
        printed = []
    elif lines[0] == "...":
        printed = ["...", *printed[1 - len(lines) :]]
    elif lines[-1] == "...":
        printed = [*printed[: len(lines) - 1], "..."]
    return "\n".join([f"$ {command}", *printed]) + "\n"


def main() -> None:
    """Bring every page up to date."""
    for path in pages().values():
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder))
            text = path.read_text(encoding="utf-8")
            path.write_text(refreshed(text, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
