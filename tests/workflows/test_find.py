"""find, end to end: real networks, a real store."""

from contextlib import suppress
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

import depthsearch
from depthsearch.errors import DepthsearchError, InvalidValue, StoreUnavailable, UnknownName
from depthsearch.problem.problem import Problem
from depthsearch.results.answer import Answer, Outcome
from depthsearch.results.events import Event, RoundAdvanced, RunFinished, StudyOpened, TrialFinished, TrialStarted
from depthsearch.search import draw_seeds
from depthsearch.search.settings import SearchSettings
from depthsearch.search.trial import Purpose
from depthsearch.store import open_store
from depthsearch.workflows import find
from depthsearch.workflows.prepare import OnEvent
from tests.workflows.searches import BELIEVED, PROBLEM, SETTINGS, essence, history


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/studies.db"


def watched(settings: SearchSettings, folders: pytest.TempPathFactory) -> tuple[Answer, list[Event], str]:
    """A search in a new store: its answer, its events, and where it is kept."""
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


def test_both_edges_are_confirmed_with_fresh_seeds(
    searched: tuple[Answer, list[Event], str],
) -> None:
    answer, _, url = searched
    depths = sorted(again.depth for again in answer.confirmation)
    assert depths == [answer.max_depth, (answer.max_depth or 0) + 1]
    with open_store(url) as store:
        runs = store.read_study(answer.study).runs()
    seeds = [run.seed for run in runs]
    assert len(set(seeds)) == len(seeds)


