"""Where runs lie relative to each threshold of the detector, and how few lie near one.

    .venv/bin/python benchmarks/calibration.py --seeds 12

Trains every activation in both families at depths from well before to well past where it fails, on moons and circles,
by SGD and Adam, for the whole budget. For each rule: the runs that come as far as being asked (no rule before it
applied, and what it also asks for holds), their figure's quantiles, and the share within a factor of 2, and of 1.25, of
the threshold: those whose verdict another choice of it would change.
"""

import argparse
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from depthsearch.detection import bar_of, figures, final_score, layers, rules, verdict_of
from depthsearch.detection.trained import learned
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.training.engine import Job, train_all
from depthsearch.training.select import choose_engine
from depthsearch.training.trace import Trace

CRITERION = Criterion()
"""Of every problem here."""

ACTIVATIONS = ("tanh", "relu", "leaky_relu", "sigmoid", "elu", "selu", "gelu", "softsign")
INITIALIZATIONS = ("glorot_uniform", "he_normal")
FFNET, RESNET = (2, 4, 7, 10, 14, 20, 28, 40), (10, 40, 120)


def problems() -> Iterator[tuple[Problem, int]]:
    for activation in ACTIVATIONS:
        for data in ("moons", "circles"):
            recipe = {"epochs": 100, "optimizer": "sgd" if data == "moons" else "adam", "learning_rate": 0.01}
            shared = {"activation": activation, "data": data, "recipe": recipe}
            for initialization in INITIALIZATIONS:
                problem = Problem.model_validate(shared | {"initialization": initialization})
                yield from ((problem, depth) for depth in FFNET)
            residual = Problem.model_validate(shared | {"family": "resnet"})
            yield from ((residual, depth) for depth in RESNET)


@dataclass(frozen=True)
class Threshold:
    """One of the detector's: the figure of a run that was asked, None where it was not."""

    name: str
    value: float
    figure: Callable[[Trace], float | None]


def improving(trace: Trace) -> bool:
    return (figures.improvement(trace) or 0.0) >= layers.IMPROVING


def ratios(trace: Trace) -> list[float]:
    return [value for place in (0, -1) if (value := figures.gradient_ratio(trace, place)) is not None]


def untrained(trace: Trace, rule: int) -> bool:
    """Whether the run comes as far as the rule of that place."""
    if learned(trace, CRITERION):
        return False
    return all(earlier(trace, CRITERION) is None for earlier in rules._RULES[:rule])  # noqa: SLF001


def gain(trace: Trace) -> float | None:
    """What the final score gains over a constant guess, over what the bar asks for."""
    if not np.isfinite(trace.loss).all():
        return None
    asked_gain = bar_of(trace, CRITERION) - trace.baseline
    return (final_score(trace, CRITERION) - trace.baseline) / asked_gain


def asked(rule: int, figure: Callable[[Trace], float | None]) -> Callable[[Trace], float | None]:
    return lambda trace: figure(trace) if untrained(trace, rule) else None


def sgd_ratio(trace: Trace) -> float | None:
    flat = figures.is_flat(trace, CRITERION)
    return min(ratios(trace), default=None) if flat and trace.facts.optimizer == "sgd" else None


def shrunk_reach(trace: Trace) -> float | None:
    if not figures.is_flat(trace, CRITERION) or improving(trace):
        return None
    ratio = min(ratios(trace), default=0.0)
    if trace.facts.optimizer == "sgd" and ratio < layers.VANISHED_RATIO:
        return None
    return figures.reach(trace) if ratio < layers.SHRINKING else None


def ratio_of_small_reach(trace: Trace) -> float | None:
    moved = figures.reach(trace)
    flat = figures.is_flat(trace, CRITERION) and not improving(trace)
    small = flat and moved is not None and moved < layers.VANISHED_REACH
    return min(ratios(trace), default=None) if small else None


