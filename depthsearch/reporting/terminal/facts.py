"""The facts of an answer or of a run: names with a text each, the same for a terminal and for a page."""

import math
from collections.abc import Iterator, Mapping

from depthsearch.detection.verdict import Evidence
from depthsearch.networks.base import LayerCounts
from depthsearch.networks.external import ExternalNetwork
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.problem.study_file import Reported
from depthsearch.reporting.intervals import searched_interval_words
from depthsearch.reporting.sentences import (
    conclusion_words,
    count_of,
    crossed_words,
    exclusion_lines,
    in_words,
    interval_words,
    listed,
    the_last,
)
from depthsearch.results.answer import Answer, Beyond, LadderResult, Outcome, Scores
from depthsearch.results.inspection import Inspection

AFTERWARDS = {
    "exploded": "explodes",
    "born_dead": "is born dead",
    "died": "dies",
    "saturated": "is thrown by steps that are too large",
    "vanished": "loses its gradients",
    "input_blind": "is blind to its inputs",
    "unstable": "becomes unstable",
    "slow": "learns too slowly",
    "degraded": "falls short of the bar",
    "flat": "stays flat",
}
"""What a network does past the cliff, by the commonest verdict there."""

WIDEST = 100.0
"""A fall that may span more than this factor is known from below only."""

MOST_CLASSES = 10
"""Classes whose test points are counted one by one."""

ONLY_FOR_SENTENCES = ("entry", "score_name")
"""Figures of some evidence that only words need: what an entry is called, and the score."""


def called(found: Answer | Problem) -> str:
    """ "ffnet tanh on moons"."""
    problem = found.problem if isinstance(found, Answer) else found
    return f"{problem.label}"


def finding(answer: Answer, label: str = "") -> str:
    """The answer as a headline: "ffnet tanh on moons trains to 23 hidden layers, then becomes unstable".

    Args:
        answer: What was found.
        label: What the problem is called; by default its few words.
    """
    return f"{label or called(answer)}{_found(answer)}"


def _afterwards(beyond: Beyond) -> str:
    return "fails in several ways" if beyond.mixed else AFTERWARDS[beyond.cause]


def _found(answer: Answer) -> str:
    units, sure = answer.problem.network.depth_words, "" if answer.confirmed else " (unconfirmed)"
    if not answer.curve:
        return ": nothing has been tried yet"
    match answer.outcome:
        case Outcome.FOUND if answer.max_depth is not None:
            after = f", then {_afterwards(answer.beyond)}" if answer.beyond else ""
            return f" {_does(answer)} to {units(answer.max_depth)}{sure}{after}"
        case Outcome.CAP_REACHED | Outcome.MEMORY_ENDED:
            end = "the cap" if answer.outcome is Outcome.CAP_REACHED else "as deep as memory allows"
            return f" {_does(answer)} to {units(answer.max_depth or answer.settings.cap)}, {end}{sure}"
        case Outcome.NEVER_RELIABLE:
            return " is not reliable at any depth"
        case Outcome.NOT_MONOTONE:
            return " does not simply stop at a depth"
        case _:
            return f": {answer.sentence}"


def _does(answer: Answer) -> str:
    return "trains" if answer.ladder is None else "is no worse than shallower networks"


def facts(answer: Answer, *, place: str = "", reported: Reported | None = None) -> Iterator[tuple[str, str]]:
    """The facts that belong on one screen. `place` is the store; `reported` what a study file says of the problem."""
    family = answer.problem.network
    if answer.crossings is not None:
        yield (
            "max depth",
            f"no single one; crosses the reliability {crossed_words(answer.crossings, answer.shallowest)}",
        )
    elif answer.max_depth is None:
        yield "max depth", "none"
    else:
        sure = "" if answer.confirmed else ", unconfirmed"
        yield "max depth", f"{family.depth_words(answer.max_depth)}{sure}{_counts(answer.layers)}"
    if reported is not None and reported.depth is not None:
        note = f" ({reported.note})" if reported.note else ""
        yield "reported", f"{family.depth_words(reported.depth)}{note}"
    yield from _interval_fact(answer)
    if answer.ladder is not None:
        yield "bar", bar_words(answer, answer.ladder)
    elif answer.max_depth is not None and answer.scores is not None:
        yield "useful", useful_words(answer)
    if answer.bar is not None:
        yield "trained", trained_words(answer)
    if answer.scores is not None:
        tested = is_tested(answer.problem)
        yield "accuracy" if tested else "score", scores_words(answer.scores, tested=tested)
    if answer.beyond is not None:
        yield "beyond", _beyond_words(answer)
    for line in exclusion_lines(answer.exclusions, family):
        yield "excluded", line
    cost = answer.cost
    trials, runs = count_of(cost.trials, "trial"), count_of(cost.runs, "run")
    yield "cost", f"{trials}, {runs}, {cost.seconds:.1f} s of training"
    yield "study", f"{answer.study} in {place}" if place else answer.study


