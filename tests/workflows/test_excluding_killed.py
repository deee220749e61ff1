"""Processes that are killed as they train, as where memory runs out: no error is left, and yet the search ends."""

import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from depthsearch.reporting.sentences import PROCESS_ENDED
from depthsearch.results.answer import Outcome
from depthsearch.search.settings import SearchSettings
from depthsearch.search.trial import ExclusionKind
from depthsearch.training.engine import Job
from depthsearch.training.select import EngineChoice
from depthsearch.workflows import find
from tests.workflows.failing import PROBLEM, FailingEngine

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["depthsearch.workflows", "tests.workflows.failing"])

GRID = SearchSettings(sampler="grid", depths=(16, 2), reliability=0.5, runs_per_trial=2, cap=24)
"""One round, in which the deeper network is trained first."""


def _search_and_die(url: str, depth: int) -> None:
    def fail(job: Job, _time: int, _jobs: list[Job]) -> None:
        if job.depth >= depth:
            os.kill(os.getpid(), signal.SIGKILL)

    EngineChoice.load = lambda _self: FailingEngine(fail)  # type: ignore[method-assign,assignment]
    find(PROBLEM, GRID, storage=url)


def test_a_depth_in_which_one_process_after_another_is_killed_is_excluded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/studies.db"
    for _ in range(3):
        process = CONTEXT.Process(target=_search_and_die, args=(url, 16))
        process.start()
        process.join(timeout=120)
        assert process.exitcode == -signal.SIGKILL
    answer = find(PROBLEM, GRID, storage=url)

    (exclusion,) = answer.exclusions
    assert (exclusion.depth, exclusion.kind, exclusion.deeper) == (16, ExclusionKind.MEMORY, True)
    assert (exclusion.reason, exclusion.traceback) == (PROCESS_ENDED, "")
    assert [point.depth for point in answer.curve] == [2]
    assert answer.outcome is Outcome.FOUND


GREEDY = '''
"""Dense networks that cannot be built at depth 3, and that no memory holds from depth 6 on."""

from typing import ClassVar, Literal

from depthsearch.data.base import DataSpec
from depthsearch.networks.base import Activation, Dense, Layer, LayerCounts, Plan, count_layers
from depthsearch.networks.dense import DenseNetwork


class Greedy(DenseNetwork):
    """Depth is the number of hidden layers."""

    unit: ClassVar[str] = "hidden layer"
    family: Literal["greedy"] = "greedy"

    def plan(self, spec: DataSpec, depth: int) -> Plan:
        """Dense and activation, `depth` times; the sixth layer is wide."""
        if depth == 3:
            raise ArithmeticError("three is a crowd")
        layers: list[Layer] = []
        inputs = spec.features
        for k in range(1, depth + 1):
            width = 40_000 if k > 4 and depth >= 6 else self.width
            layers += [Dense(f"hidden {k}", inputs, width), Activation(f"hidden {k} tanh", "tanh")]
            inputs = width
        return (*layers, Dense("output", inputs, spec.outputs))

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """As Keras counts."""
        return count_layers(self.plan(spec, depth), keras=depth + 2)
'''

WITH_FAMILY = """
import depthsearch.networks
depthsearch.networks.__path__.append("networks")
from depthsearch.cli.main import main
main()
"""

LIMIT = 4 * 2**30


def limited(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command with at most 4 GiB of memory."""
    return subprocess.run(
        [sys.executable, "-c", WITH_FAMILY, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT)),
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )


def test_a_family_whose_networks_take_all_memory_leaves_an_explained_outcome(tmp_path: Path) -> None:
    """A real lack of memory, under a limit of 4 GiB."""
    (tmp_path / "networks").mkdir()
    (tmp_path / "networks" / "greedy.py").write_text(GREEDY)
    problem = ("--arch", "greedy", "--act", "tanh", "--epochs", "4", "--criterion", "target", "--target", "0.55")
    settings = ("--sampler", "bisect", "--reliability", "0.5", "--seeds", "2", "--cap", "40", "--engine", "torch")
    done = limited(tmp_path, "find", *problem, *settings, "--study", "greedy", "--json")

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["outcome"] == "memory_ended"
    kinds = {found["depth"]: found["kind"] for found in answer["exclusions"]}
    assert kinds[6] == "memory"
    assert set(kinds.values()) <= {"memory", "build"}
    assert answer["max_depth"] == 5
    (memory,) = [found for found in answer["exclusions"] if found["depth"] == 6]
    assert "Traceback (most recent call last)" in memory["traceback"]
