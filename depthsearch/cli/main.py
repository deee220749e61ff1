"""The entry point: the commands, and every error in one line with its exit code.

At import, nothing heavier than click: `depthsearch --help` answers at once.
"""

import os
import sys
import threading
from atexit import _run_exitfuncs as run_exit_functions
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

import click

from depthsearch import __version__
from depthsearch.errors import DepthsearchError
from depthsearch.interrupts import INTERRUPTED, forget_interrupt, install_handlers, interrupts_deferred

MISUSE = 2

SEARCH_KEPT = "every finished run is kept, and the same command resumes the search"
AFTER_INTERRUPT = {
    "find": SEARCH_KEPT,
    "compare": SEARCH_KEPT,
    "inspect": "nothing is kept of what was trained, and the same command begins anew",
}
"""What Ctrl-C or SIGTERM leaves behind, by command; nothing worth saying where it is missing."""


COMMANDS = {
    "find": "Find the deepest network that trains.",
    "compare": "Compare several kinds of network in one table.",
    "inspect": "Look at one run.",
    "report": "Write studies as an HTML page.",
    "studies": "List, show, export and delete studies.",
    "families": "List families, data sets and activations.",
    "dashboard": "Show the store in a browser.",
}
"""Each command, and what the list of commands says of it. A command is the object of its name in the module of its name
in this package, which is imported when the command is used.
"""


class Commands(click.Group):
    """The commands, imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None where there is none."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            with interrupts_deferred():
                self.add_command(getattr(import_module(f"depthsearch.cli.{cmd_name}"), cmd_name))
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named; click would forget which one Ctrl-C has ended, and print an empty line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            forget_interrupt()
            return _say_interrupted(ctx.invoked_subcommand or "")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="depthsearch", message="%(prog)s %(version)s")
def cli() -> None:
    """Find how deep a kind of network can be before it stops training, and why it stops.

    \b
    depthsearch find --arch ffnet --act tanh     search, or resume a search
    depthsearch compare --act tanh,relu          several kinds of network in one table
    depthsearch inspect --act tanh --depth 30    one run, with everything shown
    depthsearch report STUDY --output page.html  a search as a page, with its figures
    depthsearch studies list                     what has been searched so far
    depthsearch families                         what can be searched
    depthsearch dashboard                        the same in a browser
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 concluded, 1 internal error, 2 misuse, 3 below --at-least, 4 open, 130 interrupted."""
    install_handlers()
    code = run(arguments)
    # Where Ctrl-C arrived inside an `exec`, as in the making of a dataclass, Python would end itself with SIGINT under
    # `python -m`, whatever code it is given: it remembers how the last `exec` ended.
    exec("")
    _exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; an error is one line on standard error."""
    exited: int | None = None
    output = sys.stdout
    try:
        exited = cli.main(arguments, prog_name="depthsearch", standalone_mode=False)
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return MISUSE
    except click.ClickException as error:
        return _say(error.format_message(), MISUSE)
    except DepthsearchError as error:
        return _say(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        forget_interrupt()
        return _say("interrupted", INTERRUPTED)
    except SystemExit:
        if sys.stdout is output:
            raise
        _fall_silent()  # click has put something in the place of a closed pipe, and exits with 1
    except BrokenPipeError:
        _fall_silent()
    except OSError as error:
        # What was finished is in the store; only saying so has failed.
        return _say(f"the output cannot be written: {error.strerror or error}", 1)
    return exited or 0


def _exit(code: int) -> NoReturn:
    """End the process, without waiting for threads that a user's code has left running."""
    here = threading.current_thread()
    if all(thread is here or thread.daemon for thread in threading.enumerate()):
        sys.exit(code)
    run_exit_functions()  # as the interpreter does once all threads have ended
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.flush()
    os._exit(code)


def _say_interrupted(command: str) -> int:
    if sys.stderr is not None and sys.stderr.isatty():
        click.echo(err=True)  # ends the line on which the terminal shows ^C
    left = AFTER_INTERRUPT.get(command)
    return _say(f"interrupted: {left}" if left else "interrupted", INTERRUPTED)


def _fall_silent() -> None:
    """Whoever read our output has gone (as in `... | head`): nothing is left to say, nor to flush at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(message: str, code: int) -> int:
    prefix = "" if code == INTERRUPTED else "error: "
    with suppress(OSError, ValueError):  # nobody may read the line, and the code stays
        click.echo(f"{prefix}{' '.join(message.split())}", err=True)
    return code
