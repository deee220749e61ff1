"""find(problem, settings) -> Answer.

The driver knows no algorithm: a sampler names the next depth, an engine trains it, detection judges it, the
store remembers it, the estimate says when it is enough. A stopped search goes on from the store alone.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from optuna import Trial
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from depthsearch.core.answer import Answer
from depthsearch.core.curve import Curve
from depthsearch.core.errors import InvalidValue
from depthsearch.core.events import Purpose, StudyOpened, TrialFinished, TrialStarted
from depthsearch.core.problem import Problem
from depthsearch.core.settings import SearchSettings
from depthsearch.core.trace import Trace
from depthsearch.core.verdict import Verdict, count_verdicts
from depthsearch.detection import settled_epoch, verdict_of
from depthsearch.families import family_of
from depthsearch.finder.answering import answer_of
from depthsearch.finder.budget import budget_left, runs_left
from depthsearch.finder.checking import read_checked
from depthsearch.finder.confirming import still_to_confirm
from depthsearch.finder.depths import depths_of
from depthsearch.finder.noting import Notes
from depthsearch.finder.preparing import OnEvent, check_criterion, check_problem, ignore, prepared
from depthsearch.finder.samplers import OPTUNAS, make_sampler, runs_and_purpose, suggest, with_budget
from depthsearch.search import draw_seeds, estimate
from depthsearch.search import trials as trial_fields
from depthsearch.store import StoredStudy, check_name, open_store
from depthsearch.training.engine import Engine, Job, check_engine, choose_engine, lanes_of

RUNS_PER_TRIAL, MOST_RUNS_PER_TRIAL = 8, 32
"""Fresh seeds for each trial by default: as many as train side by side, within these limits."""


def find(
    problem: Problem,
    settings: SearchSettings | None = None,
    *,
    storage: str | None = None,
    study: str | None = None,
    fresh: bool = False,
    engine: str = "auto",
    device: str = "auto",
    on_event: OnEvent | None = None,
) -> Answer:
    """Find how deep this kind of network can be before it stops training, and why it stops.

    The search is kept in the store as it goes: the same call resumes it, or answers at once where it is done.

    Args:
        problem: What is asked.
        settings: How it is searched.
        storage: URL of the store; by default DEPTHSEARCH_STORAGE, or depthsearch.db in the working folder.
        study: Name of the study; by default one made from the problem.
        fresh: Start a new study although there is one already.
        engine: "dense", "torch", or "auto" for the faster one.
        device: "cpu", "cuda", or "auto": for torch, the GPU where it sees one.
        on_event: Called with each event as it happens.

    Raises:
        InvalidValue: A value cannot be used.
        StoreError: The store cannot be used as asked.
        TrainingFailed: A network could not be trained; what was finished before is kept.
    """
    check_problem(problem)
    if settings is not None and not isinstance(settings, SearchSettings):
        raise InvalidValue(f"settings must be depthsearch.SearchSettings, but got {settings!r}")
    if study is not None:
        check_name(study)
    check_engine(problem, engine=engine, device=device)
    given = settings or SearchSettings()
    settings = _filled(problem, given, engine=engine, device=device)
    check_criterion(problem)
    # An engine takes seconds to import: it is needed this early only to know whether there is a GPU to insist on.
    insisted = choose_engine(problem, engine=engine, device=device) if device == "cuda" else None
    with (
        open_store(storage) as store,
        store.errors_said(),
        store.open_study(problem, settings, name=study, fresh=fresh) as opened,
    ):

        def make_engine() -> Engine:
            return insisted or choose_engine(problem, engine=engine, device=device)

        read_checked(opened)  # now, not after hours of training
        notes = Notes(opened, given, store.url)
        _Search(opened, store.check_kept, make_engine, on_event or ignore, notes).run()
        answer = answer_of(opened)
        notes.write(answer)
        return answer


@dataclass(frozen=True)
class _Asked:
    """A trial that was asked for: its runs are about to be trained."""

    trial: Trial
    depth: int
    purpose: Purpose
    seeds: list[int]


class _Search:
    """One sitting of a search over an open study."""

    def __init__(
        self,
        opened: StoredStudy,
        check_kept: Callable[[], None],
        make_engine: Callable[[], Engine],
        on_event: OnEvent,
        notes: Notes,
    ) -> None:
        self._stored, self._make_engine, self._on_event = opened, make_engine, on_event
        self._check_kept, self._notes = check_kept, notes
        self._problem, self._settings = opened.problem, opened.settings
        self._study = opened.optuna_study
        self._depths = depths_of(self._problem, self._settings, trial_fields.all_trials(self._study))
        self._engine: Engine | None = None
        self._open: list[Trial] = []  # asked for and not told yet
        self._latest: Curve | None = None  # after the trials told so far; None where it is to be worked out

    def run(self) -> None:
        """Try depths until the search is concluded and confirmed, or the budget ends."""
        finished = len(self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
        self._study.sampler = make_sampler(self._settings, finished)
        self._on_event(StudyOpened(self._stored.name, finished, bool(finished) and self._is_done()))
        try:
            while asked := self._next_round():
                self._carry_out(asked)
                self._check_kept()
                self._notes.keep()
        except BaseException:
            # If even this cannot be written, the next sitting fails the trials that it finds running.
            with suppress(SQLAlchemyError, StorageInternalError):
                for trial in self._open:
                    self._study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
                self._notes.write(answer_of(self._stored))
            raise

    def _is_done(self) -> bool:
        curve = self._curve()
        return curve.concluded is not None and self._to_confirm(curve) is None

    def _curve(self) -> Curve:
        """What is known now. This sitting alone tells trials of the study, so it changes with a round told."""
        if self._latest is None:
            self._latest = estimate(self._study, self._settings, depths=self._depths, band=False)
        return self._latest

    def _to_confirm(self, curve: Curve) -> int | None:
        trials = trial_fields.all_trials(self._study)
        return still_to_confirm(trials, curve, self._settings, self._depths)

    def _next_round(self) -> list[_Asked]:
        """The sampler's next trials while the search goes on; then one that confirms; then none."""
        trials = trial_fields.all_trials(self._study)
        if not budget_left(trials, self._settings):
            return []
        curve = self._curve()
        if curve.concluded is not None:
            depth = self._to_confirm(curve)
            if depth is None:
                return []
            self._enqueue(depth)
            return [self._ask()]
        asked: list[_Asked] = []
        most = self._trials_of_round(curve)
        left = runs_left(trials, self._settings)
        while len(asked) < most and left >= self._settings.runs_each:
            asked.append(self._ask())
            left -= len(asked[-1].seeds)
        return asked

    def _trials_of_round(self, curve: Curve) -> int:
        match self._settings.sampler:
            case "bisect":
                return 1  # each answer decides the next question
            case "grid":
                return len(set(self._settings.depths or ()) - {point.depth for point in curve.points})
            case _:
                return self._settings.trials_at_once

    def _enqueue(self, depth: int) -> None:
        # A sitting that ended between the queue and the training has left its trial waiting: that one will do.
        if not self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            attributes = {trial_fields.PURPOSE: Purpose.CONFIRM.value}
            self._study.enqueue_trial({trial_fields.DEPTH: depth}, user_attrs=attributes)

    def _ask(self) -> _Asked:
        """A trial with its depth and its seeds, which are written down before anything is trained."""
        trial = self._study.ask()
        self._open.append(trial)
        depth = suggest(trial, self._settings, self._depths)
        trials = trial_fields.all_trials(self._study)
        runs, purpose = runs_and_purpose(trials, trial.number, self._settings)
        runs = int(min(runs, max(runs_left(trials, self._settings), 1)))
        # Fresh seeds: those after the ones that earlier trials at this depth, failed ones left out, have claimed.
        claimed = sum(
            len(other.user_attrs.get(trial_fields.SEEDS, ()))
            for other in trials[: trial.number]
            if other.state is not TrialState.FAIL and other.params.get(trial_fields.DEPTH) == depth
        )
        seeds = draw_seeds(self._settings.seed, depth=depth, first=claimed, count=runs)
        looks_out = purpose in (Purpose.SENTINEL, Purpose.TAIL)
        self._stored.write_attributes(
            trial._trial_id,  # noqa: SLF001 - the key of the store's tables
            {trial_fields.SEEDS: seeds} | ({trial_fields.PURPOSE: purpose.value} if looks_out else {}),
        )
        return _Asked(trial, depth, purpose, seeds)

    def _carry_out(self, asked: Sequence[_Asked]) -> None:
        """Train the runs of a round in one call, judge them, and tell."""
        for own in asked:
            self._on_event(TrialStarted(own.depth, len(own.seeds), own.purpose))
        engine = self._engine = self._engine or prepared(self._make_engine(), self._on_event)
        start = time.perf_counter()
        jobs = [Job(own.depth, seed) for own in asked for seed in own.seeds]
        traces = self._train(engine, jobs, confirm=any(own.purpose is Purpose.CONFIRM for own in asked))
        verdicts = [verdict_of(trace, self._problem.criterion) for trace in traces]
        seconds = time.perf_counter() - start
        # A trial's seconds are its part of the call's, by the layers that its runs went through.
        work = sum((trace.epochs + 1) * trace.depth for trace in traces)
        told: list[tuple[_Asked, list[Verdict], float]] = []
        for own in asked:
            runs, own_verdicts = traces[: len(own.seeds)], verdicts[: len(own.seeds)]
            traces, verdicts = traces[len(own.seeds) :], verdicts[len(own.seeds) :]
            part = seconds * sum((trace.epochs + 1) * trace.depth for trace in runs) / work
            self._tell(own, runs, own_verdicts, part, engine.name)
            told.append((own, own_verdicts, part))
        self._report(told)

    def _train(self, engine: Engine, jobs: list[Job], *, confirm: bool) -> list[Trace]:
        """Train; what confirms is trained for its whole budget, the rest only until its verdict is settled."""
        criterion = self._problem.criterion
        watch = None if confirm else lambda trace: settled_epoch(trace, criterion)
        return engine.train(self._problem, jobs, watch=watch)

    def _tell(self, own: _Asked, traces: list[Trace], verdicts: list[Verdict], seconds: float, engine: str) -> None:
        """Telemetry first, then the attributes, then the trial itself: a told trial has all of them."""
        trial = own.trial
        self._stored.write_runs(trial.number, traces, verdicts, engine=engine)
        trained = [verdict.trained for verdict in verdicts]
        effort = [0.0, 0.0]  # training budgets spent by the runs that trained, and by the others
        for trace, success in zip(traces, trained, strict=True):
            effort[0 if success else 1] += trace.epochs / trace.budget_epochs
        self._stored.write_attributes(
            trial._trial_id,  # noqa: SLF001 - the key of the store's tables
            {
                trial_fields.RUNS: len(verdicts),
                trial_fields.TRAINED: sum(trained),
                trial_fields.EFFORT: [round(value, 4) for value in effort],
                trial_fields.VERDICTS: count_verdicts([verdict.kind for verdict in verdicts]),
                trial_fields.SECONDS: round(seconds, 3),
            },
        )
        if self._settings.sampler in OPTUNAS:
            trial_fields.write_constraint(
                self._study, self._study.get_trials(deepcopy=False)[trial.number], self._settings.threshold_share
            )
        self._study.tell(trial, own.depth)
        self._open.remove(trial)

    def _report(self, told: Sequence[tuple[_Asked, list[Verdict], float]]) -> None:
        """Tell what a round found, with what is known after it."""
        self._latest = None
        curve = self._curve()
        for own, verdicts, seconds in told:
            self._on_event(
                TrialFinished(
                    depth=own.depth,
                    runs=len(verdicts),
                    trained=sum(verdict.trained for verdict in verdicts),
                    purpose=own.purpose,
                    verdicts=count_verdicts([verdict.kind for verdict in verdicts]),
                    seconds=round(seconds, 3),
                    curve=curve,
                )
            )


def _filled(problem: Problem, settings: SearchSettings, *, engine: str, device: str) -> SearchSettings:
    """The settings with what the family and the engine choose, where nobody else did."""
    lanes = lanes_of(problem, engine=engine, device=device)
    runs = 3 if settings.sampler == "bisect" else min(max(lanes, RUNS_PER_TRIAL), MOST_RUNS_PER_TRIAL)
    if settings.max_runs is not None:
        runs = min(runs, settings.max_runs)
    family = family_of(problem.family)
    filled = settings.filled(reliability=family.reliability, runs_per_trial=runs)
    # A search trial and its look-out at the least; more where lanes would stay empty.
    filled = filled.filled(parallel_trials=2 * max(1, lanes // filled.runs_each))
    for depth in filled.depths or ():
        if depth < family.shallowest:
            raise InvalidValue(f"each of the depths must be at least {family.shallowest}, but got {depth}")
    return with_budget(filled)
