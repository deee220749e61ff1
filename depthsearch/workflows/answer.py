"""From what the store holds of a study to its Answer. Nothing is trained and nothing is written."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from statistics import median

from depthsearch.detection.verdict import count_verdicts
from depthsearch.networks.base import LayerCounts, Network
from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import listed, possible_words
from depthsearch.results.answer import Answer, Beyond, Confirmation, Cost, Outcome, Scores, UsefulDepth
from depthsearch.search import trial as trial_fields
from depthsearch.search.curve import Conclusion, Curve, CurvePoint
from depthsearch.search.method import DEFAULT, SearchMethod
from depthsearch.search.sampler import trials_of
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.threshold.estimation import MOST_CONFIRMATIONS
from depthsearch.search.trial import Trial
from depthsearch.store import StoredRun, StoredStudy
from depthsearch.workflows.stored import budget_left, method_for, read_checked
from depthsearch.workflows.useful_depth import useful_depth


def versions() -> dict[str, str]:
    """The versions of Python and of all that a result depends on."""
    return {"python": platform.python_version()} | {
        name: version(name) for name in ("depthsearch", "numba", "numpy", "optuna", "torch")
    }


FEW_DEPTHS = 8
"""Where nothing deeper was tried, a sentence on all depths says so."""

NEAREST = 16
"""Failing runs that the cause past the threshold is taken from, and those at the same depth as the last of them."""

_OUTCOMES = {
    Conclusion.ADJACENT: Outcome.FOUND,
    Conclusion.WIDTH: Outcome.FOUND,
    Conclusion.LEVEL: Outcome.FOUND,
    Conclusion.GRID: Outcome.FOUND,
    Conclusion.CAP: Outcome.CAP_REACHED,
    Conclusion.SHALLOWEST: Outcome.NEVER_RELIABLE,
}


def answer_of(stored: StoredStudy) -> Answer:
    """The answer that the stored trials and runs of a study give.

    Raises:
        StudyDamaged: They cannot be read.
    """
    problem, settings = stored.problem, stored.settings
    trials, runs = read_checked(stored)
    probes = trial_fields.probes(trials)
    method = method_for(problem, settings, trials)
    curve = method.estimate(trials)
    outcome = _outcome(curve, trials, settings)
    confirmation = _confirmation(method, trials, runs)
    beyond = _beyond(curve, problem, runs)
    bar = _bar(runs)
    confirming = {trial.number for trial in trial_fields.confirming(trials)}
    scores, final_scores = _scores(curve, runs, confirming)
    useful = useful_depth(runs, curve.max_depth, least=bar or 0.0)
    finished = {run.trial_number for run in runs}
    return Answer(
        problem=problem,
        settings=settings,
        question=stored.question,
        code=stored.code,
        study=stored.name,
        criterion=problem.criterion,
        bar=bar,
        outcome=outcome,
        sentence=_sentence(stored, curve, outcome, beyond, useful),
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
        layers=_layers(stored, curve.max_depth),
        curve=curve.points,
        verdicts=count_verdicts([run.verdict.kind for run in runs]),
        beyond=beyond,
        confirmation=confirmation,
        warnings=_warnings(problem, method, trials, curve, confirmation),
        cost=Cost(
            trials=len(finished),
            runs=sum(probe.runs for probe in probes),
            seconds=round(sum(trial.seconds for trial in trials if trial.number in finished), 3),
            sum_of_depths=sum(probe.runs * probe.depth for probe in probes),
        ),
        seed=settings.seed,
        versions=versions(),
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


def _outcome(curve: Curve, trials: Sequence[Trial], settings: ResolvedSettings) -> Outcome:
    if curve.monotone is False:
        return Outcome.NOT_MONOTONE
    if curve.concluded is not None:
        return _OUTCOMES[curve.concluded]
    return Outcome.UNFINISHED if budget_left(trials, settings) else Outcome.BUDGET_ENDED


def _layers(stored: StoredStudy, depth: int | None) -> LayerCounts | None:
    if depth is None:
        return None
    return stored.problem.network.layer_counts(stored.problem.data.spec, depth)


def _confirmation(method: SearchMethod, trials: Sequence[Trial], runs: Sequence[StoredRun]) -> tuple[Confirmation, ...]:
    """How each depth did that was tried again with fresh seeds, in the order in which the method confirms them."""
    found = []
    for trial in trial_fields.confirming(trials):
        again = [run for run in runs if run.trial_number == trial.number]
        trained = sum(run.verdict.trained for run in again)
        agrees = method.confirmation_agrees(trials, trial)
        found.append(Confirmation(depth=again[0].depth, trained=trained, of=len(again), agrees=agrees))
    return tuple(found)


def _beyond(curve: Curve, problem: Problem, runs: Sequence[StoredRun]) -> Beyond | None:
    """Of what the runs failed that failed just past max_depth, in the words of one of them.

    Bisection looks at the depth that fails. Otherwise the failing runs nearest to the threshold are looked at: at a
    high reliability, few fail at any one depth there.
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
    there = [run for run in runs if first <= run.depth <= last]
    counts = count_verdicts([run.verdict.kind for run in failed])
    causes = dict(sorted(counts.items(), key=lambda item: -item[1]))
    cause = max(causes, key=lambda kind: causes[kind])
    example = next(run.verdict.sentence for run in failed if run.verdict.kind == cause)
    family = problem.network
    where = family.depth_words(first) if first == last else f"{first} to {family.depth_words(last)}"
    return Beyond(
        depth=first,
        deepest=last,
        cause=cause,
        causes=causes,
        sentence=f"{len(failed)} of {len(there)} runs fail at {where}; for example {example}",
    )


