"""depthsearch families: what can be searched."""

import json

import click

from depthsearch.cli.options import json_option
from depthsearch.cli.output import show, write


@click.command()
@json_option
def families(as_json: bool) -> None:
    """List the families of networks and the data sets with their options and defaults, and the activations.

    \b
    depthsearch families
    depthsearch families --json
    """
    from depthsearch.reporting.terminal.families import families_facts, families_text  # noqa: PLC0415

    if as_json:
        write(json.dumps(families_facts(), indent=2) + "\n")
    else:
        show(families_text())
