"""Searches for the deepest network that is no worse than shallower ones, with real networks and a real store."""

import itertools
import json
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from rich.console import Console

from depthsearch.cli.main import run
from depthsearch.detection import final_score
from depthsearch.errors import InvalidValue, UnreadableStudyFile
from depthsearch.problem.problem import Problem
from depthsearch.problem.study_file import read_study_file
from depthsearch.reporting.dashboard_note import note_of
from depthsearch.reporting.terminal.answer import answer_text, finished_line
from depthsearch.results.answer import Answer, Outcome
from depthsearch.results.check import GateResult, gate
from depthsearch.results.events import Event, RunFinished, TrialFinished
from depthsearch.search import estimate
from depthsearch.search.ladder import BAR_RUNS, RUNG_RUNS, Ladder
from depthsearch.search.sampler import trials_of
from depthsearch.search.settings import SearchSettings
from depthsearch.search.trial import Purpose
from depthsearch.service.answers import WithAnswers
from depthsearch.store import open_store
from depthsearch.workflows import answer_of, compare, find, inspect, inspect_stored, survey
from depthsearch.workflows.studies import read_studies, run_rows
from tests.workflows.searches import essence, history

PROBLEM = Problem.model_validate(
    {"activation": "tanh", "recipe": {"epochs": 10, "learning_rate": 0.05}, "criterion": "no_worse"}
)
SETTINGS = SearchSettings(cap=40, tolerance=0.6, runs_per_trial=8)
BISECTION = SearchSettings(sampler="bisect", runs_per_trial=2, cap=20)
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["depthsearch.workflows", "tests.workflows.searches"])

Searched = tuple[Answer, list[Event], str]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    url = f"sqlite:///{tmp_path_factory.mktemp('store')}/studies.db"
    events: list[Event] = []
    return find(PROBLEM, SETTINGS, storage=url, on_event=events.append), events, url


def test_the_best_rung_sets_the_bar_and_the_search_covers_it_and_deeper(searched: Searched) -> None:
    answer, _, url = searched
    assert answer.outcome is Outcome.FOUND
    ladder = answer.ladder
    assert ladder is not None
    assert answer.bar is not None
    assert ladder.median is not None
    best = max(ladder.rungs, key=lambda rung: rung.median)
    assert ladder.best_depth == best.depth == min(point.depth for point in answer.curve)
    assert answer.bar == pytest.approx(ladder.median - 0.02, abs=2e-6)
    assert [rung.depth for rung in ladder.rungs] == [1, 2, 4, 8, 16, 32][: len(ladder.rungs)]
    assert {rung.runs for rung in ladder.rungs} == {RUNG_RUNS}
    assert ladder.runs == BAR_RUNS
    assert answer.reliability == 0.5
    with open_store(url) as store:
        trials = trials_of(store.read_study(answer.study).optuna_study)
    purposes = [trial.purpose for trial in trials]
    assert purposes[: len(ladder.rungs) + 1] == [Purpose.LADDER] * len(ladder.rungs) + [Purpose.BAR]
    assert not any(purpose.is_ladder for purpose in purposes[len(ladder.rungs) + 1 :])


def test_runs_of_the_search_are_judged_by_the_bar_and_those_of_the_ladder_by_chance(searched: Searched) -> None:
    answer, _, url = searched
    assert answer.bar is not None
    with open_store(url) as store:
        study = store.read_study(answer.study)
        ladder = {trial.number for trial in trials_of(study.optuna_study) if trial.purpose.is_ladder}
        short = []
        for run in study.runs():
            assert run.final_score is not None
            assert run.final_score == pytest.approx(
                final_score(study.trace(run.trial_number, run.run), PROBLEM.criterion)
            )
            needed = run.verdict.evidence.thresholds["final_score"]
            assert run.verdict.trained is (run.final_score >= needed - 1e-6)
            if run.trial_number in ladder:
                assert needed == pytest.approx(0.611, abs=0.02)
            else:
                assert needed == pytest.approx(answer.bar, abs=1e-6)
                short += [run.verdict.kind.value] if 0.65 < run.final_score < needed else []
    assert set(short) <= {"slow", "unstable", "degraded"}
    assert "degraded" in short


