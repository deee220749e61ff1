"""depthsearch find: search for the deepest trainable network, or resume such a search."""

from typing import Any

import click

import depthsearch
from depthsearch.cli.errors import with_option_names
from depthsearch.cli.options import (
    Number,
    add_problem_options,
    add_search_options,
    details_option,
    json_option,
    place_of,
    place_options,
    problem_of,
    quiet_option,
    read_declared,
    settings_of,
)
from depthsearch.errors import InvalidValue
from depthsearch.interrupts import interrupts_deferred
from depthsearch.problem.problem import Problem
from depthsearch.search.settings import SearchSettings


@click.command()
@click.argument("study_file", required=False, metavar="[STUDY_FILE]")
@click.option(
    "--problem", "problem_name", metavar="NAME", help="Which problem of STUDY_FILE, where it declares several."
)
@add_problem_options()
@add_search_options
@place_options()
@json_option
@details_option
@click.option(
    "--at-least",
    type=Number(int),
    metavar="N",
    help="Exit with 0 if the interval's lower end is at least N, with 3 if its upper end is below N, else with 4.",
)
@click.option(
    "--dry-run",
    "dry",
    is_flag=True,
    help="Time two depths, print the runs, the time and the memory that the search would take, and store nothing.",
)
@quiet_option
def find(
    study_file: str | None, problem_name: str | None, as_json: bool, quiet: bool, dry: bool, **options: Any
) -> None:
    """Find the deepest network of a kind that still trains, and what happens just past it.

    Trains networks of many depths from fresh seeds, at each step where the interval of the answer narrows most for its
    cost, until the depth to which they train reliably is known well enough; then confirms that depth with fresh seeds.
    Every run is stored: the same command resumes a search that was stopped, and shows the answer of one that is
    finished. A STUDY_FILE (TOML) declares the problem instead of the options.

    \b
    depthsearch find --arch ffnet --act tanh
    depthsearch find --arch resnet --act relu --reliability 0.5 --json
    depthsearch find --act relu --sampler grid --depths 3,7,10,14 --seeds 100
    depthsearch find --act tanh --data digits --width 64 --criterion target --target 0.95
    depthsearch find --act tanh --at-least 18
    depthsearch find --arch vgg --data digits --steps 300 --dry-run
    depthsearch find studies/vanishing-and-resnet.toml --problem ffnet-relu
    """
    # Imported here, so that help and misuse answer without waiting for them.
    with interrupts_deferred():
        import depthsearch.workflows  # noqa: PLC0415
        from depthsearch.cli.gate import GATE_EXITS, NOTHING_CONCLUDED, check_at_least, gate_line  # noqa: PLC0415
        from depthsearch.cli.output import show, write  # noqa: PLC0415
        from depthsearch.cli.progress import Progress  # noqa: PLC0415
        from depthsearch.reporting.sentences import could_not_run_line  # noqa: PLC0415
        from depthsearch.reporting.terminal.answer import answer_text  # noqa: PLC0415
        from depthsearch.results.answer import Outcome  # noqa: PLC0415
        from depthsearch.store import shown_url  # noqa: PLC0415

    reported = None
    if study_file is None:
        if problem_name is not None:
            raise InvalidValue(f"--problem {problem_name!r} needs a STUDY_FILE that declares it")
        problem, settings = problem_of(options), settings_of(options)
    else:
        declared = read_declared(study_file, options)
        entry = declared.entry(problem_name)
        problem, reported = entry.problem, entry.reported
        settings = settings_of(options, declared.settings)
    at_least = options["at_least"]
    if dry:
        if at_least is not None:
            raise InvalidValue(f"--at-least {at_least} needs an answer, and --dry-run gives none: leave one out")
        _dry_run(problem, settings, options, as_json=as_json, quiet=quiet, declared=study_file is not None)
        return
    check_at_least(at_least, problem, settings)
    named = with_option_names(problem=study_file is None)
    with Progress({"": problem}, settings, quiet=quiet) as progress, named:
        answer = depthsearch.find(
            problem,
            settings,
            study=options["study"],
            **place_of(options),
            on_event=progress,
        )
    if as_json:
        write(answer.to_json() + "\n")
    else:
        place = shown_url(options["storage"])
        show(answer_text(answer, place=place, reported=reported, everything=options["everything"]))
    code = 0
    if at_least is not None:
        found = depthsearch.gate(answer, at_least)
        click.echo(gate_line(found, answer), err=True)
        code = GATE_EXITS[found.result]
    if answer.outcome is Outcome.COULD_NOT_RUN:
        click.echo(f"error: {could_not_run_line(answer.exclusions, problem.network)}", err=True)
        code = NOTHING_CONCLUDED
    click.get_current_context().exit(code)


def _dry_run(
    problem: Problem, settings: SearchSettings, options: dict[str, Any], *, as_json: bool, quiet: bool, declared: bool
) -> None:
    """Print what the search would take."""
    with interrupts_deferred():
        from rich.status import Status  # noqa: PLC0415

        from depthsearch.cli.output import show, write  # noqa: PLC0415
        from depthsearch.cli.progress import progress_console  # noqa: PLC0415
        from depthsearch.reporting.terminal.dry_run import dry_run_text  # noqa: PLC0415
        from depthsearch.results.events import Preparing  # noqa: PLC0415

    console, place = progress_console(quiet=quiet), place_of(options)

    def tell(event: object) -> None:
        if isinstance(event, Preparing):
            console.print(event.reason)

    with Status("timing two depths", console=console), with_option_names(problem=not declared):
        found = depthsearch.dry_run(problem, settings, engine=place["engine"], device=place["device"], on_event=tell)
    if as_json:
        write(found.to_json() + "\n")
    else:
        show(dry_run_text(found))