def details(answer: Answer) -> Iterator[tuple[str, str]]:
    """The facts that do not fit there: how the answer came about."""
    family = answer.problem.network
    if answer.layers is not None and answer.layers != LayerCounts():
        yield "layers", _size(answer.layers)
    for found in answer.thresholds:
        if found.reliability != answer.reliability:
            interval = searched_interval_words(found.interval, answer)
            is_open = (
                found.interval[1] is None or interval.startswith("at least") or 0 < found.depth < answer.shallowest
            )
            where = interval if is_open else f"{interval}, median {found.depth}"
            yield f"at {found.reliability:.0%}", f"{where}: where {found.reliability:.0%} of the runs train"
    if answer.transition is not None:
        times, narrow, wide = answer.transition
        span = f" ({narrow:.1f} to {wide:.1f})" if wide <= WIDEST else f" ({narrow:.1f} or more)"
        yield "falls", f"the curve falls from 90 % to 10 % of its height within {times:.1f} times the depth{span}"
    if answer.beyond is not None:
        yield "failing", answer.beyond.sentence
    if answer.ladder is not None and answer.ladder.rungs:
        medians = ", ".join(f"{rung.median:.3f} at {rung.depth}" for rung in answer.ladder.rungs)
        yield "ladder", f"median final scores of {answer.ladder.rungs[0].runs} runs each: {medians}"
    counted = {point.depth: f"{point.trained} of {point.of}" for point in answer.curve}
    for again in answer.confirmation:
        in_all = f"; with all runs there, {counted[again.depth]}" if again.depth in counted else ""
        yield "fresh seeds", f"{family.depth_words(again.depth)}: {again.trained} of {again.of} trained{in_all}"
    yield "runs", listed(answer.verdicts) or "none yet"
    if answer.concluded is not None:
        yield "ended", conclusion_words(answer.concluded)
    yield "passes", f"a depth at which at least {answer.reliability:.0%} of the runs train"
    yield "criterion", _criterion_words(answer.criterion)


def trained_words(answer: Answer) -> str:
    """ "train accuracy of at least 0.611 in each of the last 3 epochs"; a score, where a user's function trains."""
    criterion, bar = answer.criterion, f"{answer.bar:.3f}"
    score = "train accuracy" if is_tested(answer.problem) else "score"
    if criterion.last_epochs is None:
        return f"{score} above {bar} for a tenth of the epochs, even if lost later (an earlier version's rule)"
    entry = "epoch" if answer.problem.recipe.steps is None else "twentieth"
    last = the_last(criterion.last_epochs, entry)
    each = "each of " if criterion.last_epochs > 1 else ""
    of = "" if entry == "epoch" else " of the steps"
    return f"{score} of at least {bar} in {each}{last}{of}"


def _criterion_words(criterion: Criterion) -> str:
    match criterion.kind:
        case "chance":
            return (
                f"chance: the bar lies {criterion.min_gain:g} of the way from a constant guess to an accuracy of 1, "
                "and three standard errors above the guess at least"
            )
        case "target":
            return "target: the bar is the accuracy that was asked for"
        case "no_worse":
            return (
                f"no_worse: the bar lies {criterion.margin:g} below the median score of the best of some depths, which "
                "are trained first, and where runs are distinguished from a constant guess at least"
            )
        case "held":
            return "held: the rule of an earlier version; such studies are read, not resumed"


def is_tested(problem: Problem) -> bool:
    """Whether a test score is known besides: a function that trains elsewhere gives one score for each epoch."""
    return not isinstance(problem.network, ExternalNetwork)


def bar_words(answer: Answer, ladder: LadderResult) -> str:
    """ "0.966, 0.02 below the median of 16 runs at 4 hidden layers, 0.986; for 200 epochs of training"."""
    if ladder.best_depth is None or ladder.median is None or answer.bar is None:
        return "not known yet: some depths are trained first to set it"
    median = f"the median of {count_of(ladder.runs, 'run')} at {answer.problem.network.depth_words(ladder.best_depth)}"
    # Scores are rounded to 6 digits.
    if answer.bar > ladder.median - ladder.margin + 1e-5:
        how = f"that of chance, since {median} is {ladder.median:.3f}"
    else:
        how = f"{ladder.margin:g} below {median}, {ladder.median:.3f}"
    return f"{answer.bar:.3f}, {how}" + (f"; for {ladder.budget} of training" if ladder.budget else "")


def scores_words(scores: Scores, *, tested: bool = True) -> str:
    """ "0.844 (0.518 to 0.872), the 16 confirming runs at 21; test 0.830"."""
    runs = f"the {scores.runs} confirming runs" if scores.confirming else f"{count_of(scores.runs, 'run')}"
    span = f"{scores.lowest:.3f} to {scores.highest:.3f}"
    return f"{scores.median:.3f} ({span}), {runs} at {scores.depth}" + (f"; test {scores.test:.3f}" if tested else "")


