"""inspect(problem, depth=, seed=) -> Inspection: one run, for its whole budget, with everything that it shows."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from depthsearch.detection import bar_of, verdict_of
from depthsearch.errors import InvalidValue, StudyConflict
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import count_of, difference_words, verdict_sentence
from depthsearch.reporting.tensorboard import check_events_folder, write_events
from depthsearch.results.events import Inspected
from depthsearch.results.inspection import Inspection, Replay
from depthsearch.schema import DEEPEST, LAST_SEED
from depthsearch.search.trial import State, Trial
from depthsearch.store import StoredRun, StoredStudy, open_store
from depthsearch.training.engine import Engine, Job, train_all
from depthsearch.training.select import choose_engine
from depthsearch.workflows.answer import versions
from depthsearch.workflows.asked import asked
from depthsearch.workflows.prepare import (
    OnEvent,
    announce,
    check_criterion,
    check_inspectable,
    check_judged_by_itself,
    ignore,
    prepared,
)
from depthsearch.workflows.replay import cut, differences
from depthsearch.workflows.stored import judging_criterion, read_checked


def inspect(
    problem: Problem | Callable[..., Any],
    *,
    depth: int,
    seed: int = 0,
    data: object = None,
    engine: str = "auto",
    device: str = "auto",
    tensorboard: str | None = None,
    on_event: OnEvent | None = None,
    **fields: Any,
) -> Inspection:
    """Train one network for its whole budget and show all that happens in it. Nothing is stored.

    Args:
        problem: What is trained; or a function that builds a torch module, with `data` and other fields of a problem
            (see `find`).
        depth: In the family's units.
        seed: Of the run itself: its initial weights and the order of its batches.
        engine: "dense", "torch", or "auto" for the faster one.
        data: For a function: the data that it learns.
        device: "cpu", "cuda", or "auto": for torch, the GPU where it sees one.
        tensorboard: Folder to write the run's curves and histograms to as well, for TensorBoard.
        on_event: Called where the engine needs a moment before it can train, and with what is shown, before it is
            written for TensorBoard.
        fields: For a function: other fields of the problem, and `loss`, `step` or `optimizer`.

    Raises:
        InvalidValue: A value cannot be used, the folder for TensorBoard among them.
        TrainingFailed: The network could not be trained.
    """
    problem = asked(problem, data, fields)
    check_inspectable(problem)
    check_judged_by_itself(problem)
    _check_whole("depth", depth, least=problem.network.shallowest, most=DEEPEST)
    _check_whole("seed", seed, least=0, most=LAST_SEED)
    check_criterion(problem)
    if tensorboard is not None:
        check_events_folder(tensorboard)
    trainer = choose_engine(problem, engine=engine, device=device).load()
    found = _trained(trainer, problem, Job(depth, seed), problem.criterion, on_event or ignore)
    return _sent(found, tensorboard, on_event or ignore)


def inspect_stored(
    study: str,
    trial: int,
    run: int,
    *,
    storage: str | None = None,
    engine: str = "auto",
    device: str = "auto",
    tensorboard: str | None = None,
    on_event: OnEvent | None = None,
) -> Inspection:
    """Train a run again that a study recorded, show all of it, and compare it with its record, bit for bit.

    A search ends a run once its verdict can no longer change, so the replay, of the whole budget, is compared over the
    entries that were recorded.

    Args:
        study: Name of the study.
        trial: Number of a finished trial in it.
        run: Place of the run in the trial, from 0.
        storage: URL of the store; by default DEPTHSEARCH_STORAGE, or depthsearch.db in the working folder.
        engine: "dense", "torch", or "auto" for that which trained the run: only that can repeat its bits.
        device: "cpu", "cuda", or "auto": for torch, the GPU where it sees one.
        tensorboard: Folder to write the run's curves and histograms to as well, for TensorBoard.
        on_event: Called where the engine needs a moment before it can train, and with what is shown, before it is
            written for TensorBoard.

    Raises:
        InvalidValue: The study has no such finished trial, the trial no such run, or a value cannot be used.
        StoreError: The store cannot be used, or holds no such study; or files of its data have changed since.
        TrainingFailed: The network could not be trained.
    """
    with open_store(storage, create=False) as store, store.translate_database_errors():
        opened = store.read_study(study)
        trials, stored = _stored_run(opened, trial, run)
        recorded = opened.trace(trial, run)
    problem = opened.problem
    check_inspectable(problem)
    if problem.question() != opened.question:
        where = problem.data.model_dump().get("path", problem.data.name)
        raise StudyConflict(f"study {study!r} cannot be replayed: the content of its data, {where}, has changed since")
    if problem.code() != opened.code:
        raise StudyConflict(f"study {study!r} cannot be replayed: its code, {problem.label}, has changed since")
    engine = stored.engine or engine if engine == "auto" else engine
    chosen = choose_engine(problem, engine=engine, device=device)
    if tensorboard is not None:
        check_events_folder(tensorboard)
    trainer = chosen.load()
    criterion = judging_criterion(problem, trials, trials[trial])
    found = _trained(trainer, problem, Job(stored.depth, stored.seed), criterion, on_event or ignore)
    ends = problem.recipe.entry_ends(found.trace.points)
    differs = difference_words(differences(recorded, cut(found.trace, recorded.epochs, ends)), found.entry)
    replay = Replay(
        study=opened.name,
        trial=trial,
        run=run,
        epochs=recorded.epochs,
        recorded=stored.verdict.kind,
        whole_budget=found.verdict,
        same=differs is None,
        differs=differs,
    )
    return _sent(dataclasses.replace(found, replay=replay), tensorboard, on_event or ignore)


def _trained(engine: Engine, problem: Problem, job: Job, criterion: Criterion, on_event: OnEvent) -> Inspection:
    """Train the run for its whole budget, record all of it, and judge it by the criterion."""
    announce(problem, on_event)
    prepared(engine, on_event)
    start = time.perf_counter()
    (trace,) = train_all(engine, problem, [job], record="full")
    seconds = time.perf_counter() - start
    verdict = verdict_of(trace, criterion)
    return Inspection(
        problem=problem,
        trace=trace,
        judged=verdict,
        sentence=verdict_sentence(verdict.kind, verdict.evidence),
        bar=bar_of(trace, criterion),
        layers=problem.network.layer_counts(problem.data.spec, trace.depth),
        engine=engine.name,
        replay=None,
        seconds=round(seconds, 3),
        versions=versions(),
    )


def _sent(found: Inspection, tensorboard: str | None, on_event: OnEvent) -> Inspection:
    """Send the event before the run is written for TensorBoard, which may fail."""
    on_event(Inspected(found))
    if tensorboard is not None:
        write_events(found, tensorboard)
    return found


def _check_whole(name: str, value: object, *, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise InvalidValue(path=name, value=value, expected=f"a whole number of {least} to {most}")


def _stored_run(opened: StoredStudy, trial: int, run: int) -> tuple[list[Trial], StoredRun]:
    """All trials of the study, and the run of a finished one."""
    checked, all_runs = read_checked(opened)
    trials = {found.number: found for found in checked}
    if trial not in trials:
        held = f"trials 0 to {max(trials)}" if trials else "none yet"
        raise InvalidValue(f"study {opened.name!r} has no trial {trial!r}: it holds {held}")
    if trials[trial].state is not State.COMPLETE:
        state = trials[trial].state.value
        finished = sum(found.state is State.COMPLETE for found in trials.values())
        raise InvalidValue(
            f"trial {trial} of study {opened.name!r} is {state} and its runs are not kept: give one of its "
            f"{count_of(finished, 'finished trial')}, as `depthsearch studies export {opened.name}` lists them"
        )
    runs = {found.run: found for found in all_runs if found.trial_number == trial}
    if run not in runs:
        raise InvalidValue(f"trial {trial} of study {opened.name!r} has no run {run!r}: it holds {_held(list(runs))}")
    return checked, runs[run]


def _held(runs: list[int]) -> str:
    """ "runs 0 to 3", or one by one where some between them are missing."""
    if not runs:
        return "none"
    if len(runs) > 1 and runs == list(range(runs[0], runs[-1] + 1)):
        return f"runs {runs[0]} to {runs[-1]}"
    return f"run{'s' if len(runs) > 1 else ''} {', '.join(map(str, runs))}"
