"""Depths that cannot be built or trained: what is tried again, what is excluded, and how the search ends."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from optuna.trial import TrialState
from torch import nn

from depthsearch.cli.main import run
from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.base import LayerCounts, Network
from depthsearch.networks.resnet import ResNet
from depthsearch.problem.problem import Problem
from depthsearch.problem.recipe import Recipe
from depthsearch.results.answer import Answer, Outcome
from depthsearch.results.events import DepthExcluded, Event, StudyOpened
from depthsearch.search.bisection import Bisection
from depthsearch.search.curve import Conclusion
from depthsearch.search.method import Pick
from depthsearch.search.settings import SearchSettings
from depthsearch.search.trial import ExclusionKind
from depthsearch.store import open_store
from depthsearch.training.engine import Job
from depthsearch.training.failures import out_of_memory, run_failed
from depthsearch.training.select import EngineChoice
from depthsearch.workflows import find
from tests.workflows.failing import PROBLEM, QUICK, SETTINGS, Fail, FailingEngine
from tests.workflows.searches import essence

Searching = Callable[..., Answer]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/studies.db"


@pytest.fixture
def searching(url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[Fail], FailingEngine]:
    def with_engine(fail: Fail) -> FailingEngine:
        engine = FailingEngine(fail)
        monkeypatch.setattr(EngineChoice, "load", lambda _self: engine)
        return engine

    return with_engine


With = Callable[[Fail], FailingEngine]


def never(_job: Job, _time: int, _jobs: list[Job]) -> None:
    """Nothing fails."""


def at(*depths: int) -> Fail:
    """Training at these depths raises an exception of no engine's."""

    def fail(job: Job, _time: int, _jobs: list[Job]) -> None:
        if job.depth in depths:
            raise ArithmeticError("no such depth")

    return fail


def memory_from(depth: int) -> Fail:
    def fail(job: Job, _time: int, _jobs: list[Job]) -> None:
        if job.depth >= depth:
            raise out_of_memory(PROBLEM, job.depth, MemoryError("Unable to allocate"), seed=job.seed)

    return fail


def test_a_depth_that_cannot_be_built_is_excluded_and_not_tried_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, built = ResNet.plan, []

    def broken(self: ResNet, spec: object, depth: int) -> object:
        built.append(depth)
        if depth == 8:
            raise ValueError("no input is left,\nfor the last layer")
        return plan(self, spec, depth)  # type: ignore[arg-type]

    monkeypatch.setattr(ResNet, "plan", broken)
    events: list[Event] = []
    answer = find(PROBLEM, SETTINGS, storage=url, on_event=events.append)

    (exclusion,) = answer.exclusions
    assert (exclusion.depth, exclusion.kind, exclusion.deeper) == (8, ExclusionKind.BUILD, False)
    assert exclusion.reason == "ValueError: no input is left, for the last layer"
    assert exclusion.traceback.startswith("Traceback (most recent call last):")
    assert "in broken" in exclusion.traceback
    assert (answer.outcome, answer.max_depth, answer.confirmed) == (Outcome.CAP_REACHED, 24, True)
    assert [point.depth for point in answer.curve] == [1, 2, 4, 5, 10, 20, 24]
    assert [event.exclusion for event in events if isinstance(event, DepthExcluded)] == [exclusion]
    with open_store(url) as store:
        trials = store.read_study(answer.study).optuna_study.trials
    (failed,) = [trial for trial in trials if trial.state is TrialState.FAIL]
    assert (failed.params["depth"], failed.user_attrs["excluded"]) == (8, "build")
    assert Answer.model_validate_json(answer.to_json()) == answer


def test_an_exception_that_does_not_come_again_changes_nothing(url: str, tmp_path: Path, searching: With) -> None:
    def fail(job: Job, time: int, _jobs: list[Job]) -> None:
        if job.depth == 4 and time == 1:
            raise run_failed(PROBLEM, job.depth, ValueError("chance"), seed=job.seed)

    undisturbed = find(PROBLEM, QUICK, storage=f"sqlite:///{tmp_path}/undisturbed.db")
    engine = searching(fail)
    answer = find(PROBLEM, QUICK, storage=url)

    assert essence(answer) == essence(undisturbed)
    jobs = engine.calls[0]
    assert [job.depth for job in jobs] == [2, 2, 4, 4]
    assert engine.calls[1:4] == [[jobs[2]], [jobs[3]], [jobs[3]]]


@pytest.mark.parametrize("named", [True, False], ids=["of-a-run", "of-no-run"])
def test_an_exception_is_retried_once_with_its_seed_and_by_itself(named: bool, url: str, searching: With) -> None:
    def fail(job: Job, _time: int, _jobs: list[Job]) -> None:
        if job.depth == 4:
            error = ZeroDivisionError()
            raise run_failed(PROBLEM, 4, error, seed=job.seed) if named else error

    engine = searching(fail)
    answer = find(PROBLEM, QUICK, storage=url)

    assert [call for call in engine.calls[1:] if call[0].depth == 4] == [[engine.calls[0][2]]]
    (exclusion,) = answer.exclusions
    assert (exclusion.depth, exclusion.kind, exclusion.reason) == (4, ExclusionKind.ERROR, "ZeroDivisionError")
    assert "ZeroDivisionError" in exclusion.traceback
    assert (answer.outcome, answer.concluded) == (Outcome.FOUND, Conclusion.GRID)
    assert [point.depth for point in answer.curve] == [2]
    assert all(engine.tried[job] == 1 for job in engine.tried if job.depth == 2)


