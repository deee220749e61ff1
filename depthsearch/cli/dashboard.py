"""depthsearch dashboard: the store in a browser."""

import click

from depthsearch.cli.errors import with_option_names
from depthsearch.cli.options import Number, storage_option
from depthsearch.interrupts import INTERRUPTED, interrupts_deferred


@click.command()
@storage_option
@click.option("--host", default="127.0.0.1", help="Address to listen on. [default: 127.0.0.1, for this machine only]")
@click.option(
    "--port", type=Number(int), default=8080, help="Port to listen on; 0 for any that is free. [default: 8080]"
)
@click.pass_context
def dashboard(context: click.Context, storage: str | None, host: str, port: int) -> None:
    """Show every study of the store in optuna-dashboard, until Ctrl-C.

    The best trial of a study is one at its max depth, and deeper trials are marked as infeasible; a note says what was
    found, with the command that resumes the search. Nothing can be changed from the browser. There is no password:
    everybody who can reach the address can read the store, by default only this machine.
    """
    with interrupts_deferred():
        from depthsearch.service.dashboard import serve_dashboard  # noqa: PLC0415

    def ready(address: str) -> None:
        click.echo(f"the dashboard is at {address} (read-only); Ctrl-C ends it", err=True)

    try:
        with with_option_names(host="--host", port="--port"):
            serve_dashboard(storage, host=host, port=port, on_ready=ready)
    except KeyboardInterrupt:
        click.echo("the dashboard has ended", err=True)
        context.exit(INTERRUPTED)
