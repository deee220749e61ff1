"""find, end to end: real networks, a real store."""

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

import depthsearch
from depthsearch.core.answer import Answer, Outcome
from depthsearch.core.errors import DepthsearchError, InvalidValue, StoreUnavailable, UnknownName
from depthsearch.core.events import Event, Preparing, Purpose, StudyOpened, TrialFinished, TrialStarted
from depthsearch.core.problem import Problem
from depthsearch.core.settings import SearchSettings
from depthsearch.finder import find
from depthsearch.search import draw_seeds
from depthsearch.store import open_store
from tests.finder.searches import PROBLEM, SETTINGS, essence, history


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/studies.db"


def watched(settings: SearchSettings, folders: pytest.TempPathFactory) -> tuple[Answer, list[Event], str]:
    """A search in a store of its own: its answer, its events, and where it is kept."""
    url = f"sqlite:///{folders.mktemp('store')}/studies.db"
    events: list[Event] = []
    return find(PROBLEM, settings, storage=url, on_event=events.append), events, url


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, list[Event], str]:
    """One undisturbed bisection, looked at by several tests."""
    return watched(SETTINGS, tmp_path_factory)


def test_a_search_finds_two_adjacent_depths(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, _ = searched
    assert answer.outcome is Outcome.FOUND
    assert answer.max_depth is not None
    shares = {point.depth: point.p for point in answer.curve}
    assert answer.max_depth in shares
    assert answer.max_depth + 1 in shares
    assert answer.beyond is not None
    assert answer.beyond.depth == answer.max_depth + 1
    assert answer.interval is None
    assert answer.interval_level is None


def test_the_layers_are_those_of_the_depth_found(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, _ = searched
    assert answer.layers is not None
    assert answer.layers.hidden == answer.max_depth
    assert answer.layers.keras == (answer.max_depth or 0) + 2


def test_both_edges_are_tried_again_with_fresh_seeds_for_the_whole_budget(
    searched: tuple[Answer, list[Event], str],
) -> None:
    answer, _, url = searched
    depths = [again.depth for again in answer.confirmation]
    assert depths == [answer.max_depth, (answer.max_depth or 0) + 1]
    with open_store(url) as store:
        runs = store.read_study(answer.study).runs()
    confirming = [run for run in runs if run.trial_number >= answer.cost.trials - 2]
    assert all(run.epochs == 8 for run in confirming)
    seeds = [run.seed for run in runs]
    assert len(set(seeds)) == len(seeds)


def test_a_disagreement_is_said(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, _ = searched
    disagreeing = [again for again in answer.confirmation if not again.agrees]
    assert len(answer.warnings) == len(disagreeing)
    for warning, again in zip(answer.warnings, disagreeing, strict=True):
        assert f"{again.trained} of {again.of}" in warning
        assert "disagrees" in warning


def test_runs_that_are_settled_stop_early(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, url = searched
    with open_store(url) as store:
        runs = store.read_study(answer.study).runs()
    first = runs[0]
    assert first.verdict.trained
    assert first.epochs == first.verdict.epoch < 8


def test_every_number_adds_up(searched: tuple[Answer, list[Event], str]) -> None:
    answer, events, url = searched
    runs = history(url, answer.study)
    assert answer.cost.runs == len(runs) == sum(point.of for point in answer.curve) == sum(answer.verdicts.values())
    assert answer.cost.sum_of_depths == sum(depth for _, depth, *_ in runs)
    assert answer.cost.trials == sum(isinstance(event, TrialFinished) for event in events)
    assert sum(point.trained for point in answer.curve) == answer.verdicts["trained"]


def test_seeds_are_drawn_from_root_depth_and_number(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, url = searched
    runs = history(url, answer.study)
    for point in answer.curve:
        expected = draw_seeds(0, depth=point.depth, first=0, count=point.of)
        assert [seed for _, depth, seed, *_ in runs if depth == point.depth] == expected


def test_events_tell_the_search_as_it_goes(searched: tuple[Answer, list[Event], str]) -> None:
    answer, events, _ = searched
    assert events[0] == StudyOpened(answer.study, 0)
    told = [event for event in events[1:] if not isinstance(event, Preparing)]  # where kernels were compiled first
    pairs = list(zip(told[::2], told[1::2], strict=True))
    for started, finished in pairs:
        assert isinstance(started, TrialStarted)
        assert isinstance(finished, TrialFinished)
        assert (started.depth, started.runs, started.purpose) == (finished.depth, finished.runs, finished.purpose)
        assert sum(finished.verdicts.values()) == finished.runs
    assert [event.purpose for _, event in pairs if isinstance(event, TrialFinished)][-2:] == [Purpose.CONFIRM] * 2


def test_a_told_trial_carries_what_the_contract_says(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, url = searched
    with open_store(url) as store:
        study = store.read_study(answer.study).optuna_study
        for trial in study.trials:
            assert trial.value == trial.params["depth"]
            assert set(trial.user_attrs) >= {"runs", "trained", "seeds", "verdicts", "seconds"}
            share = trial.user_attrs["trained"] / trial.user_attrs["runs"]
            assert trial.system_attrs["constraints"] == [pytest.approx(0.5 - share)]


def test_the_answer_goes_through_json_and_comes_back(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, _ = searched
    assert Answer.model_validate_json(answer.to_json()) == answer


def test_two_empty_stores_give_the_same_search(searched: tuple[Answer, list[Event], str], url: str) -> None:
    answer, _, first = searched
    again = find(PROBLEM, SETTINGS, storage=url)
    assert essence(again) == essence(answer)
    assert history(url, again.study) == history(first, answer.study)


BELIEVED = SearchSettings(runs_per_trial=4, cap=60, reliability=0.5, tolerance=0.15)


@pytest.fixture(scope="module")
def believed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, list[Event], str]:
    """One undisturbed threshold search."""
    return watched(BELIEVED, tmp_path_factory)


def test_a_threshold_search_answers_with_an_interval(believed: tuple[Answer, list[Event], str]) -> None:
    answer, _, _ = believed
    assert answer.outcome is Outcome.FOUND
    assert answer.concluded is not None
    assert answer.interval is not None
    low, high = answer.interval
    assert low <= (answer.max_depth or 0) <= (high or 0)
    assert f"({low} to {high} with 95% probability)" in answer.sentence
    assert answer.monotone is True
    assert answer.transition is not None
    assert answer.transition[1] <= answer.transition[0] <= answer.transition[2]
    assert [crossing.reliability for crossing in answer.thresholds] == [0.5]
    assert answer.confirmation[-1].of >= 16
    assert answer.confirmation[-1].agrees
    assert answer.beyond is not None
    assert sum(answer.beyond.causes.values()) >= 8
    assert answer.cost.runs == sum(point.of for point in answer.curve) == sum(answer.verdicts.values())
    assert Answer.model_validate_json(answer.to_json()) == answer


def test_rounds_are_trained_in_one_call_and_look_out(believed: tuple[Answer, list[Event], str]) -> None:
    _, events, _ = believed
    kinds = [type(event) for event in events if isinstance(event, TrialStarted | TrialFinished)]
    assert kinds[:4] == [TrialStarted, TrialStarted, TrialFinished, TrialFinished]
    purposes = [event.purpose for event in events if isinstance(event, TrialFinished)]
    assert set(purposes) == {Purpose.SEARCH, Purpose.SENTINEL, Purpose.TAIL, Purpose.CONFIRM}


def test_a_threshold_search_is_the_same_again_and_after_interruptions(
    believed: tuple[Answer, list[Event], str], url: str
) -> None:
    answer, events, first = believed
    rounds = 0

    def interrupt(event: Event) -> None:
        nonlocal rounds
        if isinstance(event, TrialStarted):
            rounds += 1
            if rounds % 7 == 3:
                raise KeyboardInterrupt

    for _ in range(200):
        try:
            again = find(PROBLEM, BELIEVED, storage=url, on_event=interrupt)
            break
        except KeyboardInterrupt:
            pass
    assert essence(again) == essence(answer)
    assert [run[1:] for run in history(url, again.study)] == [run[1:] for run in history(first, answer.study)]
    assert rounds > len(events) / 3


def test_a_confirmation_that_disagrees_reopens_the_search(url: str, believed: tuple[Answer, list[Event], str]) -> None:
    """The store is told by hand that fresh seeds all fail where the search says that half of them train."""
    first = find(PROBLEM, BELIEVED, storage=url)
    with open_store(url) as store:
        study = store.read_study(first.study).optuna_study
        depth = first.thresholds[0].depth
        trial = optuna.trial.create_trial(
            params={"depth": depth},
            distributions={"depth": optuna.distributions.IntDistribution(1, BELIEVED.cap)},
            value=depth,
            user_attrs={
                "runs": 16, "trained": 0, "purpose": "confirm", "seeds": list(range(16)), "verdicts": {"flat": 16},
                "seconds": 0.0,
            },
        )  # fmt: skip
        study.add_trial(trial)
        # Written as a run of each kind would be, so that every number still adds up.
        stored = store.read_study(first.study)
        traces = [stored.trace(0, 0)] * 16
        verdicts = [next(run.verdict for run in stored.runs() if not run.verdict.trained)] * 16
        stored.write_runs(len(study.get_trials(deepcopy=False)) - 1, traces, verdicts, engine="dense")
    events: list[Event] = []
    again = find(PROBLEM, BELIEVED, storage=url, on_event=events.append)
    made = [event for event in events if isinstance(event, TrialFinished)]
    assert sum(event.purpose is not Purpose.CONFIRM for event in made) >= 4
    assert made[-1].purpose is Purpose.CONFIRM
    assert [confirmed.agrees for confirmed in again.confirmation][:2] == [True, False]


def test_what_was_learnt_and_lost_again_is_said(url: str) -> None:
    """Deep tanh networks hold the criterion for a few epochs, and most end the whole budget below it."""
    problem = Problem.model_validate({"criterion": {"hold_share": 0}})
    settings = SearchSettings(sampler="bisect", reliability=0.5, runs_per_trial=8, cap=32)
    answer = find(problem, settings, storage=url)
    lost = [warning for warning in answer.warnings if "had fallen back below the criterion" in warning]
    with open_store(url) as store:
        runs = [run for run in store.read_study(answer.study).runs() if run.depth == answer.max_depth]
    fallen = [run for run in runs if run.verdict.trained and (run.train_accuracy or 0) <= 0.6117]
    assert fallen
    assert len(lost) == 1
    assert lost[0].startswith(f"{len(fallen)} run")
    assert f"that trained at {answer.max_depth} hidden layers had fallen back below the criterion" in lost[0]


def test_a_search_that_is_done_trains_nothing_more(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, url = searched
    events: list[Event] = []
    assert find(PROBLEM, SETTINGS, storage=url, on_event=events.append) == answer
    assert events == [StudyOpened(answer.study, answer.cost.trials, done=True)]


def test_a_budget_of_runs_is_kept_and_can_be_raised(searched: tuple[Answer, list[Event], str], url: str) -> None:
    limited = find(PROBLEM, SETTINGS.model_copy(update={"max_runs": 7}), storage=url)
    assert limited.outcome is Outcome.BUDGET_ENDED
    assert limited.cost.runs == 6
    assert "the budget ended first; so far, the answer is at least 4" in limited.sentence
    raised = find(PROBLEM, SETTINGS, storage=url)
    assert essence(raised) == essence(searched[0])


def test_a_budget_that_ends_before_confirmation_is_said(searched: tuple[Answer, list[Event], str], url: str) -> None:
    whole = searched[0]
    limited = find(PROBLEM, SETTINGS.model_copy(update={"max_runs": whole.cost.runs - 2}), storage=url)
    assert limited.outcome is Outcome.FOUND
    assert any("not confirmed with fresh seeds" in warning for warning in limited.warnings)


def test_no_seconds_left_ends_a_search_between_trials(url: str) -> None:
    answer = find(PROBLEM, SETTINGS.model_copy(update={"max_seconds": 1e-6}), storage=url)
    assert answer.cost.trials == 1


def test_a_cap_that_trains_is_an_outcome_of_its_own(url: str) -> None:
    answer = find(PROBLEM, SETTINGS.model_copy(update={"cap": 2}), storage=url)
    assert (answer.outcome, answer.max_depth, answer.beyond) == (Outcome.CAP_REACHED, 2, None)


def test_a_recipe_that_never_trains_is_an_outcome_of_its_own(url: str) -> None:
    problem = Problem.model_validate({"recipe": {"epochs": 4, "learning_rate": 1e-9}, "data": "xor"})
    answer = find(problem, SETTINGS, storage=url)
    assert (answer.outcome, answer.max_depth, answer.layers) == (Outcome.NEVER_RELIABLE, None, None)
    assert answer.beyond is not None
    assert answer.beyond.depth == 1
    assert "is not reliable at any depth: 50% do not train even with 1 hidden layer" in answer.sentence


@pytest.mark.parametrize("family", ["ffnet", "resnet"])
@pytest.mark.parametrize("data", ["circles", "digits"])
def test_every_family_is_searched_on_planar_and_on_real_data(family: str, data: str, url: str) -> None:
    problem = Problem.model_validate(
        {"family": family, "data": data, "width": 6, "recipe": {"epochs": 6, "learning_rate": 0.05}}
    )
    answer = find(problem, SearchSettings(runs_per_trial=1, cap=3), storage=url)
    assert answer.outcome in set(Outcome) - {Outcome.BUDGET_ENDED, Outcome.UNFINISHED}
    assert answer.cost.runs == len(history(url, answer.study))


def test_an_error_in_training_fails_the_trial_and_keeps_the_rest(url: str) -> None:
    def stop_at_four(event: Event) -> None:
        if isinstance(event, TrialStarted) and event.depth == 4:
            raise RuntimeError("the observer gave up")

    with pytest.raises(RuntimeError, match="the observer gave up"):
        find(PROBLEM, SETTINGS, storage=url, on_event=stop_at_four)
    with open_store(url) as store:
        (summary,) = store.studies()
        states = [trial.state for trial in store.read_study(summary.name).optuna_study.trials]
    assert states == [TrialState.COMPLETE, TrialState.COMPLETE, TrialState.FAIL]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"device": "gpu"}, UnknownName, "unknown device 'gpu'"),
        ({"storage": "nowhere"}, InvalidValue, "storage 'nowhere' is not a URL"),
    ],
)
def test_misuse_is_refused(arguments: dict[str, str], error: type[DepthsearchError], message: str) -> None:
    with pytest.raises(error, match=message):
        find(PROBLEM, SETTINGS, **arguments)  # type: ignore[arg-type]


def test_steps_too_few_to_hold_the_criterion_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    problem = Problem.model_validate({"recipe": {"steps": 20}})
    with pytest.raises(InvalidValue, match="steps must be at least 33, since trained means held for 3 epochs"):
        find(problem, SETTINGS, storage=f"sqlite:///{tmp_path}/studies.db")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_deleted_during_the_search_is_missed(tmp_path: Path) -> None:
    file = tmp_path / "studies.db"

    def delete(event: Event) -> None:
        if isinstance(event, TrialStarted) and event.depth == 2:
            file.unlink()

    with pytest.raises(StoreUnavailable, match="was deleted or replaced during the search"):
        find(PROBLEM, SETTINGS, storage=f"sqlite:///{file}", on_event=delete)


@pytest.mark.parametrize("value", [None, "ffnet", {}])
def test_what_is_no_problem_is_refused(value: object) -> None:
    with pytest.raises(InvalidValue, match=r"problem must be a depthsearch\.Problem, but got"):
        find(value)  # type: ignore[arg-type]


def test_an_answer_prints_as_its_sentence(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, _ = searched
    assert str(answer) == answer.sentence
    assert str(answer).startswith(f"trains to {answer.max_depth} hidden layers")


@pytest.mark.parametrize("engine", ["dense", "torch"])
def test_either_engine_searches(engine: str, url: str) -> None:
    answer = find(PROBLEM, SETTINGS.model_copy(update={"cap": 2}), storage=url, engine=engine)
    assert answer.outcome is Outcome.CAP_REACHED


def test_find_is_a_public_name() -> None:
    assert depthsearch.find is find
