"""The loop of a search: rounds of trials until the search is concluded and confirmed, or the budget ends."""

import threading
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from optuna import Trial
from optuna.distributions import IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from depthsearch.detection import final_score, settled_epoch, verdict_of
from depthsearch.detection.verdict import count_verdicts
from depthsearch.errors import StoreError
from depthsearch.interrupts import interrupts_deferred
from depthsearch.results.events import RoundAdvanced, RunFinished, StudyOpened, TrialFinished, TrialStarted
from depthsearch.search import BisectionSampler, DepthGridSampler, ThresholdSampler, draw_seeds, estimate
from depthsearch.search import trial as trial_fields
from depthsearch.search.curve import Curve
from depthsearch.search.estimation import next_to_confirm
from depthsearch.search.optuna_internals import all_trials, contains, trial_key
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.threshold.picking import next_pick, runs_for
from depthsearch.search.trial import SEEDS, Purpose
from depthsearch.store import StoredRun, StoredStudy
from depthsearch.training.engine import Engine, Job, Watch
from depthsearch.training.trace import Trace
from depthsearch.workflows.answer import answer_of
from depthsearch.workflows.note import Notes
from depthsearch.workflows.prepare import OnEvent, prepared
from depthsearch.workflows.stored import budget_left, depths_of, runs_left

OPTUNAS = ("tpe", "gp", "random")


TRIALS_BY_DEFAULT = 40
"""Of Optuna's samplers, which know no end of their own."""


def make_sampler(settings: ResolvedSettings, trials: int) -> BaseSampler:
    """The sampler that the settings name; Optuna's are seeded by how many trials there are, so as not to repeat."""
    seed = int(np.random.SeedSequence([settings.seed, trials]).generate_state(1)[0])
    match settings.sampler:
        case "threshold":
            return ThresholdSampler(settings)
        case "bisect":
            return BisectionSampler(settings)
        case "grid":
            return DepthGridSampler(settings)
        case "tpe":
            return TPESampler(seed=seed)
        case "gp":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                return GPSampler(seed=seed)
        case "random":
            return RandomSampler(seed=seed)


def with_budget(settings: ResolvedSettings) -> ResolvedSettings:
    """With a budget where the sampler knows no end of its own and none is given."""
    if settings.sampler not in OPTUNAS or settings.max_runs is not None or settings.max_seconds is not None:
        return settings
    return settings.model_copy(update={"max_runs": TRIALS_BY_DEFAULT * settings.runs_per_trial})


def suggest(trial: Trial, settings: ResolvedSettings, depths: IntDistribution) -> int:
    """The depth of a trial that was just asked for."""
    # Optuna's samplers know nothing of depths: on a logarithmic scale they waste less on the deepest.
    return trial.suggest_int(trial_fields.DEPTH, depths.low, depths.high, log=settings.sampler in OPTUNAS)


def runs_and_purpose(trials: Sequence[FrozenTrial], number: int, settings: ResolvedSettings) -> tuple[int, Purpose]:
    """How many fresh runs a trial gets that has its depth, and why it is made. `trials` are all, sorted by number."""
    trial = trials[number]
    purpose = trial_fields.purpose_of(trial)
    if purpose is Purpose.CONFIRM or settings.sampler != "threshold":
        return runs_for(purpose, settings), purpose
    pick = next_pick(trials[:number], trial.distributions[trial_fields.DEPTH], settings)  # type: ignore[arg-type]
    return pick.runs, pick.purpose


ADVANCE_SECONDS = 1.0
"""Between two events that show how far networks that train side by side are."""

DRAWN = 2_000
"""Curves of the posterior that the band of a search under way is drawn from; the answer's is taken from all."""


@dataclass(frozen=True)
class OpenTrial:
    """A trial whose runs are being trained.

    Attributes:
        number: In the study.
        trial_id: In the store.
        depth: What it tries.
        purpose: Why.
        seeds: One for each run.
        runs: The finished runs, by place.
    """

    number: int
    trial_id: int
    depth: int
    purpose: Purpose
    seeds: list[int]
    runs: dict[int, StoredRun] = field(default_factory=dict)


