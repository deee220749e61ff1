"""The loop of a search: rounds of trials until the search is concluded and confirmed, or the budget ends."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from statistics import median

from optuna import Study
from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial, TrialState

from depthsearch.detection import final_score, verdict_of
from depthsearch.detection.verdict import count_verdicts
from depthsearch.errors import StoreError, TrainingFailed
from depthsearch.interrupts import interrupts_deferred, raise_if_interrupted
from depthsearch.results.events import (
    DepthExcluded,
    RunFinished,
    StudyOpened,
    TrialFinished,
    TrialStarted,
)
from depthsearch.results.pace import Timing
from depthsearch.search import trial as trial_fields
from depthsearch.search.curve import Curve
from depthsearch.search.ladder import Bar
from depthsearch.search.method import Pick, SearchMethod
from depthsearch.search.optuna_internals import all_trials, trial_key
from depthsearch.search.sampler import MethodSampler, trials_of
from depthsearch.search.trial import DEPTH, SEEDS, Purpose, State, Trial, draw_seeds
from depthsearch.store import StoredRun, StoredStudy
from depthsearch.training.engine import Engine, Job
from depthsearch.training.trace import Trace
from depthsearch.workflows.answer import answer_of
from depthsearch.workflows.attempts import Attempts
from depthsearch.workflows.note import Notes
from depthsearch.workflows.open_trials import OpenTrial, adopt, exclude, forget_adoptions
from depthsearch.workflows.prepare import OnEvent, announce, prepared
from depthsearch.workflows.stored import (
    affordable_runs,
    budget_left,
    exclusions_end,
    ladder_of,
    method_for,
    seconds_left,
)
from depthsearch.workflows.watching import RoundWatcher, TimeIsOver

DRAWN = 2_000
"""Curves of the posterior that the band of a search under way is drawn from; the answer's is taken from all."""


