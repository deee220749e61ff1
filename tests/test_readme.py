"""The README begins with the two commands, and its search without networks finds the truth in its listing."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_the_search_without_networks_finds_what_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    """The truth in the listing is 74. Last digits may differ from machine to machine, so the truth is looked for."""
    (block,) = [block for block in BLOCKS if "ThresholdSampler" in block]
    exec(compile(block, "README.md", "exec"), {})
    shown = re.search(r"# (\d+ \(\d+, \d+\)), after \d+ trials", block)
    assert shown is not None
    for text in (capsys.readouterr().out, shown[1]):
        depth, low, high = map(int, re.findall(r"\d+", text))
        assert low <= 74 <= high
        assert low <= depth <= high


def test_the_public_names_of_the_readme_exist() -> None:
    (block,) = [block for block in BLOCKS if "import Problem" in block]
    first = block.strip().splitlines()[0]
    names: dict[str, object] = {}
    exec(compile(first, "README.md", "exec"), names)
    assert {"Problem", "SearchSettings", "find"} <= set(names)


def test_the_commands_of_the_makefile_come_first() -> None:
    commands = re.findall(r"^\$ (\S+ \S+)", README, flags=re.MULTILINE)
    assert commands[:2] == ["make find", "make test"]
