"""Trainings per minute on a GPU, against the CPU of the same machine, in one run.

    .venv/bin/python benchmarks/gpu.py

Each training is whole: moons, 200 epochs for the narrow network and 20 for the wide one, the trace included. On the
GPU the networks of a depth train side by side in stacks; the figure is over the whole call, recording of graphs
included. Whether the verdicts are the same is agreement.py's to say (--device cuda).
"""

import argparse
import sys
import time

import torch

from depthsearch.problem.problem import Problem
from depthsearch.training.dense.engine import DenseEngine
from depthsearch.training.engine import Engine, Job, train_all
from depthsearch.training.modules.stacked_engine import TorchEngine

NARROW = Problem()
WIDE = Problem.model_validate({"width": 300, "recipe": {"epochs": 20}})


def per_minute(engine: Engine, problem: Problem, depth: int, runs: int) -> float:
    jobs = [Job(depth, seed) for seed in range(runs)]
    start = time.perf_counter()
    train_all(engine, problem, jobs)
    return 60 * runs / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=256, help="narrow networks side by side on the GPU")
    parser.add_argument("--wide-runs", type=int, default=16, help="wide networks side by side on the GPU")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("torch sees no GPU here: nothing to measure")
    train_all(DenseEngine(), NARROW, [Job(1, 0)])  # compiled kernels come from the disk
    print(f"{torch.cuda.get_device_name()}; torch {torch.__version__}")
    print("| network | GPU, trainings a minute | CPU | ratio |")
    print("|---|---|---|---|")
    for name, problem, depth, runs, here, few in (
        ("ffnet 20 x 5", NARROW, 20, arguments.runs, DenseEngine(), 64),
        ("ffnet 100 x 300, 20 epochs", WIDE, 100, arguments.wide_runs, TorchEngine("cpu"), 1),
    ):
        gpu, cpu = per_minute(TorchEngine("cuda"), problem, depth, runs), per_minute(here, problem, depth, few)
        print(f"| {name} | {gpu:.0f} | {cpu:.0f} | {gpu / cpu:.1f}x |", flush=True)


if __name__ == "__main__":
    main()
