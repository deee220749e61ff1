from itertools import combinations
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from depthsearch.data.base import NO_TARGET, DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.base import LayerCounts
from depthsearch.networks.transformer import Transformer
from tests.networks.modules import CIFAR, DIGITS, built, digits_learned, parameters_built

HALF = 6
COPYING = DataSpec(shape=(2 * HALF + 1,), task="sequence", classes=10, vocabulary=10)
TOKENS = DataSpec(shape=(7,), classes=4, vocabulary=20)
SERIES = DataSpec(shape=(9, 3), classes=2)


@pytest.mark.parametrize("spec", [DIGITS, CIFAR, COPYING, TOKENS, SERIES], ids=str)
@pytest.mark.parametrize(
    "fields", [{}, {"normalization": "post", "feed_forward": 10}, {"normalization": "none", "width": 6, "heads": 3}]
)
def test_the_counts_are_those_of_the_built_network(fields: dict[str, Any], spec: DataSpec) -> None:
    network = Transformer.model_validate(fields)

    assert network.layer_counts(spec, 3) == LayerCounts(weight_layers=14, parameters=parameters_built(network, spec, 3))


@pytest.mark.parametrize(
    ("spec", "shape"), [(DIGITS, (5, 10)), (TOKENS, (5, 4)), (SERIES, (5, 1)), (COPYING, (5, 13, 10))], ids=str
)
def test_outputs_are_one_for_each_input_or_one_for_each_position(spec: DataSpec, shape: tuple[int, ...]) -> None:
    x = torch.zeros(5, *spec.shape, dtype=torch.float32 if spec.vocabulary is None else torch.int64)

    assert built(Transformer(), spec, 2)(x).shape == shape


def test_the_rows_of_an_image_are_the_tokens() -> None:
    """Without its embedding of positions the network does not see the order of the rows, but that of the columns."""
    module = built(Transformer(), DIGITS, 2)
    nn.init.zeros_(module.get_parameter("embedding.positions.weight"))
    x = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(0))

    torch.testing.assert_close(module(x.flip(1).flatten(1)), module(x.flatten(1)))
    assert not torch.allclose(module(x.flip(2).flatten(1)), module(x.flatten(1)), atol=1e-3)


def test_every_weight_of_every_block_is_drawn_for_it() -> None:
    module = built(Transformer(), DIGITS, 4)
    weights = [p for name, p in module.named_parameters() if "block" in name and p.dim() == 2]

    assert len(weights) == 4 * 4
    for one, other in combinations(weights, 2):
        assert one.shape != other.shape or not torch.equal(one, other)


def copying(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Inputs and targets: `first`, a separator, `second`; each position of the second half names the next symbol."""
    x = torch.cat([first, torch.full((len(first), 1), 8), second], dim=1)
    y = torch.full_like(x, NO_TARGET)
    y[:, HALF:-1] = x[:, HALF + 1 :]
    return x, y


def copied(*, independent: bool) -> float:
    """Accuracy over the last 10 of 50 steps of copying, or with a second half that does not repeat the first."""
    module = built(Transformer(width=64), COPYING, 2)
    optimizer = torch.optim.Adam(module.parameters(), 1e-3)
    draw = torch.Generator().manual_seed(0)
    right = []
    for _ in range(50):
        first, second = torch.randint(0, 8, (2, 32, HALF), generator=draw)
        x, y = copying(first, second if independent else first)
        logits = module(x)
        optimizer.zero_grad()
        loss = functional.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=NO_TARGET)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        right.append(float((logits.argmax(-1) == y)[y != NO_TARGET].float().mean()))
    return sum(right[-10:]) / 10


@pytest.mark.parametrize("normalization", ["none", "pre", "post"])
def test_in_a_sequence_no_position_sees_a_later_one(normalization: str) -> None:
    module = built(Transformer.model_validate({"normalization": normalization}), COPYING, 2)
    x = torch.randint(0, 8, (4, 13), generator=torch.Generator().manual_seed(0))
    changed = x.clone()
    changed[:, 9] = (changed[:, 9] + 1) % 8

    moved = (module(x) - module(changed)).abs().amax(dim=(0, 2))

    assert moved[:9].tolist() == [0] * 9
    assert bool((moved[9:] > 0).all())


def test_it_learns_to_copy_and_guesses_what_cannot_be_known() -> None:
    assert copied(independent=False) > 0.9
    assert copied(independent=True) == pytest.approx(1 / 8, abs=0.05)


def test_dropout_acts_in_training_only() -> None:
    module, x = built(Transformer(dropout=0.5), DIGITS, 2), torch.ones(2, 64)

    assert not torch.equal(module(x), module(x))
    module.eval()
    assert torch.equal(module(x), module(x))


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(InvalidValue, match="heads must be a divisor of the width, 32, but got 5"):
        Transformer(heads=5)


def test_post_norm_normalizes_each_sum_and_pre_norm_leaves_the_sums_as_they_are() -> None:
    x = 100 + torch.randn(4, 8, 32, generator=torch.Generator().manual_seed(0))
    means = {}
    for normalization in ("none", "pre", "post"):
        module = built(Transformer.model_validate({"normalization": normalization}), DIGITS, 1)
        means[normalization] = float(module.get_submodule("blocks.block1")(x).detach().mean())

    assert means["post"] == pytest.approx(0, abs=1e-3)
    assert means["pre"] == pytest.approx(100, abs=1)
    assert means["none"] != pytest.approx(means["pre"], abs=1e-3)


def test_a_shallow_one_learns_the_digits() -> None:
    assert digits_learned(Transformer(), 1, steps=60) > 0.5
