"""The contract of search methods, held for every registered one; and a method that is one new file."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import optuna
import pytest
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import BasicSamplerTestCase, SingleOnlySamplerTestCase

import depthsearch
import depthsearch.search
from depthsearch.errors import UnknownName
from depthsearch.problem.problem import Problem
from depthsearch.results.answer import Outcome
from depthsearch.search import method as methods
from depthsearch.search import optuna_methods
from depthsearch.search.curve import Conclusion
from depthsearch.search.method import Pick, SearchMethod, method_class, method_names, method_of
from depthsearch.search.sampler import MethodSampler, estimate, trials_of
from depthsearch.search.settings import ResolvedSettings, SearchSettings
from depthsearch.search.trial import Depths, Purpose, State, Trial
from tests.search.studies import ask, new_study, search, tell

NAMES = ("threshold", "bisect", "grid", "tpe", "gp", "random")
OURS = tuple(name for name in NAMES if not issubclass(method_class(name), optuna_methods.OptunaMethod))


def settings_of(name: str) -> ResolvedSettings:
    given = (3, 9, 27, 40) if method_class(name).takes_depths else None
    return SearchSettings(
        sampler=name, depths=given, reliability=0.5, runs_per_trial=4, parallel_trials=3, cap=64
    ).resolved()


def method(name: str) -> SearchMethod:
    settings = settings_of(name)
    return method_of(settings, Depths(1, settings.cap))


def trial(number: int, pick: Pick, threshold: int = 20) -> Trial:
    """A finished trial in which all runs train up to the threshold, and none beyond."""
    trained = pick.runs if pick.depth <= threshold else 0
    return Trial(number, State.COMPLETE, pick.depth, pick.runs, trained, pick.purpose, seeds=pick.runs)


@cache
def first_trials(name: str) -> tuple[Trial, ...]:
    trials: list[Trial] = []
    while len(trials) < 11:
        (pick,) = method(name).next_picks(trials, 1)
        trials.append(trial(len(trials), pick))
    return tuple(trials)


def begun(name: str) -> list[Trial]:
    """The first trials of a search, one after another."""
    return list(first_trials(name))


def test_the_names_are_in_order_the_default_first() -> None:
    assert method_names() == ("threshold", *sorted(set(NAMES) - {"threshold"}))


def test_an_unknown_method_is_quoted() -> None:
    with pytest.raises(UnknownName, match="unknown sampler 'bisct': did you mean 'bisect'"):
        method_class("bisct")


@pytest.mark.parametrize("name", NAMES)
class TestContract:
    def test_picks_are_depths_that_may_be_tried(self, name: str) -> None:
        found = method(name).next_picks(begun(name), 2)
        assert 1 <= len(found) <= 2
        for pick in found:
            assert type(pick.depth) is int
            assert pick.depth in Depths(1, 64)
            assert 1 <= pick.runs <= 4

    def test_a_batch_is_what_one_by_one_would_pick(self, name: str) -> None:
        """Each pick counts as pending for those after it."""
        trials = begun(name)
        batch = method(name).next_picks(trials, 3)
        for pick in batch:
            (alone,) = method(name).next_picks(trials, 1)
            assert alone == pick
            trials.append(Trial(len(trials), State.RUNNING, pick.depth, purpose=pick.purpose, seeds=pick.runs))

    def test_a_running_trial_without_a_depth_gets_the_pick_that_it_would_make(self, name: str) -> None:
        trials = begun(name)
        first, second = method(name).next_picks(trials, 2)
        waiting = [*trials, Trial(len(trials), State.RUNNING)]
        assert method(name).next_picks(waiting, 1) == (second,)
        assert method(name).next_picks(trials, 1) == (first,)

    def test_a_failed_trial_counts_as_never_made(self, name: str) -> None:
        trials = begun(name)
        failed = [*trials, Trial(len(trials), State.FAILED, 60)]
        assert method(name).next_picks(failed, 1) == method(name).next_picks(trials, 1)
        assert method(name).estimate(failed) == method(name).estimate(trials)

    def test_before_the_first_trial_nothing_is_known(self, name: str) -> None:
        curve = method(name).estimate([])
        assert (curve.points, curve.max_depth, curve.concluded) == ((), None, None)
        assert method(name).round_size([]) >= 1
        method(name).runs_left([])

    def test_an_interval_is_claimed_by_methods_that_say_so(self, name: str) -> None:
        trials = begun(name)
        curve = method(name).estimate(trials, curves=50)
        assert (curve.interval is not None) is method(name).claims_interval
        assert bool(method(name).probabilities(trials, [2, 11])) is method(name).claims_interval

    def test_what_is_confirmed_agrees_with_what_was_found(self, name: str) -> None:
        trials = begun(name)
        curve = method(name).estimate(trials)
        pick = method(name).next_confirmation(trials, curve)
        if pick is None:
            return
        assert pick.purpose is Purpose.CONFIRM
        again = trial(len(trials), pick)
        assert method(name).confirmation_agrees([*trials, again], again)

    def test_the_sampler_picks_what_the_method_picks(self, name: str) -> None:
        settings = settings_of(name)
        study = new_study(MethodSampler(settings))
        for _ in range(6):
            (pick,) = method(name).next_picks(trials_of(study), 1)
            optunas, depth = ask(study, settings)
            assert depth == pick.depth
            tell(study, optunas, runs=4, trained=4 if depth <= 20 else 0)


@pytest.mark.parametrize("name", OURS)
class TestConformance(BasicSamplerTestCase, SingleOnlySamplerTestCase):
    """Optuna's tests with their parameter as the depth: steps, negative ranges, logarithms and moving bounds."""

    @pytest.fixture
    def sampler(self, name: str) -> Callable[[], BaseSampler]:
        return lambda: MethodSampler(settings_of(name), parameter="x")


