"""The deepest depth that is no worse than the best shallower one, from scores made by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from depthsearch.detection.verdict import Evidence, Verdict, VerdictKind
from depthsearch.problem.criterion import MARGIN
from depthsearch.results.answer import UsefulDepth
from depthsearch.store import StoredRun
from depthsearch.workflows.useful_depth import LEAST_RUNS, useful_depth

VERDICT = Verdict(
    kind=VerdictKind.TRAINED, epoch=4, sentence="trained", evidence=Evidence(rule="", figures={}, thresholds={})
)


def scored(depth: int, *scores: float | None) -> list[StoredRun]:
    """Runs of that depth with these final scores."""
    return [
        StoredRun(
            trial_number=depth, run=place, depth=depth, seed=place, epochs=4, train_accuracy=0.9, test_accuracy=0.9,
            verdict=VERDICT, final_score=score,
        )
        for place, score in enumerate(scores)
    ]  # fmt: skip


def flat(depths: range, score: float, runs: int = LEAST_RUNS) -> list[StoredRun]:
    """The same score for every run of some depths."""
    return [run for depth in depths for run in scored(depth, *[score] * runs)]


def useful(runs: list[StoredRun], max_depth: int | None) -> UsefulDepth:
    found = useful_depth(runs, max_depth, least=0.6)
    assert found is not None
    return found


def test_scores_that_fall_at_a_depth_end_the_useful_depth_there() -> None:
    found = useful([*flat(range(1, 13), 0.95), *flat(range(13, 25), 0.8)], 24)
    assert found.interval[0] <= 12 <= found.interval[1]
    assert found.depth in (12, 13)
    assert (found.best_score, found.margin) == (0.95, MARGIN)
    assert found.bar == pytest.approx(0.95 - MARGIN)
    assert found.interval_level == 0.95


def test_scores_that_rise_first_are_compared_with_the_best_rung() -> None:
    """A shallow network that is worse says nothing against the deeper ones."""
    found = useful([*flat(range(1, 4), 0.7), *flat(range(4, 9), 0.95), *flat(range(9, 17), 0.9)], 16)
    assert found.best_depth == 4
    assert found.interval[0] <= 8 <= found.interval[1]


@pytest.mark.parametrize(("score", "depth"), [(0.95 - 0.9 * MARGIN, 24), (0.95 - 1.1 * MARGIN, 12)])
def test_a_score_within_the_margin_is_no_worse(score: float, depth: int) -> None:
    found = useful([*flat(range(1, 13), 0.95), *flat(range(13, 25), score)], 24)
    assert found.interval[0] <= depth <= found.interval[1]
    assert abs(found.depth - depth) <= 1


def test_it_is_never_deeper_than_max_depth() -> None:
    found = useful(flat(range(1, 25), 0.95), 10)
    assert found.depth == 10
    assert found.interval[1] <= 10


def test_a_depth_at_which_most_runs_are_worse_is_not_as_good() -> None:
    """The curve alone would allow depth 8, between many good runs at 7 and few bad ones."""
    runs = [*flat(range(1, 8), 0.95, 16), *scored(8, 0.95, 0.7, 0.7), *scored(9, 0.95, 0.95), *scored(12, 0.7, 0.7)]
    assert useful(runs, 9).depth != 8


def test_the_bar_is_never_below_what_counts_as_trained() -> None:
    assert useful_depth(flat(range(1, 9), 0.61), 8, least=0.605).bar == 0.605  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("runs", "max_depth"),
    [
        ([], None),
        (flat(range(1, 5), 0.9), None),
        (flat(range(1, 2), 0.9), 1),
        (scored(1, *[0.9] * (LEAST_RUNS - 1)) + scored(5, 0.9, 0.9), 5),
        (scored(1, *[None] * LEAST_RUNS) + scored(5, *[None] * LEAST_RUNS), 5),
    ],
    ids=["no runs", "no depth passes", "none is shallower", "too few runs in a rung", "scores were not recorded"],
)
def test_where_the_runs_do_not_tell_none_is_claimed(runs: list[StoredRun], max_depth: int | None) -> None:
    assert useful_depth(runs, max_depth, least=0.6) is None


def test_an_interval_that_says_too_little_is_not_claimed() -> None:
    runs = [*flat(range(1, 2), 0.95), *scored(40, 0.7), *scored(41, 0.95)]
    assert useful_depth(runs, 41, least=0.6) is None


def drawn(rng: np.random.Generator, depth: float, shares: Callable[[int], float]) -> list[StoredRun]:
    """Some 200 runs: half of them anywhere, half around a depth; a run is good with the share of its depth."""
    anywhere = np.exp(rng.uniform(0, np.log(3 * depth), 100)).astype(int)
    near = np.exp(rng.normal(np.log(depth), 0.2, 100)).astype(int)
    runs = []
    for place, tried in enumerate(np.clip(np.concatenate([anywhere, near]), 1, int(3 * depth))):
        good = rng.random() < shares(int(tried))
        score = rng.normal(0.95, 0.005) if good else rng.normal(0.7, 0.05)
        runs += [scored(int(tried), *[None] * place, float(score))[-1]]
    return runs


def test_the_interval_holds_as_often_as_it_promises() -> None:
    """60 truths: half of the runs are good at a depth from 6 to 60, on curves that fall gently or steeply."""
    held = 0
    for seed in range(60):
        rng = np.random.default_rng([seed, 7])
        depth, slope = float(np.exp(rng.uniform(np.log(6), np.log(60)))), float(rng.uniform(5, 40))
        runs = drawn(rng, depth, lambda d, depth=depth, slope=slope: float(1 / (1 + (d / depth) ** slope)))  # type: ignore[misc]
        low, high = useful(runs, int(3 * depth)).interval
        held += low <= depth <= high
    assert held >= 54  # 57 on average at 95 %; fewer than 54 once in 25 at a true 95 %
