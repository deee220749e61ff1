"""find(problem, settings) -> Answer: opens the study, searches it, and gives the answer."""

from collections.abc import Callable
from typing import Any

from depthsearch.errors import InvalidValue
from depthsearch.problem.problem import Problem
from depthsearch.results.answer import Answer
from depthsearch.search.ladder import BAR_RUNS, RUNG_RUNS
from depthsearch.search.settings import ResolvedSettings, SearchSettings
from depthsearch.store import check_name, checkpoint_folder, open_store
from depthsearch.training.select import choose_engine
from depthsearch.workflows.answer import answer_of
from depthsearch.workflows.asked import asked
from depthsearch.workflows.loop import Search
from depthsearch.workflows.note import Notes
from depthsearch.workflows.prepare import OnEvent, check_criterion, ignore
from depthsearch.workflows.stored import read_checked


def find(
    problem: Problem | Callable[..., Any],
    settings: SearchSettings | None = None,
    *,
    data: object = None,
    storage: str | None = None,
    study: str | None = None,
    fresh: bool = False,
    engine: str = "auto",
    device: str = "auto",
    on_event: OnEvent | None = None,
    **fields: Any,
) -> Answer:
    """Find how deep this kind of network can be before it stops training, and why it stops.

    The search is kept in the store as it goes: the same call resumes it, or answers at once where it is done.

    Args:
        problem: What is asked; or a function that builds a torch module, `build(depth)` or `build(depth, spec)`.
        settings: How it is searched.
        data: For a function, the data that it learns: (train, test), a function that loads them, or a data set by name
            or with its options.
        storage: URL of the store; by default DEPTHSEARCH_STORAGE, or depthsearch.db in the working folder.
        study: Name of the study; by default one made from the problem.
        fresh: Start a new study although there is one already.
        engine: "dense", "torch", or "auto" for the faster one.
        device: "cpu", "cuda", or "auto": for torch, the GPU where it sees one.
        on_event: Called with each event as it happens.
        fields: For a function, other fields of the problem, such as `recipe`; and `loss`, `step` or `optimizer`, which
            a file would hold besides the function.

    Raises:
        InvalidValue: A value cannot be used.
        StoreError: The store cannot be used as asked.
        TrainingFailed: A network could not be trained; what was finished before is kept.
    """
    problem = asked(problem, data, fields)
    if study is not None:
        check_name(study)
    chosen = choose_engine(problem, engine=engine, device=device, checkpoints=checkpoint_folder(storage))
    given = SearchSettings() if settings is None else settings
    resolved = resolve_settings(problem, given, lanes=chosen.lanes)
    check_criterion(problem)
    with (
        open_store(storage) as store,
        store.translate_database_errors(),
        store.open_study(problem, resolved, name=study, fresh=fresh) as opened,
    ):
        read_checked(opened)  # now, not after hours of training
        notes = Notes(opened, given, store.url)
        Search(opened, store.check_kept, chosen.load, on_event or ignore, notes).run()
        answer = answer_of(opened)
        notes.write(answer)
        return answer


def resolve_settings(problem: Problem, settings: SearchSettings, *, lanes: int) -> ResolvedSettings:
    """The settings, completed by what the family and the engine choose.

    Raises:
        InvalidValue: The budget or the depths do not suit the problem.
    """
    if not isinstance(settings, SearchSettings):
        raise InvalidValue(f"settings must be depthsearch.SearchSettings, but got {settings!r}")
    family = problem.network
    resolved = settings.resolved(reliability=problem.reliability, lanes=lanes)
    least = RUNG_RUNS + BAR_RUNS + resolved.runs_per_trial
    if problem.criterion.is_relative and resolved.max_runs is not None and resolved.max_runs < least:
        expected = (
            f"at least {least} for the criterion {problem.criterion.kind!r}: {RUNG_RUNS} at the shallowest depth, "
            f"{BAR_RUNS} that set the bar, and {resolved.runs_per_trial} of the search"
        )
        raise InvalidValue(path="settings.max_runs", value=resolved.max_runs, expected=expected)
    for depth in resolved.depths or ():
        if depth < family.shallowest:
            expected = f"at least {family.shallowest}"
            raise InvalidValue(path="settings.depths.0", value=depth, expected=expected)
    return resolved
