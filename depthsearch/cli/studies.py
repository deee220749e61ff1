"""depthsearch studies: what the store holds."""

import json
import sys

import click

from depthsearch.cli.options import details_option, json_option, storage_option
from depthsearch.errors import InvalidValue

csv_option = click.option("--csv", "as_csv", is_flag=True, help="Print the result as CSV.")


@click.group()
def studies() -> None:
    """What has been searched so far: list, show, export and delete studies."""


@studies.command("list", short_help="Every study, one line each.")
@storage_option
@json_option
@csv_option
def list_studies(storage: str | None, as_json: bool, as_csv: bool) -> None:
    """Every study in the store, oldest first."""
    from depthsearch.cli.output import show as show_table  # noqa: PLC0415
    from depthsearch.cli.output import write  # noqa: PLC0415
    from depthsearch.reporting.tables import to_csv  # noqa: PLC0415
    from depthsearch.results.study_report import StudyRow  # noqa: PLC0415
    from depthsearch.store import open_store  # noqa: PLC0415
    from depthsearch.workflows.studies import study_rows  # noqa: PLC0415

    _one_of(as_json, as_csv)
    with open_store(storage, create=False) as store, store.translate_database_errors():
        (rows, damaged), place = study_rows(store), store.url
    for error in damaged:
        click.echo(f"note: {error}", err=True)
    if as_json:
        write(json.dumps([row.model_dump() for row in rows], indent=2) + "\n")
    elif as_csv:
        write(to_csv([row.model_dump() for row in rows], list(StudyRow.model_fields)))
    elif rows:
        from depthsearch.reporting.terminal.answer import StudiesTable  # noqa: PLC0415

        show_table(StudiesTable(rows))
    else:
        click.echo(f"no studies yet in {place}")


@studies.command(short_help="The answer of one study.")
@click.argument("study")
@storage_option
@json_option
@details_option
def show(study: str, storage: str | None, as_json: bool, everything: bool) -> None:
    """The answer of STUDY as `find` gave it, or what is known so far."""
    from depthsearch.cli.output import show as show_answer  # noqa: PLC0415
    from depthsearch.cli.output import write  # noqa: PLC0415
    from depthsearch.store import open_store  # noqa: PLC0415
    from depthsearch.workflows import answer_of  # noqa: PLC0415

    with open_store(storage, create=False) as store, store.translate_database_errors():
        answer, place = answer_of(store.read_study(study)), store.url
    if as_json:
        write(answer.to_json() + "\n")
        return
    from depthsearch.reporting.terminal.answer import answer_text  # noqa: PLC0415

    show_answer(answer_text(answer, place=place, everything=everything))


@studies.command(short_help="Every run of one study.")
@click.argument("study")
@storage_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON; the default for a FILE that ends in .json.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV, whatever the ending of FILE; the default otherwise.")
@click.option("--output", metavar="FILE", help="Write to FILE instead of standard output.")
def export(study: str, storage: str | None, as_json: bool, as_csv: bool, output: str | None) -> None:
    """Every run of STUDY with its depth, seed, verdict and evidence, as CSV or as JSON."""
    from depthsearch.cli.output import write  # noqa: PLC0415
    from depthsearch.reporting.files import write_file  # noqa: PLC0415
    from depthsearch.reporting.tables import RUN_COLUMNS, to_csv  # noqa: PLC0415
    from depthsearch.store import open_store  # noqa: PLC0415
    from depthsearch.workflows.studies import run_rows  # noqa: PLC0415

    _one_of(as_json, as_csv)
    with open_store(storage, create=False) as store, store.translate_database_errors():
        rows = run_rows(store.read_study(study))
    as_json = as_json or (not as_csv and output is not None and output.lower().endswith(".json"))
    text = json.dumps(rows, indent=2) + "\n" if as_json else to_csv(rows, RUN_COLUMNS)
    if output is None:
        write(text)
    else:
        write_file(output, text)


@studies.command(short_help="Delete one study.")
@click.argument("study")
@storage_option
@click.option("--yes", is_flag=True, help="Do not ask first.")
def delete(study: str, storage: str | None, yes: bool) -> None:
    """Delete STUDY and all that was recorded of it."""
    from depthsearch.store import open_store  # noqa: PLC0415

    with open_store(storage, create=False) as store:
        store.study_id(study)
        wanted = yes or _asked(f"delete {study} from {store.url}, with every run in it?", study)
        if wanted:
            store.delete_study(study)
    click.echo(f"deleted {study}" if wanted else f"kept {study}")


def _asked(question: str, study: str) -> bool:
    if not sys.stdin.isatty():
        raise InvalidValue(f"study {study!r} is kept, since there is no terminal to ask on: give --yes to delete it")
    return click.confirm(question)


def _one_of(as_json: bool, as_csv: bool) -> None:
    if as_json and as_csv:
        raise InvalidValue("--json and --csv were both given: choose one")
