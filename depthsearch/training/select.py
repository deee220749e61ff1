"""The choice of an engine. No engine is imported until it is chosen."""

from functools import cached_property
from pathlib import Path

from depthsearch.errors import InvalidValue, UnknownName
from depthsearch.interrupts import interrupts_deferred
from depthsearch.networks.dense import DenseNetwork, as_dense
from depthsearch.networks.external import ExternalNetwork
from depthsearch.problem.problem import Problem
from depthsearch.training.dense.program import claims
from depthsearch.training.engine import DEVICES, ENGINES, Engine, cores

WIDEST_DENSE = 128
"""The widest network for which the dense engine is the faster one (benchmarks/engine.py)."""

SHALLOW = 8
"""Depths whose plans are looked at; the engine itself refuses a deeper one that it does not train."""

EXTERNAL = "scores"
"""The engine of a function that trains elsewhere. It is not chosen by name."""

GPU_LANES = 128
"""Narrow networks that a GPU trains side by side at little more than the time of one."""


class EngineChoice:
    """The engine for a problem, before it is imported.

    Args:
        name: "dense", "torch" or "module".
        device: "cpu", "cuda", or "auto": for torch, the GPU where it sees one.
        checkpoints: Folder for the states of long runs; None for none.

    Attributes:
        lanes: How many runs train side by side at little more than the time of one.
    """

    def __init__(self, name: str, device: str, *, checkpoints: Path | None = None) -> None:
        self.name, self._device, self._checkpoints = name, device, checkpoints
        self.lanes = _lanes(name, device)

    def load(self) -> Engine:
        """The engine, imported the first time.

        Raises:
            InvalidValue: "cuda" was asked for and torch sees no GPU.
        """
        return self._engine

    @cached_property
    def _engine(self) -> Engine:
        # An engine takes a second to import: only the one that is used is imported.
        with interrupts_deferred():
            if self.name == EXTERNAL:
                from depthsearch.training.external import ExternalEngine  # noqa: PLC0415

                return ExternalEngine()
            if self.name == "dense":
                from depthsearch.training.dense.engine import DenseEngine  # noqa: PLC0415

                return DenseEngine()
            if self.name == "module":
                from depthsearch.training.modules.engine import ModuleEngine  # noqa: PLC0415

                return ModuleEngine(self._device, checkpoints=self._checkpoints)
            from depthsearch.training.modules.stacked_engine import TorchEngine  # noqa: PLC0415

            return TorchEngine(self._device)


def choose_engine(
    problem: Problem, *, engine: str = "auto", device: str = "auto", checkpoints: Path | None = None
) -> EngineChoice:
    """Choose the engine for a problem; nothing is imported, unless a GPU has to be there.

    Args:
        problem: What is trained.
        engine: "dense", "torch", "module", or "auto": dense where it trains the problem and its width is small enough
            that it wins (see WIDEST_DENSE), unless a GPU is insisted on; module where the other two cannot train it.
        device: "cpu", "cuda", or "auto": for torch, the GPU where it sees one.
        checkpoints: Folder for the states of runs that take minutes, with which a killed run goes on where it was;
            None for none. The engine "module" writes them.

    Raises:
        UnknownName: The engine or the device is not on its list.
        InvalidValue: The network does not take such data. The dense engine was asked for on a GPU, or the one that was
            asked for does not train this problem; "cuda" was asked for and torch sees no GPU; or the recipe's precision
            needs another device.
    """
    if isinstance(problem.network, ExternalNetwork):
        return _external(engine, device)
    if engine not in ENGINES:
        raise UnknownName("engine", engine, ENGINES)
    if device not in DEVICES:
        raise UnknownName("device", device, DEVICES)
    if (engine, device) == ("dense", "cuda"):
        raise InvalidValue("engine 'dense' trains only on the CPU, but got device 'cuda': choose the engine 'torch'")
    problem.network.check(problem.data.spec)
    choice = EngineChoice(_named(problem, engine, device), device, checkpoints=checkpoints)
    if device == "cuda":
        choice.load()
    if problem.recipe.precision is not None:
        _check_precision(problem, device)
    return choice


def _named(problem: Problem, engine: str, device: str) -> str:
    """The engine's name, "auto" decided."""
    if engine == "module":
        return engine
    planned = isinstance(problem.network, DenseNetwork) and problem.data.spec.task == "classification"
    if not planned or problem.data.augmentation:
        if engine != "auto":
            reason = f"engine {engine!r} does not train {problem.label}: choose the engine 'module'"
            raise InvalidValue(reason, path="engine", value=engine)
        return "module"
    precision = problem.recipe.precision
    if engine == "dense" and precision is not None:
        reason = f"{precision!r} is not trained by the engine 'dense': choose the engine 'torch'"
        raise InvalidValue(reason, path="recipe.precision", value=precision)
    claimed = engine != "torch" and device != "cuda" and precision is None and _dense_trains(problem)
    if engine == "dense" and not claimed:
        raise InvalidValue(f"engine 'dense' does not train {problem.network.label}: choose the engine 'torch'")
    wins = claimed and (engine == "dense" or as_dense(problem.network).width <= WIDEST_DENSE)
    return "dense" if wins else "torch"


def _lanes(name: str, device: str) -> int:
    """Runs that train side by side at little more than the time of one."""
    if name == "dense" or (name == "module" and device != "cuda"):
        return cores()
    return GPU_LANES if device == "cuda" and name == "torch" else 1


def _check_precision(problem: Problem, device: str) -> None:
    with interrupts_deferred():
        from depthsearch.training.modules.device import check_precision, torch_device  # noqa: PLC0415

        check_precision(problem.recipe, torch_device(device))


def _external(engine: str, device: str) -> EngineChoice:
    """The user's function is the engine."""
    for name, given, accepted in (("engine", engine, ("auto", EXTERNAL)), ("device", device, ("auto",))):
        if given not in accepted:
            raise InvalidValue(
                f"{name} {given!r} is not used where a function trains elsewhere: leave it out", value=given
            )
    return EngineChoice(EXTERNAL, "auto")


def _dense_trains(problem: Problem) -> bool:
    """Whether the dense engine claims the problem's networks, as far as the shallow ones show."""
    first = problem.network.shallowest
    return all(_dense_trains_depth(problem, depth) for depth in range(first, first + SHALLOW))


def _dense_trains_depth(problem: Problem, depth: int) -> bool:
    """Whether the dense engine claims that network; one that cannot be built is reported as it is trained."""
    try:
        plan = as_dense(problem.network).plan(problem.data.spec, depth)
    except Exception:
        return True
    return claims(plan)
