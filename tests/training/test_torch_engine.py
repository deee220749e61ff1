"""The torch engine keeps the contract of every engine, on CPU and, where there is one, on a GPU."""

import numpy as np
import pytest
import torch

from depthsearch.core.errors import InvalidValue, TrainingFailed, UnknownName
from depthsearch.training import torch_engine
from depthsearch.training.engine import Engine, Job, choose_engine
from depthsearch.training.torch_engine import TorchEngine
from tests.training.engines import FFNET, RESNET, EngineContract

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here")


class TestOnCpu(EngineContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return TorchEngine("cpu")


@needs_gpu
class TestOnCuda(EngineContract):
    @pytest.fixture
    def engine(self) -> Engine:
        return TorchEngine("cuda")


@needs_gpu
def test_a_gpu_starts_from_the_same_network_as_the_cpu() -> None:
    (here,), (there,) = (TorchEngine(device).train(RESNET, [Job(4, 1)]) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(
        here.snapshots.weight_gradient_norm[0], there.snapshots.weight_gradient_norm[0], rtol=1e-3
    )


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(UnknownName, match=r"unknown device 'gpu': .*accepted: auto, cpu, cuda"):
        choose_engine(FFNET, device="gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="torch sees a GPU here")
def test_cuda_is_refused_where_there_is_none() -> None:
    with pytest.raises(InvalidValue, match="device 'cuda' cannot be used"):
        choose_engine(FFNET, device="cuda")


def test_auto_takes_what_there_is() -> None:
    engine = choose_engine(FFNET, engine="torch")
    assert isinstance(engine, TorchEngine)
    assert engine.device.type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_want_of_memory_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        # torch's CPU allocator raises a bare RuntimeError of this wording; a real want of memory would end the tests.
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: not enough memory: you tried 9 TB")

    monkeypatch.setattr(torch_engine, "Network", no_room)
    with pytest.raises(TrainingFailed, match="out of memory while training 7 hidden layers of width 5: lower --cap"):
        TorchEngine("cpu").train(FFNET, [Job(7, 0)])


def test_another_runtime_error_is_not_taken_for_want_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr(torch_engine, "Network", broken)
    with pytest.raises(RuntimeError, match="something else"):
        TorchEngine("cpu").train(FFNET, [Job(7, 0)])