class PickedDepths(MethodSampler):
    """Gives each trial the depth that was picked for it: the loop asks the method for a whole round at once."""

    pick: Pick

    def next_depth(self, study: Study, trial: FrozenTrial, distribution: IntDistribution) -> int:
        """The depth of the pick."""
        return self.pick.depth


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
        self._bar: Bar | None = None
        self._method = self._current_method()
        self._sampler = self._study.sampler = PickedDepths(self._settings)
        self._engine: Engine | None = None
        self._latest: Curve | None = None  # after the trials finished so far; None where it is to be worked out

    def run(self) -> None:
        """Try depths until the search is concluded and confirmed, or the budget ends."""
        finished = len(self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
        adopted = adopt(self._stored, self._method)
        trials, one_by_one = adopted.trials, adopted.one_by_one
        try:
            done, kept = not trials and self._is_done(), sum(len(trial.runs) for trial in trials)
            known = ((), None) if done else self._pace()
            self._on_event(StudyOpened(self._stored.name, finished, done, kept, *known))
            if adopted.exclusion is not None:
                self._on_event(DepthExcluded(adopted.exclusion))
            under_way = self._completed(trials) or self._next_round()
            while under_way and self._seconds_left() > 0:
                raise_if_interrupted()
                self._carry_out(under_way, one_by_one=one_by_one)
                self._check_kept()
                self._notes.keep()
                under_way, one_by_one = self._next_round(), False
        except TimeIsOver:
            # What is under way stays for a sitting with a larger budget.
            forget_adoptions(self._stored, adopted)
        except BaseException:
            # Every finished run is stored, and the trials under way are adopted by the next sitting. If even this
            # cannot be written, the next sitting does it.
            with suppress(StoreError), self._stored.translate_database_errors():
                self._stored.fail_unseeded()
                forget_adoptions(self._stored, adopted)
                self._notes.write(answer_of(self._stored))
            raise

    def _pace(self) -> tuple[tuple[Timing, ...], int | None]:
        """What the finished trials took, and the runs that are left."""
        trials = trials_of(self._study)
        timings = tuple(
            Timing(trial.depth, trial.made, trial.seconds)
            for trial in trials
            if trial.state is State.COMPLETE and trial.depth is not None and trial.made
        )
        return timings, self._method.runs_left(trials, self._curve())

    def _current_method(self) -> SearchMethod:
        """The method, once more whenever the ladder has set the bar, with which the depths begin at the best rung."""
        trials = trials_of(self._study)
        ladder = ladder_of(self._problem, trials)
        self._bar = None if ladder is None else ladder.bar
        return method_for(self._problem, self._settings, trials)

    def _completed(self, adopted: list[OpenTrial]) -> list[OpenTrial]:
        """A round that was interrupted as its trials were asked for, with those that are missing.

        The trials of a round finish after all of them were asked for, so a round with a finished trial lacks none.
        """
        trials = all_trials(self._study)
        if not adopted or adopted[0].purpose is Purpose.CONFIRM or adopted[0].purpose.is_ladder:
            return adopted
        first = trials[adopted[0].number].user_attrs.get(trial_fields.ROUND)
        same = [trial for trial in trials if trial.user_attrs.get(trial_fields.ROUND) == first]
        if first is None or any(trial.state is TrialState.COMPLETE for trial in same):
            return adopted
        return self._fill_round(adopted)

    def _is_done(self) -> bool:
        curve, trials = self._curve(), trials_of(self._study)
        if exclusions_end(trials, self._method):
            return True
        return curve.concluded is not None and self._method.next_confirmation(trials, curve) is None

    def _curve(self) -> Curve:
        """What is known now. No other process finishes trials of this study, so it changes after a round only."""
        if self._latest is None:
            self._latest = self._method.estimate(trials_of(self._study), curves=DRAWN)
        return self._latest

    def _next_round(self) -> list[OpenTrial]:
        """The method's next trials while the search goes on; then one that confirms; then none.

        Where the bar is relative to other depths, these come first, one after another.
        """
        trials = trials_of(self._study)
        if not budget_left(trials, self._settings) or exclusions_end(trials, self._method):
            return []
        ladder = ladder_of(self._problem, trials)
        pick = None if ladder is None else ladder.next_pick(self._method.depths, self._settings)
        if pick is not None:
            return [self._ask(pick, affordable_runs(trials, self._settings))]
        curve = self._curve()
        if curve.concluded is None:
            return self._fill_round([])
        pick = self._method.next_confirmation(trials, curve)
        return [] if pick is None else [self._ask(pick, affordable_runs(trials, self._settings))]

    def _fill_round(self, asked: list[OpenTrial]) -> list[OpenTrial]:
        """The trials of a round: those that were asked for already, and more up to its size and the budget."""
        trials = trials_of(self._study)
        left = affordable_runs(trials, self._settings)
        missing = self._method.round_size(trials) - len(asked)
        allowed, step_of = self._method.open_steps(trials), self._method.depths.step_of
        for pick in self._method.next_picks(trials, missing) if missing > 0 else ():
            if left < self._settings.runs_per_trial or step_of(pick.depth) not in allowed:
                break
            asked.append(self._ask(pick, left, first=asked[0].number if asked else None))
            left -= len(asked[-1].seeds)
        return asked

    def _ask(self, pick: Pick, left: float, first: int | None = None) -> OpenTrial:
        """A trial with its depth and its seeds, which are written before anything is trained.

        Args:
            pick: What it tries.
            left: Runs that the budget allows.
            first: Number of the first trial of its round; None where it is this one.
        """
        self._sampler.pick = pick
        trial = self._study.ask()
        depths = self._method.depths
        # A parameter of Optuna is logarithmic in all trials of a study, or in none.
        log = self._method.logarithmic and self._problem.network.shallowest > 0
        depth = trial.suggest_int(DEPTH, depths.low, depths.high, log=log)
        trials = trials_of(self._study)
        waited = trials[trial.number].purpose  # of a trial that was waiting in the queue
        purpose = pick.purpose if waited is Purpose.SEARCH else waited
        runs = int(min(pick.runs, max(left, 1)))
        seeds = draw_seeds(self._settings.seed, depth=depth, first=_claimed(trials[: trial.number], depth), count=runs)
        trial_id = trial_key(trial)
        attributes = {SEEDS: seeds, trial_fields.ROUND: trial.number if first is None else first}
        if purpose is not Purpose.SEARCH:
            attributes[trial_fields.PURPOSE] = purpose.value
        self._stored.write_attributes(trial_id, attributes)
        return OpenTrial(trial.number, trial_id, depth, purpose, seeds)

    def _carry_out(self, under_way: Sequence[OpenTrial], *, one_by_one: bool) -> None:
        """Train the missing runs, store each as it finishes, finish each trial that is whole; give up what fails."""
        for trial in under_way:
            self._on_event(TrialStarted(trial.depth, len(trial.seeds), trial.purpose))
        missing: dict[Job, list[tuple[OpenTrial, int]]] = {}
        for trial in under_way:
            for place, seed in enumerate(trial.seeds):
                if place not in trial.runs:
                    missing.setdefault(Job(trial.depth, seed), []).append((trial, place))
            if trial.is_whole:
                self._finish(trial)
        jobs, of = (
            [job for job, places in missing.items() for _ in places],
            sum(len(trial.seeds) for trial in under_way),
        )
        done = of - len(jobs)
        if jobs:
            watch = RoundWatcher(done, of, self._on_event, self._seconds_of_round())
            attempts = Attempts(self._ready_engine(), self._problem, jobs, watch, one_by_one=one_by_one)
            began = time.perf_counter()
            try:
                self._take(attempts, missing, under_way, watch, of=of)
            except TimeIsOver:
                self._cut_short(under_way, time.perf_counter() - began)
                raise
        self._report([trial for trial in under_way if trial.is_whole])

    def _take(
        self,
        attempts: Attempts,
        missing: dict[Job, list[tuple[OpenTrial, int]]],
        under_way: Sequence[OpenTrial],
        watch: RoundWatcher,
        *,
        of: int,
    ) -> None:
        """Store each run as it finishes, finish each trial that is whole, and give up what fails."""
        since, done = time.perf_counter(), of - len(attempts.jobs)
        for found in attempts:
            if isinstance(found, TrainingFailed):
                self._exclude(found, under_way)
                continue
            job, trace = found
            with interrupts_deferred():  # a run that is finished is stored
                seconds, since = time.perf_counter() - since, time.perf_counter()
                trial, place = missing[job].pop()
                run = self._store(trial, place, trace, attempts.engine.name, seconds)
                if trial.is_whole:
                    self._finish(trial)
            done += 1
            watch.finish(job)
            self._on_event(RunFinished(job.depth, run.verdict.trained, done, of))

    def _seconds_left(self) -> float:
        return seconds_left(trials_of(self._study), self._settings)

    def _seconds_of_round(self) -> float:
        """How long a round may take: what the budget leaves; any time, where no trial is finished yet."""
        trials = trials_of(self._study)
        known = any(trial.state is State.COMPLETE for trial in trials)
        return seconds_left(trials, self._settings) if known else float("inf")

    def _cut_short(self, under_way: Sequence[OpenTrial], seconds: float) -> None:
        """Note in the unfinished trials what was spent on them, which the budget counts."""
        finished = sum(run.seconds or 0.0 for trial in under_way if trial.is_whole for run in trial.runs.values())
        unfinished = [trial for trial in under_way if not trial.is_whole]
        before = {trial.number: trial.seconds for trial in trials_of(self._study)}
        for trial in unfinished:
            spent = before[trial.number] + max(seconds - finished, 0.0) / len(unfinished)
            self._stored.write_attributes(trial.trial_id, {trial_fields.SECONDS: spent})

    def _ready_engine(self) -> Engine:
        """The engine, made when it is first needed."""
        if self._engine is None:
            announce(self._problem, self._on_event)
            self._engine = prepared(self._make_engine(), self._on_event)
        return self._engine

    def _exclude(self, failed: TrainingFailed, under_way: Sequence[OpenTrial]) -> None:
        with interrupts_deferred():
            exclusion = exclude(self._stored, failed, under_way)
        self._on_event(DepthExcluded(exclusion))

    def _store(self, trial: OpenTrial, place: int, trace: Trace, engine: str, seconds: float) -> StoredRun:
        criterion = self._problem.criterion.judging(
            None if trial.purpose.is_ladder or self._bar is None else self._bar.score
        )
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
        counted = _scores(runs) if trial.purpose.is_ladder else _counts(runs, self._problem.recipe.entries)
        self._stored.write_attributes(
            trial.trial_id,
            counted
            | {
                trial_fields.VERDICTS: count_verdicts([run.verdict.kind for run in runs]),
                trial_fields.SECONDS: _seconds(runs),
            },
        )
        self._study.tell(trial.number, trial.depth)

    def _report(self, finished: Sequence[OpenTrial]) -> None:
        """Send the events of a round that is finished, with what is known after it."""
        self._latest = None
        if any(trial.purpose.is_ladder for trial in finished):
            self._method = self._current_method()
        curve = self._curve()
        left = self._method.runs_left(trials_of(self._study), curve)
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
                    score=median(_final_scores(runs)) if trial.purpose.is_ladder else None,
                    curve=curve,
                    runs_left=left,
                )
            )


