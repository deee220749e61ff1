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
from depthsearch.errors import InvalidValue
from depthsearch.interrupts import interrupts_deferred


@click.command()
@click.argument("study_file", required=False, metavar="[STUDY_FILE]")
@add_problem_options(several=True)
@add_search_options
@place_options(study=False)
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print the result as CSV.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the result as Markdown.")
@quiet_option
def compare(
    study_file: str | None, as_json: bool, as_csv: bool, as_markdown: bool, quiet: bool, **options: Any
) -> None:
    """Find the deepest network that still trains for each of several problems, and show them side by side.

    The problems are those of a STUDY_FILE (TOML), with what was reported of them beside what is found; or a grid: every
    option of the problem takes several values with commas between them. Each search is a study in the store: the same
    command goes on where it was stopped.

    \b
    depthsearch compare studies/vanishing-and-resnet.toml
    depthsearch compare --arch ffnet,resnet --act tanh,relu --markdown
    depthsearch compare --act tanh --lr 0.1,0.01
    """
    with interrupts_deferred():
        import depthsearch.workflows  # noqa: PLC0415
        from depthsearch.cli.output import show, write  # noqa: PLC0415
        from depthsearch.cli.progress import Progress  # noqa: PLC0415
        from depthsearch.problem.study_file import StudyFile  # noqa: PLC0415
        from depthsearch.reporting.tables import to_csv  # noqa: PLC0415
        from depthsearch.reporting.terminal.comparison import (  # noqa: PLC0415
            ROW_COLUMNS,
            comparison_markdown,
            comparison_rows,
            comparison_text,
        )
        from depthsearch.store import shown_url  # noqa: PLC0415

    forms = [name for name, given in (("--json", as_json), ("--csv", as_csv), ("--markdown", as_markdown)) if given]
    if len(forms) > 1:
        raise InvalidValue(f"{forms[0]} and {forms[1]} cannot be combined: choose one")
    if study_file is None:
        declared = StudyFile(problems=problems_of(options), settings=settings_of(options))
    else:
        declared = read_declared(study_file, options)
    settings = settings_of(options, declared.settings)
    problems = {entry.name: entry.problem for entry in declared.problems}
    with Progress(problems, settings, quiet=quiet) as progress, with_option_names(problem=study_file is None):
        comparison = depthsearch.compare(
            declared,
            settings,
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
