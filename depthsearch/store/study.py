"""One study in the store: Optuna's trials, and our telemetry of their runs."""

import json
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from optuna import Study
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import ColumnElement, Engine, Row, and_, delete, insert, or_, select

from depthsearch.detection.verdict import Evidence, Verdict, VerdictKind
from depthsearch.problem.problem import Problem
from depthsearch.schema import LAST_SEED
from depthsearch.search.optuna_internals import study_key, write_user_attributes
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.trial import SEEDS
from depthsearch.store.database import reading
from depthsearch.store.errors import raise_study_damaged, translate_database_errors
from depthsearch.store.page import write_page
from depthsearch.store.tables import RUNS, decode_trace, encode_trace
from depthsearch.training.trace import Trace


@dataclass(frozen=True)
class StoredRun:
    """One finished run, without its trace.

    Attributes:
        trial_number: Of the trial that it belongs to.
        run: Its place in the trial, from 0.
        depth: In the family's units.
        seed: Seed of the run.
        epochs: Entries of its trace: epochs trained, or parts of a budget in steps.
        train_accuracy: Of the last entry; None if none was trained.
        test_accuracy: At the end.
        verdict: What its trace showed.
        engine: What trained it, dense or torch; None if that was not recorded.
        final_score: What the criterion holds against its bar; None if an earlier version judged it.
        seconds: Of searching, since the run that finished before it; None if that was not recorded.
    """

    trial_number: int
    run: int
    depth: int
    seed: int
    epochs: int
    train_accuracy: float | None
    test_accuracy: float
    verdict: Verdict
    engine: str | None = None
    final_score: float | None = None
    seconds: float | None = None


_WITHOUT_TRACE = [column for column in RUNS.columns if column.name != "trace"]