def _claimed(trials: Sequence[Trial], depth: int) -> int:
    """How many seeds earlier trials at a depth have; those of failed trials are free again."""
    return sum(trial.seeds for trial in trials if trial.depth == depth and trial.state is not State.FAILED)


def _counts(runs: Sequence[StoredRun], budget: int) -> dict[str, object]:
    """How many runs of a search trained, and the training budgets spent by these and by the others."""
    effort = [sum(run.epochs / budget for run in runs if run.verdict.trained is trained) for trained in (True, False)]
    return {
        trial_fields.RUNS: len(runs),
        trial_fields.TRAINED: sum(run.verdict.trained for run in runs),
        trial_fields.EFFORT: [round(value, 4) for value in effort],
    }


def _scores(runs: Sequence[StoredRun]) -> dict[str, object]:
    """What the runs of a ladder scored, and the bar of chance, which they were judged by."""
    return {
        trial_fields.SCORES: _final_scores(runs),
        trial_fields.CHANCE_BAR: runs[0].verdict.evidence.thresholds["final_score"],
    }


def _final_scores(runs: Sequence[StoredRun]) -> list[float]:
    return [run.final_score or 0.0 for run in runs]


def _seconds(runs: Sequence[StoredRun]) -> float:
    """What a trial took: its runs' parts of the time that the search waited for results."""
    return round(sum(run.seconds or 0.0 for run in runs), 3)
