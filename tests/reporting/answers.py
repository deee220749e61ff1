"""Answers with round numbers, made by hand, so that figures and pages can be held against them."""

from typing import Any

from depthsearch.networks.base import LayerCounts
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.results.answer import Answer, Beyond, Confirmation, Cost, Outcome, Scores, UsefulDepth
from depthsearch.search.curve import Conclusion, Crossing, CurvePoint
from depthsearch.search.exclusion import Exclusion
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.trial import ExclusionKind

POINTS = (
    CurvePoint(depth=1, trained=8, of=8, p=0.99, low=0.95, high=1.0),
    CurvePoint(depth=4, trained=7, of=8, p=0.95, low=0.88, high=0.98),
    CurvePoint(depth=7, trained=29, of=32, p=0.91, low=0.85, high=0.95),
    CurvePoint(depth=8, trained=13, of=16, p=0.85, low=0.75, high=0.91),
    CurvePoint(depth=30, trained=0, of=2, p=0.02, low=0.0, high=0.1),
)
RUNS = [
    (point.depth, verdict)
    for point in POINTS
    for verdict, count in (("trained", point.trained), ("died", point.of - point.trained))
    for _ in range(count)
]
FINAL_SCORES = (0.5, *(0.8,) * 7, *(0.9,) * 8)
"""Of the 16 runs that confirm depth 7: one of them fails."""


def answer(**changes: Any) -> Answer:
    """7 hidden layers, 6 to 9 of them with 95 % probability, confirmed; beyond that, units die."""
    problem = changes.get("problem", Problem(activation="relu"))
    fields: dict[str, Any] = {
        "problem": problem,
        "settings": ResolvedSettings(reliability=0.9),
        "question": "0" * 64,
        "study": "mine",
        "criterion": problem.criterion,
        "bar": 0.6,
        "outcome": Outcome.FOUND,
        "sentence": "trains to 7 hidden layers (6 to 9 with 95% probability)",
        "reliability": 0.9,
        "max_depth": 7,
        "confirmed": True,
        "final_scores": FINAL_SCORES,
        "scores": Scores(depth=7, runs=16, confirming=True, median=0.85, lowest=0.5, highest=0.9, test=0.83),
        "useful_depth": UsefulDepth(
            depth=5, interval=(4, 6), interval_level=0.95, bar=0.93, best_depth=2, best_score=0.95, margin=0.02
        ),
        "interval": (6, 9),
        "interval_level": 0.95,
        "concluded": Conclusion.WIDTH,
        "thresholds": (
            Crossing(reliability=0.9, depth=7, interval=(6, 9)),
            Crossing(reliability=0.5, depth=13, interval=(11, 16)),
        ),
        "transition": (2.0, 1.5, 3.0),
        "monotone": True,
        "crossings": None,
        "layers": LayerCounts(hidden=7, weight_layers=8, keras=9, parameters=201),
        "curve": POINTS,
        "verdicts": {"trained": 57, "died": 9},
        "beyond": Beyond(depth=8, deepest=30, cause="died", causes={"died": 5}, sentence="5 of 18 runs fail"),
        "confirmation": (Confirmation(depth=7, trained=15, of=16, agrees=True),),
        "warnings": (),
        "cost": Cost(trials=10, runs=66, seconds=1.5, sum_of_depths=500),
        "seed": 0,
        "versions": {"python": "3.11"},
    }
    return Answer(**(fields | changes))


EXCLUSIONS = tuple(
    Exclusion(
        depth=depth,
        kind=kind,
        deeper=kind is ExclusionKind.MEMORY,
        reason=f"SomeError: <reason> {'of many words ' * words}",
        traceback="Traceback (most recent call last):\n  <module>",
        trial=depth,
    )
    for depth, kind, words in ((9, ExclusionKind.BUILD, 1), (10, ExclusionKind.ERROR, 1), (8, ExclusionKind.MEMORY, 20))
)

UNCONFIRMED: dict[str, Any] = {
    "confirmed": False,
    "final_scores": (),
    "scores": Scores(depth=7, runs=32, confirming=False, median=0.85, lowest=0.5, highest=0.9, test=0.83),
    "confirmation": (),
}
"""What changes where no fresh seed has been tried."""

NOWHERE: dict[str, Any] = {
    "max_depth": None,
    "final_scores": (),
    "scores": None,
    "useful_depth": None,
    "layers": None,
}
"""What changes where there is no max depth."""


def empty(**changes: Any) -> Answer:
    """Of a search that has only begun."""
    nothing: dict[str, Any] = {
        **NOWHERE,
        "bar": None,
        "outcome": Outcome.UNFINISHED,
        "sentence": "not finished yet; so far, the answer is at least 0 hidden layers (unconfirmed)",
        "confirmed": False,
        "interval": None,
        "interval_level": None,
        "concluded": None,
        "thresholds": (),
        "transition": None,
        "monotone": None,
        "curve": (),
        "verdicts": {},
        "beyond": None,
        "confirmation": (),
        "cost": Cost(trials=0, runs=0, seconds=0.0, sum_of_depths=0),
    }
    return answer(**(nothing | changes))