def test_a_disagreement_is_a_warning(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, _ = searched
    disagreeing = [again for again in answer.confirmation if not again.agrees]
    assert len(answer.warnings) == len(disagreeing)
    for warning, again in zip(answer.warnings, disagreeing, strict=True):
        assert f"{again.trained} of {again.of}" in warning
        assert "disagrees" in warning


def test_every_run_takes_its_whole_budget_unless_nothing_can_change_its_verdict(
    searched: tuple[Answer, list[Event], str],
) -> None:
    answer, _, url = searched
    with open_store(url) as store:
        runs = store.read_study(answer.study).runs()
    short = [run for run in runs if run.epochs < 8]
    assert short  # networks of width 2 are sometimes born dead
    assert {run.verdict.kind.value for run in short} <= {"born_dead", "exploded"}
    assert all(run.epochs == 8 for run in runs if run.verdict.trained)


def test_a_run_has_trained_if_its_final_score_reaches_the_bar(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, url = searched
    assert answer.bar is not None
    with open_store(url) as store:
        study = store.read_study(answer.study)
        for run in study.runs():
            assert run.final_score is not None
            assert run.verdict.trained is (run.final_score >= answer.bar - 1e-6)
            if run.verdict.trained:
                score = study.trace(run.trial_number, run.run).score
                assert run.final_score == pytest.approx(float(score[-3:].min()))


def test_the_scores_are_those_of_the_runs_that_confirm_max_depth(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, url = searched
    with open_store(url) as store:
        study = store.read_study(answer.study)
        confirming = {
            trial.number for trial in study.optuna_study.trials if trial.user_attrs.get("purpose") == "confirm"
        }
        runs = [run for run in study.runs() if run.trial_number in confirming and run.depth == answer.max_depth]
    assert answer.final_scores == tuple(round(run.final_score or 0, 6) for run in runs)
    assert answer.scores is not None
    assert (answer.scores.depth, answer.scores.runs, answer.scores.confirming) == (answer.max_depth, len(runs), True)
    assert answer.scores.lowest <= answer.scores.median <= answer.scores.highest


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
    kinds = (TrialStarted, TrialFinished)
    steps = [event for event in events[1:] if isinstance(event, kinds)]
    pairs = list(zip(steps[::2], steps[1::2], strict=True))
    for started, finished in pairs:
        assert isinstance(started, TrialStarted)
        assert isinstance(finished, TrialFinished)
        assert (started.depth, started.runs, started.purpose) == (finished.depth, finished.runs, finished.purpose)
        assert sum(finished.verdicts.values()) == finished.runs
    assert [event.purpose for _, event in pairs if isinstance(event, TrialFinished)][-2:] == [Purpose.CONFIRM] * 2


def test_each_run_is_counted_as_it_finishes(searched: tuple[Answer, list[Event], str]) -> None:
    answer, events, _ = searched
    counted = [event for event in events if isinstance(event, RunFinished)]
    assert [event.done for event in counted] == [1, 2] * (len(counted) // 2)
    assert {event.of for event in counted} == {SETTINGS.runs_per_trial}
    assert len(counted) == answer.cost.runs
    assert sum(event.trained for event in counted) == answer.verdicts["trained"]


def test_a_told_trial_carries_what_the_contract_says(searched: tuple[Answer, list[Event], str]) -> None:
    answer, _, url = searched
    with open_store(url) as store:
        study = store.read_study(answer.study).optuna_study
        for trial in study.trials:
            assert trial.value == trial.params["depth"]
            assert set(trial.user_attrs) >= {"runs", "trained", "seeds", "round", "verdicts", "seconds"}
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
    assert answer.confirmed
    assert answer.confirmation[-1].depth == answer.max_depth
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


def resumed_until_done(problem: Problem, settings: SearchSettings, url: str, interrupt: OnEvent) -> Answer:
    """The answer of a search that `interrupt` stops now and then, and that the same call resumes."""
    for _ in range(300):
        with suppress(KeyboardInterrupt):
            return find(problem, settings, storage=url, on_event=interrupt)
    raise AssertionError("300 sittings were not enough")


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

    again = resumed_until_done(PROBLEM, BELIEVED, url, interrupt)
    assert essence(again) == essence(answer)
    assert history(url, again.study) == history(first, answer.study)
    assert rounds > sum(isinstance(event, TrialStarted) for event in events)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_search_by_a_sampler_of_optuna_is_the_same_after_interruptions(
    sampler: str, url: str, tmp_path: Path
) -> None:
    settings = SearchSettings.model_validate(
        {"sampler": sampler, "cap": 9, "reliability": 0.5, "runs_per_trial": 1, "parallel_trials": 2, "max_runs": 16}
    )
    whole = f"sqlite:///{tmp_path}/undisturbed.db"
    answer = find(PROBLEM, settings, storage=whole)
    seen = 0

    def interrupt(event: Event) -> None:
        nonlocal seen
        seen += isinstance(event, RunFinished)
        if seen % 5 == 3 and isinstance(event, RunFinished | TrialStarted):
            seen += 1
            raise KeyboardInterrupt

    again = resumed_until_done(PROBLEM, settings, url, interrupt)
    assert essence(again) == essence(answer)
    assert history(url, again.study) == history(whole, answer.study)


@pytest.mark.parametrize("every", [1, 3, 4])
def test_an_interrupted_round_goes_on_with_the_runs_that_are_missing(
    believed: tuple[Answer, list[Event], str], url: str, every: int
) -> None:
    answer, _, first = believed
    trained: list[RunFinished] = []

    def interrupt(event: Event) -> None:
        if isinstance(event, RunFinished):
            trained.append(event)
            if len(trained) % every == 0:
                raise KeyboardInterrupt

    again = resumed_until_done(PROBLEM, BELIEVED, url, interrupt)
    assert essence(again) == essence(answer)
    assert history(url, again.study) == history(first, answer.study)
    with open_store(url) as store:
        runs = store.read_study(again.study).runs()
    assert len(trained) == len({(run.depth, run.seed) for run in runs}) == answer.cost.runs


def test_a_confirmation_that_disagrees_reopens_the_search(url: str, believed: tuple[Answer, list[Event], str]) -> None:
    """Fresh seeds, stored by hand, all fail where the search says that half of them train."""
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
        number, trace = len(study.get_trials(deepcopy=False)) - 1, stored.trace(0, 0)
        verdict = next(run.verdict for run in stored.runs() if not run.verdict.trained)
        for place in range(16):
            stored.write_run(number, place, trace, verdict, engine="dense", score=0.5, seconds=0.0)
    events: list[Event] = []
    again = find(PROBLEM, BELIEVED, storage=url, on_event=events.append)
    made = [event for event in events if isinstance(event, TrialFinished)]
    assert sum(event.purpose is not Purpose.CONFIRM for event in made) >= 4
    assert made[-1].purpose is Purpose.CONFIRM
    assert [confirmed.agrees for confirmed in again.confirmation][:2] == [True, False]


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
    assert not limited.confirmed
    assert "(unconfirmed)" in limited.sentence
    assert any(
        "unconfirmed: the budget ended before" in warning and "fresh seeds" in warning for warning in limited.warnings
    )


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
    assert "is not reliable at any depth: fewer than 50% train even with 1 hidden layer" in answer.sentence


@pytest.mark.parametrize("family", ["ffnet", "resnet"])
@pytest.mark.parametrize("data", ["circles", "digits"])
def test_every_family_is_searched_on_planar_and_on_real_data(family: str, data: str, url: str) -> None:
    problem = Problem.model_validate(
        {"family": family, "data": data, "width": 6, "recipe": {"epochs": 6, "learning_rate": 0.05}}
    )
    answer = find(problem, SearchSettings(runs_per_trial=1, cap=3), storage=url)
    assert answer.outcome in set(Outcome) - {Outcome.BUDGET_ENDED, Outcome.UNFINISHED}
    assert answer.cost.runs == len(history(url, answer.study))


def test_a_trial_that_an_error_ends_is_adopted_or_given_up_under_a_lower_cap(url: str) -> None:
    def stop_at_four(event: Event) -> None:
        if isinstance(event, TrialStarted) and event.depth == 4:
            raise RuntimeError("the observer gave up")

    with pytest.raises(RuntimeError, match="the observer gave up"):
        find(PROBLEM, SETTINGS, storage=url, on_event=stop_at_four)
    with open_store(url) as store:
        (summary,) = store.studies()
        states = [trial.state for trial in store.read_study(summary.name).optuna_study.trials]
    assert states == [TrialState.COMPLETE, TrialState.COMPLETE, TrialState.RUNNING]
    with pytest.raises(RuntimeError, match="the observer gave up"):
        find(PROBLEM, SETTINGS, storage=url, on_event=stop_at_four)
    limited = find(PROBLEM, SETTINGS.model_copy(update={"cap": 3}), storage=url)
    assert (limited.outcome, limited.max_depth) == (Outcome.CAP_REACHED, 3)
    with open_store(url) as store:
        states = [trial.state for trial in store.read_study(summary.name).optuna_study.trials]
    assert states[:3] == [TrialState.COMPLETE, TrialState.COMPLETE, TrialState.FAIL]


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


def test_steps_too_few_to_tell_training_from_chance_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    problem = Problem.model_validate({"recipe": {"steps": 30, "batch_size": 2}})
    message = (
        "steps must be enough to distinguish training from chance, but got 30: in a twentieth of them a run sees 2"
    )
    with pytest.raises(InvalidValue, match=message):
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


def test_networks_that_train_side_by_side_show_how_far_they_are(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthsearch.workflows.watching.ADVANCE_SECONDS", 0.0)
    events: list[Event] = []
    find(PROBLEM, SETTINGS.model_copy(update={"cap": 1}), storage=url, engine="torch", on_event=events.append)
    first = next(place for place, event in enumerate(events) if isinstance(event, TrialFinished))
    shares = [event.share for event in events[:first] if isinstance(event, RoundAdvanced)]
    assert len(shares) > 8  # both runs, after each epoch
    assert shares == sorted(shares)
    assert shares[-1] == 1
    running = [run for event in events[:first] if isinstance(event, RoundAdvanced) for run in event.running]
    assert {run.depth for run in running} == {1}
    assert all(run.steps == round(run.share * run.of) for run in running)
    assert all((run.seconds is None) is (run.steps == 0) for run in running)


@pytest.mark.parametrize("engine", ["dense", "torch"])
def test_either_engine_searches(engine: str, url: str) -> None:
    answer = find(PROBLEM, SETTINGS.model_copy(update={"cap": 2}), storage=url, engine=engine)
    assert answer.outcome is Outcome.CAP_REACHED


def test_find_is_a_public_name() -> None:
    assert depthsearch.find is find
