"""The torch engine keeps the contract of every engine, on CPU and, where there is one, on a GPU."""

import numpy as np
import pytest
import torch

from depthsearch.errors import InvalidValue, TrainingFailed, UnknownName
from depthsearch.problem.problem import Problem
from depthsearch.training.engine import Engine, Job, train_all
from depthsearch.training.modules import stacked_engine as torch_engine
from depthsearch.training.modules.stacked_engine import TorchEngine
from depthsearch.training.select import choose_engine
from depthsearch.training.trace import Trace
from tests.sameness import assert_close
from tests.training.engines import FFNET, RESNET, EngineContract

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")


class TestOnCpu(EngineContract):
    # Products of small matrices differ in their last bits with where the matrix lies in memory, and so in a stack.
    exact = False

    @pytest.fixture
    def engine(self) -> Engine:
        return TorchEngine("cpu")


@needs_gpu
class TestOnCuda(EngineContract):
    exact = False

    @pytest.fixture
    def engine(self) -> Engine:
        return TorchEngine("cuda")


@needs_gpu
def test_a_gpu_starts_from_the_same_network_as_the_cpu() -> None:
    (here,), (there,) = (train_all(TorchEngine(device), RESNET, [Job(4, 1)]) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(
        here.snapshots.weight_gradient_norm[0], there.snapshots.weight_gradient_norm[0], rtol=1e-3
    )


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "adagrad"])
def test_an_adaptive_optimizer_goes_on_rightly_when_a_neighbour_leaves(optimizer: str) -> None:
    problem = Problem.model_validate({"recipe": {"epochs": 6, "optimizer": optimizer, "learning_rate": 0.001}})
    jobs = [Job(3, seed) for seed in (1, 2, 3)]
    whole = train_all(TorchEngine("cpu"), problem, jobs)
    some = train_all(
        TorchEngine("cpu"), problem, jobs, watch=lambda trace: 1 if trace.seed < 3 and trace.epochs else None
    )
    assert_close(some[2], whole[2])


def test_more_jobs_than_a_stack_holds_are_all_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [Job(depth, seed) for seed in range(3) for depth in (2, 4)]
    at_once = train_all(TorchEngine("cpu"), FFNET, jobs)
    monkeypatch.setattr(torch_engine, "STACK", 2)
    found = list(TorchEngine("cpu").train(FFNET, jobs))
    assert sorted((job.depth, job.seed) for job, _ in found) == sorted((job.depth, job.seed) for job in jobs)
    for job, trace in found:
        assert_close(trace, at_once[jobs.index(job)])


def test_runs_that_end_at_different_entries_keep_their_places() -> None:
    jobs = [Job(3, seed) for seed in (1, 2, 3, 4)]
    end = {1: 4, 2: 1, 3: 6, 4: 2}

    def watch(trace: Trace) -> int | None:
        return end[trace.seed] if trace.epochs >= end[trace.seed] else None

    found = list(TorchEngine("cpu").train(FFNET, jobs, watch=watch))
    assert [(job.seed, trace.seed, trace.epochs) for job, trace in found] == [
        (2, 2, 1), (4, 4, 2), (1, 1, 4), (3, 3, 6),
    ]  # fmt: skip
    whole = train_all(TorchEngine("cpu"), FFNET, jobs)
    for job, trace in found:
        np.testing.assert_allclose(trace.loss, whole[job.seed - 1].loss[: trace.epochs], rtol=1e-4)


def test_threads_are_as_before_while_a_consumer_looks_at_a_run() -> None:
    before = torch.get_num_threads()
    for _ in TorchEngine("cpu").train(FFNET, [Job(3, 1), Job(4, 1)]):
        assert torch.get_num_threads() == before


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"unknown device 'gpu': .*accepted: auto, cpu, cuda"):
        choose_engine(FFNET, device="gpu").load()


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch sees a GPU here")
def test_cuda_is_refused_where_there_is_none() -> None:
    with pytest.raises(InvalidValue, match="device 'cuda' cannot be used"):
        choose_engine(FFNET, device="cuda").load()


def test_auto_takes_what_there_is() -> None:
    engine = choose_engine(FFNET, engine="torch").load()
    assert isinstance(engine, TorchEngine)
    assert engine.device.type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_a_run_without_memory_says_so_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        # torch's CPU allocator raises a bare RuntimeError of this wording; a real lack of memory would end the tests.
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: not enough memory: you tried 9 TB")

    monkeypatch.setattr(torch_engine, "NetworkStack", no_room)
    message = (
        "out of memory while training 7 hidden layers of ffnet tanh on moons: give a smaller network, or a smaller"
    )
    with pytest.raises(TrainingFailed, match=message):
        list(TorchEngine("cpu").train(FFNET, [Job(7, 0)]))


def test_another_runtime_error_is_not_taken_for_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr(torch_engine, "NetworkStack", broken)
    with pytest.raises(RuntimeError, match="something else"):
        list(TorchEngine("cpu").train(FFNET, [Job(7, 0)]))