def test_the_study_of_a_method_without_interval_is_estimated_by_it() -> None:
    settings = ResolvedSettings(reliability=0.5, cap=64, runs_per_trial=4)  # of the default method
    study = new_study(MethodSampler(settings_of("bisect")))
    search(study, settings, lambda depth: 4 if depth <= 20 else 0)
    assert estimate(study, settings).concluded is Conclusion.ADJACENT
    study.sampler = optuna.samplers.RandomSampler()
    assert estimate(study, settings).interval is not None


LINEAR = '''
"""Depths 1, 2, 3, ... until one fails."""

from collections.abc import Sequence
from typing import ClassVar

from depthsearch.search.curve import Conclusion, Curve, CurvePoint
from depthsearch.search.method import Pick, SearchMethod, picks_in_turn
from depthsearch.search.trial import Trial, pooled, probes


class Linear(SearchMethod):
    """Walks down one depth after another."""

    name: ClassVar[str] = "linear"
    claims_interval: ClassVar[bool] = False

    def next_picks(self, trials: Sequence[Trial], most: int) -> tuple[Pick, ...]:
        """The depth after the deepest so far."""
        tried = [probe.depth for probe in probes(trials)]

        def pick(pending: Sequence[Pick], place: int) -> Pick:
            deepest = max([*tried, *(other.depth for other in pending)], default=self.depths.low - 1)
            return Pick(min(deepest + 1, self.depths.high), self.settings.runs_per_trial)

        return picks_in_turn(trials, most, pick, lambda purpose: self.settings.runs_per_trial)

    def estimate(self, trials: Sequence[Trial], *, curves: int | None = None) -> Curve:
        """Raw shares; concluded at the first depth that fails."""
        found = pooled(probes(trials))
        passing = [probe.depth for probe in found if probe.passes(self.settings.reliability)]
        failing = [probe.depth for probe in found if not probe.passes(self.settings.reliability)]
        concluded = Conclusion.ADJACENT if failing else None
        return Curve(
            points=tuple(CurvePoint(depth=p.depth, trained=p.trained, of=p.runs, p=p.trained / p.runs) for p in found),
            max_depth=max(passing, default=None),
            fails_at=min(failing, default=None),
            concluded=Conclusion.CAP if self.depths.high in passing else concluded,
        )

    def runs_left(self, trials: Sequence[Trial], curve: Curve | None = None) -> int | None:
        """It cannot be foreseen."""
        return None
'''