@dataclass(frozen=True)
class StoredStudy:
    """A study that is open: the process that has claimed it may write to it.

    Attributes:
        optuna_study: Optuna's handle.
        problem: What is asked.
        settings: How it is searched.
        storage: Optuna's, over the database.
        version: Of the depthsearch that began it; None if that was not recorded.
        question: Of the problem when the study began (see `Problem.question`).
        code: Of the problem when the study began (see `Problem.code`).
    """

    optuna_study: Study
    problem: Problem
    settings: ResolvedSettings
    storage: RDBStorage
    version: str | None = None
    question: str = ""
    code: str = ""

    @property
    def engine(self) -> Engine:
        """Of the database."""
        return self.storage.engine

    @property
    def name(self) -> str:
        """The study's name."""
        return self.optuna_study.study_name

    @property
    def study_id(self) -> int:
        """The study's number in the database."""
        return study_key(self.optuna_study)

    def translate_database_errors(self) -> AbstractContextManager[None]:
        """A block in which errors of the database become StoreUnavailable, in one line."""
        return translate_database_errors(self.engine.url.render_as_string(hide_password=True))

    def fail_unseeded(self) -> int:
        """Fail every running trial whose depth or seeds were not stored, and say how many there were.

        A dead process left them behind before it trained anything. Only the process that has claimed the study may do
        this.
        """
        orphans = [trial for trial in self._running() if not _is_seeded(trial)]
        for trial in orphans:
            self.optuna_study.tell(trial.number, state=TrialState.FAIL)
        return len(orphans)

    def interrupted_trials(self) -> list[FrozenTrial]:
        """The running trials, by number, whose depth and seeds are stored: their missing runs can be trained."""
        return sorted((trial for trial in self._running() if _is_seeded(trial)), key=lambda trial: trial.number)

    def _running(self) -> list[FrozenTrial]:
        return self.optuna_study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))

    def write_run(
        self, trial: int, run: int, trace: Trace, verdict: Verdict, *, engine: str, score: float, seconds: float
    ) -> StoredRun:
        """Write one finished run; it takes the place of another one with its place or its depth and seed.

        A trial is finished after all of its runs were written, so that a finished trial has them.

        Args:
            trial: Number of the trial.
            run: The run's place in it, from 0.
            trace: What it recorded.
            verdict: What that shows.
            engine: What trained it.
            score: Its final score.
            seconds: Of searching, since the run that finished before it.
        """
        row = {
            "study_id": self.study_id,
            "trial_number": trial,
            "run": run,
            "depth": trace.depth,
            "seed": trace.seed,
            "verdict": verdict.kind.value,
            "settled": verdict.epoch,
            "epochs": trace.epochs,
            "train_accuracy": float(trace.score[-1]) if trace.epochs else None,
            "test_accuracy": trace.final_test_accuracy,
            "sentence": verdict.sentence,
            "evidence": verdict.evidence.model_dump_json(),
            "trace": encode_trace(trace),
            "engine": engine,
            "final_score": score,
            "seconds": seconds,
        }
        # A trial that failed leaves its runs behind, and a later one at its depth draws the same seeds.
        same_place = and_(RUNS.c.trial_number == trial, RUNS.c.run == run)
        same_seed = and_(RUNS.c.depth == trace.depth, RUNS.c.seed == trace.seed)
        with self.engine.begin() as connection:
            connection.execute(delete(RUNS).where(RUNS.c.study_id == self.study_id, or_(same_place, same_seed)))
            connection.execute(insert(RUNS), [row])
        return StoredRun(
            trial_number=trial,
            run=run,
            depth=trace.depth,
            seed=trace.seed,
            epochs=trace.epochs,
            train_accuracy=float(trace.score[-1]) if trace.epochs else None,
            test_accuracy=trace.final_test_accuracy,
            verdict=verdict,
            engine=engine,
            final_score=score,
            seconds=seconds,
        )

    def write_attributes(self, trial_id: int, attributes: Mapping[str, object]) -> None:
        """Set attributes of a running trial, all in one transaction."""
        write_user_attributes(self.storage, trial_id, attributes)

    def write_page(self, note: str, plot: str) -> None:
        """Put a note, in Markdown, and a plotly figure, as JSON, on the study's page in the dashboard.

        A note that somebody else wrote stays.
        """
        write_page(self.storage, self.study_id, note=note, plot=plot)

    def runs(self) -> list[StoredRun]:
        """The runs of all finished trials, by trial and place; those of failed and running trials are left out.

        Raises:
            StudyDamaged: They cannot be read.
        """
        with raise_study_damaged(self.name):
            finished = {
                trial.number for trial in self.optuna_study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
            }
        return [run for run in self._runs() if run.trial_number in finished]

    def runs_of(self, trial: int) -> list[StoredRun]:
        """The runs of one trial that are stored, by place, whether or not the trial is finished.

        Raises:
            StudyDamaged: They cannot be read.
        """
        return self._runs(RUNS.c.trial_number == trial)

    def _runs(self, *where: ColumnElement[bool]) -> list[StoredRun]:
        query = select(*_WITHOUT_TRACE).where(RUNS.c.study_id == self.study_id, *where)
        with reading(), self.engine.connect() as connection:
            rows = connection.execute(query.order_by(RUNS.c.trial_number, RUNS.c.run)).all()
        return [self._run(row) for row in rows]

    def _run(self, row: Row) -> StoredRun:  # type: ignore[type-arg]
        with raise_study_damaged(self.name, f"run {row.run} of trial {row.trial_number}"):
            return _stored_run(row)

    def trace(self, trial_number: int, run: int) -> Trace:
        """What one run recorded.

        Raises:
            LookupError: The study has no such run.
            StudyDamaged: It cannot be read.
        """
        query = select(RUNS.c.trace).where(
            RUNS.c.study_id == self.study_id, RUNS.c.trial_number == trial_number, RUNS.c.run == run
        )
        with reading(), self.engine.connect() as connection:
            data = connection.execute(query).scalar_one_or_none()
        if data is None:
            raise LookupError(f"study {self.name!r} has no run {run} in trial {trial_number}")
        with raise_study_damaged(self.name, f"trace of run {run} of trial {trial_number}"):
            return decode_trace(data, self.problem)


def _is_seeded(trial: FrozenTrial) -> bool:
    seeds = trial.user_attrs.get(SEEDS)
    if not trial.params or not isinstance(seeds, list) or not seeds:
        return False
    return all(type(seed) is int and 0 <= seed <= LAST_SEED for seed in seeds)


def _stored_run(row: Row) -> StoredRun:  # type: ignore[type-arg]
    return StoredRun(
        trial_number=row.trial_number,
        run=row.run,
        depth=int(row.depth),
        seed=int(row.seed),
        epochs=int(row.epochs),
        train_accuracy=None if row.train_accuracy is None else float(row.train_accuracy),
        test_accuracy=float(row.test_accuracy),
        verdict=Verdict(
            kind=VerdictKind(row.verdict),
            epoch=row.settled,
            sentence=row.sentence,
            evidence=Evidence.model_validate(json.loads(row.evidence)),
        ),
        engine=row.engine,
        final_score=_finite(row.final_score),
        seconds=_finite(row.seconds),
    )


def _finite(value: float | None) -> float | None:
    """The value, if it is None or a finite number.

    Raises:
        ValueError: It is something else.
    """
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    return None if value is None else float(value)
