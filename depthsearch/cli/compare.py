"""depthsearch compare: several problems, one table."""

from typing import Any

import click

from depthsearch.cli.errors import with_option_names
from depthsearch.cli.options import (
    add_problem_options,
    add_search_options,
    json_option,
    place_of,
    place_options,
    problems_of,
    quiet_option,
    read_declared,
    settings_of,
)
from depthsearch.errors import InvalidValue, UnknownName
from depthsearch.interrupts import interrupts_deferred


@click.command()
@click.argument("study_file", required=False, metavar="[STUDY_FILE]")
@add_problem_options(several=True)
@add_search_options
@place_options(study=False)
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print the result as CSV.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the result as Markdown.")
@click.option(
    "--best-of",
    metavar="FIELD",
    help="One row for the problems that differ only in FIELD, such as lr: the row of the value that trains deepest.",
)
@quiet_option
def compare(
    study_file: str | None, as_json: bool, as_csv: bool, as_markdown: bool, quiet: bool, **options: Any
) -> None:
    """Find the deepest network that still trains for each of several problems, and show them side by side.

    The problems are those of a STUDY_FILE (TOML), with what was reported of them; or a grid: every
    option of the problem takes several values with commas between them. Rows are ranked by max depth, and each has its
    difference to the first row. Each search is a study in the store: the same command resumes it.

    \b
    depthsearch compare studies/vanishing-and-resnet.toml
    depthsearch compare --arch ffnet,resnet --act tanh,relu --markdown
    depthsearch compare --act tanh,relu --lr 0.1,0.01 --best-of lr
    """
    with interrupts_deferred():
        import depthsearch.workflows  # noqa: PLC0415
        from depthsearch.cli.gate import NOTHING_CONCLUDED  # noqa: PLC0415
        from depthsearch.cli.output import show, write  # noqa: PLC0415
        from depthsearch.cli.progress import Progress  # noqa: PLC0415
        from depthsearch.problem.study_file import StudyFile  # noqa: PLC0415
        from depthsearch.reporting.sentences import could_not_run_line  # noqa: PLC0415
        from depthsearch.reporting.tables import to_csv  # noqa: PLC0415
        from depthsearch.reporting.terminal.comparison import (  # noqa: PLC0415
            ROW_COLUMNS,
            comparison_markdown,
            comparison_rows,
            comparison_text,
        )
        from depthsearch.results.answer import Outcome  # noqa: PLC0415
        from depthsearch.store import shown_url  # noqa: PLC0415

    _check_forms({"--json": as_json, "--csv": as_csv, "--markdown": as_markdown})
    if study_file is None:
        declared = StudyFile(problems=problems_of(options), settings=settings_of(options))
    else:
        declared = read_declared(study_file, options)
    settings = settings_of(options, declared.settings)
    field = None if options["best_of"] is None else _path_of(options["best_of"])
    problems = {entry.name: entry.problem for entry in declared.problems}
    named = with_option_names(problem=study_file is None, best_of="--best-of")
    with Progress(problems, settings, quiet=quiet) as progress, named:
        comparison = depthsearch.compare(
            declared,
            settings,
            best_of=field,
            **place_of(options),
            on_event=progress.of,
        )
    if as_json:
        write(comparison.to_json() + "\n")
    elif as_csv:
        write(to_csv(comparison_rows(comparison), ROW_COLUMNS))
    elif as_markdown:
        write(comparison_markdown(comparison))
    else:
        show(comparison_text(comparison, place=shown_url(options["storage"])))
    failed = [row for row in comparison.compared if row.answer.outcome is Outcome.COULD_NOT_RUN]
    for row in failed:
        line = could_not_run_line(row.answer.exclusions, row.answer.problem.network)
        click.echo(f"error: {row.name}: {line}", err=True)
    if failed:
        click.get_current_context().exit(NOTHING_CONCLUDED)


def _check_forms(forms: dict[str, bool]) -> None:
    given = [name for name, wanted in forms.items() if wanted]
    if len(given) > 1:
        raise InvalidValue(f"{given[0]} and {given[1]} cannot be combined: choose one")


def _path_of(name: str) -> str:
    """The path of a field of the problem by its name, or by an option's: "recipe.learning_rate" for "lr"."""
    from depthsearch.reporting.command_line import problem_options  # noqa: PLC0415 - only where it is asked for

    options = problem_options()
    typed = name.removeprefix("--")
    for option in options:
        if typed in (option.path, option.field, *(known.removeprefix("--") for known in option.names)):
            return option.path
    raise UnknownName("field", name, [option.shortest.removeprefix("--") for option in options])
