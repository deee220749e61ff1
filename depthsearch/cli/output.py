"""Results on standard output, whatever it is: a terminal, a pipe, a file, of any encoding."""

import io
import shutil
import sys

import click
from rich.console import Console, RenderableType

# What replaces characters where the output cannot show the bars, rules, curves and shades.
PLAIN = str.maketrans("█░─━│└┄●○…▁▂▃▄▅▆▇▒▓", "#.-=|+-@o~_.:-=+*+%")


class PatientConsole(Console):
    """A console that falls silent when its reader has gone, instead of ending the process."""

    def on_broken_pipe(self) -> None:
        """Print no more."""
        self.quiet = True


def show(renderable: RenderableType) -> None:
    """Print a renderable, without markup in names, nor spaces at the ends of lines where no terminal reads them.

    What is wider than the terminal goes on in its next line, and is never cut off.
    """
    _check_open()
    terminal = sys.stdout is not None and sys.stdout.isatty()
    console = Console(
        file=io.StringIO(),
        force_terminal=terminal,
        width=shutil.get_terminal_size().columns,
        markup=False,
        emoji=False,
        highlight=False,
    )
    console.print(renderable, crop=False)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    lines = text.splitlines() if terminal else [line.rstrip() for line in text.splitlines()]
    write("\n".join(lines).rstrip("\n") + "\n")


def write(text: str) -> None:
    """Write text to standard output, in plain characters where its encoding has no others."""
    _check_open()
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(PLAIN).encode(encoding, errors="replace").decode(encoding)
    click.echo(text, nl=False)


def _check_open() -> None:
    """Raise OSError if a user's code has closed standard output."""
    if sys.stdout is not None and sys.stdout.closed:
        raise OSError("the code that was run has closed standard output")
