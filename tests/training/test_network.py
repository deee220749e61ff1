"""A plan as a torch module: batch norm by Keras's formulas, losses and accuracy by scikit-learn's metrics."""

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from sklearn.metrics import accuracy_score, log_loss

from depthsearch.data.base import DataSpec
from depthsearch.networks.activations import activation_names, activation_of
from depthsearch.networks.dense import as_dense
from depthsearch.networks.ffnet import FFNet
from depthsearch.networks.initialization import initial_weights
from depthsearch.problem.problem import Problem
from depthsearch.training.modules.stack import BatchNorm, NetworkStack
from depthsearch.training.modules.steps import count_correct, mean_losses

RNG = np.random.default_rng(0)


def test_batch_norm_in_training_follows_keras() -> None:
    batch = RNG.normal(3.0, 2.0, (32, 5))
    layer = BatchNorm(1, 5)
    output = layer(torch.tensor(batch[None], dtype=torch.float32))[0].detach().numpy()
    expected = (batch - batch.mean(0)) / np.sqrt(batch.var(0) + 1e-3)
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5)


def test_batch_norm_moves_its_averages_as_keras_does() -> None:
    """moving = moving * 0.99 + batch * 0.01, with the biased variance, from mean 0 and variance 1."""
    layer = BatchNorm(1, 3)
    mean, variance = np.zeros(3), np.ones(3)
    for _ in range(5):
        batch = RNG.normal(1.0, 3.0, (20, 3))
        layer(torch.tensor(batch[None], dtype=torch.float32))
        mean = mean * 0.99 + batch.mean(0) * 0.01
        variance = variance * 0.99 + batch.var(0) * 0.01
    np.testing.assert_allclose(layer.moving_mean[0, 0].numpy(), mean, rtol=1e-4)
    np.testing.assert_allclose(layer.moving_variance[0, 0].numpy(), variance, rtol=1e-4)


def test_batch_norm_in_use_takes_its_averages() -> None:
    layer = BatchNorm(1, 2)
    layer.moving_mean.copy_(torch.tensor([[[1.0, -1.0]]]))
    layer.moving_variance.copy_(torch.tensor([[[4.0, 0.25]]]))
    layer.eval()
    output = layer(torch.tensor([[[3.0, 0.0]]]))[0].detach().numpy()
    np.testing.assert_allclose(output, [[2 / np.sqrt(4.001), 1 / np.sqrt(0.251)]], rtol=1e-5)


def test_batch_norm_that_is_frozen_keeps_its_averages() -> None:
    layer = BatchNorm(1, 2)
    layer.frozen = True
    layer(torch.randn(1, 8, 2, generator=torch.Generator().manual_seed(0)))
    assert layer.moving_mean.tolist() == [[[0, 0]]]


def test_batch_norm_agrees_with_that_of_torch_in_training() -> None:
    batch = torch.tensor(RNG.normal(size=(16, 4)), dtype=torch.float32)
    theirs = torch.nn.BatchNorm1d(4, eps=1e-3)(batch)
    torch.testing.assert_close(BatchNorm(1, 4)(batch[None])[0], theirs)


@pytest.mark.parametrize("name", activation_names())
def test_every_activation_has_its_textbook_value(name: str) -> None:
    x = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
    erf = np.array([-0.954499736, -0.382924923, 0.0, 0.382924923, 0.954499736])  # erf(x / sqrt 2)
    expected = {
        "tanh": np.tanh(x),
        "relu": np.maximum(x, 0),
        "leaky_relu": np.where(x > 0, x, 0.01 * x),
        "sigmoid": 1 / (1 + np.exp(-x)),
        "elu": np.where(x > 0, x, np.exp(x) - 1),
        "selu": 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)),
        "gelu": x * (1 + erf) / 2,
        "silu": x / (1 + np.exp(-x)),
        "softplus": np.log1p(np.exp(x)),
        "softsign": x / (1 + np.abs(x)),
        "identity": x,
    }[name]
    output = activation_of(name).function(torch.tensor(x, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(output, expected, rtol=1e-6, atol=1e-9)


def test_binary_loss_and_accuracy_are_scikit_learns() -> None:
    logits, labels = RNG.normal(size=(200, 1)) * 3, RNG.integers(0, 2, 200)
    tensors = torch.tensor(logits[None], dtype=torch.float64), torch.tensor(labels[None])
    probability = expit(logits[:, 0])
    assert float(mean_losses(*tensors)[0]) == pytest.approx(log_loss(labels, probability), rel=1e-9)
    assert float(count_correct(*tensors)[0]) / 200 == pytest.approx(accuracy_score(labels, probability > 0.5))


def test_multi_class_loss_and_accuracy_are_scikit_learns() -> None:
    logits, labels = RNG.normal(size=(200, 10)) * 3, RNG.integers(0, 10, 200)
    tensors = torch.tensor(logits[None], dtype=torch.float64), torch.tensor(labels[None])
    shares = softmax(logits, axis=1)
    assert float(mean_losses(*tensors)[0]) == pytest.approx(log_loss(labels, shares, labels=range(10)), rel=1e-9)
    assert float(count_correct(*tensors)[0]) / 200 == pytest.approx(accuracy_score(labels, shares.argmax(1)))


@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
@pytest.mark.parametrize("family", ["ffnet", "resnet"])
def test_a_network_has_as_many_parameters_as_its_counts_say(family: str, normalization: str) -> None:
    problem = Problem.model_validate({"family": family, "normalization": normalization, "width": 7})
    spec = DataSpec(shape=(3,), classes=4)
    network = as_dense(problem.network)
    plan = network.plan(spec, 3)
    networks = NetworkStack(plan, [initial_weights(network, plan, seed) for seed in (0, 1)])
    parameters = sum(parameter.numel() for parameter in networks.parameters()) / 2
    assert parameters == problem.network.layer_counts(spec, 3).parameters
    assert networks(torch.zeros(2, 5, 3)).shape == (2, 5, 4)


def test_building_a_network_draws_nothing_from_torchs_global_generator() -> None:
    network = FFNet()
    plan = network.plan(DataSpec(shape=(2,), classes=2), 3)
    before = torch.get_rng_state()
    NetworkStack(plan, [initial_weights(network, plan, 0)])
    assert torch.equal(torch.get_rng_state(), before)
