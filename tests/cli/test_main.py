"""The command line as a whole: instant help, one-line errors, exit codes, documentation."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import depthsearch
from depthsearch.cli.main import cli, run
from depthsearch.data.base import DataSource
from depthsearch.networks.activations import activation_names
from depthsearch.networks.base import Network
from depthsearch.networks.initialization import INITIALIZATIONS
from depthsearch.schema import Registered

HEAVY = ("torch", "optuna", "numba", "sklearn", "pandas", "plotly", "scipy", "sqlalchemy")
"""What no help loads."""

LIGHT = ("numpy", "pydantic", "rich")
"""What the help of a command loads to derive its options, and the list of commands does not."""

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MANUAL = "".join(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md")))


def commands(group: click.Group = cli, path: str = "depthsearch") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], HEAVY + LIGHT),
        (["--version"], HEAVY + LIGHT),
        *(([*name, "--help"], HEAVY) for name in (["find"], ["inspect"], ["report"], ["studies", "list"])),
        (["dashboard", "--help"], HEAVY),
        (["families", "--help"], HEAVY),
    ],
)
def test_help_imports_nothing_heavy(arguments: list[str], absent: tuple[str, ...]) -> None:
    script = (
        "import sys; from depthsearch.cli.main import run; code = run(sys.argv[1:]); "
        f"print('LOADED', code, [name for name in {absent} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED 0 []"


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"depthsearch {depthsearch.__version__}\n"


def test_the_installed_command_answers() -> None:
    command = Path(sys.executable).parent / "depthsearch"
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=True)
    assert "find" in done.stdout
    module = subprocess.run([sys.executable, "-m", "depthsearch", "--help"], capture_output=True, text=True, check=True)
    assert module.stdout == done.stdout


def test_a_reader_that_has_gone_ends_the_command_quietly() -> None:
    command = [sys.executable, "-m", "depthsearch", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("find", "interrupted: every finished run is kept, and the same command resumes the search"),
        ("compare", "interrupted: every finished run is kept, and the same command resumes the search"),
        ("inspect", "interrupted: nothing is kept of what was trained, and the same command begins anew"),
        ("report", "interrupted"),
    ],
)
def test_ctrl_c_is_one_line_that_is_true_of_the_command(
    command: str, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dict(commands())[f"depthsearch {command}"], "callback", interrupted)
    assert run([command]) == 130
    assert capsys.readouterr().err == f"{line}\n"


def test_ctrl_c_while_the_command_is_imported_is_one_line() -> None:
    script = (
        "import sys; from unittest.mock import Mock; "
        "from depthsearch.__main__ import main; "
        "sys.meta_path.insert(0, Mock(find_spec=Mock(side_effect=KeyboardInterrupt))); main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_sigterm_ends_a_command_as_ctrl_c_does() -> None:
    script = (
        "import signal; from depthsearch.__main__ import main; from depthsearch.cli.inspect import inspect\n"
        "inspect.callback = lambda **_: signal.raise_signal(signal.SIGTERM)\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", script, "inspect"], capture_output=True, text=True, check=False)
    line = "interrupted: nothing is kept of what was trained, and the same command begins anew\n"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", line)


def test_no_command_at_all_shows_the_help_and_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fnd"], "No such command 'fnd'"),
        (["find", "--arhc", "ffnet"], "No such option '--arhc'"),
        (["find", "--width", "wide"], "--width must be a whole number, but got 'wide'"),
        (["find", "--width"], "'--width' requires an argument"),
        (["studies", "show"], "Missing argument 'STUDY'"),
    ],
)
def test_misuse_of_the_command_line_is_one_line_and_exit_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("error: ")
    assert message in line


@pytest.mark.parametrize(
    ("path", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_and_option_has_help_and_is_in_the_manual(path: str, command: click.Command) -> None:
    assert command.help
    assert path in MANUAL
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            assert parameter.help, f"{path} {parameter.opts[0]} has no help"
            for name in (*parameter.opts, *parameter.secondary_opts):
                assert f"`{name}" in MANUAL, f"{path} {name} is not in the manual"


def test_readme_and_manual_name_no_option_that_does_not_exist() -> None:
    options = {opt for _, command in commands() for parameter in command.params for opt in parameter.opts}
    named = set(re.findall(r"`(--[a-z0-9-]+)", README + MANUAL))
    assert named <= options | {"--help", "--version"}


def _named(registry: type[Registered]) -> list[str]:
    """The entries of a registry that are given by their names: a user's code is given by its file."""
    return [name for name in registry.names() if not registry.entry(name).runs_user_code]


def test_the_manual_names_every_name_that_may_be_given() -> None:
    for values in (
        _named(Network),
        activation_names(),
        INITIALIZATIONS,
        _named(DataSource),
        ("none", "batch", "layer"),
    ):
        for value in values:
            assert re.search(rf"\b{value}\b", MANUAL), value


@pytest.mark.parametrize("stderr", ["/dev/full", None], ids=["full", "closed"])
def test_misuse_exits_with_2_whether_or_not_its_line_can_be_written(stderr: str | None) -> None:
    redirection = "2>&-" if stderr is None else f"2>{stderr}"
    command = f"{sys.executable} -m depthsearch find --act foo {redirection}"

    assert subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False).returncode == 2
