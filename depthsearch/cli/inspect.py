"""depthsearch inspect: one run, with everything that it shows."""

import shlex
from typing import TYPE_CHECKING, Any

import click

from depthsearch.cli.errors import with_option_names
from depthsearch.cli.options import (
    Number,
    add_problem_options,
    engine_options,
    json_option,
    problem_of,
    problem_options_given,
    quiet_option,
    storage_option,
)
from depthsearch.errors import InvalidValue, UnreadableStudyFile
from depthsearch.interrupts import interrupts_deferred
from depthsearch.reporting.files import check_writable, write_file
from depthsearch.schema import DEEPEST, LAST_SEED

if TYPE_CHECKING:
    from rich.console import RenderableType

    from depthsearch.problem.study_file import StudyFile
    from depthsearch.results.comparison import Survey
    from depthsearch.results.inspection import Inspection


@click.command()
@click.argument("study_file", required=False, metavar="[STUDY_FILE]")
@add_problem_options()
@click.option("--depth", type=Number(int, f"a whole number of 1 to {DEEPEST}"), help="Depth of the network.")
@click.option(
    "--seed",
    type=Number(int, f"a whole number of 0 to {LAST_SEED}"),
    help="Seed of the run: of its initial weights and its batches. [default: 0]",
)
@click.option("--study", metavar="NAME", help="Replay a run of this study instead.")
@click.option("--trial", type=Number(int), metavar="N", help="With --study: the trial's number.")
@click.option("--run", type=Number(int), metavar="K", help="With --study: the run's place in the trial, from 0.")
@storage_option
@engine_options
@click.option(
    "--tensorboard", metavar="DIR", help="Write the run to DIR as well, as `tensorboard --logdir DIR` shows it."
)
@click.option("--output", metavar="FILE", help="Write the run to an HTML file as well, with its figures.")
@click.option("--figures", metavar="DIR", help="Write each figure to this folder too, as PNG, SVG and PDF.")
@json_option
@quiet_option
def inspect(study_file: str | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Train one network for its whole budget, and show all that happens in it.

    Loss and accuracy over epochs, the gradients of every layer at the start and at the end, histograms, the weights
    before and after, the regions of the plane. With --study, a run that a search recorded is trained again, and
    compared bit for bit with what was recorded; `studies export` lists the numbers of trials and runs. With a
    STUDY_FILE (TOML) that has a table [inspect], some networks of one depth are trained for each of its problems,
    and shown side by side.

    \b
    depthsearch inspect --arch ffnet --act relu --depth 14 --seed 3
    depthsearch inspect --act tanh --depth 30 --output run.html --tensorboard runs
    depthsearch inspect --study ffnet-tanh-moons-ec5fa854 --trial 4 --run 0
    depthsearch inspect studies/activation-gradients.toml
    """
    _check_form(study_file, options)
    _check_places(options)
    with interrupts_deferred():
        from rich.spinner import Spinner  # noqa: PLC0415

        import depthsearch.workflows  # noqa: PLC0415
        from depthsearch.cli.output import show, write  # noqa: PLC0415
        from depthsearch.cli.progress import live, progress_console  # noqa: PLC0415
        from depthsearch.reporting.terminal.inspection import inspection_text  # noqa: PLC0415
        from depthsearch.reporting.terminal.survey import survey_text  # noqa: PLC0415
        from depthsearch.results.events import Event, Inspected, Preparing  # noqa: PLC0415
        from depthsearch.store import shown_url  # noqa: PLC0415

    console = progress_console(quiet=quiet)
    status = live(Spinner("dots", "training ..."), console)
    place = None if options["study"] is None else shown_url(options["storage"])

    def printed(text: "RenderableType", result: "Survey | Inspection") -> None:
        status.stop()
        if as_json:
            write(result.to_json() + "\n")
        else:
            show(text)

    def on_event(event: Event) -> None:
        if isinstance(event, Preparing):
            console.print(event.reason)
        if isinstance(event, Inspected):
            printed(inspection_text(event.inspection, place=place), event.inspection)

    trains: dict[str, Any] = {
        "engine": options["engine"] or "auto",
        "device": options["device"] or "auto",
        "on_event": on_event,
    }
    with status:
        if study_file is not None:
            survey = depthsearch.survey(_read_declared(study_file), **trains)
            printed(survey_text(survey), survey)
        else:
            _draw(_inspected(options, trains), options["output"], options["figures"])
    if options["tensorboard"] is not None:
        console.print(f"written for `tensorboard --logdir {shlex.quote(options['tensorboard'])}`")


def _inspected(options: dict[str, Any], trains: dict[str, Any]) -> "Inspection":
    """The run that the options name, by depth and seed or by its place in a study."""
    import depthsearch  # noqa: PLC0415

    with with_option_names(depth="--depth", seed="--seed", tensorboard="--tensorboard"):
        if options["study"] is None:
            depth, seed = options["depth"], 0 if options["seed"] is None else options["seed"]
            return depthsearch.inspect(
                problem_of(options), depth=depth, seed=seed, tensorboard=options["tensorboard"], **trains
            )
        return depthsearch.inspect_stored(
            options["study"],
            options["trial"],
            options["run"],
            storage=options["storage"],
            tensorboard=options["tensorboard"],
            **trains,
        )


def _check_places(options: dict[str, Any]) -> None:
    """Refuse before the training what could not be written after it."""
    if options["figures"] is not None:
        from depthsearch.reporting.images import check_images  # noqa: PLC0415

        check_images(options["figures"])
    if options["output"] is not None:
        check_writable(options["output"])


def _draw(found: "Inspection", output: str | None, figures: str | None) -> None:
    """Write the run's page, and its figures as images, where they are wanted."""
    if output is None and figures is None:
        return
    from datetime import UTC, datetime  # noqa: PLC0415

    from depthsearch.reporting.html.run import figures_of_run, run_page  # noqa: PLC0415
    from depthsearch.reporting.images import write_images  # noqa: PLC0415

    if output is not None:
        write_file(output, run_page(found, written=datetime.now(UTC)))
    if figures is not None:
        write_images(figures_of_run(found), figures)


def _read_declared(path: str) -> "StudyFile":
    """The study file, whose table [inspect] suits its problems; errors name the file."""
    from depthsearch.problem.study_file import read_study_file  # noqa: PLC0415
    from depthsearch.workflows import checked_plan  # noqa: PLC0415

    declared = read_study_file(path)
    try:
        checked_plan(declared)
    except InvalidValue as error:
        raise UnreadableStudyFile(path, None, str(error)) from None
    return declared


def _check_form(study_file: str | None, options: dict[str, Any]) -> None:
    """One run by its problem, depth and seed, one by its place in a study, or those of a file: one of the three."""
    stored = [f"--{name}" for name in ("study", "trial", "run", "storage") if options[name] is not None]
    described = [
        *problem_options_given(options),
        *(f"--{name}" for name in ("depth", "seed") if options[name] is not None),
    ]
    if study_file is not None:
        writes = [f"--{name}" for name in ("tensorboard", "output", "figures") if options[name] is not None]
        if given := [*described, *stored, *writes]:
            raise InvalidValue(f"{given[0]} cannot be combined with the study file {study_file!r}")
    elif options["study"] is None:
        if stored:
            raise InvalidValue(f"{stored[0]} needs --study, the study that holds the run, as in --study NAME")
        if options["depth"] is None:
            raise InvalidValue(
                f"--depth is missing: give the network's depth, 1 to {DEEPEST}; or --study, --trial and --run; or a "
                "study file"
            )
    elif described:
        raise InvalidValue(
            f"{described[0]} cannot be combined with --study {options['study']!r}, which says it already"
        )
    else:
        for name in ("trial", "run"):
            if options[name] is None:
                raise InvalidValue(f"--{name} is missing: --study {options['study']!r} needs --trial and --run")
