"""Do as many networks train in the dense engine as in Keras? The same networks in both, Fisher's test cell by cell.

    .venv/bin/python -m pip install --target /tmp/keras -c constraints.txt keras jax
    PYTHONPATH=/tmp/keras .venv/bin/python benchmarks/keras_agreement.py --cache /tmp/keras_agreement.json

Keras 3 on JAX lies in another folder, so that the project's environment stays as it is; the constraints give that
folder the same NumPy and SciPy. Plain networks of width 5 on moons with the default recipe, tanh and ReLU, 20 and 200
epochs, at five depths around each cliff: 60 seeds of the dense engine and 16 of Keras (`Sequential`, `Dense`, `SGD`,
`fit`). Both begin at Glorot's uniform weights and zero biases, each with its random numbers: only the shares of
runs that train can be compared. In both a run has trained if its running train accuracy (Keras's `history`) reaches the
criterion's bar in each of the last three epochs.

The runs of Keras take some 8 minutes on one core. They come first and are kept in the cache, so that a benchmark that
was interrupted goes on where it was. Prints, for each cell, how many trained, and Fisher's exact test (two-sided) of
whether the two shares are the same; then how many cells have a p of 0.002 or less. By chance 1 benchmark in 25 at most
has such a cell.
"""

import argparse
import importlib
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import fisher_exact

from depthsearch.detection import bar_of, final_score
from depthsearch.networks.dense import as_dense
from depthsearch.problem.problem import Problem
from depthsearch.search import draw_seeds
from depthsearch.training.engine import Job, train_all
from depthsearch.training.select import choose_engine

OURS, KERAS = 60, 16
"""Seeds a cell."""

APART = 0.002
"""The p up to which a cell counts as one where the two differ."""

DEPTHS = {
    ("tanh", 20): (16, 20, 23, 27, 32),
    ("tanh", 200): (14, 18, 21, 25, 30),
    ("relu", 20): (4, 6, 8, 10, 14),
    ("relu", 200): (4, 6, 8, 10, 14),
}
"""Of each activation and number of epochs."""

ENVIRONMENT = {
    "KERAS_BACKEND": "jax",
    "KERAS_HOME": str(Path(tempfile.gettempdir()) / "keras_home"),  # else Keras leaves a file in the home folder
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "OMP_NUM_THREADS": "1",
}
"""Keras on one core."""

STEPS_PER_EXECUTION = 16
"""An epoch: Keras comes back to Python's callbacks once in each."""

LAST = 3
"""Epochs at the end of the budget that are looked at."""

Scores = dict[str, float]
"""The final score of each run of Keras: the lowest accuracy of its last epochs."""


@dataclass(frozen=True)
class Cell:
    """One kind of network: its number among the cells, the problem and the depth."""

    number: int
    problem: Problem
    depth: int

    def name_of(self, seed: int) -> str:
        """A run of Keras in the cache; another version of Keras or JAX begins anew."""
        versions = f"keras {version('keras')} jax {version('jax')}"
        return (
            f"{versions} {as_dense(self.problem.network).activation} {self.problem.recipe.epochs} {self.depth} {seed}"
        )

    def keras_seeds(self) -> range:
        """Seeds that no other cell has: the cells are independent."""
        return range(1000 * self.number, 1000 * self.number + KERAS)


def all_cells() -> list[Cell]:
    kinds = [
        (Problem.model_validate({"activation": activation, "recipe": {"epochs": epochs}}), depth)
        for (activation, epochs), depths in DEPTHS.items()
        for depth in depths
    ]
    return [Cell(number, problem, depth) for number, (problem, depth) in enumerate(kinds)]


def imported_keras() -> Any:
    os.environ.update(ENVIRONMENT)
    return importlib.import_module("keras")


