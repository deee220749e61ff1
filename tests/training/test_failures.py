"""What an engine raises for a job: one line, with depth, seed and the whole traceback."""

import pickle

import pytest

from depthsearch.errors import (
    BuildFailed,
    InvalidValue,
    OutOfMemory,
    RunFailed,
    TrainingFailed,
    error_words,
    is_out_of_memory,
)
from depthsearch.networks.ffnet import FFNet
from depthsearch.problem.problem import Problem
from depthsearch.training.dense.engine import DenseEngine
from depthsearch.training.engine import Engine, Job
from depthsearch.training.failures import (
    LONGEST_TRACEBACK,
    out_of_memory,
    run_failed,
    traceback_of,
    translate_build_errors,
    translate_run_errors,
)
from depthsearch.training.modules.engine import ModuleEngine
from depthsearch.training.modules.stacked_engine import TorchEngine

PROBLEM = Problem()


def test_what_a_network_raises_as_it_is_built_keeps_its_traceback() -> None:
    with pytest.raises(BuildFailed) as caught, translate_build_errors(PROBLEM, 7, seed=3):
        raise ValueError("no input\n is left")
    failed = caught.value
    assert str(failed) == "7 hidden layers of ffnet tanh on moons cannot be built: ValueError: no input is left"
    assert (failed.depth, failed.seed, failed.reason) == (7, 3, "ValueError: no input is left")
    assert failed.traceback.startswith("Traceback (most recent call last):")
    assert "translate_build_errors" in failed.traceback


class Odd(BaseException):
    """No Exception."""


@pytest.mark.parametrize("error", [Odd("odd"), GeneratorExit("odd")], ids=["derived", "generator"])
def test_whatever_is_raised_is_a_failure_but_ctrl_c(error: BaseException) -> None:
    with pytest.raises(BuildFailed, match=r"cannot be built: .*: odd"), translate_build_errors(PROBLEM, 7, seed=3):
        raise error
    with pytest.raises(RunFailed, match=r"with seed 3 failed: .*: odd"), translate_run_errors(PROBLEM, 7, seed=3):
        raise error
    with pytest.raises(KeyboardInterrupt), translate_run_errors(PROBLEM, 7, seed=3):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), translate_build_errors(PROBLEM, 7, seed=3):
        raise KeyboardInterrupt


def test_a_lack_of_memory_as_a_network_is_built_is_none_of_its_code() -> None:
    with pytest.raises(OutOfMemory, match="out of memory while training 7 hidden layers") as caught:  # noqa: SIM117
        with translate_build_errors(PROBLEM, 7):
            raise MemoryError
    assert caught.value.reason == "MemoryError"


def test_an_exception_in_a_run_names_its_seed() -> None:
    failed = run_failed(PROBLEM, 1, ZeroDivisionError(), seed=3)
    assert isinstance(failed, RunFailed)
    assert str(failed) == "training 1 hidden layer of ffnet tanh on moons with seed 3 failed: ZeroDivisionError"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        out_of_memory(PROBLEM, 1),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("DefaultCPUAllocator: not enough memory"),
        RuntimeError("CUDA error: out of memory"),
    ],
)
def test_a_lack_of_memory_is_known(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("shapes differ"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_depthsearchs_errors_are_quoted_without_their_class() -> None:
    assert error_words(InvalidValue("layer 'a' takes 3 units,\nbut gets 5")) == "layer 'a' takes 3 units, but gets 5"


def test_long_texts_are_cut() -> None:
    assert len(error_words(ValueError("x" * 9_999))) == 300
    text = traceback_of(ValueError("x" * 50_000))
    assert text.startswith("...\nx")
    assert len(text) == LONGEST_TRACEBACK + 4
    assert traceback_of(None) == ""


def test_a_failure_goes_from_process_to_process() -> None:
    failed = pickle.loads(pickle.dumps(run_failed(PROBLEM, 4, ValueError("no"), seed=9)))
    assert isinstance(failed, RunFailed)
    assert (failed.depth, failed.seed, failed.reason) == (4, 9, "ValueError: no")
    assert TrainingFailed("why").reason == "why"


@pytest.mark.parametrize(
    "engine", [DenseEngine(), TorchEngine("cpu"), ModuleEngine("cpu")], ids=["dense", "torch", "module"]
)
def test_an_engine_says_which_network_cannot_be_built(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise LookupError("no layer")

    monkeypatch.setattr(FFNet, "plan", broken)
    with pytest.raises(
        BuildFailed, match="7 hidden layers of ffnet tanh on moons cannot be built: LookupError"
    ) as caught:
        list(engine.train(PROBLEM, [Job(7, 0)]))
    assert caught.value.depth == 7
    assert "in broken" in caught.value.traceback
