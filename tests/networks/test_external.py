"""Networks that a user's function trains elsewhere, and the engine that calls it."""

from pathlib import Path

import numpy as np
import pytest

from depthsearch import Problem
from depthsearch.data.base import DataSpec
from depthsearch.detection import bar_of, verdict_of
from depthsearch.detection.verdict import VerdictKind
from depthsearch.detection.watch import settled_epoch
from depthsearch.errors import InvalidValue, RunFailed, UserCodeFailed
from depthsearch.networks.external import ExternalNetwork
from depthsearch.training.engine import Job, train_all
from depthsearch.training.external import ExternalEngine, score_trace
from depthsearch.training.select import choose_engine
from depthsearch.training.trace import Trace
from tests.user_code.written import TRAIN, write


@pytest.fixture
def problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Problem:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, mine=TRAIN)
    return Problem(train="mine.py:train")


def external(problem: Problem) -> ExternalNetwork:
    assert isinstance(problem.network, ExternalNetwork)
    return problem.network


def traced(problem: Problem, depth: int, seed: int = 0) -> Trace:
    (trace,) = train_all(ExternalEngine(), problem, [Job(depth, seed)])
    return trace


def test_a_run_is_its_scores(problem: Problem) -> None:
    trace = traced(problem, 2)

    assert trace.score.tolist() == pytest.approx([0.1 + 0.1 * epoch for epoch in range(8)])
    assert trace.loss.tolist() == pytest.approx([0.9 - 0.1 * epoch for epoch in range(8)])
    assert (trace.baseline, trace.budget_epochs, trace.complete, len(trace.snapshots)) == (0.1, 8, True, 0)
    assert verdict_of(trace, problem.criterion).kind is VerdictKind.TRAINED


def test_the_least_gain_alone_sets_the_bar(problem: Problem) -> None:
    assert bar_of(traced(problem, 2), problem.criterion) == pytest.approx(0.1 + 0.2 * 0.9)


def test_a_run_is_a_function_of_its_seed(problem: Problem) -> None:
    ends = [float(traced(problem, 7, seed).score[-1]) for seed in (0, 0, 1, 2, 3, 4)]

    assert ends[0] == ends[1]
    assert len({round(end, 6) for end in ends}) == 2


def test_a_network_at_chance_is_flat(problem: Problem) -> None:
    assert verdict_of(traced(problem, 20), problem.criterion).kind is VerdictKind.FLAT


@pytest.mark.parametrize("score", [float("nan"), float("-inf")])
def test_a_score_that_is_no_number_is_an_exploded_run_which_ends_there(
    problem: Problem, tmp_path: Path, score: float
) -> None:
    write(tmp_path, mine=f"baseline = 0.1\n\n\ndef train(depth, seed):\n    return [0.5, float('{score}')] * 10\n")
    ((_, trace),) = ExternalEngine().train(Problem(train="mine.py:train"), [Job(2, 0)], watch=settled_epoch)
    verdict = verdict_of(trace, problem.criterion)

    assert trace.score.tolist() == pytest.approx([0.5, 0.1])
    assert np.isnan(trace.loss).tolist() == [False, True]
    assert (verdict.kind, verdict.evidence.figures["epoch"]) == (VerdictKind.EXPLODED, 2)
    assert verdict_of(traced(Problem(train="mine.py:train"), 2), problem.criterion).kind is VerdictKind.EXPLODED


@pytest.mark.parametrize("score", [-1e9])
def test_a_score_that_is_far_off_is_no_exploded_loss(problem: Problem, tmp_path: Path, score: float) -> None:
    write(tmp_path, mine=f"def train(depth, seed):\n    return [0.5, float('{score}')] * 10\n")
    trace = traced(Problem(train="mine.py:train"), 2)

    assert np.isfinite(trace.score).all()
    assert float(trace.loss.max()) <= 2
    assert verdict_of(trace, problem.criterion).kind is VerdictKind.UNSTABLE


@pytest.mark.parametrize("found", ["[0.2, 0.9]", "(0.2, 0.9)", "iter([0.2, 0.9])", "np.array([0.2, 0.9])"])
def test_scores_may_be_returned(tmp_path: Path, problem: Problem, found: str) -> None:
    write(tmp_path, mine=f"import numpy as np\n\n\ndef train(depth, seed):\n    return {found}\n")

    assert traced(Problem(train="mine.py:train"), 1).score.tolist() == pytest.approx([0.2, 0.9])


