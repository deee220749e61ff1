"""find(problem, settings) -> Answer.

The driver knows no algorithm: a sampler names the next depth, an engine trains it, detection judges it, the
store remembers it, the estimate says when it is enough. A stopped search goes on from the store alone.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from optuna import Trial
from optuna.exceptions import StorageInternalError
from optuna.samplers import BaseSampler
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from depthsearch.core.answer import Answer
from depthsearch.core.curve import Curve
from depthsearch.core.errors import InvalidValue
from depthsearch.core.events import Event, Preparing, Purpose, StudyOpened, TrialFinished, TrialStarted
from depthsearch.core.problem import Problem
from depthsearch.core.settings import SearchSettings
from depthsearch.core.trace import Trace
from depthsearch.core.verdict import Verdict, count_verdicts
from depthsearch.datasets import load
from depthsearch.detection import settled_epoch, verdict_of
from depthsearch.families import family_of
from depthsearch.finder.answering import answer_of
from depthsearch.finder.budget import budget_left
from depthsearch.search import BisectionSampler, draw_seeds, estimate
from depthsearch.search import trials as trial_fields
from depthsearch.store import StoredStudy, open_store
from depthsearch.training.engine import Engine, Job, check_engine, choose_engine

OnEvent = Callable[[Event], None]


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
    if not isinstance(problem, Problem):
        raise InvalidValue(f"problem must be a depthsearch.Problem, but got {problem!r}")
    if settings is not None and not isinstance(settings, SearchSettings):
        raise InvalidValue(f"settings must be depthsearch.SearchSettings, but got {settings!r}")
    check_engine(problem, engine=engine, device=device)
    _check_steps(problem)
    # An engine takes seconds to import: it is needed this early only to know whether there is a GPU to insist on.
    insisted = choose_engine(problem, engine=engine, device=device) if device == "cuda" else None
    with (
        open_store(storage) as store,
        store.errors_said(),
        store.open_study(problem, settings or SearchSettings(), name=study, fresh=fresh) as opened,
    ):

        def make_engine() -> Engine:
            return insisted or choose_engine(problem, engine=engine, device=device)

        _Search(opened, store.check_kept, make_engine, on_event or _ignore).run()
        return answer_of(opened)


class _Search:
    """One sitting of a search over an open study."""

    def __init__(
        self, opened: StoredStudy, check_kept: Callable[[], None], make_engine: Callable[[], Engine], on_event: OnEvent
    ) -> None:
        self._stored, self._make_engine, self._on_event = opened, make_engine, on_event
        self._check_kept = check_kept
        self._problem, self._settings = opened.problem, opened.settings
        self._study = opened.optuna_study
        self._study.sampler = _sampler(self._settings)
        self._engine: Engine | None = None

    def run(self) -> None:
        """Try depths until the search is concluded and confirmed, or the budget ends."""
        finished = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        done = bool(finished) and self._is_done()
        self._on_event(StudyOpened(self._stored.name, len(finished), done))
        while budget_left(self._stored) and (trial := self._next_trial()) is not None:
            self._carry_out(trial)
            self._check_kept()

    def _is_done(self) -> bool:
        curve = self._curve()
        return curve.concluded is not None and not self._unconfirmed(curve)

    def _curve(self) -> Curve:
        return estimate(self._study, self._settings)

    def _next_trial(self) -> Trial | None:
        """The sampler's next trial while the search goes on; then one to confirm each edge; then None."""
        curve = self._curve()
        if curve.concluded is not None:
            unconfirmed = self._unconfirmed(curve)
            if not unconfirmed:
                return None
            self._enqueue(unconfirmed[0])
        return self._study.ask()

    def _unconfirmed(self, curve: Curve) -> list[int]:
        trials = trial_fields.all_trials(self._study)
        confirmed = {probe.depth for probe in trial_fields.probes(trials, purpose=Purpose.CONFIRM)}
        return [depth for depth in (curve.max_depth, curve.fails_at) if depth is not None and depth not in confirmed]

    def _enqueue(self, depth: int) -> None:
        # A sitting that ended between the queue and the training has left its trial waiting: that one will do.
        if not self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            attributes = {trial_fields.PURPOSE: Purpose.CONFIRM.value}
            self._study.enqueue_trial({trial_fields.DEPTH: depth}, user_attrs=attributes)

    def _carry_out(self, trial: Trial) -> None:
        """Train one trial's runs, judge them, and tell; a trial that cannot be finished is failed."""
        try:
            depth = trial.suggest_int(
                trial_fields.DEPTH, family_of(self._problem.family).shallowest, self._settings.cap
            )
            purpose = Purpose(trial.user_attrs.get(trial_fields.PURPOSE, Purpose.SEARCH))
            seeds = self._seeds(trial, depth)
            trial.set_user_attr(trial_fields.SEEDS, seeds)
            self._on_event(TrialStarted(depth, len(seeds), purpose))
            engine = self._engine = self._engine or self._prepared_engine()
            start = time.perf_counter()
            traces = self._train(engine, [Job(depth, seed) for seed in seeds], purpose)
            verdicts = [verdict_of(trace, self._problem.criterion) for trace in traces]
            self._tell(trial, depth, traces, verdicts, time.perf_counter() - start)
        except BaseException:
            # If even this cannot be written, the next sitting fails the trial that it finds running.
            with suppress(SQLAlchemyError, StorageInternalError):
                self._study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
            raise
        self._report(trial.number, depth, purpose, verdicts)

    def _seeds(self, trial: Trial, depth: int) -> list[int]:
        """Fresh seeds: those after the ones that earlier trials at this depth, failed ones left out, have claimed."""
        claimed = sum(
            len(other.user_attrs.get(trial_fields.SEEDS, ()))
            for other in trial_fields.all_trials(self._study)
            if other.number < trial.number
            and other.state is not TrialState.FAIL
            and other.params.get(trial_fields.DEPTH) == depth
        )
        return draw_seeds(self._settings.seed, depth=depth, first=claimed, count=self._settings.runs_per_trial)

    def _prepared_engine(self) -> Engine:
        engine = self._make_engine()
        if engine.first_use is not None:
            self._on_event(Preparing(engine.first_use))
        return engine

    def _train(self, engine: Engine, jobs: list[Job], purpose: Purpose) -> list[Trace]:
        """Train; what confirms is trained for its whole budget, the rest only until its verdict is settled."""
        criterion = self._problem.criterion
        watch = None if purpose is Purpose.CONFIRM else lambda trace: settled_epoch(trace, criterion)
        return engine.train(self._problem, jobs, watch=watch)

    def _tell(self, trial: Trial, depth: int, traces: list[Trace], verdicts: list[Verdict], seconds: float) -> None:
        """Telemetry first, then the attributes, then the trial itself: a told trial has all of them."""
        self._stored.write_runs(trial.number, traces, verdicts)
        trial.set_user_attr(trial_fields.RUNS, len(verdicts))
        trial.set_user_attr(trial_fields.TRAINED, sum(verdict.trained for verdict in verdicts))
        trial.set_user_attr(trial_fields.VERDICTS, count_verdicts([verdict.kind for verdict in verdicts]))
        trial.set_user_attr(trial_fields.SECONDS, round(seconds, 3))
        self._study.tell(trial, depth)

    def _report(self, number: int, depth: int, purpose: Purpose, verdicts: list[Verdict]) -> None:
        told = self._study.get_trials(deepcopy=False)[number]
        self._on_event(
            TrialFinished(
                depth=depth,
                runs=len(verdicts),
                trained=sum(verdict.trained for verdict in verdicts),
                purpose=purpose,
                verdicts=count_verdicts([verdict.kind for verdict in verdicts]),
                seconds=told.user_attrs[trial_fields.SECONDS],
                curve=self._curve(),
            )
        )


def _check_steps(problem: Problem) -> None:
    """Refuse a budget of steps too small for the criterion, which only the size of the data set tells."""
    steps = problem.recipe.steps
    if steps is None:
        return
    per_epoch = problem.recipe.steps_per_epoch(len(load(problem.data).x_train))
    hold = problem.criterion.hold_epochs
    least = per_epoch * (hold - 1) + 1
    if steps < least:
        raise InvalidValue(
            f"steps must be at least {least}, since trained means held for {hold} epochs of {per_epoch} steps at "
            f"least, but got {steps}"
        )


def _sampler(settings: SearchSettings) -> BaseSampler:
    return {"bisect": BisectionSampler}[settings.sampler](settings)


def _ignore(_event: Event) -> None:
    pass
