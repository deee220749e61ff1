"""The contract of Engine as tests: every engine is held to it by a subclass with an `engine` fixture."""

import signal
import threading
from itertools import pairwise

import numpy as np
import pytest
import torch

from depthsearch.problem.problem import Problem
from depthsearch.training.engine import Engine, Job, train_all
from depthsearch.training.recorder import EpochOrders
from depthsearch.training.trace import Trace, snapshot_epochs
from tests.interrupting import handlers_installed, lose_interrupt
from tests.sameness import assert_close, assert_same

FFNET = Problem.model_validate({"recipe": {"epochs": 6}})
RESNET = Problem.model_validate({"family": "resnet", "activation": "relu", "recipe": {"epochs": 6}})
DIGITS = Problem.model_validate({"data": "digits", "recipe": {"epochs": 3, "optimizer": "adam"}})
OPTIONS = Problem.model_validate(
    {
        "data": "digits",
        "recipe": {
            "epochs": 3, "optimizer": "adam", "schedule": "cosine", "warmup_steps": 20, "weight_decay": 1e-3,
            "clip_norm": 0.5, "label_smoothing": 0.1,
        },
    }
)  # fmt: skip
"""With all that a recipe may add to plain steps."""

RMSPROP = Problem.model_validate(
    {"recipe": {"epochs": 3, "optimizer": "rmsprop", "learning_rate": 0.001, "second_decay": 0.9, "epsilon": 1e-3}}
)
ADAGRAD = Problem.model_validate({"recipe": {"epochs": 3, "optimizer": "adagrad"}})

STEPS = Problem.model_validate({"recipe": {"steps": 50}})
"""Entries of 2 or 3 steps; the first epoch, of 16 steps, ends in the middle of the seventh."""

LONG = Problem.model_validate({"recipe": {"epochs": 100_000, "batch_size": 500}})
"""Long enough that nobody waits for its end."""

PATIENCE = 60
"""Seconds after which a test gives up on what never happens."""

JOBS = [Job(3, 1), Job(5, 2), Job(3, 3)]


def points_of_entries(problem: Problem) -> list[int]:
    """How many points, counted once for each batch that they are in, each entry of a budget in steps takes."""
    size, batch_size = len(problem.data.load().x_train), problem.recipe.batch_size
    of_step = [min(batch_size, size - first) for first in range(0, size, batch_size)]
    ends = (0, *problem.recipe.entry_ends(size))
    return [sum(of_step[step % len(of_step)] for step in range(start, end)) for start, end in pairwise(ends)]