def test_the_watcher_sees_each_score_and_may_end_the_run(problem: Problem) -> None:
    seen: list[tuple[int, int]] = []

    def watch(trace: Trace) -> int | None:
        seen.append((trace.epochs, trace.budget_epochs))
        return trace.epochs if trace.epochs == 3 and trace.seed == 1 else None

    first, second = (trace for _, trace in ExternalEngine().train(problem, [Job(2, 0), Job(2, 1)], watch=watch))

    assert (first.epochs, second.epochs) == (8, 3)
    assert seen[:8] == [(epoch, epoch) for epoch in range(1, 9)]
    assert seen[8:] == [(1, 8), (2, 8), (3, 8)]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def train(depth, seed):\n    return []", "mine.py: train(2, 0) gave no score"),
        ("def train(depth, seed):\n    yield 'good'", "mine.py: train(2, 0) must give numbers, but gave 'good'"),
        ("def train(depth, seed):\n    return None", "mine.py: train(2, 0) must give numbers, but gave None"),
        ("def train(depth, seed):\n    yield 2.3", "mine.py: train(2, 0) must give scores of at most 1, but gave 2.3"),
        ("def train(depth):\n    yield 1", "mine.py: train must take (depth, seed): too many positional arguments"),
        ("train = 3", "mine.py: train must be a function train(depth, seed), but is 3"),
        (
            "def train(depth, seed):\n    yield 1 / 0",
            "mine.py, line 2: ZeroDivisionError: division by zero",
        ),
        ("def train(depth, seed):\n    yield 1\n    raise GeneratorExit", "mine.py, line 3: GeneratorExit (in train"),
        (
            "baseline = 2\n\n\ndef train(depth, seed):\n    yield 1",
            "mine.py: baseline must be a number from 0",
        ),
    ],
    ids=["none", "text", "nothing", "loss", "arguments", "number", "raises", "generator", "baseline"],
)
def test_a_mistake_is_one_line(tmp_path: Path, problem: Problem, code: str, message: str) -> None:
    write(tmp_path, mine=code + "\n")

    with pytest.raises(UserCodeFailed) as error:
        _found(external(Problem(train="mine.py:train")))
    assert str(error.value).startswith(message)


def _found(network: ExternalNetwork) -> tuple[float, list[float]]:
    return network.baseline, list(network.scores(2, 0))


def test_scores_that_nobody_waits_for_are_no_mistake(problem: Problem) -> None:
    scores = external(problem).scores(2, 0)
    next(scores)
    scores.close()  # type: ignore[attr-defined]
    assert list(scores) == []


def test_an_exception_ends_its_run_and_no_other(tmp_path: Path, problem: Problem) -> None:
    write(tmp_path, mine="def train(depth, seed):\n    return [1 / (depth - 3)] * 4\n")
    runs = ExternalEngine().train(Problem(train="mine.py:train"), [Job(4, 0), Job(3, 7)])

    assert next(runs)[1].score.tolist() == [1, 1, 1, 1]
    with pytest.raises(
        RunFailed, match=r"mine.py:train with seed 7 failed: mine.py, line 2: ZeroDivisionError"
    ) as error:
        next(runs)
    assert (error.value.depth, error.value.seed) == (3, 7)


def test_what_the_function_decides_is_no_part_of_the_problem(problem: Problem) -> None:
    assert problem.data.name == "elsewhere"
    assert problem.label == "mine.py:train"
    with pytest.raises(InvalidValue, match=r"learning_rate is the business of the function that trains, but got 0.1"):
        Problem(train="mine.py:train", recipe={"learning_rate": 0.1})
    with pytest.raises(InvalidValue, match="name must be left out where a function trains elsewhere, but got 'moons'"):
        Problem(train="mine.py:train", data="moons")
    with pytest.raises(InvalidValue, match="name must be a data set, but got 'elsewhere'"):
        Problem(family="ffnet", data="elsewhere")


def test_the_function_is_the_engine(problem: Problem) -> None:
    assert choose_engine(problem).load().name == "scores"
    assert choose_engine(problem, engine="scores").name == "scores"
    with pytest.raises(InvalidValue, match="engine 'torch' is not used where a function trains elsewhere"):
        choose_engine(problem, engine="torch")
    with pytest.raises(UserCodeFailed, match=r"mine.py:train trains its network itself, and gives no module"):
        external(problem).build(DataSpec(shape=(2,)), 1)


def test_a_trace_of_scores_that_ended_early_is_not_complete() -> None:
    assert not score_trace(Job(1, 0), [0.1], 0.0, budget=4).complete
