"""What an answer says, in words: names with a text each, the same for a terminal and for a page."""

import math
from collections.abc import Iterator, Mapping

from depthsearch.core.answer import Answer, LayerCounts, Outcome
from depthsearch.core.inspection import Inspection, Predictions
from depthsearch.core.problem import Problem
from depthsearch.core.study_file import Reported
from depthsearch.core.verdict import Evidence
from depthsearch.core.words import count_of, in_words, interval_words, listed
from depthsearch.families import family_of

AFTERWARDS = {
    "exploded": "explodes",
    "born_dead": "is born dead",
    "died": "dies",
    "vanished": "loses its gradients",
    "input_blind": "is blind to its inputs",
    "unstable": "becomes unstable",
    "slow": "learns too slowly",
    "flat": "stays flat",
}
"""What a network does past the cliff, by the commonest verdict there."""


def called(found: Answer | Problem) -> str:
    """ "ffnet tanh on moons"."""
    problem = found.problem if isinstance(found, Answer) else found
    return f"{problem.family} {problem.activation} on {problem.data.name}"


def finding(answer: Answer) -> str:
    """The answer as a headline: "ffnet tanh on moons trains to 23 hidden layers, then becomes unstable"."""
    return f"{called(answer)}{_found(answer)}"


def _found(answer: Answer) -> str:
    units = family_of(answer.problem.family).units
    if not answer.curve:
        return ": nothing has been tried yet"
    match answer.outcome:
        case Outcome.FOUND if answer.max_depth is not None:
            after = f", then {AFTERWARDS[answer.beyond.cause]}" if answer.beyond else ""
            return f" trains to {units(answer.max_depth)}{after}"
        case Outcome.CAP_REACHED:
            return f" trains to {units(answer.max_depth or answer.settings.cap)}, the cap"
        case Outcome.NEVER_RELIABLE:
            return " is not reliable at any depth"
        case Outcome.NOT_MONOTONE:
            return " does not simply stop at a depth"
        case _:
            return f": {answer.sentence}"


def facts(answer: Answer, *, place: str, reported: Reported | None = None) -> Iterator[tuple[str, str]]:
    """What stands below the curve. `place` is the store that holds the study; `reported` what a study file says."""
    family = family_of(answer.problem.family)
    if answer.crossings is not None:
        yield "max depth", "no single one; crosses the reliability at {} and {}".format(*answer.crossings)
    else:
        yield "max depth", "none" if answer.max_depth is None else family.units(answer.max_depth)
    if reported is not None and reported.depth is not None:
        note = f" ({reported.note})" if reported.note else ""
        yield "reported", f"{family.units(reported.depth)}{note}"
    if answer.layers is not None:
        yield "layers", _size(answer.layers)
    yield from _threshold_facts(answer)
    if answer.beyond is not None:
        yield "beyond", answer.beyond.sentence
    for again in answer.confirmation:
        accuracy = f"accuracy {again.train_accuracy:.3f} train, {again.test_accuracy:.3f} test (median)"
        yield "tried again", f"{family.units(again.depth)}: {again.trained} of {again.of} trained; {accuracy}"
    yield "runs", listed(answer.verdicts) or "none yet"
    cost = answer.cost
    trials, runs = count_of(cost.trials, "trial"), count_of(cost.runs, "run")
    yield "cost", f"{trials}, {runs}, {cost.seconds:.1f} s of training"
    if answer.concluded is not None:
        yield "ended", answer.concluded.sentence
    yield "criterion", f"a depth passes where at least {answer.reliability:.0%} of its runs train"
    yield "study", f"{answer.study} in {place}"


def _threshold_facts(answer: Answer) -> Iterator[tuple[str, str]]:
    """Where the thresholds lie, and how fast the curve falls."""
    for found in answer.thresholds:
        interval = found.interval if found.reliability != answer.reliability else answer.interval or found.interval
        where = interval_words(interval) + ("" if interval[1] is None else f", median {found.depth}")
        name = "interval" if found.reliability == answer.reliability else f"at {found.reliability:.0%}"
        yield (
            name,
            f"{where}: where {found.reliability:.0%} of the runs train ({answer.interval_level:.0%} probability)",
        )
    if not answer.thresholds and answer.outcome is Outcome.FOUND:
        yield "interval", "none: bisection does not measure its own error"
    if answer.transition is not None:
        times, narrow, wide = answer.transition
        yield "falls", f"from 90 % to 10 % of its height over {times:.1f} times the depth ({narrow:.1f} to {wide:.1f})"


def run_facts(inspection: Inspection, *, place: str | None = None) -> Iterator[tuple[str, str]]:
    """What stands below the figures of one run. `place` is the store that it was replayed from."""
    yield "layers", _size(inspection.layers)
    yield "test points", _predicted(inspection.predictions)
    yield "a guess", f"always the commonest class scores {inspection.majority_rate:.3f} on train"
    epochs = f"{count_of(inspection.epochs, 'epoch')}, {count_of(inspection.steps, 'step')}"
    yield "cost", f"{epochs}, {inspection.seconds:.1f} s on the {inspection.engine} engine"
    if inspection.replay is not None and place is not None:
        yield "study", f"{inspection.replay.study} in {place}"


def versions_fact(versions: Mapping[str, str]) -> tuple[str, str]:
    """Of the software that searched or trained."""
    return "versions", ", ".join(f"{name} {version}" for name, version in versions.items())


def _size(counts: LayerCounts) -> str:
    by_convention = f"{counts.hidden} hidden, {counts.weight_layers} with weights, {counts.keras} as Keras counts"
    return f"{by_convention}; {counts.parameters} parameters"


def _predicted(found: Predictions) -> str:
    if found.undefined:
        return f"{found.undefined} of {found.points} are given no finite probability"
    classes = (f"{row[k]} of {sum(row)}" for k, row in enumerate(found.confusion))
    return f"{found.right} of {found.points} right; class by class {', '.join(classes)}"


def evidence_rows(evidence: Evidence) -> list[tuple[str, str, str]]:
    """Each figure with the threshold of its name and the side on which it lies, those that a rule asked for first."""
    names = [*evidence.thresholds, *(name for name in evidence.figures if name not in evidence.thresholds)]
    return [
        (in_words(name), _plain(evidence.figures.get(name, "")), _beside(evidence.figures.get(name), threshold))
        for name in names
        for threshold in [evidence.thresholds.get(name)]
    ]


def _beside(figure: float | int | str | None, threshold: float | None) -> str:
    if threshold is None:
        return ""
    try:
        value = float("nan" if figure is None else figure)
    except ValueError:
        value = math.nan
    # A loss that is not a number is past every threshold.
    side = "<" if value < threshold else "=" if value == threshold else ">"
    return f"{side} {_plain(threshold)}"


def _plain(value: float | int | str | None) -> str:
    if value is None:
        return "undefined"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