def bisected(**changes: Any) -> Answer:
    """What bisection gives: raw shares, and no interval."""
    points = tuple(
        point.model_copy(update={"low": None, "high": None, "p": point.trained / point.of}) for point in POINTS
    )
    fields: dict[str, Any] = {
        "settings": ResolvedSettings(sampler="bisect", reliability=0.9),
        "sentence": "trains to 7 hidden layers; failing past that: 3 died",
        "interval": None,
        "interval_level": None,
        "concluded": Conclusion.ADJACENT,
        "thresholds": (),
        "transition": None,
        "monotone": None,
        "curve": points,
        "beyond": Beyond(depth=8, deepest=8, cause="died", causes={"died": 3}, sentence="3 of 16 runs fail"),
        "confirmation": (
            Confirmation(depth=7, trained=15, of=16, agrees=True),
            Confirmation(depth=8, trained=6, of=8, agrees=True),
        ),
    }
    return answer(**(fields | changes))


def of_an_earlier_version(**changes: Any) -> Answer:
    """Judged by the rule of earlier versions, with the note that says so."""
    held = Criterion.model_validate({"hold_share": 0.1, "hold_epochs": 3})
    fields: dict[str, Any] = {
        **UNCONFIRMED,
        "problem": Problem(activation="relu", criterion=held),
        "warnings": ("judged by the rule of an earlier version",),
    }
    return answer(**(fields | changes))


OF_EACH_OUTCOME = {
    Outcome.FOUND: answer(),
    Outcome.CAP_REACHED: answer(
        outcome=Outcome.CAP_REACHED,
        settings=ResolvedSettings(reliability=0.9, cap=8),
        sentence="trains to 8 hidden layers, the cap (at least 7 with 95% probability)",
        max_depth=8,
        scores=Scores(depth=8, runs=16, confirming=True, median=0.85, lowest=0.5, highest=0.9, test=0.83),
        interval=(7, 8),
        concluded=Conclusion.CAP,
        thresholds=(Crossing(reliability=0.9, depth=8, interval=(7, None)),),
        layers=LayerCounts(hidden=8, weight_layers=9, keras=10, parameters=231),
        curve=POINTS[:4],
        verdicts={"trained": 57, "died": 7},
        beyond=None,
        confirmation=(Confirmation(depth=8, trained=15, of=16, agrees=True),),
    ),
    Outcome.NEVER_RELIABLE: answer(
        **NOWHERE,
        outcome=Outcome.NEVER_RELIABLE,
        sentence="is not reliable at any depth: fewer than 90% train even with 1 hidden layer (5 died)",
        interval=(0, 0),
        concluded=Conclusion.SHALLOWEST,
        thresholds=(Crossing(reliability=0.9, depth=0, interval=(0, 0)),),
        curve=POINTS[3:],
        confirmation=(Confirmation(depth=1, trained=3, of=16, agrees=True),),
    ),
    Outcome.NOT_MONOTONE: answer(
        **NOWHERE,
        outcome=Outcome.NOT_MONOTONE,
        sentence="does not simply stop at a depth: fewer than 90% train beyond 3 hidden layers, but again more at "
        "depths up to 12 (5 died)",
        confirmed=False,
        interval=None,
        interval_level=None,
        monotone=False,
        crossings=(3, 12),
        confirmation=(),
    ),
    Outcome.BUDGET_ENDED: answer(
        **UNCONFIRMED,
        outcome=Outcome.BUDGET_ENDED,
        sentence="the budget ended first; so far, the answer is 6 to 9 hidden layers (unconfirmed)",
        concluded=None,
        monotone=None,
    ),
    Outcome.MEMORY_ENDED: answer(
        outcome=Outcome.MEMORY_ENDED,
        sentence="trains to 7 hidden layers; memory ends the search at 8 (at least 6 with 95% probability)",
        interval=(6, None),
        concluded=Conclusion.MEMORY,
        curve=POINTS[:3],
        verdicts={"trained": 44, "died": 4},
        beyond=None,
        exclusions=EXCLUSIONS[2:],
    ),
    Outcome.COULD_NOT_RUN: answer(
        **UNCONFIRMED,
        outcome=Outcome.COULD_NOT_RUN,
        sentence="could not be built or trained (depths 9 and 10, and all from 8 on); so far, the answer is 6 to 9",
        concluded=None,
        monotone=None,
        exclusions=EXCLUSIONS,
    ),
    Outcome.UNFINISHED: empty(),
}
"""One answer for every way in which a search ends."""
