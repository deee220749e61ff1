"""The entry point: the commands, and every error in one line with its exit code.

At import, nothing heavier than click: `depthsearch --help` answers at once.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from depthsearch import __version__
from depthsearch.cli.compare import compare
from depthsearch.cli.dashboard import dashboard
from depthsearch.cli.find import find
from depthsearch.cli.inspect import inspect
from depthsearch.cli.report import report
from depthsearch.cli.studies import studies
from depthsearch.errors import DepthsearchError
from depthsearch.interrupts import INTERRUPTED, interrupt_on_sigterm

MISUSE = 2

SEARCH_KEPT = "every finished run is kept, and the same command goes on from there"
AFTER_INTERRUPT = {
    "find": SEARCH_KEPT,
    "compare": SEARCH_KEPT,
    "inspect": "nothing is kept of what was trained, and the same command begins anew",
}
"""What Ctrl-C or SIGTERM leaves behind, by command; nothing worth saying where it is missing."""


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named; click would forget which one Ctrl-C has ended, and print an empty line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            return _say_interrupted(ctx.invoked_subcommand or "")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="depthsearch", message="%(prog)s %(version)s")
def cli() -> None:
    """Find how deep a kind of network can be before it stops training, and why it stops.

    \b
    depthsearch find --arch ffnet --act tanh     search, or go on with a search
    depthsearch compare --act tanh,relu          several kinds of network in one table
    depthsearch inspect --act tanh --depth 30    one run, with everything shown
    depthsearch report STUDY --output page.html  a search as a page, with its figures
    depthsearch studies list                     what has been searched so far
    depthsearch dashboard                        the same in a browser
    """


cli.add_command(find)
cli.add_command(compare)
cli.add_command(inspect)
cli.add_command(report)
cli.add_command(studies)
cli.add_command(dashboard)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit: 0 concluded, 1 internal error, 2 misuse, 3 below --at-least, 4 open, 130 interrupted."""
    interrupt_on_sigterm()
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; errors are said in one line on standard error."""
    exited: int | None = None
    output = sys.stdout
    try:
        exited = cli.main(arguments, prog_name="depthsearch", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return MISUSE
    except click.ClickException as error:
        return _say(error.format_message(), MISUSE)
    except DepthsearchError as error:
        return _say(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
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
    click.echo(f"{prefix}{' '.join(message.split())}", err=True)
    return code
