"""How long must a network stay above chance to count as trained? Shares by the length asked for.

    .venv/bin/python benchmarks/criterion.py --seeds 24 ffnet:tanh:20 ffnet:tanh:30

Trains every network for its whole budget (moons, 200 epochs, the other defaults) and prints, for each kind and
depth, the share of runs that ever held the criterion's accuracy for 3, 5, 10, 20, 40 and 80 epochs running, and
the share that is above it in the last three epochs. Where a column lies well above the last one, that length
counts networks as trained that had fallen back to a constant guess by the end.
"""

import argparse

import numpy as np

from depthsearch.core.problem import Problem
from depthsearch.detection.criterion import threshold_of
from depthsearch.search import draw_seeds
from depthsearch.training.engine import Job, choose_engine

LENGTHS = (3, 5, 10, 20, 40, 80)


def longest(good: np.ndarray) -> int:
    """The longest unbroken row of good epochs."""
    best = row = 0
    for epoch in good:
        row = row + 1 if epoch else 0
        best = max(best, row)
    return best


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="+", help="FAMILY:ACTIVATION:DEPTH")
    parser.add_argument("--seeds", type=int, default=24)
    arguments = parser.parse_args()
    print(f"| network | {' | '.join(f'{length} epochs' for length in LENGTHS)} | at the end |")
    print("|---|" + "---|" * (len(LENGTHS) + 1))
    for network in arguments.networks:
        family, activation, depth = network.split(":")
        problem = Problem(family=family, activation=activation)
        seeds = draw_seeds(0, depth=int(depth), first=0, count=arguments.seeds)
        traces = choose_engine(problem).train(problem, [Job(int(depth), seed) for seed in seeds])
        good = [trace.train_accuracy > threshold_of(trace, problem.criterion) for trace in traces]
        rows = [longest(run) for run in good]
        shares = [np.mean([row >= length for row in rows]) for length in LENGTHS]
        shares.append(np.mean([run[-3:].all() for run in good]))
        print(f"| {family} {activation} {depth} | {' | '.join(f'{share:.2f}' for share in shares)} |", flush=True)


if __name__ == "__main__":
    main()
