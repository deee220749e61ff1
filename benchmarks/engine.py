"""Speed of the engines, side by side in one run, as ratios to the loop that most people would write.

    .venv/bin/python benchmarks/engine.py            # some five minutes
    .venv/bin/python benchmarks/engine.py --quick    # the two networks of the targets only

`plain_torch.py` is the fixed yardstick and is never changed. Each figure is the median over rounds in which the
contestants take turns, so that a machine whose speed drifts slows all of them alike. A step is one optimizer step of
a batch of 32; the engines' steps have the whole training in them: initial weights, batches, trace and all.
"""

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import plain_torch

from depthsearch.problem.problem import Problem
from depthsearch.training.dense.engine import DenseEngine
from depthsearch.training.engine import Engine, Job, train_all
from depthsearch.training.modules.stacked_engine import TorchEngine

TARGETS = (("ffnet", 20), ("resnet", 25))
DEPTHS = (("ffnet", 5), ("ffnet", 20), ("ffnet", 60), ("resnet", 25), ("resnet", 75))
CORES = len(os.sched_getaffinity(0))


def microseconds_a_step(engine: Engine, problem: Problem, depth: int, runs: int = 1) -> float:
    """Wall time of a training, over its steps and the number of runs trained side by side."""
    jobs = [Job(depth, seed) for seed in range(runs)]
    start = time.perf_counter()
    traces = train_all(engine, problem, jobs)
    return 1e6 * (time.perf_counter() - start) / sum(trace.steps for trace in traces)


def medians(contestants: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median figure of each, taking turns; a first round is not counted."""
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, measure in contestants.items():
            value = measure()
            if number:
                figures[name].append(value)
    return {name: median(values) for name, values in figures.items()}


def against_the_yardstick(networks: tuple[tuple[str, int], ...], rounds: int) -> None:
    print("| network, width 5, moons | yardstick us a step | torch engine | dense, one core | dense, all cores |")
    print("|---|---|---|---|---|")
    for family, depth in networks:
        short = Problem.model_validate({"family": family, "recipe": {"epochs": 4}})
        whole = Problem(family=family)
        found = medians(
            {
                "yardstick": partial(plain_torch.microseconds_a_step, family, depth, epochs=4),
                "torch": partial(microseconds_a_step, TorchEngine("cpu"), short, depth),
                "dense": partial(microseconds_a_step, DenseEngine(1), whole, depth, 4),
                "all": partial(microseconds_a_step, DenseEngine(CORES), whole, depth, 4 * CORES),
            },
            rounds,
        )
        ratios = [found["yardstick"] / found[name] for name in ("torch", "dense", "all")]
        cells = " | ".join(f"{ratio:.2f}x" if ratio < 10 else f"{ratio:.0f}x" for ratio in ratios)
        print(f"| {family} {depth} | {found['yardstick']:.0f} | {cells} |", flush=True)


def across_widths(rounds: int) -> None:
    print("\n| network | data | width | torch engine us a step | dense, one core |")
    print("|---|---|---|---|---|")
    for data in ("moons", "digits"):
        for width in (5, 10, 32, 64, 128, 256):
            problem = Problem.model_validate({"data": data, "width": width, "recipe": {"epochs": 4}})
            found = medians(
                {
                    "torch": partial(microseconds_a_step, TorchEngine("cpu"), problem, 10),
                    "dense": partial(microseconds_a_step, DenseEngine(1), problem, 10),
                },
                rounds,
            )
            ratio = found["torch"] / found["dense"]
            print(f"| ffnet 10 | {data} | {width} | {found['torch']:.0f} | {ratio:.1f}x |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    against_the_yardstick(TARGETS if arguments.quick else DEPTHS, arguments.rounds)
    if not arguments.quick:
        across_widths(arguments.rounds)


if __name__ == "__main__":
    main()