def keras_network(cell: Cell) -> Any:
    """The cell's network, compiled, with weights from Keras's present random numbers."""
    keras = imported_keras()
    problem, recipe = cell.problem, cell.problem.recipe
    spec, ours = problem.data.spec, as_dense(problem.network)

    def dense(units: int, activation: str) -> Any:
        return keras.layers.Dense(
            units, activation=activation, kernel_initializer=ours.initialization, bias_initializer="zeros"
        )

    hidden = [dense(ours.width, ours.activation) for _ in range(cell.depth)]
    network = keras.Sequential([keras.Input((spec.features,)), *hidden, dense(spec.outputs, "sigmoid")])
    # Keras counts weights, so a network that is not ours is noticed.
    counts = problem.network.layer_counts(spec, cell.depth)
    if network.count_params() != counts.parameters:
        raise ValueError(f"Keras's network has {network.count_params()} parameters, ours {counts.parameters}")
    network.compile(
        optimizer=keras.optimizers.SGD(recipe.learning_rate, momentum=recipe.momentum, nesterov=recipe.nesterov),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=STEPS_PER_EXECUTION,
    )
    return network


def keras_score(cell: Cell, seed: int) -> float:
    """One run's final score. The last, smaller batch of an epoch is trained as well, as `fit` does."""
    keras = imported_keras()
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    data, recipe = cell.problem.data.load(), cell.problem.recipe
    history = keras_network(cell).fit(
        data.x_train,
        data.y_train.astype("float32")[:, None],
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        shuffle=True,
        verbose=0,
    )
    return float(min(history.history["accuracy"][-LAST:]))


def train_keras(cells: list[Cell], cache: Path) -> Scores:
    """The scores of all runs of Keras; those that the cache has not yet are trained and added to it one by one."""
    scores: Scores = json.loads(cache.read_text()) if cache.exists() else {}
    for cell in cells:
        for seed in cell.keras_seeds():
            name = cell.name_of(seed)
            if name not in scores:
                scores[name] = keras_score(cell, seed)
                write_whole(cache, scores)
        print(f"Keras: {cell.number + 1} of {len(cells)} cells", file=sys.stderr, flush=True)
    return scores


def write_whole(cache: Path, scores: Scores) -> None:
    """Write a new file and rename it, so that an interrupt leaves the old scores or the new ones."""
    new = cache.with_name(f"{cache.name}.new")
    new.write_text(json.dumps(scores, indent=1))
    new.replace(cache)


def trained_ours(cell: Cell) -> tuple[int, float]:
    """How many of our runs trained, and the bar that they were held against."""
    problem = cell.problem
    jobs = [Job(cell.depth, seed) for seed in draw_seeds(0, depth=cell.depth, first=0, count=OURS)]
    traces = train_all(choose_engine(problem, engine="dense").load(), problem, jobs)
    bar = bar_of(traces[0], problem.criterion)  # the same for all: they have the same points
    return sum(final_score(trace, problem.criterion) >= bar for trace in traces), bar


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path(tempfile.gettempdir()) / "depthsearch_keras_agreement.json",
        help="a JSON file that keeps the runs of Keras",
    )
    arguments = parser.parse_args()
    cells = all_cells()
    scores = train_keras(cells, arguments.cache)
    print(f"| activation | epochs | depth | ours of {OURS} | Keras of {KERAS} | p |")
    print("|---|---|---|---|---|---|")
    apart = 0
    for cell in cells:
        ours, bar = trained_ours(cell)
        theirs = sum(scores[cell.name_of(seed)] >= bar for seed in cell.keras_seeds())
        p = float(fisher_exact(np.array([[ours, OURS - ours], [theirs, KERAS - theirs]])).pvalue)
        apart += p <= APART
        kind = f"{as_dense(cell.problem.network).activation} | {cell.problem.recipe.epochs} | {cell.depth}"
        print(f"| {kind} | {ours} | {theirs} | {p:.3f} |", flush=True)
    print(f"\nCells with p <= {APART}: {apart} of {len(cells)}")


if __name__ == "__main__":
    main()
