"""From what the store holds of a study to its Answer. Nothing is trained and nothing is written."""

import platform
from collections.abc import Sequence
from importlib.metadata import version
from statistics import median

from depthsearch.core.answer import Answer, Beyond, Confirmation, Cost, LayerCounts, Outcome
from depthsearch.core.curve import Conclusion, Curve
from depthsearch.core.events import Purpose
from depthsearch.core.verdict import count_verdicts
from depthsearch.core.words import count_of, listed
from depthsearch.datasets import load
from depthsearch.families import family_of
from depthsearch.finder.budget import budget_left
from depthsearch.search import estimate
from depthsearch.search import trials as trial_fields
from depthsearch.search.trials import Probe
from depthsearch.store import StoredRun, StoredStudy

_OUTCOMES = {
    Conclusion.ADJACENT: Outcome.FOUND,
    Conclusion.CAP: Outcome.CAP_REACHED,
    Conclusion.SHALLOWEST: Outcome.NEVER_RELIABLE,
}


def answer_of(stored: StoredStudy) -> Answer:
    """The answer that the stored trials and runs of a study give."""
    problem, settings = stored.problem, stored.settings
    trials = trial_fields.all_trials(stored.optuna_study)
    probes = trial_fields.probes(trials)
    runs = stored.runs()
    curve = estimate(stored.optuna_study, settings)
    outcome = _outcome(stored, curve)
    confirmation = _confirmation(stored, curve, runs)
    beyond = _beyond(stored, curve, runs)
    finished = {run.trial_number for run in runs}
    return Answer(
        problem=problem,
        settings=settings,
        fingerprint=problem.fingerprint(),
        study=stored.name,
        outcome=outcome,
        sentence=_sentence(stored, curve, outcome, beyond, agrees=all(again.agrees for again in confirmation)),
        reliability=settings.reliability,
        max_depth=curve.max_depth,
        interval=curve.interval,
        interval_level=curve.level,
        layers=_layers(stored, curve.max_depth),
        curve=curve.points,
        verdicts=count_verdicts([run.verdict.kind for run in runs]),
        beyond=beyond,
        confirmation=confirmation,
        warnings=_warnings(stored, curve, confirmation, runs),
        cost=Cost(
            trials=len(finished),
            runs=sum(probe.runs for probe in probes),
            seconds=round(
                sum(trial.user_attrs[trial_fields.SECONDS] for trial in trials if trial.number in finished), 3
            ),
            sum_of_depths=sum(probe.runs * probe.depth for probe in probes),
        ),
        seed=settings.seed,
        versions={"python": platform.python_version()}
        | {name: version(name) for name in ("depthsearch", "numba", "numpy", "optuna", "torch")},
    )


def _outcome(stored: StoredStudy, curve: Curve) -> Outcome:
    if curve.concluded is not None:
        return _OUTCOMES[curve.concluded]
    return Outcome.UNFINISHED if budget_left(stored) else Outcome.BUDGET_ENDED


def _layers(stored: StoredStudy, depth: int | None) -> LayerCounts | None:
    if depth is None:
        return None
    return family_of(stored.problem.family).counts(stored.problem, load(stored.problem.data).spec, depth)


def _confirmation(stored: StoredStudy, curve: Curve, runs: Sequence[StoredRun]) -> tuple[Confirmation, ...]:
    """How each edge of the bracket did when it was tried again, the deepest passing one first."""
    trials = trial_fields.all_trials(stored.optuna_study)
    confirming = {trial.number for trial in trials if trial_fields.purpose_of(trial) is Purpose.CONFIRM}
    found = []
    for depth, should_pass in ((curve.max_depth, True), (curve.fails_at, False)):
        again = [run for run in runs if run.depth == depth and run.trial_number in confirming]
        if not again:
            continue
        trained = sum(run.verdict.trained for run in again)
        passes = Probe(again[0].depth, len(again), trained).passes(stored.settings.reliability)
        found.append(
            Confirmation(
                depth=again[0].depth,
                trained=trained,
                of=len(again),
                agrees=passes is should_pass,
                train_accuracy=round(median(run.train_accuracy or 0.0 for run in again), 6),
                test_accuracy=round(median(run.test_accuracy for run in again), 6),
            )
        )
    return tuple(found)