def test_the_ladder_enters_neither_the_curve_nor_the_counts_but_the_cost(searched: Searched) -> None:
    answer, _, url = searched
    assert answer.ladder is not None
    ladder_runs = RUNG_RUNS * len(answer.ladder.rungs) + BAR_RUNS
    of = sum(point.of for point in answer.curve)
    assert sum(answer.verdicts.values()) == of == answer.cost.runs - ladder_runs
    with open_store(url) as store:
        study = store.read_study(answer.study)
        exported = [row["purpose"] for row in run_rows(study)]
        (report,) = read_studies(store, [answer.study])
        curve = estimate(study.optuna_study, study.settings)
    assert exported.count("ladder") + exported.count("bar") == ladder_runs
    assert len(exported) == answer.cost.runs
    assert len(report.runs) == of
    assert [(point.depth, point.trained, point.of) for point in curve.points] == [
        (point.depth, point.trained, point.of) for point in answer.curve
    ]


def test_in_optuna_trials_of_the_ladder_store_scores_and_are_infeasible(searched: Searched) -> None:
    answer, _, url = searched
    with open_store(url) as store:
        study = store.read_study(answer.study).optuna_study
        for trial in study.trials:
            (constraint,) = trial.system_attrs["constraints"]
            if trial.user_attrs.get("purpose") in ("ladder", "bar"):
                assert constraint > 0
                assert len(trial.user_attrs["scores"]) == len(trial.user_attrs["seeds"])
                assert "trained" not in trial.user_attrs
            else:
                assert "scores" not in trial.user_attrs
        assert study.best_trial.user_attrs.get("purpose") not in ("ladder", "bar")


def test_the_dashboard_s_best_trial_is_none_of_the_ladder(searched: Searched) -> None:
    import optuna_dashboard

    answer, _, url = searched
    environ: dict[str, Any] = {"PATH_INFO": "/api/studies/1", "QUERY_STRING": "after=0"}
    setup_testing_defaults(environ)
    with open_store(url) as store:
        application = WithAnswers(optuna_dashboard.wsgi(store.optuna_storage), store)
        body = json.loads(b"".join(application(environ, lambda *_: lambda _data: None)))
    purposes = {
        trial["number"]: {each["key"]: each["value"] for each in trial["user_attrs"]}.get("purpose")
        for trial in body["trials"]
    }
    ladder = [trial for trial in body["trials"] if purposes[trial["number"]] in ("ladder", "bar")]
    assert answer.ladder is not None
    assert len(ladder) == len(answer.ladder.rungs) + 1
    assert all(trial["constraints"] == [1.0] for trial in ladder)
    (best,) = body["best_trials"]
    assert purposes[best["number"]] not in ("ladder", "bar")


def test_the_answer_says_that_it_holds_given_the_bar_and_the_budget(searched: Searched) -> None:
    answer, _, url = searched
    assert answer.ladder is not None
    conditions = f"given the bar of {answer.bar:.3f}, set at {answer.ladder.best_depth} hidden layers"
    assert answer.sentence.startswith(f"is no worse than shallower networks to {answer.max_depth} hidden layer")
    assert answer.sentence.endswith(f"{conditions}, and 10 epochs of training")
    console = Console(width=200)
    with console.capture() as capture:
        console.print(answer_text(answer, place=url, everything=True))
    shown = capture.get()
    assert "of the runs reach the bar (95% probability, given the bar)" in shown
    assert f"0.02 below the median of 16 runs at {answer.ladder.best_depth} hidden layers" in shown
    assert "median final scores of 8 runs each: " in shown
    note = note_of(answer, SETTINGS, place=url, usual_place="")
    assert "given the bar)" in note
    assert "--margin 0.02" in note
    assert Answer.model_validate_json(answer.to_json()) == answer


def test_progress_names_the_medians_of_the_ladder(searched: Searched) -> None:
    answer, events, _ = searched
    finished = [event for event in events if isinstance(event, TrialFinished) and event.score is not None]
    assert answer.ladder is not None
    medians = [rung.median for rung in answer.ladder.rungs] + [answer.ladder.median]
    assert [round(event.score or 0, 6) for event in finished] == medians
    lines = [finished_line(event, family=PROBLEM.network, cap=40).strip() for event in finished]
    assert lines[0] == f"1 hidden layer: median {medians[0]:.3f} of 8 runs; to find the best depth"
    assert lines[-1].endswith("of 16 runs; to set the bar")


