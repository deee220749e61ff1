"""Searches while a dashboard is open: does anything fail, and how long do they wait for each other?

Searches of the same SQLite file in other processes, while the pages of a study are loaded again and again, as a
browser asks for them; and once without any page, to compare with. Lasts as long as the loads take, some minutes.

    .venv/bin/python benchmarks/dashboard.py --loads 200
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optuna.trial import TrialState
from sqlalchemy import Engine, event

from depthsearch.errors import DepthsearchError
from depthsearch.problem.problem import Problem
from depthsearch.search.settings import SearchSettings
from depthsearch.store import open_store
from depthsearch.workflows import find

PAGE = (
    "dashboard/studies/1",
    "static/bundle.js",
    "api/meta",
    "api/studies/1?after=0",
    "api/studies/1/param_importances",
)
LIST = ("dashboard", "static/bundle.js", "api/meta", "api/studies")
SEARCHERS = 2
PROBLEM = Problem.model_validate({"activation": "relu", "recipe": {"epochs": 20}})
"""Trains in milliseconds, so that the searches write as often as they can."""


def search(url: str, number: int, seconds: float) -> None:
    """Search study after study until the time is over; print what it took and what went wrong."""
    waited: list[float] = []
    begun: list[float] = []

    # A transaction takes the write lock as it begins: that is where a process waits for another, and asks again.
    @event.listens_for(Engine, "before_cursor_execute")
    def before(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("BEGIN") and not begun:
            begun.append(time.perf_counter())

    @event.listens_for(Engine, "after_cursor_execute")
    def after(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("BEGIN"):
            waited.append(time.perf_counter() - begun.pop())

    start, studies, errors = time.perf_counter(), 0, []
    while (left := seconds - (time.perf_counter() - start)) > 0:
        settings = SearchSettings(seed=1000 * number + studies, max_seconds=max(left, 0.1), cap=200)
        try:
            find(PROBLEM, settings, storage=url)
        except DepthsearchError as error:
            errors.append(str(error))
        studies += 1
    total = time.perf_counter() - start
    print(json.dumps({"seconds": total, "waited": sum(waited), "longest": max(waited), "errors": errors}))


@dataclass
class Loads:
    """Pages as they were loaded."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0


def load(address: str, count: int, *, until: float) -> Loads:
    """Load pages one after another, evenly until the end."""
    loads = Loads()
    for k in range(count):
        start = time.perf_counter()
        for path in LIST if k % 4 == 0 else PAGE:
            try:
                with urllib.request.urlopen(address + path, timeout=60) as answered:
                    answered.read()
            except (urllib.error.URLError, TimeoutError) as error:
                loads.failed += 1
                print(f"{path}: {error}", file=sys.stderr)
        loads.seconds.append(time.perf_counter() - start)
        time.sleep(max(0.0, (until - time.perf_counter()) / (count - k)))
    return loads


@contextmanager
def dashboard(url: str) -> Iterator[str]:
    """The address of a dashboard in another process."""
    command = [sys.executable, "-m", "depthsearch", "dashboard", "--storage", url, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            yield process.stderr.readline().split()[4]
        finally:
            process.kill()


@contextmanager
def searchers(url: str, seconds: float) -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes that search for so long."""
    command = [sys.executable, __file__, "--storage", url, "--seconds", str(seconds), "--searcher"]
    processes = [
        subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True) for number in range(SEARCHERS)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure(folder: Path, *, loads: int, seconds: float) -> str:
    """One row of the table."""
    url = f"sqlite:///{folder}/{loads}.db"
    find(PROBLEM, SearchSettings(max_runs=40, cap=200), storage=url)
    loaded = Loads()
    with searchers(url, seconds) as processes:
        if loads:
            with dashboard(url) as address:
                loaded = load(address, loads, until=time.perf_counter() + seconds)
        printed = [json.loads(process.communicate(timeout=seconds + 120)[0]) for process in processes]
    with open_store(url, create=False) as store:
        states = [
            trial.state
            for study in store.studies()
            for trial in store.read_study(study.name).optuna_study.get_trials(deepcopy=False)
        ]
    errors = [error for one in printed for error in one["errors"]]
    for error in errors:
        print(error, file=sys.stderr)
    waited = sum(one["waited"] for one in printed) / sum(one["seconds"] for one in printed)
    page = f"{statistics.median(loaded.seconds) * 1000:.0f} ms" if loads else ""
    cells = [
        str(loads),
        str(loaded.failed),
        page,
        str(states.count(TrialState.COMPLETE)),
        str(states.count(TrialState.FAIL)),
        str(sum("lock" in error for error in errors)),
        f"{waited:.1%}",
        f"{max(one['longest'] for one in printed) * 1000:.0f} ms",
    ]
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=int, default=200, help="pages to load")
    parser.add_argument("--seconds", type=float, default=60.0, help="that both searches last")
    parser.add_argument("--searcher", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--storage", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.searcher is not None:
        search(chosen.storage, chosen.searcher, chosen.seconds)
        return
    print("| page loads | failed requests | median load | trials | failed trials | lock errors | waiting | longest |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for loads in (0, chosen.loads):
            print(measure(Path(folder), loads=loads, seconds=chosen.seconds), flush=True)


if __name__ == "__main__":
    main()