def _beyond(stored: StoredStudy, curve: Curve, runs: Sequence[StoredRun]) -> Beyond | None:
    """The commonest verdict among the runs that failed just past the cliff, in the words of one of them."""
    there = [run for run in runs if run.depth == curve.fails_at]
    failed = [run for run in there if not run.verdict.trained]
    if not failed or curve.fails_at is None:
        return None
    causes = count_verdicts([run.verdict.kind for run in failed])
    cause = max(causes, key=lambda kind: causes[kind])
    example = next(run.verdict.sentence for run in failed if run.verdict.kind == cause)
    family = family_of(stored.problem.family)
    return Beyond(
        depth=curve.fails_at,
        cause=cause,
        causes=causes,
        sentence=f"{len(failed)} of {len(there)} runs fail at {family.units(curve.fails_at)}; for example {example}",
    )


def _sentence(stored: StoredStudy, curve: Curve, outcome: Outcome, beyond: Beyond | None, *, agrees: bool) -> str:
    family = family_of(stored.problem.family)
    cause = f" ({listed(beyond.causes)})" if beyond else ""
    match outcome:
        case Outcome.FOUND:
            hedge = "" if agrees else "; tried again, this edge did not hold"
            return f"trains to {family.units(curve.max_depth or 0)}; {curve.fails_at} fail{cause}{hedge}"
        case Outcome.CAP_REACHED:
            return f"trains to {family.units(curve.max_depth or 0)}, the cap; raise --cap to look deeper"
        case Outcome.NEVER_RELIABLE:
            return f"does not train at all: even {family.units(curve.fails_at or 0)} fails{cause}"
        case Outcome.BUDGET_ENDED | Outcome.UNFINISHED:
            why = "the budget ended first" if outcome is Outcome.BUDGET_ENDED else "not finished yet"
            unit = (
                family.units(1).removeprefix("1 ") if curve.max_depth == 1 and curve.fails_at is None else family.unit
            )
            return f"{why}; so far, the answer is {curve.possible(stored.settings.cap)} {unit}"


def _warnings(
    stored: StoredStudy, curve: Curve, confirmation: Sequence[Confirmation], runs: Sequence[StoredRun]
) -> tuple[str, ...]:
    family = family_of(stored.problem.family)
    warnings = [
        f"tried again with fresh seeds, {family.units(again.depth)} trained in {again.trained} of {again.of} runs: "
        "this disagrees with the search, so the cliff is not sharp here; a search with more runs a depth tells more "
        "(--fresh --seeds 15)"
        for again in confirmation
        if not again.agrees
    ]
    edges = {depth for depth in (curve.max_depth, curve.fails_at) if depth is not None}
    missing = sorted(edges - {again.depth for again in confirmation})
    if curve.concluded and missing:
        depths = " and ".join(str(depth) for depth in missing)
        warnings.append(f"not confirmed with fresh seeds at {depths} {family.unit}: the budget ended first")
    relapsed = [run for run in runs if run.depth == curve.max_depth and _fell_back(run)]
    if relapsed:
        warnings.append(
            f"{count_of(len(relapsed), 'run')} that trained at {family.units(relapsed[0].depth)} had fallen back below "
            "the criterion by the end of the budget: what these networks learn does not always last"
        )
    return tuple(warnings)


def _fell_back(run: StoredRun) -> bool:
    """Whether a run that trained, and went on, ended at an accuracy that would not have counted."""
    thresholds = run.verdict.evidence.thresholds
    return run.verdict.trained and run.train_accuracy is not None and run.train_accuracy <= thresholds["accuracy"]