def test_a_finished_search_answers_again_from_the_store_alone(searched: Searched) -> None:
    answer, _, url = searched
    trained: list[Event] = []
    again = find(PROBLEM, SETTINGS, storage=url, on_event=trained.append)
    assert essence(again) == essence(answer)
    assert not [event for event in trained if isinstance(event, RunFinished)]
    with open_store(url) as store:
        stored = store.read_study(answer.study)
        bar = Ladder(trials_of(stored.optuna_study), 0.02).bar
        assert essence(answer_of(stored)) == essence(answer)
    assert bar is not None
    assert answer.bar == round(bar.score, 6)


def test_a_stored_run_is_inspected_with_the_bar_of_its_study(searched: Searched) -> None:
    answer, _, url = searched
    with open_store(url) as store:
        study = store.read_study(answer.study)
        runs, trials = study.runs(), trials_of(study.optuna_study)
    for ladder in (True, False):
        run = next(run for run in runs if trials[run.trial_number].purpose.is_ladder is ladder)
        found = inspect_stored(answer.study, run.trial_number, run.run, storage=url)
        assert found.bar == run.verdict.evidence.thresholds["final_score"]
        assert found.judged == run.verdict
        assert found.replay is not None
        assert found.replay.same


def test_a_depth_is_held_against_the_answer_from_the_best_rung_on(searched: Searched) -> None:
    answer, _, _ = searched
    assert answer.interval is not None
    low, high = answer.interval
    assert gate(answer, low).result is GateResult.PASSED
    assert high is not None
    assert gate(answer, high + 1).result is GateResult.FAILED
    none = answer.model_copy(update={"interval": (answer.shallowest - 1, high)})
    assert gate(none, 1).result is GateResult.UNDECIDED


def _search_and_die(url: str, number: int) -> None:
    """A sitting that is killed as soon as its `number`-th run is stored."""
    runs = 0

    def count(happened: Event) -> None:
        nonlocal runs
        runs += isinstance(happened, RunFinished)
        if runs == number:
            os.kill(os.getpid(), signal.SIGKILL)

    find(PROBLEM, BISECTION, storage=url, on_event=count)


def test_killed_on_the_ladder_and_as_the_bar_is_set_a_search_ends_in_the_same_answer(tmp_path: Path) -> None:
    whole, url = f"sqlite:///{tmp_path}/undisturbed.db", f"sqlite:///{tmp_path}/studies.db"
    answer = find(PROBLEM, BISECTION, storage=whole)
    assert answer.ladder is not None
    ladder_runs = RUNG_RUNS * len(answer.ladder.rungs)
    stopped = (RUNG_RUNS + 3, ladder_runs + 5)  # after so many runs of the whole search
    for number in (after - before for before, after in itertools.pairwise((0, *stopped))):
        process = CONTEXT.Process(target=_search_and_die, args=(url, number))
        process.start()
        process.join(timeout=120)
        assert process.exitcode == -signal.SIGKILL
    again = find(PROBLEM, BISECTION, storage=url)
    assert essence(again) == essence(answer)
    assert history(url, again.study) == history(whole, answer.study)


