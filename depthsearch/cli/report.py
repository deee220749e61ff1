"""depthsearch report: studies as one HTML file, and their figures as images."""

import click

from depthsearch.cli.options import storage_option
from depthsearch.errors import InvalidValue
from depthsearch.reporting.files import check_writable, write_file


@click.command()
@click.argument("studies", nargs=-1, metavar="[STUDY]...")
@click.option("--compare", "study_file", metavar="STUDY_FILE", help="The studies that `compare` made of this file.")
@click.option("--output", metavar="FILE", help="The HTML file to write; one that is there is written anew.")
@click.option("--figures", metavar="DIR", help="Write each figure to this folder too, as PNG, SVG and PDF.")
@storage_option
def report(
    studies: tuple[str, ...], study_file: str | None, output: str | None, figures: str | None, storage: str | None
) -> None:
    """Write a page that shows studies: the finding, its curve, the counts, and why deeper networks fail.

    The page is one file that needs nothing else, for any browser, a phone's too. Several studies are compared first.
    A study that is not finished is shown as far as it is known, and the page says so.

    \b
    depthsearch report ffnet-tanh-moons-ec5fa854 --output report.html
    depthsearch report --compare studies/vanishing-and-resnet.toml --output report.html --figures figures
    """
    if bool(studies) == (study_file is not None):
        both = f", but got {studies[0]!r} and --compare {study_file!r}" if studies else ""
        raise InvalidValue(f"give the names of studies, or --compare with a study file{both}")
    if output is None:
        raise InvalidValue("--output is missing: give the HTML file to write, as in --output report.html")
    _write(studies, study_file, output, figures, storage)


def _write(
    studies: tuple[str, ...], study_file: str | None, output: str, figures: str | None, storage: str | None
) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415

    from depthsearch.problem.study_file import StudyFile, read_study_file  # noqa: PLC0415 - none is needed for --help
    from depthsearch.reporting.html.page import figures_of, page  # noqa: PLC0415
    from depthsearch.reporting.images import check_images, write_images  # noqa: PLC0415
    from depthsearch.results.study_report import comparison_of  # noqa: PLC0415
    from depthsearch.store import open_store  # noqa: PLC0415
    from depthsearch.workflows.studies import read_declared_studies, read_studies  # noqa: PLC0415

    if figures is not None:
        check_images(figures)
    check_writable(output)
    declared: StudyFile | None = None if study_file is None else read_study_file(study_file)
    with open_store(storage, create=False) as store, store.translate_database_errors():
        reports = read_studies(store, studies) if declared is None else read_declared_studies(store, declared)
        place = store.url
    title, source = (declared.title, declared.source) if declared is not None else ("", "")
    text = page(reports, place=place, written=datetime.now(UTC), title=title, source=source)
    write_file(output, text)
    if figures is not None:
        drawn = figures_of(reports, comparison_of(reports, title=title, source=source))
        write_images(drawn, figures)
    for shown in reports:
        if shown.damage:
            click.echo(f"note: {shown.name} cannot be read, and the page says so: {shown.damage}", err=True)
