"""depthsearch compare: several problems, one table."""

from typing import Any

import click

from depthsearch.cli.options import (
    json_option,
    named_as_typed,
    place_of,
    place_options,
    problem_options,
    problems_of,
    quiet_option,
    read_declared,
    search_options,
    settings_of,
)
from depthsearch.core.errors import InvalidValue
from depthsearch.core.interrupts import interrupts_deferred


@click.command(short_help="Compare several kinds of network in one table.")
@click.argument("study_file", required=False, metavar="[STUDY_FILE]")
@problem_options
@search_options
@place_options(study=False)
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print the result as CSV.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the result as Markdown.")
@quiet_option
def compare(
    study_file: str | None, as_json: bool, as_csv: bool, as_markdown: bool, quiet: bool, **options: Any
) -> None:
    """Find the deepest network that still trains for each of several problems, and show them side by side.

    The problems are those of a STUDY_FILE (TOML), with what was reported of them beside what is found; or a grid:
    --arch, --act, --init, --norm, --data and --optimizer take several names with commas between them. Each search is
    a study of its own in the store: the same command goes on where it was stopped.

    \b
    depthsearch compare studies/vanishing-and-resnet.toml
    depthsearch compare --arch ffnet,resnet --act tanh,relu --markdown
    """
    with interrupts_deferred():
        import depthsearch.finder  # noqa: PLC0415
        from depthsearch.cli.output import show, write  # noqa: PLC0415
        from depthsearch.cli.progress import Progress  # noqa: PLC0415
        from depthsearch.core.study_file import StudyFile  # noqa: PLC0415
        from depthsearch.reporting.comparing import (  # noqa: PLC0415
            ROW_COLUMNS,
            comparison_markdown,
            comparison_rows,
            comparison_text,
        )
        from depthsearch.reporting.listing import to_csv  # noqa: PLC0415
        from depthsearch.store import shown_url  # noqa: PLC0415

    forms = [name for name, given in (("--json", as_json), ("--csv", as_csv), ("--markdown", as_markdown)) if given]
    if len(forms) > 1:
        raise InvalidValue(f"{forms[0]} and {forms[1]} cannot be combined: choose one")
    if study_file is None:
        declared = StudyFile(problems=problems_of(options), settings=settings_of(options))
    else:
        declared = read_declared(study_file, options)
    settings = settings_of(options, declared.settings)
    typed = {"steps": "steps", "points": "points", "target": "target"} if study_file is None else {}
    problems = {entry.name: entry.problem for entry in declared.problems}
    with Progress(problems, settings, quiet=quiet) as progress, named_as_typed(typed):
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