def test_a_budget_that_ends_on_the_ladder_leaves_the_bar_unknown(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/studies.db"
    stopped = find(PROBLEM, SETTINGS.model_copy(update={"max_seconds": 1e-6}), storage=url)
    assert stopped.outcome is Outcome.BUDGET_ENDED
    assert stopped.bar is None
    assert stopped.curve == ()
    assert stopped.ladder is not None
    assert [rung.depth for rung in stopped.ladder.rungs] == [1]
    assert stopped.ladder.best_depth is None
    assert stopped.sentence == "the budget ended first; so far, the answer is not known"
    console = Console(width=100)
    with console.capture() as capture:
        console.print(answer_text(stopped, place=url))
    assert "not known yet: some depths are trained first to set it" in capture.get()


def test_a_budget_of_runs_counts_the_ladder_which_takes_a_quarter(tmp_path: Path) -> None:
    settings = SearchSettings(sampler="bisect", runs_per_trial=2, max_runs=40, cap=40)
    answer = find(PROBLEM, settings, storage=f"sqlite:///{tmp_path}/studies.db")
    assert answer.ladder is not None
    assert [rung.depth for rung in answer.ladder.rungs] == [1]
    assert answer.ladder.best_depth == 1
    assert answer.cost.runs <= 40
    assert answer.interval is None
    with pytest.raises(InvalidValue, match="max_runs must be at least 26 for the criterion 'no_worse': 8 at the"):
        find(PROBLEM, settings.model_copy(update={"max_runs": 25}), storage=f"sqlite:///{tmp_path}/studies.db")


def test_where_nothing_beats_chance_the_shallowest_depth_sets_the_bar(tmp_path: Path) -> None:
    recipe = {"epochs": 5, "learning_rate": 1e-9}
    hopeless = Problem.model_validate({"data": "circles", "recipe": recipe, "criterion": "no_worse"})
    answer = find(hopeless, BISECTION, storage=f"sqlite:///{tmp_path}/studies.db")
    assert answer.outcome is Outcome.NEVER_RELIABLE
    assert answer.ladder is not None
    assert [rung.depth for rung in answer.ladder.rungs] == [1, 2]
    assert answer.ladder.best_depth == 1
    assert answer.bar == pytest.approx(0.6, abs=0.02)


def test_a_grid_leaves_out_the_depths_above_the_best_rung(tmp_path: Path) -> None:
    settings = SearchSettings(sampler="grid", depths=(1, 8, 12, 20), runs_per_trial=2, cap=40)
    answer = find(PROBLEM, settings, storage=f"sqlite:///{tmp_path}/studies.db")
    assert answer.ladder is not None
    assert answer.ladder.best_depth == 8
    assert [point.depth for point in answer.curve] == [8, 12, 20]


def test_optuna_s_samplers_search_from_the_best_rung_on(tmp_path: Path) -> None:
    settings = SearchSettings(sampler="tpe", runs_per_trial=2, max_runs=60, cap=30)
    answer = find(PROBLEM, settings, storage=f"sqlite:///{tmp_path}/studies.db")
    assert answer.ladder is not None
    assert answer.cost.runs <= 60
    assert min(point.depth for point in answer.curve) >= (answer.ladder.best_depth or 0)


def test_a_single_run_is_not_judged_by_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidValue, match="'no_worse' compares a run with shallower networks, which a search trains"):
        inspect(PROBLEM, depth=3)
    assert run(["inspect", "--act", "tanh", "--criterion", "no_worse", "--depth", "3"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--criterion 'no_worse' compares" in line
    file = tmp_path / "study.toml"
    file.write_text('[[problems]]\nactivation = "tanh"\ncriterion = "no_worse"\n[inspect]\ndepth = 3\n')
    with pytest.raises(InvalidValue, match="'no_worse' compares"):
        survey(file)
    assert run(["inspect", str(file)]) == 2


def test_a_study_file_declares_it(searched: Searched, tmp_path: Path) -> None:
    answer, _, url = searched
    file = tmp_path / "study.toml"
    file.write_text(
        'title = "Degradation"\n[settings]\ncap = 40\ntolerance = 0.6\nruns_per_trial = 8\n'
        '[[problems]]\nname = "plain"\nactivation = "tanh"\nrecipe = { epochs = 10, learning_rate = 0.05 }\n'
        'criterion = { kind = "no_worse", margin = 0.02 }\n'
    )
    assert read_study_file(file).problem() == PROBLEM
    (row,) = compare(file, storage=url).compared
    assert essence(row.answer) == essence(answer)
    file.write_text('[[problems]]\ncriterion = { kind = "no_worse", margin = 2.0 }\n')
    with pytest.raises(UnreadableStudyFile, match=r"line 2: margin must be less than 1, but got 2\.0"):
        read_study_file(file)


def test_scores_of_training_elsewhere_set_a_bar_too(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.py"
    file.write_text(
        "import random\n\n\ndef train(depth, seed):\n"
        "    noise = random.Random(1000 * seed + depth)\n"
        "    for _ in range(5):\n        yield 0.9 - 0.01 * max(depth - 6, 0) + noise.gauss(0, 0.002)\n"
    )
    url = f"sqlite:///{tmp_path}/studies.db"
    command = ["find", "--train", f"{file}:train", "--criterion", "no_worse", "--cap", "30", "--sampler", "bisect"]
    assert run([*command, "--storage", url, "--quiet"]) == 0
    with open_store(url) as store:
        (summary,) = store.studies()
        answer = answer_of(store.read_study(summary.name))
    assert answer.max_depth == 7
    assert answer.ladder is not None
    assert [rung.depth for rung in answer.ladder.rungs] == [1, 2, 4, 8, 16]
    assert "training" not in answer.sentence
