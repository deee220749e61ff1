"""Whether two checkouts of depthsearch give the same answers, run by run, for twelve searches.

    python benchmarks/same_answers.py OTHER_CHECKOUT

Both checkouts search each problem in separate stores on this machine, since kernels may round differently on
another CPU. What is compared: max depth, interval, curve and verdicts, and the trial, depth, seed and verdict of each
run.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[1]
SEARCHES = {
    "tanh": "--act tanh --epochs 60",
    "relu": "--act relu --epochs 60",
    "sigmoid, Adam": "--act sigmoid --optimizer adam --epochs 30",
    "gelu, He, batch norm": "--act gelu --init he_normal --norm batch --epochs 30 --max-runs 120",
    "silu on spirals": "--act silu --data spirals --width 10 --epochs 30 --max-runs 120",
    "resnet relu at one half": "--arch resnet --act relu --reliability 0.5 --epochs 30 --max-runs 120",
    "resnet tanh, layer norm": "--arch resnet --act tanh --norm layer --epochs 20 --max-runs 80 --cap 60",
    "relu on digits": "--act relu --width 32 --data digits --epochs 20 --max-runs 80",
    "bisect": "--act relu --epochs 60 --sampler bisect --seeds 5",
    "grid": "--act tanh --epochs 40 --sampler grid --depths 5,10,20,40 --seeds 16",
    "tpe": "--act tanh --epochs 40 --sampler tpe --cap 60 --max-runs 80",
    "random, in steps": "--act tanh --steps 900 --sampler random --cap 60 --max-runs 80",
}
COMPARED = ("outcome", "max_depth", "confirmed", "interval", "thresholds", "curve", "verdicts", "bar", "useful_depth")
RUN = ("trial", "purpose", "depth", "run", "seed", "verdict", "settled_at_epoch", "final_score")


def searched(checkout: Path, options: str) -> dict[str, Any]:
    """What one checkout finds, with every run."""
    with tempfile.TemporaryDirectory() as folder:

        def depthsearch(*arguments: str) -> str:
            done = subprocess.run(
                [sys.executable, "-m", "depthsearch", *arguments],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(checkout)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        answer = json.loads(depthsearch("find", *options.split(), "--json", "--quiet"))
        runs = json.loads(depthsearch("studies", "export", answer["study"], "--json"))
    found = {name: answer[name] for name in COMPARED}
    found["runs"] = [[run[name] for name in RUN] for run in runs]
    return found


def main() -> None:
    """Print a line for each search, and exit with 1 where any differs."""
    other = Path(sys.argv[1]).resolve()
    differing = 0
    for name, options in SEARCHES.items():
        theirs, ours = searched(other, options), searched(HERE, options)
        wrong = [key for key in theirs if theirs[key] != ours[key]]
        differing += bool(wrong)
        depth, interval = ours["max_depth"], ours["interval"]
        verdict = f"DIFFERENT in {', '.join(wrong)}" if wrong else f"the same {len(ours['runs'])} runs"
        print(f"{name:<26} max depth {depth!s:>4}, interval {interval!s:<12} {verdict}", flush=True)
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
