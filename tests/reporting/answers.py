"""Answers with round numbers, made by hand, so that figures and pages can be held against them."""

from typing import Any

from depthsearch.core.answer import Answer, Beyond, Cost, LayerCounts, Outcome
from depthsearch.core.curve import Conclusion, Crossing, CurvePoint
from depthsearch.core.problem import Problem
from depthsearch.core.settings import SearchSettings

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


def answer(**changes: Any) -> Answer:
    """7 hidden layers, 6 to 9 of them with 95 % probability; beyond that, units die."""
    fields: dict[str, Any] = {
        "problem": Problem(activation="relu"),
        "settings": SearchSettings(reliability=0.9),
        "fingerprint": "0" * 64,
        "study": "mine",
        "outcome": Outcome.FOUND,
        "sentence": "trains to 7 hidden layers (6 to 9 with 95% probability)",
        "reliability": 0.9,
        "max_depth": 7,
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
        "confirmation": (),
        "warnings": (),
        "cost": Cost(trials=10, runs=66, seconds=1.5, sum_of_depths=500),
        "seed": 0,
        "versions": {"python": "3.11"},
    }
    return Answer(**(fields | changes))


def empty(**changes: Any) -> Answer:
    """Of a search that has only begun."""
    nothing: dict[str, Any] = {
        "outcome": Outcome.UNFINISHED,
        "sentence": "not finished yet; so far, the answer is at least 0 hidden layers",
        "max_depth": None,
        "interval": None,
        "interval_level": None,
        "concluded": None,
        "thresholds": (),
        "transition": None,
        "monotone": None,
        "layers": None,
        "curve": (),
        "verdicts": {},
        "beyond": None,
        "cost": Cost(trials=0, runs=0, seconds=0.0, sum_of_depths=0),
    }
    return answer(**(nothing | changes))