@pytest.fixture
def linear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One new file in the package of search methods."""
    (tmp_path / "linear.py").write_text(LINEAR)
    monkeypatch.setattr(depthsearch.search, "__path__", [*depthsearch.search.__path__, str(tmp_path)])
    yield
    methods._METHODS.pop("linear", None)
    sys.modules.pop("depthsearch.search.linear", None)


@pytest.mark.usefixtures("linear")
def test_a_method_is_one_new_file(tmp_path: Path) -> None:
    assert "linear" in method_names()
    settings = SearchSettings(sampler="linear", reliability=0.5, runs_per_trial=4, cap=64).resolved()
    study = new_study(MethodSampler(settings))
    assert search(study, settings, lambda depth: 4 if depth <= 5 else 0) == [1, 2, 3, 4, 5, 6]
    curve = estimate(study, settings)
    assert (curve.max_depth, curve.fails_at, curve.concluded) == (5, 6, Conclusion.ADJACENT)

    problem = Problem.model_validate({"activation": "relu", "width": 2, "recipe": {"epochs": 4, "learning_rate": 0.05}})
    answer = depthsearch.find(
        problem,
        settings=SearchSettings(sampler="linear", reliability=0.5, runs_per_trial=2, cap=3),
        storage=f"sqlite:///{tmp_path}/studies.db",
    )
    assert answer.settings.sampler == "linear"
    assert answer.outcome in (Outcome.FOUND, Outcome.CAP_REACHED, Outcome.NEVER_RELIABLE)
    assert [point.depth for point in answer.curve] == list(range(1, len(answer.curve) + 1))
    assert answer.interval is None


def modules_after(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after the code."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )


def test_settings_are_checked_without_numpy_scipy_or_optuna() -> None:
    loaded = modules_after(
        "from depthsearch.search import SearchSettings\n"
        "SearchSettings(sampler='grid', depths=(3, 7)).resolved(lanes=4)\n"
        "SearchSettings(sampler='tpe')"
    )
    assert not loaded & {"numpy", "scipy", "optuna", "torch"}


def test_search_stands_alone() -> None:
    """It needs no network: every public name loads neither torch nor another package of depthsearch."""
    loaded = modules_after(
        "import depthsearch.search as search\n"
        "for name in search.__all__: getattr(search, name)\n"
        "settings = search.SearchSettings(reliability=0.9, tolerance=0.05, cap=10_000, runs_per_trial=4, seed=0)\n"
        "import optuna\n"
        "study = optuna.create_study(direction='maximize', sampler=search.ThresholdSampler(settings))\n"
        "trial = study.ask()\n"
        "depth = trial.suggest_int('depth', 1, settings.cap)\n"
        "trial.set_user_attr('runs', 4)\n"
        "trial.set_user_attr('trained', 3)\n"
        "study.tell(trial, depth)\n"
        "search.estimate(study, settings)\n"
    )
    ours = {name.split(".")[1] for name in loaded if name.startswith("depthsearch.")}
    assert ours == {"errors", "schema", "search"}
    assert "torch" not in loaded


def test_no_method_is_named_outside_its_file_and_the_registry() -> None:
    package = Path(depthsearch.__file__).parent
    homes = {name: Path(*method_class(name).__module__.split(".")[1:]).with_suffix(".py") for name in NAMES}
    headings = {"threshold": "reporting"}  # also the heading of a column
    registry, conclusions = Path("search/method.py"), Path("search/curve.py")
    found = [
        f"{path}, line {node.lineno}: {name}"
        for path in (file.relative_to(package) for file in package.rglob("*.py"))
        for node in ast.walk(ast.parse((package / path).read_text()))
        for name, home in homes.items()
        if isinstance(node, ast.Constant) and node.value == name
        if path not in (home, registry, conclusions) and path.parts[0] != headings.get(name)
    ]
    assert found == []