def _sentence(
    stored: StoredStudy, curve: Curve, outcome: Outcome, beyond: Beyond | None, useful: UsefulDepth | None
) -> str:
    family, settings = stored.problem.network, stored.settings
    cause = f" ({listed(beyond.causes)})" if beyond else ""
    match outcome:
        case Outcome.FOUND | Outcome.CAP_REACHED:
            if curve.max_depth is None:
                where = f"{possible_words(curve, settings.cap)} {family.units}"
                return f"is not reliable at any depth that was tried: the threshold lies at {where}{cause}"
            depth = family.depth_words(curve.max_depth)
            if curve.max_depth == settings.cap and outcome is Outcome.CAP_REACHED:
                depth += ", the cap"
            past = f"; failing past that: {listed(beyond.causes)}" if beyond else ""
            return f"trains to {depth}{_certainty(curve, settings)}{_as_good(curve, useful)}{past}"
        case Outcome.NEVER_RELIABLE:
            least, sure = family.depth_words(family.shallowest), "" if curve.confirmed else " (unconfirmed)"
            share = f"{settings.reliability:.0%}"
            return f"is not reliable at any depth{sure}: {share} do not train even with {least}{cause}"
        case Outcome.NOT_MONOTONE:
            return f"does not simply stop at a depth: {_crossing_words(curve, settings, family)}{cause}"
        case Outcome.BUDGET_ENDED | Outcome.UNFINISHED:
            why = "the budget ended first" if outcome is Outcome.BUDGET_ENDED else "not finished yet"
            possible = possible_words(curve, settings.cap)
            unit = family.depth_words(1).removeprefix("1 ") if possible.endswith(" 1") else family.units
            known = f"{possible} {unit} (unconfirmed)" if any(map(str.isdigit, possible)) else "not known"
            return f"{why}; so far, the answer is {known}"


def _certainty(curve: Curve, settings: ResolvedSettings) -> str:
    """ " (21 to 26 with 95% probability; unconfirmed)": the interval where one is claimed, and what is untested."""
    parts = [f"{possible_words(curve, settings.cap)} with {curve.level:.0%} probability"] if curve.interval else []
    parts += [] if curve.confirmed else ["unconfirmed"]
    return f" ({'; '.join(parts)})" if parts else ""


def _as_good(curve: Curve, useful: UsefulDepth | None) -> str:
    if useful is None:
        return ""
    to = "" if useful.depth == curve.max_depth else f" to {useful.depth}"
    return f", as good as the best shallower network{to}"


def _crossing_words(curve: Curve, settings: ResolvedSettings, family: Network) -> str:
    first, last = curve.crossings or (0, 0)
    share = f"{settings.reliability:.0%}"
    tried = [point.depth for point in curve.points]
    only = (
        f"; only {tried[0]} to {family.depth_words(tried[-1])} were tried" if tried and tried[-1] <= FEW_DEPTHS else ""
    )
    if first < last:
        return f"fewer than {share} train beyond {first} {family.units}, but again more at depths up to {last}{only}"
    if not last:
        return (
            f"shallower networks fail more often than some deeper ones; no depth that was tried reaches {share}{only}"
        )
    past = f"past {family.depth_words(last)} fewer than {share} train"
    return f"{past}, and of some deeper networks more than of those between{only}"


def _warnings(
    problem: Problem,
    method: SearchMethod,
    trials: Sequence[Trial],
    curve: Curve,
    confirmation: Sequence[Confirmation],
) -> tuple[str, ...]:
    family = problem.network
    advice = f"so the cliff is not sharp here; a search with an interval tells more (--fresh --sampler {DEFAULT})"
    if method.claims_interval:
        advice = "so the curve's shape, or chance, may mislead here; a search from another --seed tells more"
    warnings = [
        f"with fresh seeds, {family.depth_words(again.depth)} trained in {again.trained} of {again.of} runs: "
        f"this disagrees with the search, {advice}"
        for again in (confirmation[-1:] if method.claims_interval else confirmation)
        if not again.agrees
    ]
    explained = bool(warnings) and not method.claims_interval
    if curve.concluded and not curve.confirmed and curve.monotone is not False and not explained:
        warnings.append(f"unconfirmed: {_why_unconfirmed(family, method, trials, curve, confirmation)}")
    if not curve.concluded and not budget_left(trials, method.settings):
        warnings.append("the budget ended first: the same command with a larger budget goes on from here")
    if problem.criterion.kind == "held":
        warnings.append(
            "judged by the rule of an earlier version: a run had trained once it held the accuracy for a tenth of its "
            "epochs, whether or not it lost it later; the same search today gives another answer"
        )
    return tuple(warnings)


def _why_unconfirmed(
    family: Network,
    method: SearchMethod,
    trials: Sequence[Trial],
    curve: Curve,
    confirmation: Sequence[Confirmation],
) -> str:
    missing = method.next_confirmation(trials, curve)
    if missing is not None:
        ended = "the search was interrupted" if budget_left(trials, method.settings) else "the budget ended"
        return f"{ended} before {family.depth_words(missing.depth)} could be tried again with fresh seeds"
    if method.claims_interval and len(confirmation) >= MOST_CONFIRMATIONS:
        tried = ", ".join(f"{again.trained} of {again.of} at {again.depth}" for again in confirmation)
        return f"with fresh seeds, no depth reached the reliability with all its runs counted ({tried})"
    return "fresh seeds did not confirm it"
