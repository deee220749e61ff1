"""compare(study_file) -> Comparison: one search after another, each a study in the store."""

from collections.abc import Callable, Sequence
from pathlib import Path

from depthsearch.errors import InvalidValue
from depthsearch.problem.study_file import NamedProblem, StudyFile, read_study_file
from depthsearch.reporting.labels import field_name, labels
from depthsearch.results.comparison import Compared, Comparison
from depthsearch.results.events import Event
from depthsearch.results.ranking import groups_without
from depthsearch.search.curve import CurvePoint
from depthsearch.search.settings import SearchSettings
from depthsearch.store import open_store
from depthsearch.workflows.answer import probabilities_at
from depthsearch.workflows.find import find


def compare(
    study_file: StudyFile | str | Path | Sequence[NamedProblem],
    settings: SearchSettings | None = None,
    *,
    best_of: str | None = None,
    storage: str | None = None,
    fresh: bool = False,
    engine: str = "auto",
    device: str = "auto",
    on_event: Callable[[str, Event], None] | None = None,
) -> Comparison:
    """Find the deepest trainable network for each of several problems, and rank them.

    Each search is kept in the store as `find` keeps it: the same call resumes what was stopped.

    Args:
        study_file: What is compared: a study file, or its path, or problems under their names.
        settings: How each is searched; by default as the study file says.
        best_of: Path of a field, such as "recipe.learning_rate": problems that differ only in it make one row, that of
            the value that trains deepest. By default each problem is a row.
        storage: URL of the store; by default DEPTHSEARCH_STORAGE, or depthsearch.db in the working folder.
        fresh: Start new studies although there are some already.
        engine: "dense", "torch", or "auto" for the faster one.
        device: "cpu", "cuda", or "auto": for torch, the GPU where it sees one.
        on_event: Called with a problem's name and each event of its search.

    Raises:
        InvalidValue: A value cannot be used.
        StoreError: The store cannot be used as asked.
        TrainingFailed: A network could not be trained; what was finished before is kept.
    """
    if isinstance(study_file, str | Path):
        study_file = read_study_file(study_file)
    if not isinstance(study_file, StudyFile):
        study_file = StudyFile(problems=tuple(study_file))
    settings = settings or study_file.settings
    groups = _groups(study_file.problems, settings, best_of) if best_of is not None else []
    rows = []
    for entry in study_file.problems:

        def forward(event: Event, name: str = entry.name) -> None:
            if on_event is not None:
                on_event(name, event)

        answer = find(
            entry.problem, settings, storage=storage, fresh=fresh, engine=engine, device=device, on_event=forward
        )
        measured: tuple[CurvePoint, ...] = ()
        if entry.reported is not None and entry.reported.rows:
            with open_store(storage) as store, store.translate_database_errors():
                measured = probabilities_at(store.read_study(answer.study), [row.depth for row in entry.reported.rows])
        rows.append(Compared(name=entry.name, answer=answer, reported=entry.reported, measured=measured))
    if best_of is None:
        return Comparison.ranked(rows, title=study_file.title, source=study_file.source)
    grouped = [[rows[place] for place in group] for group in groups]
    first = [(group[0].answer.problem, group[0].answer.settings) for group in grouped]
    names = labels(first, leave_out=(best_of,))
    return Comparison.best_of(grouped, names, best_of, title=study_file.title, source=study_file.source)


def _groups(entries: Sequence[NamedProblem], settings: SearchSettings, field: str) -> list[list[int]]:
    """The places of the problems, grouped by all fields but this one.

    Raises:
        InvalidValue: There are none, or their depths cannot be compared.
    """
    groups = groups_without([entry.problem for entry in entries], field)
    if len(groups) == len(entries):
        raise InvalidValue(path="best_of", value=field_name(field), expected="a field that takes several values here")
    for group in groups:
        problems = [entries[place].problem for place in group]
        networks = [problem.network for problem in problems]
        if len({network.units for network in networks}) > 1:
            units = " and ".join(dict.fromkeys(network.units for network in networks))
            raise InvalidValue(
                path="best_of",
                value=field_name(field),
                expected=f"a field whose values share a unit of depth, not {units}",
            )
        if settings.reliability is None and len({problem.reliability for problem in problems}) > 1:
            expected = "a field whose values share a reliability; give one for all"
            raise InvalidValue(path="best_of", value=field_name(field), expected=expected)
    return groups
