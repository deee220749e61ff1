"""A single run: its figures, and a stored run that is trained again."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from optuna.trial import TrialState

from depthsearch.detection import settled_epoch, verdict_of
from depthsearch.detection.verdict import VerdictKind
from depthsearch.errors import InvalidValue, StudyNotFound, UnknownName
from depthsearch.networks.dense import as_dense
from depthsearch.networks.initialization import initial_weights
from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import difference_words, run_sentence
from depthsearch.reporting.terminal.facts import evidence_rows
from depthsearch.results.events import Event, Inspected, Preparing
from depthsearch.results.inspection import Inspection
from depthsearch.store import open_store
from depthsearch.training.engine import Job, train_all
from depthsearch.training.select import choose_engine
from depthsearch.training.trace import Trace
from depthsearch.workflows import find, inspect, inspect_stored
from depthsearch.workflows.replay import cut, differences
from tests.workflows.searches import PROBLEM, SETTINGS

SHORT = {"epochs": 12}
TANH = Problem.model_validate({"recipe": SHORT})
RESNET = Problem.model_validate({"family": "resnet", "activation": "relu", "recipe": SHORT})
DIGITS = Problem.model_validate(
    {"data": "digits", "activation": "sigmoid", "recipe": {"optimizer": "adam", "epochs": 4}}
)
EXPLODING = Problem.model_validate({"activation": "identity", "recipe": {"learning_rate": 1e6, "epochs": 3}})
DEAD = Problem.model_validate({"activation": "relu", "recipe": SHORT})


def floats(values: object) -> NDArray[np.float64]:
    """Numbers as JSON holds them, "nan" among them, as an array."""
    return np.array(values, dtype=float)


def fields_of(found: Inspection) -> dict[str, Any]:
    """The JSON object of an inspection."""
    fields: dict[str, Any] = json.loads(found.to_json())
    return fields


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The URL of a store, and the name of the finished study in it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('inspected')}/studies.db"
    return url, find(PROBLEM, SETTINGS, storage=url).study


@pytest.fixture(scope="module")
def full() -> Trace:
    (trace,) = train_all(choose_engine(RESNET).load(), RESNET, [Job(4, 7)], record="full")
    return trace


@pytest.fixture(scope="module")
def shown() -> Inspection:
    return inspect(RESNET, depth=4, seed=7)


@pytest.fixture(scope="module")
def fields(shown: Inspection) -> dict[str, Any]:
    return fields_of(shown)


def test_a_run_shows_every_epoch_of_its_budget(shown: Inspection, fields: dict[str, Any], full: Trace) -> None:
    assert full.detail is not None
    assert (shown.epochs, fields["steps"], shown.engine) == (12, 12 * 16, "dense")
    curves = {
        "train_loss": full.loss,
        "train_score": full.score,
        "test_loss": full.detail.test_loss,
        "test_score": full.detail.snapshots.test_accuracy,
    }
    for name, values in curves.items():
        np.testing.assert_array_equal(getattr(shown, name), values)
        np.testing.assert_allclose(floats(fields[name]), floats(values), rtol=1e-5)
    assert len(shown.test_loss) == len(shown.test_score) == 13
    assert fields["gradient_flow"]["epochs"] == fields["spread"]["epochs"] == [0, 1, 2, 4, 8, 12]


def test_the_verdict_is_that_of_the_whole_budget(shown: Inspection, full: Trace) -> None:
    verdict = verdict_of(full, RESNET.criterion)
    assert (shown.verdict, shown.sentence, shown.evidence) == (verdict.kind, run_sentence(verdict), verdict.evidence)
    assert str(shown) == run_sentence(verdict)
    assert shown.replay is None


def test_a_run_that_lost_what_it_learned_is_unstable() -> None:
    problem = Problem.model_validate({"recipe": {"epochs": 60}})
    found = [inspect(problem, depth=25, seed=seed) for seed in range(8)]
    lost = [run for run in found if run.evidence.rule == "lost_again"]

    assert lost
    assert {run.verdict for run in lost} == {VerdictKind.UNSTABLE}
    for run in found:
        good = [value >= run.bar for value in run.train_score.tolist()]
        assert (run.verdict is VerdictKind.TRAINED) == all(good[-3:])
        learned = any(all(good[first : first + 3]) for first in range(len(good) - 2))
        assert (run in lost) == (learned and not all(good[-3:]))


def test_a_budget_in_steps_has_twenty_entries() -> None:
    found = inspect(Problem.model_validate({"recipe": {"steps": 410}}), depth=2)
    assert (found.epochs, found.trace.steps) == (20, 410)
    assert len(found.train_score) == 20
    assert len(found.test_score) == 21
    assert found.trace.snapshots.epochs.tolist() == [0, 1, 2, 4, 8, 16, 20]


def test_each_layer_is_shown_at_the_start_and_at_the_end(fields: dict[str, Any], full: Trace) -> None:
    assert tuple(layer["name"] for layer in fields["per_layer"]) == full.layers
    names = {
        "gradient_norm": "weight_gradient_norm",
        "mean_abs_gradient": "mean_abs_gradient",
        "activation_gradient_norm": "activation_gradient_norm",
        "weight_norm": "weight_norm",
        "weight_change": "weight_change",
        "never_active": "never_active",
    }
    for moment, row in (("start", 0), ("end", -1)):
        for shown_as, recorded_as in names.items():
            values = [layer[moment][shown_as] for layer in fields["per_layer"]]
            recorded = getattr(full.snapshots, recorded_as)[row]
            np.testing.assert_allclose(values, recorded, rtol=1e-5, err_msg=shown_as)


def test_figures_of_weights_are_those_of_the_weights_that_are_shown(fields: dict[str, Any]) -> None:
    for weights, layer in (("first_weights", fields["per_layer"][0]), ("last_weights", fields["per_layer"][-1])):
        before, after = floats(fields[weights]["before"]), floats(fields[weights]["after"])
        for matrix, figures in ((before, layer["start"]), (after, layer["end"])):
            assert figures["weight_norm"] == pytest.approx(np.linalg.norm(matrix), rel=1e-4)
            assert figures["weight_mean"] == pytest.approx(matrix.mean(), rel=1e-4, abs=1e-6)
            assert figures["weight_deviation"] == pytest.approx(matrix.std(), rel=1e-4)
        assert layer["mean_abs_change"] == pytest.approx(np.abs(after - before).mean(), rel=1e-4)
        change = np.linalg.norm(after - before) / np.linalg.norm(before)
        assert layer["end"]["weight_change"] == pytest.approx(change, rel=1e-3)


def test_the_first_weights_are_those_that_the_seed_draws(fields: dict[str, Any]) -> None:
    plan = RESNET.network.plan(RESNET.data.spec, 4)
    assert plan is not None
    drawn = [weight for weight, _ in initial_weights(as_dense(RESNET.network), plan, 7)]
    np.testing.assert_allclose(floats(fields["first_weights"]["before"]), drawn[0], rtol=1e-5)
    np.testing.assert_allclose(floats(fields["last_weights"]["before"]), drawn[-1], rtol=1e-5)


def test_the_ratio_of_gradients_is_that_of_the_last_layer_over_the_first(
    shown: Inspection, fields: dict[str, Any], full: Trace
) -> None:
    assert full.detail is not None
    gradients = full.detail.snapshots.mean_abs_gradient.astype(float)
    ratios = gradients[:, -1] / gradients[:, 0]
    np.testing.assert_allclose(shown.gradient_ratio, ratios)
    expected = {"start": ratios[0], "end": ratios[-1], "median": np.median(ratios)}
    assert fields["gradient_ratio"] == pytest.approx(expected, rel=1e-5)


def test_the_gradient_vanishes_on_its_way_through_sigmoid_layers() -> None:
    """An article that this redoes reports a factor of 30 over six layers; here the start alone shows far more."""
    assert inspect(DIGITS, depth=6).gradient_ratio[0] > 30


def test_a_notebook_shows_the_verdict_with_its_evidence(shown: Inspection) -> None:
    html = shown._repr_html_()
    assert f"<b>resnet relu on moons, depth 4, seed 7</b>: {shown.sentence}" in html
    for name, figure, threshold in evidence_rows(shown.evidence):
        assert f">{name}</th>" in html
        assert escape(figure) in html
        assert escape(threshold) in html


def test_histograms_count_every_weight(shown: Inspection, fields: dict[str, Any]) -> None:
    for spread in (fields["spread"]["weights"], fields["spread"]["gradients"]):
        assert np.shape(spread["low"]) == np.shape(spread["high"]) == (6, len(shown.trace.layers))
        assert {sum(layer) for layer in np.array(spread["counts"])[:, 0]} == {10}
        assert floats(spread["low"])[-1, 0] < floats(spread["high"])[-1, 0]
    after = fields["first_weights"]["after"]
    assert fields["spread"]["weights"]["high"][-1][0] == max(value for row in after for value in row)


def test_predictions_are_counted_class_by_class(shown: Inspection, fields: dict[str, Any]) -> None:
    truth, found = RESNET.data.load().y_test, fields["predictions"]
    np.testing.assert_array_equal(shown.detail.labels, truth)
    assert [sum(row) for row in found["confusion"]] == np.bincount(truth).tolist()
    assert shown.confusion.trace() / found["points"] == pytest.approx(float(shown.test_score[-1]), abs=1e-6)
    assert found["undefined"] == 0
    assert 0.5 <= found["right_probability"] <= found["confidence"] <= 1


@pytest.mark.parametrize("engine", ["dense", "torch"])
def test_predictions_are_those_that_the_accuracy_counts_where_all_probabilities_are_a_half(engine: str) -> None:
    problem = Problem.model_validate(
        {
            "activation": "relu",
            "width": 1,
            "normalization": "batch",
            "data": "xor",
            "recipe": {"optimizer": "adam", "learning_rate": 1e-9, "epochs": 3},
        }
    )
    found = inspect(problem, depth=3, seed=3, engine=engine, device="cpu")
    assert found.confusion.trace() / len(found.detail.labels) == pytest.approx(float(found.test_score[-1]), abs=1e-6)


def test_the_plane_says_at_most_points_what_the_run_scores(shown: Inspection, fields: dict[str, Any]) -> None:
    regions, data = shown.regions, RESNET.data.load()
    assert regions is not None
    np.testing.assert_array_equal(regions.points, data.x_test)
    assert regions.probabilities.shape == (6, 100, 100, 2)
    column = np.abs(regions.x[:, None] - data.x_test[:, 0]).argmin(axis=0)
    row = np.abs(regions.y[:, None] - data.x_test[:, 1]).argmin(axis=0)
    says = (regions.probabilities[-1, row, column, 1] >= 0.5) == (data.y_test == 1)
    assert says.mean() == pytest.approx(float(shown.test_score[-1]), abs=0.03)
    start, end = (floats(fields["regions"][moment]) for moment in ("start", "end"))
    np.testing.assert_allclose([start, end], regions.probabilities[[0, -1], ..., 1], atol=6e-4)


@pytest.mark.parametrize(
    ("problem", "depth"), [(RESNET, 4), (DIGITS, 2), (EXPLODING, 6)], ids=["resnet", "digits", "exploding"]
)
def test_json_is_strict_and_in_one_line(problem: Problem, depth: int) -> None:
    text = inspect(problem, depth=depth).to_json()
    assert json.loads(text)["depth"] == depth
    assert "NaN" not in text
    assert "Infinity" not in text
    assert "\n" not in text


def test_json_of_twenty_layers_is_well_below_a_megabyte() -> None:
    assert len(inspect(TANH, depth=20).to_json()) < 400_000


def test_digits_have_no_plane_but_ten_classes() -> None:
    found = inspect(DIGITS, depth=2)
    assert found.regions is None
    assert found.confusion.shape == (10, 10)


def test_a_matrix_larger_than_64_by_64_is_not_shown_whole() -> None:
    wide = Problem.model_validate({"width": 65, "data": "digits", "recipe": {"epochs": 3, "batch_size": 900}})
    found = fields_of(inspect(wide, depth=2))
    assert found["first_weights"]["before"] is None
    assert found["last_weights"]["after"] is None
    assert found["per_layer"][0]["mean_abs_change"] > 0


def test_a_run_that_explodes_keeps_what_is_not_finite() -> None:
    found = inspect(EXPLODING, depth=6)
    fields = fields_of(found)
    assert found.verdict is VerdictKind.EXPLODED
    assert "nan" in fields["train_loss"]
    assert fields["per_layer"][0]["end"]["weight_norm"] == "nan"
    assert fields["per_layer"][0]["mean_abs_change"] == "nan"
    assert fields["spread"]["weights"]["low"][-1][0] == "nan"
    assert fields["gradient_ratio"]["end"] is None
    assert fields["gradient_ratio"]["start"] is not None
    assert fields["predictions"]["undefined"] == fields["predictions"]["points"]


def test_a_run_that_was_born_dead_has_no_gradient_ratio() -> None:
    found = inspect(DEAD, depth=14, seed=3)
    assert found.verdict is VerdictKind.BORN_DEAD
    assert np.isnan(found.gradient_ratio).all()
    assert fields_of(found)["gradient_ratio"] == {"start": None, "end": None, "median": None}
    assert (found.every_epoch.never_active[0] == 1).any()


def test_torch_shows_the_same_run_within_rounding(shown: Inspection) -> None:
    found = inspect(RESNET, depth=4, seed=7, engine="torch", device="cpu")
    assert found.engine == "torch"
    np.testing.assert_allclose(found.train_loss, shown.train_loss, rtol=0.05)
    assert found.trace.layers == shown.trace.layers
    assert found.regions is not None


def test_compiling_is_told_and_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthsearch.training.dense.engine.compiled_before", lambda _: False)
    events: list[Event] = []
    inspect(TANH, depth=1, on_event=events.append)
    assert [type(event) for event in events] == [Preparing, Inspected]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 0}, "depth must be a whole number of 1 to 1000000, but got 0"),
        ({"depth": 2.5}, "depth must be a whole number of 1 to 1000000, but got 2.5"),
        ({"depth": True}, "but got True"),
        ({"seed": -1}, "seed must be a whole number of 0 to 9223372036854775807, but got -1"),
        ({"seed": 2**63}, "but got 9223372036854775808"),
        ({"problem": "ffnet"}, "problem must be a depthsearch.Problem, but got 'ffnet'"),
        (
            {"problem": Problem.model_validate({"recipe": {"steps": 30, "batch_size": 2}})},
            "steps must be enough to distinguish training from chance, but got 30",
        ),
        (
            {"problem": Problem.model_validate({"criterion": {"kind": "target", "target": 0.5}})},
            "target must be above 0.514, the accuracy of a constant guess on the training points, but got 0.5",
        ),
        (
            {"problem": Problem.model_validate({"criterion": {"hold_share": 0.1}})},
            "criterion 'held' is of studies of earlier versions, which can be read and not searched; accepted: chance",
        ),
        (
            {"problem": Problem.model_validate({"data": {"name": "moons", "points": 40, "test_share": 0.9}})},
            "got 40 with a test share of 0.9: 4 training points would need an accuracy of 1.40",
        ),
    ],
)
def test_what_cannot_be_inspected_is_refused(change: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"problem": TANH, "depth": 3, "seed": 0} | change
    with pytest.raises(InvalidValue, match=message):
        inspect(arguments.pop("problem"), **arguments)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(UnknownName, match="unknown engine 'fast'"):
        inspect(TANH, depth=3, engine="fast")


def test_every_run_of_a_study_comes_again_bit_for_bit(study: tuple[str, str]) -> None:
    url, name = study
    with open_store(url) as store:
        runs = store.read_study(name).runs()
    ended = set()
    for run in runs:
        found = inspect_stored(name, run.trial_number, run.run, storage=url)
        assert found.replay is not None
        assert (found.replay.same, found.replay.differs) == (True, None)
        assert (found.replay.epochs, found.replay.recorded) == (run.epochs, run.verdict.kind)
        assert (found.depth, found.seed, found.epochs) == (run.depth, run.seed, 8)
        assert (found.verdict, found.sentence) == (run.verdict.kind, run_sentence(run.verdict))
        ended.add(run.epochs)
    assert ended == {0, 8}, "some runs ended at once, since they were born dead, and all others at their budget's end"


def _of(field: str, change: Callable[[Any], Any]) -> Callable[[Trace], Trace]:
    return lambda trace: replace(trace, **{field: change(getattr(trace, field))})


def _in_snapshots(field: str, change: Callable[[Any], Any]) -> Callable[[Trace], Trace]:
    return lambda trace: replace(
        trace, snapshots=replace(trace.snapshots, **{field: change(getattr(trace.snapshots, field))})
    )


def _nudged(values: Any) -> Any:
    """The last number of an array moved by the least that there is."""
    moved = values.copy()
    moved.flat[-1] = np.nextafter(moved.flat[-1], np.float32(np.inf))
    return moved


CHANGES = {
    "loss": _of("loss", _nudged),
    "score": _of("score", _nudged),
    "final_test_accuracy": _of("final_test_accuracy", lambda accuracy: accuracy + 1e-6),
    "budget_steps": _of("budget_steps", lambda steps: steps + 1),
    "layers": _of("layers", lambda names: ("first", *names[1:])),
    "weight_norm": _in_snapshots("weight_norm", _nudged),
    "input_correlation": _in_snapshots("input_correlation", lambda values: np.full_like(values, np.nan)),
    "snapshots were taken": _in_snapshots("epochs", lambda epochs: epochs + 1),
}


@pytest.fixture
def rewritten(study: tuple[str, str]) -> Iterator[Callable[[Callable[[Trace], Trace]], tuple[str, str, int]]]:
    """Changes the recorded trace of the first run that trained; gives the study and its trial. Undone afterwards."""
    url, name = study
    with open_store(url) as store:
        opened = store.read_study(name)
        trial = next(run.trial_number for run in opened.runs() if run.run == 0 and run.verdict.trained)
        verdict = next(run.verdict for run in opened.runs_of(trial) if run.run == 0)
        trace = opened.trace(trial, 0)

        def rewrite(change: Callable[[Trace], Trace]) -> tuple[str, str, int]:
            opened.write_run(trial, 0, change(trace), verdict, engine="dense", score=0.7, seconds=0.0)
            return url, name, trial

        yield rewrite
        rewrite(lambda trace: trace)


@pytest.mark.parametrize("what", CHANGES)
def test_a_record_that_was_changed_is_seen_to_differ(
    what: str, rewritten: Callable[[Callable[[Trace], Trace]], tuple[str, str, int]]
) -> None:
    url, name, trial = rewritten(CHANGES[what])
    replay = inspect_stored(name, trial, 0, storage=url).replay
    assert replay is not None
    assert not replay.same
    assert replay.differs is not None
    assert what in replay.differs
    other = inspect_stored(name, trial, 1, storage=url).replay
    assert other is not None
    assert other.same


def test_a_replay_takes_the_engine_that_trained_the_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/studies.db"
    settings = SETTINGS.model_copy(update={"max_runs": 4})
    name = find(PROBLEM, settings, storage=url, engine="torch", device="cpu").study
    assert inspect_stored(name, 0, 0, storage=url).engine == "torch"
    assert inspect_stored(name, 0, 0, storage=url, engine="dense").engine == "dense"


def test_the_other_engine_is_the_same_run_but_not_the_same_bits(study: tuple[str, str]) -> None:
    url, name = study
    found = inspect_stored(name, 0, 0, storage=url, engine="torch", device="cpu")
    assert found.replay is not None
    assert not found.replay.same
    assert found.verdict is found.replay.recorded
    assert "loss from epoch 1 on, by at most" in str(found.replay.differs)
    assert str(found.replay.differs).endswith("more figures")


@pytest.mark.parametrize("epoch", [0, 1, 3, 8, 12])
def test_a_cut_trace_is_what_a_search_records(full: Trace, epoch: int) -> None:
    (recorded,) = train_all(
        choose_engine(RESNET).load(), RESNET, [Job(4, 7)], watch=lambda trace: epoch if trace.epochs >= epoch else None
    )
    assert recorded.epochs == epoch
    again = cut(full, epoch, RESNET.recipe.entry_ends(full.points))
    assert differences(recorded, again) == ()
    assert (again.epochs, again.steps) == (recorded.epochs, recorded.steps)


def test_a_record_longer_than_the_budget_differs(full: Trace) -> None:
    longer = replace(full, loss=np.append(full.loss, np.float32(1)))
    found = differences(longer, cut(full, longer.epochs, RESNET.recipe.entry_ends(full.points)))
    assert difference_words(found) == "13 epochs were recorded, and the budget has 12"


def test_a_run_that_was_ended_early_is_judged_over_the_whole_budget(study: tuple[str, str]) -> None:
    """Nothing can change the verdict of such a run, so both are the same."""
    url, name = study
    with open_store(url) as store:
        run = next(run for run in store.read_study(name).runs() if run.epochs < 8)
        recorded = store.read_study(name).trace(run.trial_number, run.run)
    assert settled_epoch(recorded) == run.epochs
    found = inspect_stored(name, run.trial_number, run.run, storage=url)
    assert found.verdict is run.verdict.kind
    assert len(found.train_loss) == 8


@pytest.mark.parametrize(
    ("trial", "run", "message"),
    [
        (99, 0, r"has no trial 99: it holds trials 0 to \d+"),
        (-1, 0, r"has no trial -1: it holds trials 0 to \d+"),
        (0, 2, "trial 0 of study '.*' has no run 2: it holds runs 0 to 1"),
        (0, -1, "has no run -1"),
    ],
)
def test_a_run_that_the_study_does_not_hold(study: tuple[str, str], trial: int, run: int, message: str) -> None:
    url, name = study
    with pytest.raises(InvalidValue, match=message):
        inspect_stored(name, trial, run, storage=url)


def test_a_study_that_the_store_does_not_hold(study: tuple[str, str]) -> None:
    with pytest.raises(StudyNotFound, match="there is no study 'dne'"):
        inspect_stored("dne", 0, 0, storage=study[0])


@pytest.mark.parametrize(("state", "said"), [(TrialState.FAIL, "failed"), (None, "running")])
def test_a_trial_that_did_not_finish(state: TrialState | None, said: str, study: tuple[str, str]) -> None:
    url, name = study
    with open_store(url) as store:
        optunas = store.read_study(name).optuna_study
        trial = optunas.ask()
        if state is not None:
            optunas.tell(trial, state=state)
    with pytest.raises(
        InvalidValue, match=f"trial {trial.number} of study '{name}' is {said} and its runs are not kept"
    ):
        inspect_stored(name, trial.number, 0, storage=url)