def blindness(trace: Trace) -> float | None:
    """1 - correlation, of those whose answers hardly differ."""
    shots = trace.snapshots
    if figures.crossed(trace, CRITERION) or improving(trace) or shots.output_range[-1] >= layers.BLIND_RANGE:
        return None
    return float(max(1 - shots.input_correlation[-1], 1e-9))


def spread(trace: Trace) -> float | None:
    shots = trace.snapshots
    alike = not figures.crossed(trace, CRITERION) and not improving(trace)
    blind = alike and shots.input_correlation[-1] > 0.999
    return float(max(shots.output_range[-1], 1e-9)) if blind else None


def late(figure: Callable[[Trace], float | None]) -> Callable[[Trace], float | None]:
    return lambda trace: None if figures.crossed(trace, CRITERION) else figure(trace)


THRESHOLDS = (
    Threshold("trained: what the final score gains, over what is asked", 1.0, gain),
    Threshold("exploded: largest loss", layers.EXPLODED_LOSS, asked(0, lambda trace: float(np.max(trace.loss)))),
    Threshold("dead: share of units never active", layers.DEAD_SHARE,
              asked(1, lambda trace: float(trace.snapshots.never_active[-1, :-1].mean()))),
    Threshold("exploded: gradient ratio", layers.EXPLODED_RATIO,
              asked(2, late(lambda t: max(ratios(t), default=None)))),
    Threshold("vanished: gradient ratio", layers.VANISHED_RATIO, asked(3, sgd_ratio)),
    Threshold("vanished: reach, where under a tenth arrives", layers.VANISHED_REACH, asked(3, shrunk_reach)),
    Threshold("vanished: gradient ratio, where the reach is small", layers.SHRINKING, asked(3, ratio_of_small_reach)),
    Threshold("input blind: 1 - correlation", 1 - layers.BLIND_CORRELATION, asked(4, blindness)),
    Threshold("input blind: range of the logits", layers.BLIND_RANGE, asked(4, spread)),
    Threshold("unstable: share of epochs that swing", figures.SWING_SHARE, asked(6, figures.swing_share)),
    Threshold("slow: improvement in standard errors", layers.IMPROVING, asked(7, figures.improvement)),
)  # fmt: skip


def measured(job: tuple[Problem, int, int]) -> tuple[list[list[float]], list[str]]:
    """For each threshold the figures of the runs that were asked, and all the runs' verdicts."""
    problem, depth, seeds = job
    jobs = [Job(depth, seed) for seed in range(seeds)]
    traces = train_all(choose_engine(problem, engine="dense").load(), problem, jobs)
    found = [[each for trace in traces if (each := one.figure(trace)) is not None] for one in THRESHOLDS]
    return found, [verdict_of(trace, problem.criterion).kind.value for trace in traces]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=12, help="runs of each network")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:
        results = list(pool.map(measured, [(*each, options.seeds) for each in problems()], chunksize=4))
    verdicts = [verdict for _, each in results for verdict in each]
    print(f"{len(verdicts)} runs: " + ", ".join(f"{verdicts.count(kind)} {kind}" for kind in sorted(set(verdicts))))
    print("\n| threshold | value | runs asked | quantiles 5, 25, 50, 75, 95 % | within a factor 2 | within 1.25 |")
    print("|---|---|---|---|---|---|")
    for place, one in enumerate(THRESHOLDS):
        values = np.array([value for each, _ in results for value in each[place]], dtype=np.float64)
        values = values[~np.isnan(values)]
        if not len(values):
            print(f"| {one.name} | {one.value:g} | 0 | | | |")
            continue
        shown = ", ".join(f"{value:.2g}" for value in np.quantile(values, (0.05, 0.25, 0.5, 0.75, 0.95)))
        near = [np.mean((values > one.value / times) & (values < one.value * times)) for times in (2, 1.25)]
        print(f"| {one.name} | {one.value:g} | {len(values)} | {shown} | {near[0]:.3f} | {near[1]:.3f} |")


if __name__ == "__main__":
    main()
