"""From what the store holds of a study to its Answer. Nothing is trained and nothing is written."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

from depthsearch.detection.verdict import count_verdicts
from depthsearch.errors import InvalidValue
from depthsearch.networks.base import LayerCounts
from depthsearch.networks.external import ExternalNetwork
from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import (
    answer_sentence,
    beyond_sentence,
    count_of,
    run_sentence,
    warning_sentences,
)
from depthsearch.reporting.sentences.answers import AnswerWarnings
from depthsearch.results.answer import (
    Answer,
    Beyond,
    Confirmation,
    Cost,
    LadderResult,
    LadderRung,
    Outcome,
    Scores,
)
from depthsearch.search import trial as trial_fields
from depthsearch.search.curve import Conclusion, Curve, CurvePoint
from depthsearch.search.exclusion import Exclusion
from depthsearch.search.ladder import Ladder
from depthsearch.search.method import SearchMethod
from depthsearch.search.sampler import trials_of
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.trial import State, Trial
from depthsearch.store import StoredRun, StoredStudy
from depthsearch.workflows.stored import (
    budget_left,
    exclusions_end,
    exclusions_of,
    ladder_of,
    method_for,
    read_checked,
    searched_runs,
)
from depthsearch.workflows.useful_depth import useful_depth

NEAREST = 16
"""Failing runs that the cause past the threshold is taken from, and those at the same depth as the last of them."""

_OUTCOMES = {
    Conclusion.ADJACENT: Outcome.FOUND,
    Conclusion.WIDTH: Outcome.FOUND,
    Conclusion.LEVEL: Outcome.FOUND,
    Conclusion.GRID: Outcome.FOUND,
    Conclusion.CAP: Outcome.CAP_REACHED,
    Conclusion.MEMORY: Outcome.MEMORY_ENDED,
    Conclusion.SHALLOWEST: Outcome.NEVER_RELIABLE,
}


def versions() -> dict[str, str]:
    """The versions of Python and of all that a result depends on."""
    return {"python": platform.python_version()} | {
        name: version(name) for name in ("depthsearch", "numba", "numpy", "optuna", "torch")
    }


@dataclass(frozen=True)
class _Known:
    """What an answer is made of, read once.

    Attributes:
        problem: What is asked.
        settings: How it is searched.
        trials: Of the study, by number.
        runs: Of its finished trials, those of the ladder left out.
        finished: The trials that have these runs or, of the ladder, others.
        method: How depths are chosen and estimated.
        curve: What the trials show.
        budget_left: Whether the budget allows one more trial.
        exclusions: The depths that cannot be trained.
        ladder: What sets the bar, where the criterion compares depths.
    """

    problem: Problem
    settings: ResolvedSettings
    trials: Sequence[Trial]
    runs: Sequence[StoredRun]
    finished: Sequence[Trial]
    method: SearchMethod
    curve: Curve
    budget_left: bool
    exclusions: tuple[Exclusion, ...]
    ladder: Ladder | None

    @classmethod
    def of(cls, stored: StoredStudy) -> "_Known":
        problem, settings = stored.problem, stored.settings
        trials, runs = read_checked(stored)
        method = method_for(problem, settings, trials)
        with_runs = {run.trial_number for run in runs}
        return cls(
            problem=problem,
            settings=settings,
            trials=trials,
            runs=searched_runs(trials, runs),
            finished=[trial for trial in trials if trial.number in with_runs],
            method=method,
            curve=method.estimate(trials),
            budget_left=budget_left(trials, settings),
            exclusions=exclusions_of(stored),
            ladder=ladder_of(problem, trials),
        )

    @property
    def given_up(self) -> bool:
        """Whether exclusions ended the search before it was concluded, and confirmed as far as it can be."""
        concluded = self.curve.concluded is not None
        if concluded and self.method.next_confirmation(self.trials, self.curve) is None:
            return False
        return exclusions_end(self.trials, self.method)


def answer_of(stored: StoredStudy, *, with_layers: bool = True) -> Answer:
    """The answer that the stored trials and runs of a study give.

    Args:
        stored: The study.
        with_layers: Whether to count the layers at max_depth, for which data in files are read.

    Raises:
        StudyDamaged: They cannot be read.
    """
    known = _Known.of(stored)
    problem, settings, curve, runs = known.problem, known.settings, known.curve, known.runs
    outcome, ladder, beyond = _outcome(known), _ladder(known), _beyond(curve, problem, runs)
    bar = _bar(runs) if known.ladder is None else _bar_of_ladder(known.ladder)
    confirmation = _confirmation(known)
    scores, final_scores = _scores(curve, runs, {trial.number for trial in trial_fields.confirming(known.trials)})
    # Where the criterion itself compares depths, max_depth says it.
    useful = None if ladder is not None else useful_depth(runs, curve.max_depth, least=bar or 0.0)
    return Answer(
        problem=problem,
        settings=settings,
        question=stored.question or problem.question(),
        code=stored.code,
        study=stored.name,
        criterion=problem.criterion,
        bar=bar,
        ladder=ladder,
        outcome=outcome,
        sentence=answer_sentence(
            outcome,
            curve,
            family=problem.network,
            settings=settings,
            beyond=beyond,
            useful=useful,
            exclusions=known.exclusions,
            bar=bar,
            ladder=ladder,
        ),
        reliability=settings.reliability,
        max_depth=curve.max_depth,
        confirmed=curve.confirmed,
        final_scores=final_scores,
        scores=scores,
        useful_depth=useful,
        interval=curve.interval,
        interval_level=curve.level,
        concluded=curve.concluded,
        thresholds=curve.thresholds,
        transition=curve.transition,
        monotone=curve.monotone,
        crossings=curve.crossings,
        layers=_layers(problem, curve.max_depth) if with_layers else None,
        curve=curve.points,
        verdicts=count_verdicts([run.verdict.kind for run in runs]),
        beyond=beyond,
        confirmation=confirmation,
        warnings=warning_sentences(_warnings(known, confirmation), family=problem.network),
        cost=_cost(known),
        seed=settings.seed,
        versions=versions(),
        exclusions=known.exclusions,
    )


def probabilities_at(stored: StoredStudy, depths: Sequence[int]) -> tuple[CurvePoint, ...]:
    """P(trained) with its band at depths that need not have been tried; nothing where the method claims no band."""
    trials = trials_of(stored.optuna_study)
    method = method_for(stored.problem, stored.settings, trials)
    return method.probabilities(trials, [depth for depth in depths if depth in method.depths])


def _bar(runs: Sequence[StoredRun]) -> float | None:
    """The score that every run's verdict was held against; None where there are no runs."""
    for run in runs:
        thresholds = run.verdict.evidence.thresholds
        # The other names are of earlier versions, whose evidence gives the bar for some verdicts only.
        for name in ("final_score", "lowest_accuracy_held", "accuracy"):
            if name in thresholds:
                return round(float(thresholds[name]), 6)
    return None