class Search:
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
        self._depths = depths_of(self._problem, self._settings, all_trials(self._study))
        self._engine: Engine | None = None
        self._latest: Curve | None = None  # after the trials finished so far; None where it is to be worked out

    def run(self) -> None:
        """Try depths until the search is concluded and confirmed, or the budget ends."""
        finished = len(self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
        self._study.sampler = make_sampler(self._settings, 0)
        adopted = self._adopt()
        done, kept = bool(finished) and not adopted and self._is_done(), sum(len(trial.runs) for trial in adopted)
        self._on_event(StudyOpened(self._stored.name, finished, done, kept))
        try:
            under_way = self._completed(adopted) or self._next_round()
            while under_way:
                self._carry_out(under_way)
                self._check_kept()
                self._notes.keep()
                under_way = self._next_round()
        except BaseException:
            # Every finished run is stored, and the trials under way are adopted by the next sitting. If even this
            # cannot be written, the next sitting does it.
            with suppress(StoreError), self._stored.translate_database_errors():
                self._stored.fail_unseeded()
                self._notes.write(answer_of(self._stored))
            raise

    def _adopt(self) -> list[OpenTrial]:
        """The trials that an earlier sitting left running, with the runs that it finished.

        A trial deeper than may be tried now fails: a lower cap is how a depth that cannot be trained is given up.
        """
        adopted = []
        for trial in self._stored.interrupted_trials():
            seeds, depth = trial.user_attrs[SEEDS], trial.params.get(trial_fields.DEPTH)
            if depth is None or not contains(self._depths, depth):
                self._study.tell(trial.number, state=TrialState.FAIL)
                continue
            kept = {run.run: run for run in self._stored.runs_of(trial.number)}
            runs = {
                place: kept[place] for place, seed in enumerate(seeds) if place in kept and kept[place].seed == seed
            }
            purpose = trial_fields.purpose_of(trial)
            adopted.append(OpenTrial(trial.number, trial_key(trial), depth, purpose, seeds, runs))
        return adopted

    def _completed(self, adopted: list[OpenTrial]) -> list[OpenTrial]:
        """A round that was interrupted as its trials were asked for, with those that are missing.

        The trials of a round finish after all of them were asked for, so a round with a finished trial lacks none.
        """
        trials = all_trials(self._study)
        if not adopted or adopted[0].purpose is Purpose.CONFIRM:
            return adopted
        first = trials[adopted[0].number].user_attrs.get(trial_fields.ROUND)
        same = [trial for trial in trials if trial.user_attrs.get(trial_fields.ROUND) == first]
        if first is None or any(trial.state is TrialState.COMPLETE for trial in same):
            return adopted
        return self._fill_round(adopted)

    def _is_done(self) -> bool:
        curve = self._curve()
        return curve.concluded is not None and self._to_confirm(curve) is None

    def _curve(self) -> Curve:
        """What is known now. No other process finishes trials of this study, so it changes after a round only."""
        if self._latest is None:
            self._latest = estimate(self._study, self._settings, depths=self._depths, curves=DRAWN)
        return self._latest

    def _to_confirm(self, curve: Curve) -> int | None:
        return next_to_confirm(all_trials(self._study), curve, self._settings, self._depths)

    def _next_round(self) -> list[OpenTrial]:
        """The sampler's next trials while the search goes on; then one that confirms; then none."""
        trials = all_trials(self._study)
        if not budget_left(trials, self._settings):
            return []
        curve = self._curve()
        if curve.concluded is not None:
            depth = self._to_confirm(curve)
            if depth is None:
                return []
            self._enqueue(depth)
            return [self._ask()]
        return self._fill_round([])

    def _fill_round(self, asked: list[OpenTrial]) -> list[OpenTrial]:
        """The trials of a round: those that were asked for already, and more up to its size and the budget."""
        most = self._trials_of_round(self._curve())
        left = runs_left(all_trials(self._study), self._settings)
        while len(asked) < most and left >= self._settings.runs_per_trial:
            asked.append(self._ask(asked[0].number if asked else None))
            left -= len(asked[-1].seeds)
        return asked

    def _trials_of_round(self, curve: Curve) -> int:
        match self._settings.sampler:
            case "bisect":
                return 1  # each answer decides the next question
            case "grid":
                return len(set(self._settings.depths or ()) - {point.depth for point in curve.points})
            case _:
                return self._settings.parallel_trials

    def _enqueue(self, depth: int) -> None:
        # A sitting that ended between the queue and the training has left its trial waiting: that one will do.
        if not self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            attributes = {trial_fields.PURPOSE: Purpose.CONFIRM.value}
            self._study.enqueue_trial({trial_fields.DEPTH: depth}, user_attrs=attributes)

    def _ask(self, first: int | None = None) -> OpenTrial:
        """A trial with its depth and its seeds, which are written down before anything is trained.

        Args:
            first: Number of the first trial of its round; None where it is this one.
        """
        if self._settings.sampler in OPTUNAS:
            # Seeded anew for each trial, so that a search which was stopped goes on as if it had not been.
            before = [trial for trial in all_trials(self._study) if trial.state is not TrialState.FAIL]
            self._study.sampler = make_sampler(self._settings, len(before))
        trial = self._study.ask()
        depth = suggest(trial, self._settings, self._depths)
        trials = all_trials(self._study)
        runs, purpose = runs_and_purpose(trials, trial.number, self._settings)
        runs = int(min(runs, max(runs_left(trials, self._settings), 1)))
        # Fresh seeds: those after the ones that earlier trials at this depth, failed ones left out, have claimed.
        claimed = sum(
            len(other.user_attrs.get(SEEDS, ()))
            for other in trials[: trial.number]
            if other.state is not TrialState.FAIL and other.params.get(trial_fields.DEPTH) == depth
        )
        seeds = draw_seeds(self._settings.seed, depth=depth, first=claimed, count=runs)
        looks_out = purpose in (Purpose.SENTINEL, Purpose.TAIL)
        trial_id = trial_key(trial)
        attributes = {SEEDS: seeds, trial_fields.ROUND: trial.number if first is None else first}
        self._stored.write_attributes(
            trial_id, attributes | ({trial_fields.PURPOSE: purpose.value} if looks_out else {})
        )
        return OpenTrial(trial.number, trial_id, depth, purpose, seeds)

    def _carry_out(self, under_way: Sequence[OpenTrial]) -> None:
        """Train the missing runs in one call, store each as it finishes, and finish each trial that is whole."""
        for trial in under_way:
            self._on_event(TrialStarted(trial.depth, len(trial.seeds), trial.purpose))
        missing: dict[Job, list[tuple[OpenTrial, int]]] = {}
        for trial in under_way:
            for place, seed in enumerate(trial.seeds):
                if place not in trial.runs:
                    missing.setdefault(Job(trial.depth, seed), []).append((trial, place))
            if len(trial.runs) == len(trial.seeds):
                self._finish(trial)
        jobs, of = (
            [job for job, places in missing.items() for _ in places],
            sum(len(trial.seeds) for trial in under_way),
        )
        done = of - len(jobs)
        if jobs:
            engine = self._engine = self._engine or prepared(self._make_engine(), self._on_event)
            since = time.perf_counter()
            for job, trace in engine.train(self._problem, jobs, watch=self._watching(done, of)):
                with interrupts_deferred():  # a run that is finished is stored
                    seconds, since = time.perf_counter() - since, time.perf_counter()
                    trial, place = missing[job].pop()
                    run = self._store(trial, place, trace, engine.name, seconds)
                    if len(trial.runs) == len(trial.seeds):
                        self._finish(trial)
                done += 1
                self._on_event(RunFinished(job.depth, run.verdict.trained, done, of))
        self._report(under_way)

    def _watching(self, done: int, of: int) -> Watch:
        """The watcher of a round of `of` runs, `done` of them finished before, that also shows how far it is."""
        epochs: dict[tuple[int, int], float] = {}
        thread, shown = threading.current_thread(), time.monotonic()

        def watch(trace: Trace) -> int | None:
            nonlocal shown
            if threading.current_thread() is thread:
                epochs[trace.depth, trace.seed] = trace.epochs / trace.budget_epochs
                if time.monotonic() - shown >= ADVANCE_SECONDS:
                    shown = time.monotonic()
                    self._on_event(RoundAdvanced((done + sum(epochs.values())) / of))
            return settled_epoch(trace)

        return watch

    def _store(self, trial: OpenTrial, place: int, trace: Trace, engine: str, seconds: float) -> StoredRun:
        criterion = self._problem.criterion
        run = trial.runs[place] = self._stored.write_run(
            trial.number,
            place,
            trace,
            verdict_of(trace, criterion),
            engine=engine,
            score=final_score(trace, criterion),
            seconds=round(seconds, 6),
        )
        return run

    def _finish(self, trial: OpenTrial) -> None:
        """Write the attributes, then finish the trial: a finished trial has its runs and its attributes."""
        runs = [trial.runs[place] for place in range(len(trial.seeds))]
        budget = self._problem.recipe.entries
        effort = [
            sum(run.epochs / budget for run in runs if run.verdict.trained is trained) for trained in (True, False)
        ]  # training budgets spent by the runs that trained, and by the others
        self._stored.write_attributes(
            trial.trial_id,
            {
                trial_fields.RUNS: len(runs),
                trial_fields.TRAINED: sum(run.verdict.trained for run in runs),
                trial_fields.EFFORT: [round(value, 4) for value in effort],
                trial_fields.VERDICTS: count_verdicts([run.verdict.kind for run in runs]),
                trial_fields.SECONDS: _seconds(runs),
            },
        )
        if self._settings.sampler in OPTUNAS:
            trial_fields.write_constraint(
                self._study, self._study.get_trials(deepcopy=False)[trial.number], self._settings.reliability
            )
        self._study.tell(trial.number, trial.depth)

    def _report(self, finished: Sequence[OpenTrial]) -> None:
        """Send the events of a round that is finished, with what is known after it."""
        self._latest = None
        curve = self._curve()
        for trial in finished:
            runs = list(trial.runs.values())
            self._on_event(
                TrialFinished(
                    depth=trial.depth,
                    runs=len(runs),
                    trained=sum(run.verdict.trained for run in runs),
                    purpose=trial.purpose,
                    verdicts=count_verdicts([run.verdict.kind for run in runs]),
                    seconds=_seconds(runs),
                    curve=curve,
                )
            )


def _seconds(runs: Sequence[StoredRun]) -> float:
    """What a trial took: its runs' parts of the time that the search waited for results."""
    return round(sum(run.seconds or 0.0 for run in runs), 3)
