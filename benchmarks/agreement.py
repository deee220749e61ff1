"""Do the engines give the same verdicts? The same seeds through both, network by network.

    .venv/bin/python benchmarks/agreement.py --seeds 200 ffnet:tanh:20 resnet:relu:25

Moons, 200 epochs, the other defaults. Both engines start at the same weights and see the same batches, and round
differently; where training is chaotic the two runs part in the end. Prints, for each kind and depth, how many trained
in each engine, the share of seeds on which they disagree, and McNemar's exact test of whether one of them trains more
often (binomial, two-sided, over the seeds on which they disagree).
"""

import argparse

from scipy.stats import binomtest

from depthsearch.detection import settled_epoch, verdict_of
from depthsearch.problem.problem import Problem
from depthsearch.search import draw_seeds
from depthsearch.training.dense.engine import DenseEngine
from depthsearch.training.engine import Engine, Job, train_all
from depthsearch.training.modules.stacked_engine import TorchEngine


def trained(engine: Engine, problem: Problem, jobs: list[Job]) -> list[bool]:
    return [
        verdict_of(trace, problem.criterion).trained for trace in train_all(engine, problem, jobs, watch=settled_epoch)
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="+", help="FAMILY:ACTIVATION:DEPTH")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--device", default="cpu", help="of the torch engine: cpu or cuda")
    arguments = parser.parse_args()
    print("| network | trained, dense | trained, torch | disagree | McNemar p |")
    print("|---|---|---|---|---|")
    for network in arguments.networks:
        family, activation, depth = network.split(":")
        problem = Problem.model_validate({"family": family, "activation": activation})
        seeds = draw_seeds(0, depth=int(depth), first=0, count=arguments.seeds)
        jobs = [Job(int(depth), seed) for seed in seeds]
        dense, torch = trained(DenseEngine(), problem, jobs), trained(TorchEngine(arguments.device), problem, jobs)
        only_dense = sum(ours and not theirs for ours, theirs in zip(dense, torch, strict=True))
        only_torch = sum(theirs and not ours for ours, theirs in zip(dense, torch, strict=True))
        apart = only_dense + only_torch
        p = binomtest(only_dense, apart).pvalue if apart else 1.0
        counts = f"{sum(dense)} | {sum(torch)} | {apart} of {len(jobs)} ({apart / len(jobs):.1%}) | {p:.2f}"
        print(f"| {family} {activation} {depth} | {counts} |", flush=True)


if __name__ == "__main__":
    main()