def _bar_of_ladder(ladder: Ladder) -> float | None:
    return None if ladder.bar is None else round(ladder.bar.score, 6)


def _ladder(known: _Known) -> LadderResult | None:
    """What set the bar, or what is known of it so far."""
    if known.ladder is None:
        return None
    bar, (name, budget) = known.ladder.bar, known.problem.recipe.budget
    is_external = isinstance(known.problem.network, ExternalNetwork)
    return LadderResult(
        margin=known.ladder.margin,
        rungs=tuple(
            LadderRung(depth=rung.depth, runs=rung.runs, median=round(rung.median, 6)) for rung in known.ladder.rungs
        ),
        best_depth=None if bar is None else bar.rung,
        median=None if bar is None else round(bar.median, 6),
        runs=0 if bar is None else bar.runs,
        budget="" if is_external else count_of(budget, name.removesuffix("s")),
    )


def _scores(curve: Curve, runs: Sequence[StoredRun], confirming: set[int]) -> tuple[Scores | None, tuple[float, ...]]:
    """What the runs at max_depth scored, those that confirmed it where there are any; and these runs' scores."""
    there = [run for run in runs if run.depth == curve.max_depth]
    again = [run for run in there if run.trial_number in confirming]
    final_scores = tuple(map(_score, again))
    if not there:
        return None, final_scores
    chosen = again or there
    values = list(map(_score, chosen))
    scores = Scores(
        depth=chosen[0].depth,
        runs=len(chosen),
        confirming=bool(again),
        median=round(median(values), 6),
        lowest=min(values),
        highest=max(values),
        test=round(median(run.test_accuracy for run in chosen), 6),
    )
    return scores, final_scores


