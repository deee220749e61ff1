"""compare(study_file) -> Comparison: one search after another, each a study of its own in the store."""

from collections.abc import Callable, Sequence
from pathlib import Path

from depthsearch.problem.study_file import NamedProblem, StudyFile, read_study_file
from depthsearch.results.comparison import Compared, Comparison
from depthsearch.results.events import Event
from depthsearch.search.curve import CurvePoint
from depthsearch.search.settings import SearchSettings
from depthsearch.store import open_store
from depthsearch.workflows.answer import probabilities_at
from depthsearch.workflows.find import find


def compare(
    study_file: StudyFile | str | Path | Sequence[NamedProblem],
    settings: SearchSettings | None = None,
    *,
    storage: str | None = None,
    fresh: bool = False,
    engine: str = "auto",
    device: str = "auto",
    on_event: Callable[[str, Event], None] | None = None,
) -> Comparison:
    """Find the deepest trainable network for each of several problems.

    Each search is kept in the store as `find` keeps it: the same call resumes what was stopped.

    Args:
        study_file: What is compared: a study file, or its path, or problems under their names.
        settings: How each is searched; by default as the study file says.
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
    compared = []
    for entry in study_file.problems:

        def told(event: Event, name: str = entry.name) -> None:
            if on_event is not None:
                on_event(name, event)

        answer = find(
            entry.problem, settings, storage=storage, fresh=fresh, engine=engine, device=device, on_event=told
        )
        measured: tuple[CurvePoint, ...] = ()
        if entry.reported is not None and entry.reported.rows:
            with open_store(storage) as store, store.translate_database_errors():
                measured = probabilities_at(store.read_study(answer.study), [row.depth for row in entry.reported.rows])
        compared.append(Compared(name=entry.name, answer=answer, reported=entry.reported, measured=measured))
    return Comparison(title=study_file.title, source=study_file.source, compared=tuple(compared))
