"""The tape: what one training step shows of each layer is what a network without any pitfall shows."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from depthsearch.training.modules.figures import GradientFigures
from depthsearch.training.modules.tape import Tape, layers_of
from tests.training.modules import Zoo

FIGURES = ("weight_gradient_norm", "activation_gradient_norm", "never_active")


def record(module: nn.Module, *inputs: Tensor) -> dict[str, dict[str, float]]:
    """The figures of a step whose loss is the mean square of the output, by layer."""
    tape = Tape(module, layers_of(module))
    with tape.recording():
        with tape.forward():
            loss = module(*inputs).square().mean()
        loss.backward()
    order = tape.order()
    figures = GradientFigures.of(tape, order, keep=False)
    return {
        tape.layers[index].name: {name: float(getattr(figures, name)[place]) for name in FIGURES}
        for place, index in enumerate(order)
    }


def examples() -> Tensor:
    """[16, 5, 6]."""
    return torch.randn(16, 5, 6, generator=torch.Generator().manual_seed(0))


class Twin(nn.Module):
    """Linear layers on 3-d inputs, whose outputs are views, one of them called three times.

    Args:
        inplace: Whether the activations overwrite them.
    """

    def __init__(self, inplace: bool) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first, self.shared, self.last = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 2)
        self.function = torch.relu_ if inplace else torch.relu
        self.convolution = nn.Conv1d(5, 5, 3, padding=1)
        self.activation = nn.ReLU(inplace=inplace)

    def forward(self, x: Tensor) -> Tensor:
        x = self.function(self.first(x))
        for _ in range(3):
            x = self.function(self.shared(x))
        x = self.activation(self.convolution(x))
        output: Tensor = self.last(x)
        return output


def test_in_place_activations_shared_layers_and_views_give_the_figures_of_an_out_of_place_twin() -> None:
    one, other = record(Twin(inplace=True), examples()), record(Twin(inplace=False), examples())

    assert one == other
    assert all(figures["activation_gradient_norm"] > 0 for figures in one.values())


def test_the_figures_are_those_of_autograd() -> None:
    twin = Twin(inplace=False)
    found = record(twin, examples())
    weight = twin.first.weight.grad
    assert weight is not None

    outputs = [twin.first(examples())]
    for _ in range(3):
        outputs.append(twin.shared(torch.relu(outputs[-1])))
    outputs.append(twin.convolution(torch.relu(outputs[-1])))
    outputs.append(twin.last(torch.relu(outputs[-1])))
    first, *shared, convolution, last = torch.autograd.grad(outputs[-1].square().mean(), outputs)
    expected = {"first": first, "shared": torch.stack(shared), "convolution": convolution, "last": last}

    for name, gradient in expected.items():
        assert found[name]["activation_gradient_norm"] == pytest.approx(float(gradient.norm()), rel=1e-5), name
    assert found["first"]["weight_gradient_norm"] == pytest.approx(float(weight.norm()), rel=1e-5)


def test_a_network_computes_the_same_with_the_hooks_on_and_keeps_none_of_them() -> None:
    module = Twin(inplace=True)
    loss = module(examples()).square().mean()
    loss.backward()
    plain = [parameter.grad.clone() for parameter in module.parameters() if parameter.grad is not None]
    module.zero_grad()
    record(module, examples())

    recorded = [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
    assert len(plain) == len(recorded) == 8
    assert all(torch.equal(a, b) for a, b in zip(plain, recorded, strict=True))
    assert not any(part._forward_hooks for part in module.modules())


class Weights(nn.Module):
    """A container with parameters, an attention layer, and a layer whose weight is used without calling it."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.ones(1, 1, 8))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.used = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.token.expand(len(x), 1, 8), x], dim=1)
        x, _ = self.attention(x, x, x)
        return nn.functional.linear(x, self.used.weight)


def test_layers_that_are_not_called_show_their_weights_and_no_activation() -> None:
    found = record(Weights(), torch.randn(4, 3, 8))

    assert set(found) == {"Weights", "attention", "used"}
    assert all(figures["weight_gradient_norm"] > 0 for figures in found.values())
    assert {name for name in found if math.isnan(found[name]["activation_gradient_norm"])} == {"Weights", "used"}


def test_layers_come_in_the_order_in_which_they_run() -> None:
    class Backwards(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head, self.body = nn.Linear(4, 2), nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            output: Tensor = self.head(self.body(x))
            return output

    assert list(record(Backwards(), torch.randn(3, 4))) == ["body", "head"]


class Checkpointed(nn.Module):
    """Two layers inside a checkpoint, or not."""

    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second, self.third, self.last = (nn.Linear(4, 4) for _ in range(4))
        self.reentrant, self.saved = reentrant, True

    def inner(self, x: Tensor) -> Tensor:
        return torch.tanh(self.third(torch.tanh(self.second(torch.tanh(x)))))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        x = checkpoint(self.inner, x, use_reentrant=self.reentrant) if self.saved else self.inner(x)
        output: Tensor = self.last(x)
        return output


@pytest.mark.parametrize("reentrant", [True, False])
def test_a_checkpointed_module_counts_once(reentrant: bool) -> None:
    module, x = Checkpointed(reentrant), torch.randn(5, 4)
    checkpointed = record(module, x)
    module.zero_grad()
    module.saved = False

    assert checkpointed == record(module, x)
    assert all(figures["activation_gradient_norm"] > 0 for figures in checkpointed.values())


def test_units_that_are_never_active() -> None:
    class Rectified(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution, self.hidden, self.last = nn.Conv2d(1, 4, 3), nn.Linear(4, 10), nn.Linear(10, 2)
            nn.init.constant_(self.hidden.weight, -1.0)
            nn.init.constant_(self.hidden.bias, -1.0)
            nn.init.constant_(self.convolution.weight[:3], -1.0)
            nn.init.constant_(self.convolution.weight[3], 1.0)
            nn.init.zeros_(self.convolution.bias)  # type: ignore[arg-type]

        def forward(self, x: Tensor) -> Tensor:
            x = torch.relu(self.convolution(x)).mean(dim=(2, 3))
            output: Tensor = self.last(nn.functional.relu(self.hidden(x), inplace=True))
            return output

    found = record(Rectified(), torch.rand(6, 1, 5, 5))
    assert [figures["never_active"] for figures in found.values()] == [0.75, 1.0, 0.0]


def test_a_recurrent_module_is_as_many_layers_as_it_stacks() -> None:
    found = record(Zoo(1), torch.randint(0, 12, (3, 5)), torch.randn(3, 4))

    assert list(found)[:3] == ["embedding", "memory l0", "memory l1"]
    assert math.isnan(found["memory l0"]["activation_gradient_norm"])
    assert found["memory l1"]["activation_gradient_norm"] > 0
