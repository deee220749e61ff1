"""Whether a study holds what a search wrote: other hands may have changed it, and what is read of it must be there."""

from collections.abc import Sequence

from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from depthsearch.problem.criterion import MARGIN, Criterion
from depthsearch.problem.problem import Problem
from depthsearch.search.exclusion import Exclusion, ended_by_errors
from depthsearch.search.ladder import Ladder
from depthsearch.search.method import SearchMethod, method_of
from depthsearch.search.optuna_internals import all_trials
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.trial import (
    ADOPTED,
    DEPTH,
    EFFORT,
    SECONDS,
    SEEDS,
    Depths,
    Purpose,
    State,
    Trial,
    counts_of,
    excluded_as,
    probes,
    purpose_of,
    scores_of,
)
from depthsearch.store import StoredRun, StoredStudy, raise_study_damaged


def read_checked(stored: StoredStudy) -> tuple[list[Trial], list[StoredRun]]:
    """A study's trials by number, and its runs: all that is read of them is there.

    Raises:
        StudyDamaged: Something is not, or cannot be read.
    """
    with raise_study_damaged(stored.name):
        if stored.optuna_study.directions != [StudyDirection.MAXIMIZE]:
            # Optuna fails every trial of such a study when it is finished, and a search would go on for ever.
            raise ValueError("it does not have the one direction, maximize")
        trials = all_trials(stored.optuna_study)
        for place, trial in enumerate(trials):
            if trial.number != place:
                raise ValueError(f"there is no trial {place} although there is a trial {trial.number}")
    runs = stored.runs()
    with_runs = {run.trial_number for run in runs}
    for trial in trials:
        with raise_study_damaged(stored.name, f"trial {trial.number}"):
            _check(trial, with_runs)
    return [Trial.of(trial) for trial in trials], runs


def exclusions_of(stored: StoredStudy) -> tuple[Exclusion, ...]:
    """The depths of a study that cannot be trained, each once, in the order found.

    Of those for memory, the shallowest, which says it all.
    """
    every = [found for trial in all_trials(stored.optuna_study) if (found := Exclusion.of(trial)) is not None]
    from_on = min((exclusion.depth for exclusion in every if exclusion.deeper), default=None)
    by_depth: dict[int, Exclusion] = {}
    for exclusion in every:
        if not exclusion.deeper or exclusion.depth == from_on:
            by_depth.setdefault(exclusion.depth, exclusion)
    return tuple(by_depth.values())


def exclusions_end(trials: Sequence[Trial], method: SearchMethod) -> bool:
    """Whether exclusions end the search: three other than for memory, or none is left of the depths that it would try.

    A method that knows of no exclusions would try the same depth for ever.
    """
    if all(trial.excluded is None for trial in trials):
        return False
    if ended_by_errors(trials, method.depths) or not method.has_open_depths(trials):
        return True
    (pick,) = method.next_picks(trials, 1)
    return method.depths.step_of(pick.depth) not in method.open_steps(trials)


def _check(trial: FrozenTrial, with_runs: set[int]) -> None:
    purpose = purpose_of(trial)
    seeds = trial.user_attrs.get(SEEDS, [])
    if not isinstance(seeds, list):
        raise ValueError(f"its seeds are {seeds!r}, not a list")
    adopted = trial.user_attrs.get(ADOPTED)
    if adopted is not None and not (isinstance(adopted, list) and [type(count) for count in adopted] == [int, int]):
        raise ValueError(f"its interruptions are {adopted!r}, not two numbers")
    excluded_as(trial)
    if trial.state is not TrialState.COMPLETE:
        return
    if trial.number in with_runs:
        _check_attributes(trial, purpose)
    elif purpose is Purpose.CONFIRM or purpose.is_ladder:
        raise ValueError("none of its runs is there")


def _check_attributes(trial: FrozenTrial, purpose: Purpose) -> None:
    """What the driver writes of every finished trial."""
    if DEPTH not in trial.params:
        raise ValueError("its depth is missing")
    if purpose.is_ladder:
        if scores_of(trial) is None:
            raise ValueError("the scores of its runs are missing")
    elif counts_of(trial) is None:
        raise ValueError("it does not say how many of its runs trained")
    seconds = trial.user_attrs.get(SECONDS)
    if not isinstance(seconds, int | float):
        raise ValueError(f"its seconds are {seconds!r}, not a number")
    effort = trial.user_attrs.get(EFFORT)
    if isinstance(effort, list) and not all(isinstance(spent, int | float) for spent in effort):
        raise ValueError(f"its effort is {effort!r}, not numbers")


def searched_runs(trials: Sequence[Trial], runs: Sequence[StoredRun]) -> list[StoredRun]:
    """The runs whose verdicts are the search's: those of a ladder were judged by chance, before the bar was known."""
    ladder = {trial.number for trial in trials if trial.purpose.is_ladder}
    return [run for run in runs if run.trial_number not in ladder]


def affordable_runs(trials: Sequence[Trial], settings: ResolvedSettings) -> float:
    """Runs that the budget still allows, those under way left out; infinite where there is no budget."""
    if settings.max_runs is None:
        return float("inf")
    made = sum(trial.made for trial in trials if trial.state is State.COMPLETE)
    under_way = sum(trial.seeds for trial in trials if trial.state is State.RUNNING)
    return float(settings.max_runs - made - under_way)


def budget_left(trials: Sequence[Trial], settings: ResolvedSettings) -> bool:
    """Whether the budget allows the runs of one more trial, and any second."""
    return affordable_runs(trials, settings) >= settings.runs_per_trial and seconds_left(trials, settings) > 0


def seconds_left(trials: Sequence[Trial], settings: ResolvedSettings) -> float:
    """Seconds that the budget still allows; infinite where there is no budget. A trial that was cut short counts."""
    if settings.max_seconds is None:
        return float("inf")
    spent = sum(trial.seconds for trial in trials if trial.state is not State.FAILED or trial.excluded is not None)
    return settings.max_seconds - spent


def ladder_of(problem: Problem, trials: Sequence[Trial]) -> Ladder | None:
    """What the trials show of the bar, where the criterion is relative to other depths; None where it is not."""
    return Ladder(trials, problem.criterion.margin or MARGIN) if problem.criterion.is_relative else None


def judging_criterion(problem: Problem, trials: Sequence[Trial], trial: Trial) -> Criterion:
    """What the runs of a trial are judged by: chance for those of the ladder, its bar for all others."""
    ladder = ladder_of(problem, trials)
    bar = None if ladder is None or trial.purpose.is_ladder else ladder.bar
    return problem.criterion.judging(None if bar is None else bar.score)


def method_for(problem: Problem, settings: ResolvedSettings, trials: Sequence[Trial]) -> SearchMethod:
    """The search method over the family's depths: to the cap, or to the deepest that was tried where that is deeper.

    A lower cap that is given later does not forget what is known of deeper networks. Where a ladder has set the bar,
    the depths begin at its best rung, and the budget is what the ladder left.
    """
    tried = [probe.depth for probe in probes(trials)]
    shallowest = problem.network.shallowest
    ladder = ladder_of(problem, trials)
    if ladder is not None:
        shallowest = shallowest if ladder.bar is None else ladder.bar.rung
        if settings.max_runs is not None:
            settings = settings.model_copy(update={"max_runs": max(settings.max_runs - ladder.runs, 1)})
    depths = Depths(shallowest, max(shallowest, settings.cap, *tried))
    return method_of(settings, depths, starts_low=ladder is not None)
