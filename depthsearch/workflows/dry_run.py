"""dry_run(problem, settings) -> DryRun: times two depths, and says what the search would take. Nothing is stored."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

from depthsearch.errors import BuildFailed, OutOfMemory
from depthsearch.networks.external import ExternalNetwork
from depthsearch.problem.problem import Problem
from depthsearch.results.dry_run import DryRun, Forecast, TimedDepth
from depthsearch.results.pace import Pace, Timing
from depthsearch.search.method import method_class
from depthsearch.search.settings import ResolvedSettings, SearchSettings
from depthsearch.search.trial import Depths, Trial, draw_seeds
from depthsearch.training.engine import Engine, Job, train_all
from depthsearch.training.memory import PeakMemory
from depthsearch.training.select import EngineChoice, choose_engine
from depthsearch.training.trace import Trace
from depthsearch.workflows.asked import asked
from depthsearch.workflows.find import resolve_settings
from depthsearch.workflows.prepare import OnEvent, announce, check_criterion, ignore, prepared
from depthsearch.workflows.simulated import AssumedCurve, simulate

DEEPER = 8
"""Steps of depth from the shallowest network that is timed to the deeper one."""

LEAST_ENTRIES, ENOUGH_SECONDS, MOST_SECONDS = 3, 1.0, 20.0
"""A run is timed for so many entries and so long at least, and for one entry at least where these take longer."""

MOST_TIMES = 4
"""How often a network is timed that takes less than that."""

ASSUMED_STEPS = (4, 16, 64)
"""Max depths that are assumed, as steps from the shallowest."""

SLOPES = (8.0, 30.0)
"""Of the assumed curves: a gradual and a steep fall."""

SEARCHES = 2
"""Simulated searches of each curve."""

TIMING_ERROR = 1.3
"""By which a time that is drawn out from a few entries may be off."""


def dry_run(
    problem: Problem | Callable[..., Any],
    settings: SearchSettings | None = None,
    *,
    data: object = None,
    engine: str = "auto",
    device: str = "auto",
    on_event: OnEvent | None = None,
    **fields: Any,
) -> DryRun:
    """Say what `find` would take: its runs, its time, and the memory of its networks.

    Trains two networks, the shallowest and a deeper one, for a few entries of their budget each; then simulates the
    search for several depths to which networks may train. A function that trains elsewhere is called for whole runs.

    Args:
        problem: What would be asked, as in `find`.
        settings: How it would be searched.
        data: As in `find`.
        engine: As in `find`.
        device: As in `find`.
        on_event: Called where the engine needs a moment before it can train.
        fields: As in `find`.

    Raises:
        InvalidValue: A value cannot be used.
        TrainingFailed: The shallowest network could not be trained.
    """
    problem = asked(problem, data, fields)
    chosen = choose_engine(problem, engine=engine, device=device)
    resolved = resolve_settings(problem, SearchSettings() if settings is None else settings, lanes=chosen.lanes)
    check_criterion(problem)
    announce(problem, on_event or ignore)
    trainer = prepared(chosen.load(), on_event or ignore)
    device = str(getattr(getattr(trainer, "device", None), "type", "cpu"))
    timed = tuple(_timed_depths(problem, resolved, trainer, device))
    processes = _processes(problem, chosen, device, timed[-1].seconds * resolved.runs_per_trial)
    return DryRun(
        problem=problem,
        settings=resolved,
        engine=trainer.name,
        device=device,
        processes=processes,
        timed=timed,
        forecasts=tuple(_forecasts(problem, resolved, timed, processes)),
    )


def _timed_depths(problem: Problem, settings: ResolvedSettings, engine: Engine, device: str) -> Iterator[TimedDepth]:
    """The shallowest depth, and a deeper one, half as much deeper where that cannot be built or takes all memory."""
    within = settings.depths or (problem.network.shallowest, settings.cap)
    low = min(within)
    yield _timed(problem, settings, engine, device, low)
    depth = min(low + DEEPER, max(within))
    while depth > low:
        try:
            yield _timed(problem, settings, engine, device, depth)
        except (BuildFailed, OutOfMemory):
            depth = low + (depth - low) // 2
        else:
            return


def _timed(problem: Problem, settings: ResolvedSettings, engine: Engine, device: str, depth: int) -> TimedDepth:
    # Networks that train side by side in one process are timed together.
    runs = 1 if engine.name in ("module", "scores") else settings.runs_per_trial
    seeds = draw_seeds(settings.seed, depth=depth, first=0, count=runs)
    memory, quickest, spent = PeakMemory(device), float("inf"), 0.0
    for times in itertools.count(1):
        clock = _Clock(whole=isinstance(problem.network, ExternalNetwork))
        traces = train_all(engine, problem, [Job(depth, seed) for seed in seeds], watch=clock)
        quickest = min(quickest, clock.whole_seconds(traces) / runs)
        spent += max(time.perf_counter() - clock.began, ENOUGH_SECONDS / MOST_TIMES)
        # What is quick is timed again: the first time loads libraries and fills caches.
        if spent >= ENOUGH_SECONDS * (1 if times > 1 else MOST_TIMES):
            break
    peak = memory.bytes()
    return TimedDepth(
        depth=depth,
        parameters=problem.network.layer_counts(problem.data.spec, depth).parameters,
        entries=max(trace.epochs for trace in traces),
        of=traces[0].budget_epochs,
        seconds=quickest,
        memory=peak,
    )


class _Clock:
    """A watcher that ends runs once they were timed.

    Args:
        whole: Whether it ends none: the budget shows at the end only.
    """

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole
        self.began = time.perf_counter()
        self._first: float | None = None
        self._last = self.began

    def __call__(self, trace: Trace) -> int | None:
        """The entry that was the last to be timed."""
        self._last = time.perf_counter()
        self._first = self._last if self._first is None else self._first
        if self._whole or not trace.epochs:
            return None
        spent = self._last - self._first
        enough = trace.epochs >= LEAST_ENTRIES and spent >= ENOUGH_SECONDS
        return trace.epochs if enough or spent >= MOST_SECONDS else None

    def whole_seconds(self, traces: list[Trace]) -> float:
        """What all of these would have taken for the whole budget: the start once, each entry in proportion."""
        budget = sum(trace.budget_epochs for trace in traces)
        trained = sum(trace.epochs for trace in traces)
        if trained == budget:
            return time.perf_counter() - self.began
        first = self.began if self._first is None else self._first
        return first - self.began + (self._last - first) * budget / max(trained, 1)


def _processes(problem: Problem, chosen: EngineChoice, device: str, seconds: float) -> int:
    """Processes in which the search trains its networks side by side.

    Args:
        problem: What is trained.
        chosen: The engine.
        device: "cpu" or "cuda".
        seconds: What a trial of the deeper network takes in one process.
    """
    if chosen.name != "module" or device == "cuda":
        return 1
    from depthsearch.training.modules.engine import WORTH_PROCESSES  # noqa: PLC0415 - it imports torch
    from depthsearch.training.modules.pool import can_travel  # noqa: PLC0415

    return chosen.lanes if can_travel(problem) and seconds > WORTH_PROCESSES else 1


def _forecasts(
    problem: Problem, settings: ResolvedSettings, timed: tuple[TimedDepth, ...], processes: int
) -> Iterator[Forecast]:
    pace = Pace(Timing(one.depth, 1, one.seconds / processes) for one in timed)
    low = problem.network.shallowest
    depths = Depths(low, max(low, settings.cap))
    last = depths.step_of(max(settings.depths or (depths.high,)))
    fixed = method_class(settings.sampler).default_trials is not None  # the budget ends it, whatever it finds
    for max_depth in dict.fromkeys(depths.at(min(step, last)) for step in ASSUMED_STEPS):
        searches = [
            _searched(problem, settings, AssumedCurve(depths, max_depth, slope, settings.reliability), pace, seed)
            for slope in (SLOPES[:1] if fixed else SLOPES)
            for seed in range(1 if fixed else SEARCHES)
        ]
        runs = [sum(trial.made for trial in trials) for trials, _ in searches]
        seconds = [sum(trial.seconds for trial in trials) + choosing for trials, choosing in searches]
        deepest = max(trial.depth or 0 for trials, _ in searches for trial in trials)
        yield Forecast(
            max_depth=max_depth,
            runs=(min(runs), max(runs)),
            seconds=(min(seconds) / TIMING_ERROR, max(seconds) * TIMING_ERROR),
            deepest=deepest,
            memory=_memory(timed, deepest, processes),
        )


def _searched(
    problem: Problem, settings: ResolvedSettings, curve: AssumedCurve, pace: Pace, seed: int
) -> tuple[tuple[Trial, ...], float]:
    """A simulated search, and the seconds in which it chose its depths, which a real one spends as well."""
    began = time.perf_counter()
    trials = simulate(problem, settings, curve, pace=pace, seed=seed)
    return trials, time.perf_counter() - began


def _memory(timed: tuple[TimedDepth, ...], depth: int, processes: int) -> int | None:
    """What all processes take at a depth, on the line through what was timed; it falls with depth nowhere."""
    known = [(one.depth, one.memory) for one in timed if one.memory is not None]
    if not known:
        return None
    (low, base), (high, above) = known[0], known[-1]
    each = max(above - base, 0) / (high - low) if high > low else 0.0
    return round((base + each * max(depth - low, 0)) * processes)