def test_what_runs_out_of_memory_among_others_is_trained_by_itself(url: str, searching: With) -> None:
    def fail(job: Job, _time: int, jobs: list[Job]) -> None:
        if job.depth == 4 and len(jobs) > 1:
            raise out_of_memory(PROBLEM, 4, MemoryError())

    engine = searching(fail)
    answer = find(PROBLEM, QUICK, storage=url)

    assert answer.exclusions == ()
    assert [point.depth for point in answer.curve] == [2, 4]
    assert [len(call) for call in engine.calls[:3]] == [4, 1, 1]


def test_where_nobody_says_whose_memory_ran_out_each_is_trained_by_itself(url: str, searching: With) -> None:
    def fail(_job: Job, _time: int, jobs: list[Job]) -> None:
        if len(jobs) > 1:
            raise MemoryError

    engine = searching(fail)
    settings = QUICK.model_copy(update={"max_runs": 4})
    assert find(PROBLEM, settings, storage=url).exclusions == ()
    assert [len(call) for call in engine.calls] == [4, 1, 1, 1, 1]


def test_memory_excludes_everything_deeper_and_the_answer_says_so(url: str, searching: With) -> None:
    engine = searching(memory_from(11))
    answer = find(PROBLEM, SETTINGS, storage=url)

    assert (answer.outcome, answer.concluded) == (Outcome.MEMORY_ENDED, Conclusion.MEMORY)
    assert (answer.max_depth, answer.confirmed) == (10, True)
    assert answer.sentence.startswith("trains to 10 residual blocks; memory ends the search at 11")
    assert [(found.depth, found.deeper) for found in answer.exclusions] == [(11, True)]
    assert answer.exclusions[0].reason == "MemoryError: Unable to allocate"
    assert not [job for call in engine.calls[-2:] for job in call if job.depth > 11]


def test_a_default_search_ends_where_memory_does(url: str, searching: With) -> None:
    searching(memory_from(11))
    problem = PROBLEM.model_copy(update={"recipe": Recipe(epochs=12)})
    settings = SearchSettings(reliability=0.5, runs_per_trial=8, parallel_trials=2, cap=60)
    answer = find(problem, settings, storage=url)

    assert answer.outcome is Outcome.MEMORY_ENDED
    assert answer.max_depth == 10
    assert answer.interval is not None
    assert answer.interval[1] is None
    assert [found.depth for found in answer.exclusions] == [11]


def test_nothing_is_concluded_where_memory_runs_out_at_the_shallowest(url: str, searching: With) -> None:
    searching(memory_from(1))
    answer = find(PROBLEM, SETTINGS, storage=url)

    assert (answer.outcome, answer.max_depth, answer.curve) == (Outcome.COULD_NOT_RUN, None, ())
    assert answer.sentence == "could not be built or trained (all depths from 1 on), and no other depth was tried"


def test_three_exclusions_end_the_search_and_a_lower_cap_goes_on(url: str, searching: With) -> None:
    engine = searching(at(*range(6, 99)))
    answer = find(PROBLEM, SETTINGS, storage=url)

    assert answer.outcome is Outcome.COULD_NOT_RUN
    assert [found.depth for found in answer.exclusions] == [8, 10, 7]
    assert answer.max_depth == 5
    calls = len(engine.calls)
    events: list[Event] = []
    again = find(PROBLEM, SETTINGS, storage=url, on_event=events.append)
    assert essence(again) == essence(answer)
    assert len(engine.calls) == calls
    assert [event.done for event in events if isinstance(event, StudyOpened)] == [True]
    lower = find(PROBLEM, SETTINGS.model_copy(update={"cap": 5}), storage=url)
    assert (lower.outcome, lower.max_depth, lower.confirmed) == (Outcome.CAP_REACHED, 5, True)
    assert lower.study == answer.study


