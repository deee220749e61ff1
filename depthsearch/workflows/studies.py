"""Stored studies as rows and reports."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from depthsearch.errors import InvalidValue, StoreUnavailable, StudyDamaged, StudyNotFound
from depthsearch.problem.study_file import Reported, StudyFile
from depthsearch.reporting.labels import labels
from depthsearch.reporting.sentences import run_sentence
from depthsearch.results.answer import Answer
from depthsearch.results.study_report import StudyReport, StudyRow
from depthsearch.search.trial import State
from depthsearch.store import Store, StoredStudy
from depthsearch.workflows import answer_of, read_checked
from depthsearch.workflows.answer import probabilities_at
from depthsearch.workflows.stored import searched_runs


def study_rows(store: Store) -> tuple[list[StudyRow], list[StudyDamaged]]:
    """Every study in the store that can be read, oldest first, and what is wrong with each of the others."""
    found, damaged = [], list(store.damaged().values())
    for summary in store.studies():
        try:
            answer = answer_of(store.read_study(summary.name), with_layers=False)
        except StudyDamaged as error:
            damaged.append(error)
        else:
            found.append((answer, summary.created.isoformat(timespec="seconds")))
    named = labels([(answer.problem, answer.settings) for answer, _ in found])
    return [_row(answer, label, created) for label, (answer, created) in zip(named, found, strict=True)], damaged


def run_rows(stored: StoredStudy) -> list[dict[str, Any]]:
    """Every run of a study's finished trials, with its verdict and evidence.

    Raises:
        StudyDamaged: They cannot be read.
    """
    trials, runs = read_checked(stored)
    purposes = {trial.number: trial.purpose.value for trial in trials}
    return [
        {
            "study": stored.name,
            "trial": run.trial_number,
            "purpose": purposes[run.trial_number],
            "depth": run.depth,
            "run": run.run,
            "seed": run.seed,
            "verdict": run.verdict.kind.value,
            "settled_at_epoch": run.verdict.epoch,
            "epochs": run.epochs,
            "engine": run.engine,
            "final_score": None if run.final_score is None else round(run.final_score, 6),
            "train_accuracy": None if run.train_accuracy is None else round(run.train_accuracy, 6),
            "test_accuracy": round(run.test_accuracy, 6),
            "sentence": run_sentence(run.verdict),
            "evidence": run.verdict.evidence.model_dump(mode="json"),
        }
        for run in runs
    ]


def _row(answer: Answer, label: str, created: str) -> StudyRow:
    low, high = answer.interval or (None, None)
    return StudyRow(
        study=answer.study,
        problem=label,
        outcome=answer.outcome.value,
        max_depth=answer.max_depth,
        unit=answer.problem.network.units,
        interval_low=low,
        interval_high=high,
        reliability=answer.reliability,
        trials=answer.cost.trials,
        runs=answer.cost.runs,
        seconds=answer.cost.seconds,
        seed=answer.seed,
        created=created,
        question=answer.question,
        code=answer.code,
    )


def read_studies(store: Store, names: Sequence[str]) -> list[StudyReport]:
    """The studies of these names, each once.

    Raises:
        StudyNotFound: The store holds none of a name.
    """
    return _labelled([_read(store, name, called=name) for name in dict.fromkeys(names)])


def read_declared_studies(store: Store, declared: StudyFile) -> list[StudyReport]:
    """The studies that `compare` made of a study file, under its names and with what it says was reported.

    Raises:
        StudyNotFound: A problem has not been searched.
    """
    summaries = store.studies()
    reports = []
    for entry in declared.problems:
        question = entry.problem.question()
        identity = declared.settings.resolved(reliability=entry.problem.reliability).identity(
            question, entry.problem.code()
        )
        made = [summary.name for summary in summaries if summary.identity == identity]
        # Searched with other settings than the file's, as with another --seed: the newest such search.
        made = made or [summary.name for summary in summaries if summary.problem.question() == question]
        if not made:
            raise StudyNotFound(
                f"problem {entry.name!r} has no study in {store.url}: search it first, with `depthsearch compare`"
            )
        reports.append(_read(store, made[-1], called=entry.name, reported=entry.reported))
    return _labelled(reports)


def _labelled(reports: Sequence[StudyReport]) -> list[StudyReport]:
    """The reports, each labelled by the fields in which they differ."""
    named = iter(labels([(report.answer.problem, report.answer.settings) for report in reports if report.answer]))
    return [replace(report, label=next(named)) if report.answer else report for report in reports]


def _read(store: Store, study: str, *, called: str, reported: Reported | None = None) -> StudyReport:
    try:
        with store.translate_database_errors():
            stored = store.read_study(study)
            trials, runs = read_checked(stored)
            states = [trial.state for trial in trials]
            return StudyReport(
                name=called,
                answer=answer_of(stored),
                runs=tuple(searched_runs(trials, runs)),
                under_way=sum(state in (State.WAITING, State.RUNNING) for state in states),
                failed=sum(trial.state is State.FAILED and trial.excluded is None for trial in trials),
                reported=reported,
                measured=probabilities_at(stored, [row.depth for row in reported.rows]) if reported else (),
                older=_older(stored),
            )
    except StudyNotFound:
        raise
    except StoreUnavailable as error:
        return StudyReport(name=called, answer=None, damage=str(error))
    except (ValueError, LookupError, InvalidValue) as error:
        # Whatever other hands changed in the store comes out as one of these.
        reason = " ".join(str(error).split())
        return StudyReport(name=called, answer=None, damage=f"what is stored of it is damaged ({reason})")


def _older(stored: StoredStudy) -> str:
    """Verdicts are stored, and a later version's rules may say otherwise."""
    ours = version("depthsearch")
    if stored.version == ours:
        return ""
    began = (
        "a depthsearch that did not record its version" if stored.version is None else f"depthsearch {stored.version}"
    )
    return f"Begun with {began}, and written here by {ours}: its runs keep the verdicts that were given then."
