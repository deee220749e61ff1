"""The choice of an engine. No engine is imported until it is chosen."""

from depthsearch.errors import InvalidValue, UnknownName
from depthsearch.interrupts import interrupts_deferred
from depthsearch.networks.dense import as_dense
from depthsearch.problem.problem import Problem
from depthsearch.training.dense.program import claims
from depthsearch.training.engine import DEVICES, ENGINES, Engine, cores

WIDEST_DENSE = 128
"""The widest network for which the dense engine is the faster one (benchmarks/engine.py)."""

GPU_LANES = 128
"""Narrow networks that a GPU trains side by side at little more than the time of one."""


def check_engine(problem: Problem, *, engine: str, device: str) -> None:
    """Refuse what cannot train this problem, before anything is imported or written.

    Raises:
        UnknownName: The engine or the device is not on its list.
        InvalidValue: The dense engine was asked for on a GPU, or does not train this problem.
    """
    if engine not in ENGINES:
        raise UnknownName("engine", engine, ENGINES)
    if device not in DEVICES:
        raise UnknownName("device", device, DEVICES)
    if (engine, device) == ("dense", "cuda"):
        raise InvalidValue("engine 'dense' trains on the CPU alone, but got device 'cuda': choose the engine 'torch'")
    if engine == "dense" and not dense_trains(problem):
        raise InvalidValue(f"engine 'dense' does not train {problem.network.label}: choose the engine 'torch'")


def choose_engine(problem: Problem, *, engine: str = "auto", device: str = "auto") -> Engine:
    """The engine for a problem.

    Args:
        problem: What is trained.
        engine: "dense", "torch", or "auto": dense where it trains the problem and its width is small enough that it
            wins (see WIDEST_DENSE), unless a GPU is insisted on.
        device: "cpu", "cuda", or "auto": for torch, the GPU where it sees one.

    Raises:
        UnknownName: The engine or the device is not on its list.
        InvalidValue: The engine does not train this problem, or "cuda" was asked for and torch sees no GPU.
    """
    check_engine(problem, engine=engine, device=device)
    engine = _resolved(problem, engine, device)
    # An engine takes a second to import: only the one that is used is imported.
    with interrupts_deferred():
        if engine == "dense":
            from depthsearch.training.dense.engine import DenseEngine  # noqa: PLC0415

            return DenseEngine()
        from depthsearch.training.modules.stacked_engine import TorchEngine  # noqa: PLC0415

        return TorchEngine(device)


def _resolved(problem: Problem, engine: str, device: str) -> str:
    if engine != "auto":
        return engine
    return (
        "dense"
        if device != "cuda" and dense_trains(problem) and as_dense(problem.network).width <= WIDEST_DENSE
        else "torch"
    )


def lanes_of(problem: Problem, *, engine: str = "auto", device: str = "auto") -> int:
    """How many runs train side by side at little more than the time of one; known without importing an engine."""
    if device == "cuda":
        return GPU_LANES
    return cores() if _resolved(problem, engine, device) == "dense" else 1


def dense_trains(problem: Problem) -> bool:
    """Whether the dense engine claims the problem's networks."""
    plan = problem.network.plan(problem.data.spec, problem.network.shallowest + 1)
    return plan is not None and claims(plan)