def useful_words(answer: Answer) -> str:
    """ "to 12 (9 to 15), within 0.02 of the best shallower median, 0.970 at 4"."""
    useful = answer.useful_depth
    if useful is None:
        return "too few runs here to compare with shallower networks"
    interval = "" if useful.interval == (useful.depth, useful.depth) else f" ({interval_words(useful.interval)})"
    if useful.best_depth == useful.depth:
        return f"to {useful.depth}{interval}, which has the best median, {useful.best_score:.3f}"
    best = f"the best shallower median, {useful.best_score:.3f} at {useful.best_depth}"
    return f"to {useful.depth}{interval}, within {useful.margin:g} of {best}"


def _interval_fact(answer: Answer) -> Iterator[tuple[str, str]]:
    if answer.interval is not None and answer.outcome is not Outcome.NEVER_RELIABLE:
        where = searched_interval_words(answer.interval, answer)
        sure = f"{answer.interval_level:.0%} probability"
        what = "train" if answer.ladder is None else "reach the bar"
        sure += "" if answer.ladder is None else ", given the bar"
        yield "interval", f"{where}: where {answer.reliability:.0%} of the runs {what} ({sure})"
    elif not answer.thresholds and answer.outcome is Outcome.FOUND:
        yield "interval", "none: bisection does not measure its error"


def _beyond_words(answer: Answer) -> str:
    """ "unstable in 15 of 16 failing runs, at 24 to 46 hidden layers", or "mixed: ..." without a majority."""
    beyond = answer.beyond
    assert beyond is not None
    units = answer.problem.network.depth_words
    where = units(beyond.depth) if beyond.depth == beyond.deepest else f"{beyond.depth} to {units(beyond.deepest)}"
    failing = count_of(sum(beyond.causes.values()), "failing run")
    if beyond.mixed:
        return f"mixed: {listed(beyond.causes)} of {failing}, at {where}"
    return f"{in_words(beyond.cause)} in {beyond.causes[beyond.cause]} of {failing}, at {where}"


def run_facts(inspection: Inspection, *, place: str | None = None) -> Iterator[tuple[str, str]]:
    """The facts below the figures of one run. `place` is the store that it was replayed from."""
    yield "layers", _size(inspection.layers)
    if inspection.detail.predictions.size:
        sequence = inspection.problem.data.spec.task == "sequence"
        yield "test positions" if sequence else "test points", _predicted(inspection)
    guess = {"accuracy": "always the commonest class", "explained variance": "always the mean"}
    constant = guess.get(inspection.score_name, "the network before training")
    yield "constant guess", f"{constant} scores {inspection.baseline:.3f} on train"
    epochs = f"{count_of(inspection.epochs, inspection.entry)}, {count_of(inspection.trace.steps, 'step')}"
    yield "cost", f"{epochs}, {inspection.seconds:.1f} s on the {inspection.engine} engine"
    if inspection.replay is not None and place is not None:
        yield "study", f"{inspection.replay.study} in {place}"


def versions_fact(versions: Mapping[str, str]) -> tuple[str, str]:
    """Of the software that searched or trained."""
    return "versions", ", ".join(f"{name} {version}" for name, version in versions.items())


def _counts(counts: LayerCounts | None) -> str:
    """ " (12 with weights, 13 as Keras counts)"; nothing where neither is known."""
    known = [] if counts is None else _by_convention(counts.model_copy(update={"hidden": None}))
    return f" ({', '.join(known)})" if known else ""


def _size(counts: LayerCounts) -> str:
    """ "11 hidden, 12 with weights, 13 as Keras counts; 331 parameters", of what is known."""
    parameters = [] if counts.parameters is None else [f"{counts.parameters} parameters"]
    return "; ".join(filter(None, [", ".join(_by_convention(counts)), *parameters])) or "not known"


def _by_convention(counts: LayerCounts) -> list[str]:
    words = {"hidden": "hidden", "weight_layers": "with weights", "keras": "as Keras counts"}
    given = {name: getattr(counts, name) for name in words}
    return [f"{count} {words[name]}" for name, count in given.items() if count is not None]


def _predicted(inspection: Inspection) -> str:
    confusion, points = inspection.confusion, len(inspection.detail.labels)
    undefined = points - int(confusion.sum())
    if undefined:
        return f"{undefined} of {points} are given no finite probability"
    right, of = confusion.diagonal().tolist(), confusion.sum(axis=1).tolist()
    if len(of) > MOST_CLASSES:
        return f"{sum(right)} of {points} right"
    classes = (f"{hits} of {total}" for hits, total in zip(right, of, strict=True))
    return f"{sum(right)} of {points} right; class by class {', '.join(classes)}"


def evidence_rows(evidence: Evidence) -> list[tuple[str, str, str]]:
    """Each figure with the threshold of its name and the side on which it lies, those with a threshold first."""
    shown = (name for name in evidence.figures if name not in (*evidence.thresholds, *ONLY_FOR_SENTENCES))
    names, score = [*evidence.thresholds, *shown], str(evidence.figures.get("score_name", "accuracy"))
    return [
        (
            in_words(name).replace("accuracy", score),
            _plain(evidence.figures.get(name, "")),
            _against(evidence.figures.get(name), threshold),
        )
        for name in names
        for threshold in [evidence.thresholds.get(name)]
    ]


def _against(figure: float | int | str | None, threshold: float | None) -> str:
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
