"""A module that was written for one depth, made deeper and shallower."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from depthsearch.errors import InvalidValue, UserCodeFailed
from depthsearch.networks.repeated import Stack, build_repeated, equal_layers, find_stack, watch_copies

WIDTH = 6


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU())
        nn.init.normal_(self.inner[0].weight, std=0.3)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x)  # type: ignore[no-any-return]


class Net(nn.Module):
    """Four blocks of which `used` run."""

    def __init__(self, used: int | None = None) -> None:
        super().__init__()
        self.first = nn.Linear(WIDTH, WIDTH)
        self.layers = nn.ModuleList(Block() for _ in range(4))
        self.used = used

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for layer in self.layers[: self.used]:
            x = layer(x)
        return x


def pairs(blocks: int = 5) -> nn.Module:
    """Linear and ReLU in turn, between two other layers."""
    inner = [part for _ in range(blocks) for part in (nn.Linear(8, 8), nn.ReLU())]
    return nn.Sequential(nn.Linear(WIDTH, 8), nn.ReLU(), *inner, nn.Linear(8, 2))


def copied() -> nn.Module:
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 3)


def test_the_stack_is_the_outermost_one_with_the_most_blocks() -> None:
    found = find_stack(Net())

    assert found == Stack("layers", 0, 1, 4, 2 * (WIDTH * WIDTH + WIDTH), "Block")
    assert found.name == "layers[0:4]"


def test_a_pattern_of_several_children_is_one_block() -> None:
    found = find_stack(pairs())

    assert found == Stack("", 2, 2, 5, 72, "Linear")
    assert found.name == "the module[2:12]"


def test_projections_that_are_no_stack_do_not_count() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q, self.k, self.v = (nn.Linear(4, 4) for _ in range(3))

    assert find_stack(Attention()) is None
    assert find_stack(nn.LSTM(4, 4, num_layers=3)) is None
    assert find_stack(nn.Sequential(nn.ReLU(), nn.ReLU(), nn.Linear(2, 2))) is None


def test_blocks_of_other_shapes_end_a_stack() -> None:
    found = find_stack(nn.Sequential(nn.Linear(4, 8), *(nn.Linear(8, 8) for _ in range(3)), nn.Linear(8, 4)))

    assert found == Stack("", 1, 1, 3, 72, "Linear")


@pytest.mark.parametrize("depth", [1, 2, 4, 5, 9])
@pytest.mark.parametrize("build", [Net, pairs], ids=["list", "sequential"])
def test_the_stack_has_as_many_blocks_as_the_depth(build: Callable[[], nn.Module], depth: int) -> None:
    calls = []

    def call() -> nn.Module:
        calls.append(1)
        return build()

    module, stack = build_repeated(call, depth, called="model")

    assert len(calls) == max(1, -(-depth // stack.count))
    again = find_stack(module)
    if depth > 1:
        assert again is not None
        assert again.count == depth
    check = watch_copies(module, called="model")
    module(torch.zeros(3, WIDTH))
    check()
    module(torch.zeros(3, WIDTH)).sum().backward()
    assert all(one.grad is not None for one in module.parameters())


def test_a_module_of_the_length_of_its_author_is_what_its_author_has() -> None:
    torch.manual_seed(0)
    expected = Net()
    torch.manual_seed(0)
    module, _ = build_repeated(Net, 4, called="model")

    assert list(module.state_dict()) == list(expected.state_dict())
    pairs_of_weights = zip(module.parameters(), expected.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs_of_weights)


def test_every_block_keeps_the_initialization_of_its_author_and_differs_from_the_others() -> None:
    torch.manual_seed(0)
    module, _ = build_repeated(Net, 30, called="model")
    weights = torch.stack([layer.inner[0].weight for layer in module.layers])  # type: ignore[union-attr]

    assert float(weights.detach().std()) == pytest.approx(0.3, rel=0.1)
    assert equal_layers(module) is None


def test_one_seed_gives_one_module() -> None:
    modules = []
    for _ in range(2):
        torch.manual_seed(5)
        modules.append(build_repeated(Net, 7, called="model")[0])

    assert all(torch.equal(one, other) for one, other in zip(*(m.parameters() for m in modules), strict=True))


def test_a_layer_that_was_copied_is_drawn_anew_for_each_block() -> None:
    assert equal_layers(copied()) == ("layers.0.self_attn", "layers.1.self_attn")

    module, stack = build_repeated(copied, 5, called="model")

    assert stack == Stack("layers", 0, 1, 3, 600, "TransformerEncoderLayer")
    assert equal_layers(module) is None
    assert module(torch.zeros(2, 3, 8)).shape == (2, 3, 8)


def test_a_layer_that_is_used_twice_is_one_layer() -> None:
    shared = nn.Linear(4, 4)

    assert equal_layers(nn.Sequential(shared, nn.ReLU(), shared)) is None


def test_a_module_that_runs_a_fixed_number_of_blocks_is_refused() -> None:
    module, _ = build_repeated(lambda: Net(used=3), 7, called="model")
    check = watch_copies(module, called="model")
    module(torch.zeros(3, WIDTH))

    with pytest.raises(InvalidValue) as error:
        check()
    assert str(error.value) == (
        "3 of 7 blocks of layers[0:4] ran: the module of model() does not run all that its container holds; write "
        "model(depth)"
    )
    assert not any(part._forward_pre_hooks for part in module.modules())


def test_a_module_of_another_origin_is_not_watched() -> None:
    module = Net()
    check = watch_copies(module, called="model")

    assert not any(part._forward_pre_hooks for part in module.modules())
    check()  # none of its blocks ran, and it is not refused


def test_another_module_in_another_call_is_refused() -> None:
    sizes = iter((5, 4))

    with pytest.raises(UserCodeFailed, match=r"model\(\) built another module in another call: its stack was"):
        build_repeated(lambda: pairs(next(sizes)), 9, called="model")
