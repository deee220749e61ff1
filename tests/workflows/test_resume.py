"""A search that is killed at any moment, or interrupted, ends in the answer of an undisturbed one."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState
from sqlalchemy import Engine, event

from depthsearch.errors import StoreUnavailable
from depthsearch.results.answer import Answer, Outcome
from depthsearch.results.events import Event, RunFinished, TrialStarted
from depthsearch.search.settings import SearchSettings
from depthsearch.store import open_store
from depthsearch.workflows import find
from depthsearch.workflows.loop import Search
from depthsearch.workflows.open_trials import OpenTrial
from tests.workflows.searches import BELIEVED, PROBLEM, SETTINGS, essence, history

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["depthsearch.workflows", "depthsearch.training.modules.stacked_engine", "tests.workflows.searches"]
)

# Which commit of the sitting is never made: between them, every step of a trial is cut off somewhere.
COMMITS = [1, 3, 6, 9, 12, 14, 15, 16, 17, 18, 19, 20, 27, 41, 55]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _search_and_die_at_commit(url: str, log: str, number: int) -> None:
    """A sitting that is killed as its `number`-th transaction is about to be committed."""
    commits = 0

    @event.listens_for(Engine, "commit")
    def _count(_connection: object) -> None:
        nonlocal commits
        commits += 1
        if commits == number:
            die()

    _search(url, log)


def _search_and_die_in_training(url: str, log: str, depth: int) -> None:
    """A sitting that is killed while it trains the first trial of that depth."""

    def aim(happened: Event) -> None:
        if isinstance(happened, TrialStarted) and happened.depth == depth:
            threading.Timer(0.02, die).start()

    _search(url, log, aim)


def _search_and_die_after_runs(url: str, log: str, number: int) -> None:
    """A sitting that is killed as soon as its `number`-th run is stored."""
    runs = 0

    def count(happened: Event) -> None:
        nonlocal runs
        runs += isinstance(happened, RunFinished)
        if runs == number:
            die()

    _search(url, log, count, settings=BELIEVED)


def _search(url: str, log: str, more: Any = lambda _: None, *, settings: SearchSettings = SETTINGS) -> None:
    """A sitting that logs every run that is finished, and so is stored."""

    def write(happened: Event) -> None:
        if isinstance(happened, RunFinished):
            with Path(log).open("a") as opened:
                opened.write(f"{happened.depth}\n")
        more(happened)

    find(PROBLEM, settings, storage=url, on_event=write)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, list[tuple[Any, ...]]]:
    url = f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/studies.db"
    answer = find(PROBLEM, SETTINGS, storage=url)
    return answer, history(url, answer.study)


def killed(target: Any, *arguments: Any) -> None:
    """Run a sitting in another process, which must end by SIGKILL."""
    process = CONTEXT.Process(target=target, args=arguments)
    process.start()
    process.join(timeout=120)
    assert process.exitcode == -signal.SIGKILL


def assert_resumed(url: str, log: Path, undisturbed: tuple[Answer, list[tuple[Any, ...]]]) -> None:
    """The same call now gives the undisturbed answer, and trains no run again that was finished."""
    answer, expected = undisturbed
    before = len(log.read_text().splitlines())
    assert before <= stored_runs(url)
    _search(url, str(log))
    again = find(PROBLEM, SETTINGS, storage=url)
    assert essence(again) == essence(answer)
    assert history(url, again.study) == expected
    assert len(log.read_text().splitlines()) <= answer.cost.runs
    with open_store(url) as store:
        states = {trial.state for trial in store.read_study(again.study).optuna_study.trials}
    assert states <= {TrialState.COMPLETE, TrialState.FAIL}


def stored_runs(url: str) -> int:
    """The runs in the store, those of trials under way among them; 0 where a search got no further than its tables."""
    try:
        with open_store(url, create=False) as store:
            summaries = store.studies()
            studies = [store.read_study(summary.name) for summary in summaries]
            return sum(len(study.runs_of(trial.number)) for study in studies for trial in study.optuna_study.trials)
    except StoreUnavailable:
        return 0


@pytest.mark.parametrize("number", COMMITS)
def test_killed_before_a_commit(number: int, tmp_path: Path, undisturbed: tuple[Answer, list[tuple[Any, ...]]]) -> None:
    url, log = f"sqlite:///{tmp_path}/studies.db", tmp_path / "log"
    log.touch()
    killed(_search_and_die_at_commit, url, str(log), number)
    assert_resumed(url, log, undisturbed)


@pytest.mark.parametrize("depth", [1, 4, 8])
def test_killed_while_training(depth: int, tmp_path: Path, undisturbed: tuple[Answer, list[tuple[Any, ...]]]) -> None:
    url, log = f"sqlite:///{tmp_path}/studies.db", tmp_path / "log"
    log.touch()
    killed(_search_and_die_in_training, url, str(log), depth)
    assert_resumed(url, log, undisturbed)


def test_killed_in_the_middle_of_rounds_a_search_trains_no_run_twice(tmp_path: Path) -> None:
    """Rounds of two trials: what the killed sittings stored is adopted, and the rounds are completed."""
    whole = f"sqlite:///{tmp_path}/undisturbed.db"
    answer = find(PROBLEM, BELIEVED, storage=whole)
    url, log = f"sqlite:///{tmp_path}/studies.db", tmp_path / "log"
    stored = 0
    for number in (1, 2, 3, 7, 11):
        killed(_search_and_die_after_runs, url, str(log), number)
        stored += number
        assert stored_runs(url) == stored
    _search(url, str(log), settings=BELIEVED)
    again = find(PROBLEM, BELIEVED, storage=url)
    assert essence(again) == essence(answer)
    assert history(url, again.study) == history(whole, answer.study)
    assert len(log.read_text().splitlines()) == answer.cost.runs


def test_killed_again_and_again(tmp_path: Path, undisturbed: tuple[Answer, list[tuple[Any, ...]]]) -> None:
    url, log = f"sqlite:///{tmp_path}/studies.db", tmp_path / "log"
    for depth in (2, 4, 8):
        killed(_search_and_die_in_training, url, str(log), depth)
    answer, expected = undisturbed
    again = find(PROBLEM, SETTINGS, storage=url)
    assert essence(again) == essence(answer)
    assert history(url, again.study) == expected


def test_a_round_that_the_seconds_of_the_budget_cut_short_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second round has no time: its trials stay under way, and what was spent on them counts."""
    whole, url = f"sqlite:///{tmp_path / 'whole.db'}", f"sqlite:///{tmp_path / 'cut.db'}"
    undisturbed = find(PROBLEM, SETTINGS, storage=whole)
    budget, rounds = 1000.0, iter((float("inf"), -1.0))
    limited = SETTINGS.model_copy(update={"max_seconds": budget})
    with monkeypatch.context() as patched:
        patched.setattr(Search, "_seconds_of_round", lambda self: next(rounds))
        patched.setattr(Search, "_cut_short", _all_of(budget))
        cut = find(PROBLEM, limited, storage=url)
    assert cut.outcome is Outcome.BUDGET_ENDED
    assert 0 < cut.cost.trials < undisturbed.cost.trials
    assert find(PROBLEM, limited, storage=url).cost == cut.cost  # no second is left

    again = find(PROBLEM, SETTINGS, storage=url)
    assert essence(again) == essence(undisturbed)
    assert history(url, again.study) == history(whole, undisturbed.study)


def _all_of(budget: float) -> Callable[[Search, Sequence[OpenTrial], float], None]:
    """As if the round that was cut short had taken the whole budget."""
    original = Search._cut_short
    return lambda self, under_way, _seconds: original(self, under_way, budget)