def test_three_exclusions_are_exit_code_4_and_one_line(
    tmp_path: Path, searching: With, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    searching(at(*range(3, 99)))
    problem = ["--arch", "resnet", "--act", "tanh", "--epochs", "3"]
    asked = [*problem, "--sampler", "bisect", "--reliability", "0.5", "--seeds", "2", "--quiet"]
    assert run(["find", *asked, "--study", "mine"]) == 4
    printed = capsys.readouterr()
    excluded = "excluded 3, 4 and 5 residual blocks, whose training failed twice from one seed: ArithmeticError:"
    assert excluded in " ".join(printed.out.split())
    (line,) = printed.err.splitlines()
    assert line == (
        "error: networks could not be built or trained (depths 3, 4 and 5), and the search ended: "
        "ArithmeticError: no such depth; correct the code, or give a lower --cap"
    )
    assert run(["find", *asked, "--study", "mine", "--json", "--at-least", "2"]) == 4
    printed = capsys.readouterr()
    assert Answer.model_validate_json(printed.out).outcome is Outcome.COULD_NOT_RUN
    assert run(["compare", *asked]) == 4
    printed = capsys.readouterr()
    assert "depths 3, 4 and 5" in " ".join(printed.out.split())
    assert printed.err.startswith(
        "error: resnet tanh on moons: networks could not be built or trained (depths 3, 4 and 5)"
    )
    assert run(["report", "mine", "--output", "page.html"]) == 0
    assert "ArithmeticError: no such depth" in Path("page.html").read_text()


def test_a_fresh_study_forgets_exclusions(url: str, searching: With) -> None:
    searching(at(4))
    answer = find(PROBLEM, QUICK, storage=url)
    engine = searching(never)
    again = find(PROBLEM, QUICK, storage=url)
    assert essence(again) == essence(answer)
    assert not engine.calls
    fresh = find(PROBLEM, QUICK, storage=url, fresh=True)
    assert fresh.exclusions == ()
    assert 4 in [point.depth for point in fresh.curve]


def test_an_interrupt_between_two_attempts_keeps_what_is_finished(url: str, searching: With) -> None:
    def fail(job: Job, time: int, jobs: list[Job]) -> None:
        if job.depth == 4 and job == jobs[-1]:
            if time > 1:
                raise KeyboardInterrupt
            raise ArithmeticError

    engine = searching(fail)
    with pytest.raises(KeyboardInterrupt):
        find(PROBLEM, QUICK, storage=url)
    first = [job for call in engine.calls for job in call if job.depth == 4]
    engine = searching(at(4))
    events: list[Event] = []
    answer = find(PROBLEM, QUICK, storage=url, on_event=events.append)

    assert [event.kept_runs for event in events if isinstance(event, StudyOpened)] == [1]
    assert [job for call in engine.calls for job in call if job.depth == 4] == [first[1], first[1]]
    assert [found.depth for found in answer.exclusions] == [4]


def test_interrupting_a_search_often_excludes_nothing(url: str, searching: With) -> None:
    def fail(job: Job, _time: int, _jobs: list[Job]) -> None:
        if job.depth == 4:
            raise KeyboardInterrupt

    searching(fail)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            find(PROBLEM, QUICK, storage=url)
    searching(never)
    assert find(PROBLEM, QUICK, storage=url).exclusions == ()


def test_a_value_that_an_engine_refuses_is_no_exclusion(url: str, searching: With) -> None:
    def fail(job: Job, _time: int, _jobs: list[Job]) -> None:
        if job.depth == 4:
            raise InvalidValue("choose another engine")

    searching(fail)
    with pytest.raises(InvalidValue, match="choose another engine"):
        find(PROBLEM, QUICK, storage=url)


def test_a_method_that_knows_of_no_exclusions_ends(url: str, searching: With, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bisection, "next_picks", lambda *_: (Pick(4, 2),))
    engine = searching(at(4))
    answer = find(PROBLEM, SETTINGS, storage=url)

    assert (answer.outcome, len(engine.calls)) == (Outcome.COULD_NOT_RUN, 2)
    assert answer.sentence == "could not be built or trained (depth 4), and no other depth was tried"


def test_an_error_of_the_watcher_is_no_exclusion(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_trace: object) -> int:
        raise LookupError("a defect of detection")

    monkeypatch.setattr("depthsearch.workflows.watching.settled_epoch", broken)
    with pytest.raises(LookupError, match="a defect of detection"):
        find(PROBLEM, QUICK, storage=url)


def test_modules_that_cannot_be_built_or_that_an_input_does_not_fit(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions that leave less of their input with each layer: at depth 4 nothing is left."""
    monkeypatch.setattr(Network, "entries", dict(Network.entries))

    class Shrinking(Network):
        unit: ClassVar[str] = "convolution"
        family: Literal["shrinking"] = "shrinking"

        def build(self, spec: DataSpec, depth: int) -> nn.Module:
            if depth == 2:
                raise ValueError("depth must be odd")
            linear = nn.Linear(max(64 - 16 * depth, 1), spec.outputs)
            convolutions = [nn.Conv1d(1, 1, 17) for _ in range(depth)]  # 64 inputs, 16 fewer after each
            return nn.Sequential(nn.Unflatten(1, (1, 64)), *convolutions, nn.Flatten(), linear)

        def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
            return LayerCounts()

    problem = Problem(network=Shrinking(), data={"name": "digits"}, recipe=Recipe(steps=20))
    settings = SearchSettings(sampler="grid", depths=(1, 2, 4), runs_per_trial=1, cap=9, max_runs=3)
    answer = find(problem, settings, storage=url)

    assert [point.depth for point in answer.curve] == [1]
    build, error = answer.exclusions
    assert (build.depth, build.kind, build.reason) == (2, ExclusionKind.BUILD, "ValueError: depth must be odd")
    assert (error.depth, error.kind) == (4, ExclusionKind.ERROR)
    assert error.reason.startswith("RuntimeError: Calculated padded input size per channel")
    assert "in forward" in error.traceback