class EngineContract:
    """`exact`: whether a run is the same to the last bit whatever is trained with it."""

    exact = True

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError

    @pytest.mark.parametrize(
        "problem",
        [FFNET, RESNET, DIGITS, STEPS, OPTIONS, RMSPROP, ADAGRAD],
        ids=["ffnet", "resnet", "digits", "steps", "options", "rmsprop", "adagrad"],
    )
    def test_a_run_is_a_pure_function(self, engine: Engine, problem: Problem) -> None:
        for first, second in zip(train_all(engine, problem, JOBS), train_all(engine, problem, JOBS), strict=True):
            assert_same(first, second)

    @pytest.mark.parametrize(
        "problem",
        [FFNET, RESNET, STEPS, OPTIONS, RMSPROP, ADAGRAD],
        ids=["ffnet", "resnet", "steps", "options", "rmsprop", "adagrad"],
    )
    def test_a_run_does_not_depend_on_its_neighbours(self, engine: Engine, problem: Problem) -> None:
        together = train_all(engine, problem, JOBS)
        alone = [train_all(engine, problem, [job])[0] for job in JOBS]
        for first, second in zip(together, alone, strict=True):
            if self.exact:
                assert_same(first, second)
            else:
                assert_close(first, second)

    @pytest.mark.parametrize("end", [0, 1, 2, 3])
    def test_a_run_that_leaves_early_changes_nothing_for_its_neighbours(self, engine: Engine, end: int) -> None:
        """The second of three is settled, before an optimizer with momentum has done with it."""
        jobs = [Job(3, seed) for seed in (1, 2, 3)]
        whole = train_all(engine, RESNET, jobs)

        def watch(trace: Trace) -> int | None:
            return end if trace.seed == 2 and trace.epochs >= end else None

        some = train_all(engine, RESNET, jobs, watch=watch)
        assert [trace.epochs for trace in some] == [6, end, 6]
        for first, second in ((some[0], whole[0]), (some[2], whole[2])):
            if self.exact:
                assert_same(first, second)
            else:
                assert_close(first, second)

    def test_a_run_does_not_depend_on_the_number_of_threads(self, engine: Engine) -> None:
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(1)
            (one,) = train_all(engine, RESNET, [Job(4, 9)])
            torch.set_num_threads(2)
            (two,) = train_all(engine, RESNET, [Job(4, 9)])
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(before)
        assert_same(one, two)

    def test_each_job_comes_once_with_its_trace(self, engine: Engine) -> None:
        jobs = [Job(depth, seed) for seed in range(3) for depth in (2, 4, 3)]
        found = list(engine.train(FFNET, iter(jobs)))
        assert len(found) == len(jobs)
        assert {job for job, _ in found} == set(jobs)
        assert all((trace.depth, trace.seed) == (job.depth, job.seed) for job, trace in found)

    def test_all_traces_come_in_the_order_of_the_jobs_whichever_ends_first(self, engine: Engine) -> None:
        found = train_all(engine, FFNET, JOBS, watch=lambda trace: 0 if trace.seed > 1 else None)
        assert [(trace.depth, trace.seed, trace.epochs) for trace in found] == [(3, 1, 6), (5, 2, 0), (3, 3, 0)]

    def test_no_jobs_give_no_traces(self, engine: Engine) -> None:
        assert list(engine.train(FFNET, [])) == []

    def test_a_run_is_yielded_while_others_still_train(self, engine: Engine) -> None:
        taken = threading.Event()

        def watch(trace: Trace) -> int | None:
            if trace.seed == 1:
                return 1 if trace.epochs else None
            assert trace.epochs < 2 or taken.wait(PATIENCE)
            return None

        order = []
        for job, trace in engine.train(FFNET, [Job(3, 1), Job(3, 2)], watch=watch):
            order.append((job.seed, trace.epochs))
            taken.set()
        assert order == [(1, 1), (2, 6)]

    def test_a_consumer_that_stops_early_ends_what_is_under_way(self, engine: Engine) -> None:
        asked: list[int] = []

        def watch(trace: Trace) -> int | None:
            asked.append(trace.epochs)
            return 0 if trace.seed == 1 else None

        before = set(threading.enumerate())
        runs = engine.train(LONG, [Job(1, seed) for seed in (1, 2, 3, 4)], watch=watch)
        job, trace = next(runs)
        runs.close()  # type: ignore[attr-defined]
        assert (job.seed, trace.epochs) == (1, 0)
        assert set(threading.enumerate()) <= before
        assert max(asked) < 100_000

    def test_an_error_in_one_run_ends_the_others(self, engine: Engine) -> None:
        asked: list[int] = []

        def watch(trace: Trace) -> int | None:
            asked.append(trace.epochs)
            if trace.seed == 1:
                raise ZeroDivisionError
            return None

        before = set(threading.enumerate())
        with pytest.raises(ZeroDivisionError):
            list(engine.train(LONG, [Job(1, 1), Job(1, 2)], watch=watch))
        assert set(threading.enumerate()) <= before
        assert max(asked) < 100_000

    def test_an_interrupt_within_a_run_comes_after_the_runs_that_are_finished(self, engine: Engine) -> None:
        taken = threading.Event()

        def watch(trace: Trace) -> int | None:
            if trace.seed == 1:
                return 1 if trace.epochs else None
            if trace.epochs > 1 and taken.wait(PATIENCE):
                raise KeyboardInterrupt
            return None

        found = []

        def consume() -> None:
            for job, trace in engine.train(FFNET, [Job(3, 1), Job(3, 2)], watch=watch):
                found.append((job.seed, trace.epochs))
                taken.set()

        with pytest.raises(KeyboardInterrupt):
            consume()
        assert found == [(1, 1)]

    def test_an_interrupt_while_a_result_is_looked_at_comes_after_the_runs_that_are_finished(
        self, engine: Engine
    ) -> None:
        """Three runs are settled when Ctrl-C arrives, and a fourth has hardly begun."""
        settled = {seed: threading.Event() for seed in (1, 2, 3)}

        def watch(trace: Trace) -> int | None:
            if trace.seed not in settled or not trace.epochs:
                return None
            settled[trace.seed].set()
            return 1

        found, handler = [], signal.getsignal(signal.SIGINT)

        def consume() -> None:
            for job, trace in engine.train(LONG, [Job(1, seed) for seed in (1, 2, 3, 4)], watch=watch):
                found.append((job.seed, trace.epochs))
                if len(found) == 1:
                    assert all(event.wait(PATIENCE) for event in settled.values())
                    signal.raise_signal(signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            consume()
        assert sorted(found) == [(1, 1), (2, 1), (3, 1)]
        assert signal.getsignal(signal.SIGINT) is handler

    def test_an_interrupt_that_meets_a_closing_consumer_arrives(self, engine: Engine) -> None:
        settled = {seed: threading.Event() for seed in (1, 2, 3)}

        def watch(trace: Trace) -> int | None:
            settled[trace.seed].set()
            return 0

        runs = engine.train(FFNET, [Job(1, seed) for seed in settled], watch=watch)
        next(runs)
        assert all(event.wait(PATIENCE) for event in settled.values())
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            runs.close()  # type: ignore[attr-defined]

    def test_an_interrupt_that_was_lost_comes_as_the_training_goes_on(self, engine: Engine) -> None:
        with handlers_installed():
            lose_interrupt()
            with pytest.raises(KeyboardInterrupt):
                list(engine.train(FFNET, [Job(3, 1), Job(3, 2)]))

    def test_no_global_state_is_touched(self, engine: Engine) -> None:
        torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
        train_all(engine, FFNET, JOBS)
        assert torch.equal(torch.get_rng_state(), torch_before)
        assert np.array_equal(np.random.get_state()[1], numpy_before)  # type: ignore[index]  # noqa: NPY002

    def test_the_trace_has_the_promised_shapes(self, engine: Engine) -> None:
        (trace,) = train_all(engine, RESNET, [Job(4, 9)])
        assert trace.epochs == trace.budget_epochs == 6
        assert trace.steps == trace.budget_steps == 6 * 16
        assert tuple(trace.snapshots.epochs) == snapshot_epochs(6) == (0, 1, 2, 4, 6)
        assert len(trace.layers) == 2 * 4 + 4
        for name in ("weight_gradient_norm", "mean_abs_gradient", "activation_gradient_norm", "never_active"):
            assert getattr(trace.snapshots, name).shape == (5, 12)
            assert getattr(trace.snapshots, name).dtype == np.float32
        assert trace.final_test_accuracy == pytest.approx(float(trace.snapshots.test_accuracy[-1]))
        assert not trace.snapshots.weight_change[0].any()

    def test_the_watcher_ends_a_run_at_the_epoch_that_it_names(self, engine: Engine) -> None:
        whole = train_all(engine, FFNET, JOBS)
        stopped = train_all(engine, FFNET, JOBS, watch=lambda trace: 2 if trace.epochs >= 2 else None)
        for long, short in zip(whole, stopped, strict=True):
            assert short.epochs == 2
            assert not short.complete
            assert_same(short, long, upto=2)

    def test_a_run_that_is_settled_at_the_start_takes_no_step(self, engine: Engine) -> None:
        (trace,) = train_all(engine, FFNET, [Job(3, 1)], watch=lambda _: 0)
        assert (trace.epochs, trace.steps) == (0, 0)
        assert 0 <= trace.final_test_accuracy <= 1

    def test_a_budget_of_steps_has_twenty_entries(self, engine: Engine) -> None:
        (trace,) = train_all(engine, STEPS, [Job(2, 1)])
        assert (trace.epochs, trace.budget_epochs, trace.steps, trace.budget_steps) == (20, 20, 50, 50)
        assert tuple(trace.snapshots.epochs) == snapshot_epochs(20) == (0, 1, 2, 4, 8, 16, 20)

    def test_a_budget_of_few_steps_has_an_entry_for_each(self, engine: Engine) -> None:
        (trace,) = train_all(engine, Problem.model_validate({"recipe": {"steps": 7}}), [Job(2, 1)])
        assert (trace.epochs, trace.budget_epochs, trace.steps) == (7, 7, 7)

    def test_entries_that_are_epochs_are_the_epochs(self, engine: Engine) -> None:
        by_steps, by_epochs = (
            Problem.model_validate({"family": "resnet", "recipe": {"batch_size": 100} | budget})
            for budget in ({"steps": 100}, {"epochs": 20})
        )
        (one,), (other,) = (train_all(engine, problem, [Job(2, 1)]) for problem in (by_steps, by_epochs))
        (assert_same if self.exact else assert_close)(one, other)

    @pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adagrad"])
    def test_the_same_steps_give_the_same_weights_however_they_are_divided(
        self, engine: Engine, optimizer: str
    ) -> None:
        """Three epochs of 16 steps, and 48 steps in 20 entries, some of which begin in one epoch and end in the next.

        The losses of an entry are means over the points of its batches, the last of which in an epoch has 20 points.
        """
        by_steps, by_epochs = (
            Problem.model_validate({"recipe": {"optimizer": optimizer} | budget})
            for budget in ({"steps": 48}, {"epochs": 3})
        )
        (divided,), (whole,) = (
            train_all(engine, problem, [Job(2, 1)], record="full") for problem in (by_steps, by_epochs)
        )
        assert divided.detail is not None
        assert whole.detail is not None
        for one, other in zip(divided.detail.final_weights, whole.detail.final_weights, strict=True):
            np.testing.assert_allclose(one, other, rtol=0 if self.exact else 1e-4)
        assert divided.final_test_accuracy == pytest.approx(whole.final_test_accuracy, abs=0 if self.exact else 0.005)
        points = points_of_entries(by_steps)
        for figures, of_epochs in (
            (divided.loss, whole.loss),
            (divided.score, whole.score),
        ):
            assert figures @ points == pytest.approx(500 * of_epochs.sum(), rel=1e-5)
            # The seventh entry ends with the first epoch.
            assert figures[:7] @ points[:7] == pytest.approx(500 * of_epochs[0], rel=1e-5)

    def test_the_watcher_ends_a_budget_of_steps_at_the_entry_that_it_names(self, engine: Engine) -> None:
        (whole,) = train_all(engine, STEPS, [Job(3, 1)])
        (stopped,) = train_all(engine, STEPS, [Job(3, 1)], watch=lambda trace: 7 if trace.epochs >= 7 else None)
        assert (stopped.epochs, stopped.steps, stopped.complete) == (7, 17, False)
        assert_same(stopped, whole, upto=7)

    def test_the_first_loss_is_that_of_the_weights_and_the_batch_of_the_seed(self, engine: Engine) -> None:
        """One step of the whole set at the start: every engine reports the same loss for the same seed."""
        problem = Problem.model_validate({"recipe": {"batch_size": 500, "epochs": 3, "learning_rate": 1e-9}})
        (trace,) = train_all(engine, problem, [Job(2, 4)])
        points = problem.data.load()
        assert sorted(EpochOrders(500, 4).of_epochs(0, 0)[0]) == list(range(len(points.x_train)))
        np.testing.assert_allclose(trace.loss, trace.loss[0], rtol=1e-5)

    def test_training_learns_the_moons(self, engine: Engine) -> None:
        problem = Problem.model_validate({"recipe": {"epochs": 40}})
        (trace,) = train_all(engine, problem, [Job(2, 0)])
        assert trace.score[-1] > 0.8
        assert trace.final_test_accuracy > 0.8

    def test_a_network_that_tells_no_input_from_another_is_seen(self, engine: Engine) -> None:
        """Far in the ordered phase (sigma_w^2 = 0.2, biases of variance 1) all inputs end in one point."""
        options = {"initialization": "normal", "sigma_w2": 0.2, "sigma_b2": 1.0, "width": 40}
        blind = Problem.model_validate(options | {"recipe": {"epochs": 3, "learning_rate": 1e-6}})
        (deep,) = train_all(engine, blind, [Job(20, 1)])
        assert deep.snapshots.input_correlation[0] > 0.9999
        (shallow,) = train_all(engine, Problem.model_validate({"width": 40, "recipe": {"epochs": 3}}), [Job(1, 1)])
        assert shallow.snapshots.input_correlation[0] < 0.9

    def test_a_dead_network_is_seen_to_be_dead(self, engine: Engine) -> None:
        problem = Problem.model_validate(
            {"activation": "relu", "width": 2, "initialization": "normal", "recipe": {"epochs": 3}}
        )
        found = train_all(engine, problem, [Job(12, seed) for seed in range(6)])
        dead = [trace for trace in found if (trace.snapshots.never_active[0] == 1).any()]
        assert dead
        for trace in dead:
            assert trace.snapshots.output_range[0] == 0
            assert trace.snapshots.weight_gradient_norm[0, 0] == 0

    @pytest.mark.parametrize(
        "problem", [FFNET, RESNET, DIGITS, STEPS, OPTIONS], ids=["ffnet", "resnet", "digits", "steps", "options"]
    )
    def test_a_summary_is_an_exact_prefix_of_the_full_record(self, engine: Engine, problem: Problem) -> None:
        (summary,) = train_all(engine, problem, [Job(3, 1)], watch=lambda trace: 2 if trace.epochs >= 2 else None)
        (full,) = train_all(engine, problem, [Job(3, 1)], watch=lambda _: 0, record="full")
        assert summary.detail is None
        assert full.complete
        assert_same(summary, full, upto=2)
        (whole,) = train_all(engine, problem, [Job(3, 1)])
        assert_same(whole, full)
        assert whole.final_test_accuracy == full.final_test_accuracy

    @pytest.mark.parametrize("problem", [FFNET, RESNET, DIGITS, STEPS], ids=["ffnet", "resnet", "digits", "steps"])
    def test_the_detail_agrees_with_the_summary_and_with_itself(self, engine: Engine, problem: Problem) -> None:
        (trace,) = train_all(engine, problem, [Job(3, 1)], record="full")
        data, detail, epochs = problem.data.load(), trace.detail, trace.budget_epochs
        assert detail is not None
        assert detail.snapshots.epochs.tolist() == list(range(epochs + 1))
        shapes = [weight.shape for weight in detail.final_weights]
        assert shapes[0][1] == data.x_train.shape[1]
        for histograms, norms in (
            (detail.weights, detail.snapshots.weight_norm),
            (detail.gradients, detail.snapshots.weight_gradient_norm),
        ):
            assert histograms.counts.shape[:2] == (epochs + 1, len(trace.layers))
            assert np.array_equal(histograms.counts.sum(axis=2)[-1], [a * b for a, b in shapes])
            np.testing.assert_allclose(np.sqrt(histograms.squares), norms, rtol=1e-4)
        for initial, final, change in zip(
            detail.initial_weights, detail.final_weights, trace.snapshots.weight_change[-1], strict=True
        ):
            assert np.linalg.norm(final - initial) / np.linalg.norm(initial) == pytest.approx(change, rel=1e-3)
        np.testing.assert_allclose(detail.predictions.sum(axis=1), 1, rtol=1e-5)
        right = detail.predictions.argmax(axis=1) == data.y_test
        assert right.mean() == pytest.approx(trace.final_test_accuracy, abs=1e-6)
        of_truth = detail.predictions[np.arange(len(right)), data.y_test]
        assert detail.test_loss[-1] == pytest.approx(-np.log(of_truth).mean(), rel=1e-4)
        if data.x_train.shape[1] != 2:
            assert detail.regions is None
            return
        assert detail.regions is not None
        assert detail.regions.epochs.tolist() == trace.snapshots.epochs.tolist()
        # Where a test point lies, the plane says what the network says of the point.
        column = np.abs(detail.regions.x[:, None] - data.x_test[:, 0]).argmin(axis=0)
        row = np.abs(detail.regions.y[:, None] - data.x_test[:, 1]).argmin(axis=0)
        np.testing.assert_allclose(detail.regions.probabilities[-1][row, column], detail.predictions, atol=0.1)

    def test_a_loss_that_is_not_finite_is_recorded(self, engine: Engine) -> None:
        problem = Problem.model_validate(
            {"activation": "identity", "recipe": {"learning_rate": 1e6, "epochs": 3, "momentum": 0.0}}
        )
        (trace,) = train_all(engine, problem, [Job(6, 0)], record="full")
        assert not np.isfinite(trace.loss[-1])
        assert trace.detail is not None
        assert np.isnan(trace.detail.weights.low[-1]).any()
        assert not trace.detail.weights.counts[-1][np.isnan(trace.detail.weights.low[-1])].any()

    def test_a_very_deep_network_trains_without_error(self, engine: Engine) -> None:
        problem = Problem.model_validate({"recipe": {"batch_size": 500, "epochs": 3}})
        (trace,) = train_all(engine, problem, [Job(2000, 0)])
        assert trace.epochs == 3
