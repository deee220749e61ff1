"""What the record costs: runs of the module engine against the same steps in a plain torch loop, in turns.

The plain loop takes the batches of the same seed and evaluates the test set once at the end, as the engine does. A
budget of 100 steps has 11 snapshots.

    python benchmarks/modules.py [--rounds 5]
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from depthsearch.problem.problem import Problem
from depthsearch.training.engine import Job, train_all
from depthsearch.training.modules.engine import ModuleEngine
from depthsearch.training.recorder import EpochOrders

STEPS, SEED = 100, 7

CASES: dict[str, tuple[Problem, int]] = {
    name: (
        Problem.model_validate(
            {
                "network": network,
                "data": "digits",
                "recipe": {"steps": STEPS, "optimizer": "adam", "batch_size": batch_size},
            }
        ),
        depth,
    )
    for name, network, depth, batch_size in (
        ("VGG08, batch 32", {"family": "vgg"}, 0, 32),
        ("VGG38, batch 32", {"family": "vgg"}, 5, 32),
        ("VGG38 with batch norm, batch 32", {"family": "vgg", "normalization": "batch"}, 5, 32),
        ("transformer, 4 blocks of width 64", {"family": "transformer", "width": 64}, 4, 32),
    )
}


def plain(problem: Problem, depth: int) -> list[float]:
    """The losses of the steps, in a loop that records nothing else."""
    data, recipe = problem.data.load(), problem.recipe
    x, y = torch.tensor(data.x_train), torch.tensor(data.y_train)
    torch.manual_seed(SEED)
    module: nn.Module = problem.network.build(problem.data.spec, depth)
    optimizer, losses = torch.optim.Adam(module.parameters(), recipe.learning_rate), []
    orders, per_epoch = EpochOrders(len(x), SEED), recipe.steps_per_epoch(len(x))
    module.train()
    for step in range(STEPS):
        epoch, batch = divmod(step, per_epoch)
        if batch == 0:
            order = torch.from_numpy(orders.of_epochs(epoch, epoch)[-1])
        chosen = order[batch * recipe.batch_size : (batch + 1) * recipe.batch_size]
        optimizer.zero_grad()
        loss = functional.cross_entropy(module(x[chosen]), y[chosen])
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    module.eval()
    with torch.no_grad():
        for part in torch.split(torch.tensor(data.x_test), 256):
            module(part)
    return losses


def plain_means(problem: Problem, depth: int) -> NDArray[np.float64]:
    """[20] the mean loss of each entry's points in the plain loop."""
    points, size = problem.data.load().points, problem.recipe.batch_size
    per_epoch = problem.recipe.steps_per_epoch(points)
    sizes = np.array([min(size, points - step % per_epoch * size) for step in range(STEPS)])
    losses = np.array(plain(problem, depth)) * sizes
    means: NDArray[np.float64] = losses.reshape(20, -1).sum(axis=1) / sizes.reshape(20, -1).sum(axis=1)
    return means


def seconds(work: Callable[[], object]) -> float:
    """Of the processor: one thread, whatever else the machine does."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    engine = ModuleEngine("cpu", workers=1)
    for name, (problem, depth) in CASES.items():
        ours, theirs = [], []
        for _ in range(rounds):
            theirs.append(seconds(lambda: plain(problem, depth)))  # noqa: B023 - called at once
            ours.append(seconds(lambda: train_all(engine, problem, [Job(depth, SEED)])))  # noqa: B023
        (trace,) = train_all(engine, problem, [Job(depth, SEED)])
        apart = max(abs(trace.loss - plain_means(problem, depth)))
        ratio = min(ours) / min(theirs)
        print(f"{name}: {1000 * min(theirs) / STEPS:.1f} ms a step; recorded {ratio:.3f}x; losses apart {apart:.1e}")


if __name__ == "__main__":
    main()
