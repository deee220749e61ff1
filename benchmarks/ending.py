"""What it costs that a run takes its whole budget: the same networks under three watchers, side by side.

    .venv/bin/python benchmarks/ending.py --seeds 32 ffnet:tanh:20 ffnet:relu:7 ffnet:relu:14 resnet:relu:25

Moons, 200 epochs, the other defaults. "Whole" watches nothing. "Settled" is what a search does: a run ends early only
if its verdict can no longer change. "Held" is what searches did before: a run also ended once it had held the accuracy
for a tenth of the budget, whether or not it lost it later. Prints seconds as ratios to "whole", and the share of the
epochs that each trains.
"""

import argparse
import time
from statistics import median

from depthsearch.detection import bar_of, settled_epoch
from depthsearch.detection.trained import reached
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.search import draw_seeds
from depthsearch.training.dense.engine import DenseEngine
from depthsearch.training.engine import Job, Watch, train_all
from depthsearch.training.trace import Trace

TENTH = 10


def held_epoch(trace: Trace) -> int | None:
    """The epoch at which the accuracy had been held for a tenth of the budget, or at which the run is settled."""
    row = 0
    for epoch, good in enumerate(reached(trace, bar_of(trace, Criterion())).tolist(), start=1):
        row = row + 1 if good else 0
        if row == trace.budget_epochs // TENTH:
            return epoch
    return settled_epoch(trace)


WATCHERS: dict[str, Watch | None] = {"whole": None, "settled": settled_epoch, "held": held_epoch}


def measured(problem: Problem, jobs: list[Job], rounds: int) -> dict[str, tuple[float, float]]:
    """For each watcher the median seconds and the share of the epochs that were trained; they take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in WATCHERS}
    shares: dict[str, float] = {}
    for _ in range(rounds):
        for name, watch in WATCHERS.items():
            start = time.perf_counter()
            traces = train_all(DenseEngine(), problem, jobs, watch=watch)
            seconds[name].append(time.perf_counter() - start)
            shares[name] = sum(trace.epochs for trace in traces) / sum(trace.budget_epochs for trace in traces)
    return {name: (median(seconds[name]), shares[name]) for name in WATCHERS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+", help="FAMILY:ACTIVATION:DEPTH")
    parser.add_argument("--seeds", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print("| network | seconds, whole | settled | held | epochs, settled | held |")
    print("|---|---|---|---|---|---|")
    for network in arguments.networks:
        family, activation, depth = network.split(":")
        problem = Problem.model_validate({"family": family, "activation": activation})
        seeds = draw_seeds(0, depth=int(depth), first=0, count=arguments.seeds)
        found = measured(problem, [Job(int(depth), seed) for seed in seeds], arguments.rounds)
        whole = found["whole"][0]
        ratios = " | ".join(f"{found[name][0] / whole:.2f}x" for name in ("settled", "held"))
        shares = " | ".join(f"{found[name][1]:.2f}" for name in ("settled", "held"))
        print(f"| {family} {activation} {depth} | {whole:.2f} | {ratios} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