def _score(run: StoredRun) -> float:
    """The final score or, of runs of earlier versions, the train accuracy of the last epoch."""
    return round((run.train_accuracy or 0.0) if run.final_score is None else run.final_score, 6)


def _outcome(known: _Known) -> Outcome:
    if known.given_up:
        return Outcome.COULD_NOT_RUN
    if known.curve.monotone is False:
        return Outcome.NOT_MONOTONE
    if known.curve.concluded is not None:
        return _OUTCOMES[known.curve.concluded]
    return Outcome.UNFINISHED if known.budget_left else Outcome.BUDGET_ENDED


def _layers(problem: Problem, depth: int | None) -> LayerCounts | None:
    try:
        return None if depth is None else problem.layer_counts(depth)
    except InvalidValue:  # an answer outlives the files that it was found on, and the libraries that built its networks
        return None


def _cost(known: _Known) -> Cost:
    finished = [trial for trial in known.trials if trial.state is State.COMPLETE]
    return Cost(
        trials=len(known.finished),
        runs=sum(trial.made for trial in finished),
        seconds=round(sum(trial.seconds for trial in known.finished), 3),
        sum_of_depths=sum(trial.made * (trial.depth or 0) for trial in finished),
    )


def _confirmation(known: _Known) -> tuple[Confirmation, ...]:
    """How each depth did that fresh seeds were to confirm, in the order in which the method confirms them."""
    found = []
    for trial in trial_fields.confirming(known.trials):
        again = [run for run in known.runs if run.trial_number == trial.number]
        trained = sum(run.verdict.trained for run in again)
        agrees = known.method.confirmation_agrees(known.trials, trial)
        found.append(Confirmation(depth=again[0].depth, trained=trained, of=len(again), agrees=agrees))
    return tuple(found)


def _beyond(curve: Curve, problem: Problem, runs: Sequence[StoredRun]) -> Beyond | None:
    """The verdicts of the runs that failed just past max_depth, with the sentence of one of them.

    Without a threshold, these are the runs at the depth that fails. Otherwise they are the failing runs nearest to the
    threshold: at a high reliability, few fail at any one depth there.
    """
    if curve.fails_at is None:
        return None
    failed = sorted(
        (run for run in runs if not run.verdict.trained and run.depth >= curve.fails_at),
        key=lambda run: (run.depth, run.trial_number, run.run),
    )
    if not curve.thresholds:
        failed = [run for run in failed if run.depth == curve.fails_at]
    failed = [run for run in failed if run.depth <= failed[min(NEAREST, len(failed)) - 1].depth]
    if not failed:
        return None
    first, last = failed[0].depth, failed[-1].depth
    counts = count_verdicts([run.verdict.kind for run in failed])
    causes = dict(sorted(counts.items(), key=lambda item: -item[1]))
    cause = max(causes, key=lambda kind: causes[kind])
    return Beyond(
        depth=first,
        deepest=last,
        cause=cause,
        causes=causes,
        sentence=beyond_sentence(
            len(failed),
            sum(first <= run.depth <= last for run in runs),
            depths=(first, last),
            family=problem.network,
            example=next(run_sentence(run.verdict) for run in failed if run.verdict.kind == cause),
        ),
    )


def _warnings(known: _Known, confirmation: tuple[Confirmation, ...]) -> AnswerWarnings:
    """What a careful reader should know, as facts."""
    curve, method = known.curve, known.method
    latest = confirmation[-1:] if method.claims_interval else confirmation
    disagreeing = tuple(again for again in latest if not again.agrees)
    unconfirmed = curve.concluded is not None and not curve.confirmed and curve.monotone is not False
    missing = method.next_confirmation(known.trials, curve) if unconfirmed else None
    gave_up = method.most_confirmations is not None and len(confirmation) >= method.most_confirmations
    return AnswerWarnings(
        disagreeing=disagreeing,
        measures_interval=method.claims_interval,
        unconfirmed=unconfirmed and not (disagreeing and not method.claims_interval),
        next_to_confirm=None if missing is None else missing.depth,
        refuted=confirmation if gave_up else (),
        budget_left=known.budget_left,
        budget_ended=curve.concluded is None and not known.budget_left and not known.given_up,
        given_up=known.given_up,
        earlier_rule=known.problem.criterion.kind == "held",
    )
