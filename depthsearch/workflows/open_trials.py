"""Trials under way: those that an earlier sitting left behind, and those whose depth is given up."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from optuna.trial import FrozenTrial, TrialState

from depthsearch.errors import OutOfMemory, TrainingFailed
from depthsearch.reporting.sentences import PROCESS_ENDED
from depthsearch.search import trial as trial_fields
from depthsearch.search.exclusion import REASON, TRACEBACK, Exclusion
from depthsearch.search.method import SearchMethod
from depthsearch.search.optuna_internals import trial_key
from depthsearch.search.sampler import trials_of
from depthsearch.search.trial import ADOPTED, DEPTH, EXCLUDED, SECONDS, SEEDS, Purpose
from depthsearch.store import StoredRun, StoredStudy
from depthsearch.workflows.attempts import excludes, kind_of

MOST_ADOPTIONS = 2
"""How often a trial goes on after a process ended in it without finishing one of its runs."""


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
        deaths: How often a process ended in it, for all that is known, and finished none of its runs.
        kept: How many runs were finished when this sitting took it over.
    """

    number: int
    trial_id: int
    depth: int
    purpose: Purpose
    seeds: list[int]
    runs: dict[int, StoredRun] = field(default_factory=dict)
    deaths: int = 0
    kept: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether all of its runs are finished."""
        return len(self.runs) == len(self.seeds)


@dataclass(frozen=True)
class Adopted:
    """What an earlier sitting left behind.

    Attributes:
        trials: Those that go on, with the runs that it finished.
        exclusion: The depth that is given up, since one process after another ended in it; None where there is none.
    """

    trials: list[OpenTrial]
    exclusion: Exclusion | None = None

    @property
    def one_by_one(self) -> bool:
        """Whether the trials are trained one network at a time, so that one that ends the process is known."""
        return any(trial.deaths for trial in self.trials)


def adopt(stored: StoredStudy, method: SearchMethod) -> Adopted:
    """Take over the trials that an earlier sitting left running.

    A process that is killed as it trains, as a rule since memory ran out, leaves no error. So a trial remembers how
    often it was taken over without having finished a run since: after the first time, all trials that were left behind
    are trained by themselves, the shallowest first; after the second, the shallowest that is left is to blame.

    A trial deeper than may be tried now fails: a lower cap is how a depth that cannot be trained is given up.
    """
    for trial in stored.interrupted_trials():
        if EXCLUDED in trial.user_attrs:  # the sitting ended as it gave the depth up
            _fail(stored, trial.number)
    allowed = method.open_steps(trials_of(stored.optuna_study))
    found: list[OpenTrial] = []
    for trial in stored.interrupted_trials():
        depth = trial.params.get(DEPTH)
        if depth is None or depth not in method.depths or method.depths.step_of(depth) not in allowed:
            _fail(stored, trial.number)
        else:
            found.append(_open(stored, trial, depth))
    exhausted = [trial for trial in found if trial.deaths >= MOST_ADOPTIONS]
    exclusion = None
    if exhausted:
        to_blame = min(exhausted, key=lambda trial: trial.depth)
        failed = OutOfMemory(PROCESS_ENDED, depth=to_blame.depth)
        exclusion = exclude(stored, failed, [to_blame, *(trial for trial in found if trial is not to_blame)])
        found = [trial for trial in found if not excludes(failed, trial.depth)]
    for taken in found:
        stored.write_attributes(taken.trial_id, {ADOPTED: [taken.deaths + 1, taken.kept]})
    return Adopted(found, exclusion)


def forget_adoptions(stored: StoredStudy, adopted: Adopted) -> None:
    """Note that this sitting was interrupted, and did not die, in the trials that it took over and did not finish."""
    running = {trial.number for trial in stored.interrupted_trials()}
    for trial in adopted.trials:
        if trial.number in running:
            stored.write_attributes(trial.trial_id, {ADOPTED: [trial.deaths, trial.kept]})


def exclude(stored: StoredStudy, failed: TrainingFailed, under_way: Sequence[OpenTrial]) -> Exclusion:
    """Give up the depth of a failure: fail its unfinished trials, the first of which says why, and all others covered.

    What these trials finished stays in the store and enters no curve: the seeds that happened to succeed are no fair
    sample. Finished trials of the same depth count as before.
    """
    covered = [trial for trial in under_way if not trial.is_whole and excludes(failed, trial.depth)]
    first = next(trial for trial in covered if trial.depth == failed.depth)
    kind = kind_of(failed)
    spent = sum(run.seconds or 0.0 for run in first.runs.values())
    stored.write_attributes(
        first.trial_id,
        {
            REASON: failed.reason,
            TRACEBACK: failed.traceback,
            EXCLUDED: kind.value,
            SECONDS: round(spent, 3),
        },
    )
    for trial in covered:
        _fail(stored, trial.number)
    return Exclusion(
        depth=first.depth,
        kind=kind,
        deeper=kind is trial_fields.ExclusionKind.MEMORY,
        reason=failed.reason,
        traceback=failed.traceback,
        trial=first.number,
    )


def _fail(stored: StoredStudy, number: int) -> None:
    stored.optuna_study.tell(number, state=TrialState.FAIL)


def _open(stored: StoredStudy, trial: FrozenTrial, depth: int) -> OpenTrial:
    """An interrupted trial, with the runs that it finished."""
    seeds = trial.user_attrs[SEEDS]
    kept = {run.run: run for run in stored.runs_of(trial.number)}
    runs = {place: kept[place] for place, seed in enumerate(seeds) if place in kept and kept[place].seed == seed}
    deaths, since = trial.user_attrs.get(ADOPTED, (0, 0))
    return OpenTrial(
        number=trial.number,
        trial_id=trial_key(trial),
        depth=depth,
        purpose=trial_fields.purpose_of(trial),
        seeds=seeds,
        runs=runs,
        deaths=deaths if len(runs) == since else 0,
        kept=len(runs),
    )
