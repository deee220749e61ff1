"""The contract of Engine as tests: every engine is held to it by a subclass with an `engine` fixture."""

import numpy as np
import pytest
import torch

from depthsearch.core.problem import Problem
from depthsearch.core.snapshot import snapshot_epochs
from depthsearch.datasets import load
from depthsearch.training.batches import EpochOrders
from depthsearch.training.engine import Engine, Job
from tests.sameness import assert_close, assert_same

FFNET = Problem.model_validate({"recipe": {"epochs": 6}})
RESNET = Problem.model_validate({"family": "resnet", "activation": "relu", "recipe": {"epochs": 6}})
DIGITS = Problem.model_validate({"data": "digits", "recipe": {"epochs": 3, "optimizer": "adam"}})
JOBS = [Job(3, 1), Job(5, 2), Job(3, 3)]


class EngineContract:
    """`exact`: whether a run is the same to the last bit whatever is trained beside it."""

    exact = True

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError

    @pytest.mark.parametrize("problem", [FFNET, RESNET, DIGITS], ids=["ffnet", "resnet", "digits"])
    def test_a_run_is_a_pure_function(self, engine: Engine, problem: Problem) -> None:
        for first, second in zip(engine.train(problem, JOBS), engine.train(problem, JOBS), strict=True):
            assert_same(first, second)

    @pytest.mark.parametrize("problem", [FFNET, RESNET], ids=["ffnet", "resnet"])
    def test_a_run_does_not_depend_on_its_neighbours(self, engine: Engine, problem: Problem) -> None:
        together = engine.train(problem, JOBS)
        alone = [engine.train(problem, [job])[0] for job in JOBS]
        for first, second in zip(together, alone, strict=True):
            if self.exact:
                assert_same(first, second)
            else:
                assert_close(first, second)

    def test_a_run_that_leaves_early_changes_nothing_for_its_neighbours(self, engine: Engine) -> None:
        """The second of three is settled after two epochs, before an optimizer with momentum has done with it."""
        jobs = [Job(3, seed) for seed in (1, 2, 3)]
        whole = engine.train(RESNET, jobs)
        some = engine.train(RESNET, jobs, watch=lambda trace: 2 if trace.seed == 2 and trace.epochs >= 2 else None)
        assert [trace.epochs for trace in some] == [6, 2, 6]
        for first, second in ((some[0], whole[0]), (some[2], whole[2])):
            if self.exact:
                assert_same(first, second)
            else:
                assert_close(first, second)

    def test_a_run_does_not_depend_on_the_number_of_threads(self, engine: Engine) -> None:
        before = torch.get_num_threads()
        try:
            torch.set_num_threads(1)
            (one,) = engine.train(RESNET, [Job(4, 9)])
            torch.set_num_threads(2)
            (two,) = engine.train(RESNET, [Job(4, 9)])
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(before)
        assert_same(one, two)

    def test_no_global_state_is_touched(self, engine: Engine) -> None:
        torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
        engine.train(FFNET, JOBS)
        assert torch.equal(torch.get_rng_state(), torch_before)
        assert np.array_equal(np.random.get_state()[1], numpy_before)  # type: ignore[index]  # noqa: NPY002

    def test_the_trace_has_the_promised_shapes(self, engine: Engine) -> None:
        (trace,) = engine.train(RESNET, [Job(4, 9)])
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
        whole = engine.train(FFNET, JOBS)
        stopped = engine.train(FFNET, JOBS, watch=lambda trace: 2 if trace.epochs >= 2 else None)
        for long, short in zip(whole, stopped, strict=True):
            assert short.epochs == 2
            assert not short.complete
            assert_same(short, long, upto=2)

    def test_a_run_that_is_settled_at_the_start_takes_no_step(self, engine: Engine) -> None:
        (trace,) = engine.train(FFNET, [Job(3, 1)], watch=lambda _: 0)
        assert (trace.epochs, trace.steps) == (0, 0)
        assert 0 <= trace.final_test_accuracy <= 1

    def test_a_budget_of_steps_ends_in_the_middle_of_an_epoch(self, engine: Engine) -> None:
        problem = Problem.model_validate({"recipe": {"steps": 40}})
        (trace,) = engine.train(problem, [Job(2, 1)])
        assert (trace.epochs, trace.steps, trace.budget_epochs) == (3, 40, 3)
        whole = Problem.model_validate({"recipe": {"epochs": 3}})
        (longer,) = engine.train(whole, [Job(2, 1)])
        assert_same(trace, longer, upto=2)

    def test_the_first_loss_is_that_of_the_seeds_own_weights_and_batch(self, engine: Engine) -> None:
        """One step of the whole set at the start: every engine reports the same loss for the same seed."""
        problem = Problem.model_validate({"recipe": {"batch_size": 500, "epochs": 3, "learning_rate": 1e-9}})
        (trace,) = engine.train(problem, [Job(2, 4)])
        points = load(problem.data)
        assert sorted(EpochOrders(500, 4).take(1)[0]) == list(range(len(points.x_train)))
        np.testing.assert_allclose(trace.train_loss, trace.train_loss[0], rtol=1e-5)

    def test_training_learns_the_moons(self, engine: Engine) -> None:
        problem = Problem.model_validate({"recipe": {"epochs": 40}})
        (trace,) = engine.train(problem, [Job(2, 0)])
        assert trace.train_accuracy[-1] > 0.8
        assert trace.final_test_accuracy > 0.8

    def test_a_network_that_tells_no_input_from_another_is_seen(self, engine: Engine) -> None:
        """Far in the ordered phase (sigma_w^2 = 0.2, biases of variance 1) all inputs end in one point."""
        options = {"initialization": "normal", "sigma_w2": 0.2, "sigma_b2": 1.0, "width": 40}
        blind = Problem.model_validate(options | {"recipe": {"epochs": 3, "learning_rate": 1e-6}})
        (deep,) = engine.train(blind, [Job(20, 1)])
        assert deep.snapshots.input_correlation[0] > 0.9999
        (shallow,) = engine.train(Problem.model_validate({"width": 40, "recipe": {"epochs": 3}}), [Job(1, 1)])
        assert shallow.snapshots.input_correlation[0] < 0.9

    def test_a_dead_network_is_seen_to_be_dead(self, engine: Engine) -> None:
        problem = Problem.model_validate(
            {"activation": "relu", "width": 2, "initialization": "normal", "recipe": {"epochs": 3}}
        )
        traces = engine.train(problem, [Job(12, seed) for seed in range(6)])
        dead = [trace for trace in traces if (trace.snapshots.never_active[0] == 1).any()]
        assert dead
        for trace in dead:
            assert trace.snapshots.output_range[0] == 0
            assert trace.snapshots.weight_gradient_norm[0, 0] == 0

    @pytest.mark.parametrize("problem", [FFNET, RESNET, DIGITS], ids=["ffnet", "resnet", "digits"])
    def test_a_summary_is_an_exact_prefix_of_the_full_record(self, engine: Engine, problem: Problem) -> None:
        (summary,) = engine.train(problem, [Job(3, 1)], watch=lambda trace: 2 if trace.epochs >= 2 else None)
        (full,) = engine.train(problem, [Job(3, 1)], watch=lambda _: 0, record="full")
        assert summary.detail is None
        assert full.complete
        assert_same(summary, full, upto=2)
        (whole,) = engine.train(problem, [Job(3, 1)])
        assert_same(whole, full)
        assert whole.final_test_accuracy == full.final_test_accuracy

    @pytest.mark.parametrize("problem", [FFNET, RESNET, DIGITS], ids=["ffnet", "resnet", "digits"])
    def test_the_detail_agrees_with_the_summary_and_with_itself(self, engine: Engine, problem: Problem) -> None:
        (trace,) = engine.train(problem, [Job(3, 1)], record="full")
        data, detail, epochs = load(problem.data), trace.detail, trace.budget_epochs
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
        (trace,) = engine.train(problem, [Job(6, 0)], record="full")
        assert not np.isfinite(trace.train_loss[-1])
        assert trace.detail is not None
        assert np.isnan(trace.detail.weights.low[-1]).any()
        assert not trace.detail.weights.counts[-1][np.isnan(trace.detail.weights.low[-1])].any()

    def test_a_very_deep_network_trains_without_error(self, engine: Engine) -> None:
        problem = Problem.model_validate({"recipe": {"batch_size": 500, "epochs": 3}})
        (trace,) = engine.train(problem, [Job(2000, 0)])
        assert trace.epochs == 3
