"""The transformer: encoder blocks of attention and a feed-forward network, over tokens or the rows of an image."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.activations import activation_names, activation_of
from depthsearch.networks.base import LayerCounts, Network
from depthsearch.schema import one_of

if TYPE_CHECKING:
    from torch import Tensor, nn

NormPlace = Literal["none", "pre", "post"]
Width = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]

EMBEDDING_DEVIATION = 0.02
"""Of the initial embeddings of tokens and positions, as in GPT-2 and ViT."""

FEED_FORWARD = 4
"""How many times the width the feed-forward network has by default."""


class Transformer(Network):
    """Depth is the number of encoder blocks, each of attention and a feed-forward network, both residual.

    - depth 1: embedding of tokens and positions, [attention, feed-forward], output;
    - depth 2: the bracket twice, each with weights that are drawn for it.

    Tokens are the rows of an image, the rows of an input of shape (positions, numbers), or whole numbers below a
    vocabulary. Where each input has one target, the output reads the mean over the positions; where each position has a
    target, the output reads each position, and no position sees a later one. `pre` normalizes the input of attention
    and feed-forward network, and the last sum; `post` normalizes each sum, as in the first paper.

    Source: Vaswani et al. 2017, arXiv 1706.03762; Xiong et al. 2020 on the place of layer norm, arXiv 2002.04745.

    Attributes:
        width: Numbers for each token.
        heads: Heads of each attention.
        feed_forward: Units in each feed-forward network. By default 4 times the width.
        activation: Activation of every feed-forward network.
        normalization: Place of layer norm in a block.
        dropout: Share of the numbers that dropout sets to zero.
    """

    unit: ClassVar[str] = "encoder block"
    reliability: ClassVar[float] = 0.5
    family: Literal["transformer"] = "transformer"
    width: Width = 32
    heads: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 2
    feed_forward: Width | None = None
    activation: Annotated[str, one_of("activation", activation_names)] = "relu"
    normalization: Annotated[NormPlace, one_of("normalization", NormPlace)] = "pre"
    dropout: Annotated[float, Field(strict=True, ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.width % self.heads:
            expected = f"a divisor of the width, {self.width}"
            raise InvalidValue(path="network.heads", value=self.heads, expected=expected)
        return self

    @property
    def units_of_feed_forward(self) -> int:
        """In each feed-forward network."""
        return self.feed_forward or FEED_FORWARD * self.width

    def check(self, spec: DataSpec) -> None:
        """Refuse data that are no tokens and no rows.

        Raises:
            InvalidValue: They are.
        """
        _positions(spec, self.family)

    def build(self, spec: DataSpec, depth: int) -> "nn.Module":
        """The network, from [batch, *spec.shape] to [batch, outputs], or [batch, positions, outputs] for a sequence.

        Raises:
            InvalidValue: The data are no tokens and no rows.
        """
        from torch import nn  # noqa: PLC0415

        class Encoder(nn.Module):
            def __init__(self, family: Transformer) -> None:
                super().__init__()
                causal = self.sequence = spec.task == "sequence"
                self.embedding = _embedding(spec, family)
                self.blocks = nn.Sequential(
                    OrderedDict((f"block{k}", _block(family, causal=causal)) for k in range(1, depth + 1))
                )
                self.norm = nn.LayerNorm(family.width) if family.normalization == "pre" else nn.Identity()
                self.output = nn.Linear(family.width, spec.outputs)

            def forward(self, x: "Tensor") -> "Tensor":
                hidden = self.norm(self.blocks(self.embedding(x)))  # [batch, positions, width]
                logits: Tensor = self.output(hidden if self.sequence else hidden.mean(dim=1))
                return logits

        return Encoder(self)

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """Four weight layers a block (queries, keys and values; attention's output; two of the feed-forward network).

        The embedding and the output are weight layers, too. Hidden layers have no meaning here.

        Raises:
            InvalidValue: The data are no tokens and no rows.
        """
        positions, numbers = _positions(spec, self.family)
        width, units = self.width, self.units_of_feed_forward
        tokens = (numbers + 1) * width if spec.vocabulary is None else spec.vocabulary * width
        attention = 3 * width * (width + 1) + width * (width + 1)
        feed_forward = units * (width + 1) + width * (units + 1)
        norms = {"none": 0, "pre": 2 * depth + 1, "post": 2 * depth}[self.normalization]
        parameters = tokens + positions * width + depth * (attention + feed_forward) + norms * 2 * width
        parameters += (width + 1) * spec.outputs
        return LayerCounts(weight_layers=4 * depth + 2, parameters=parameters)

    @property
    def label(self) -> str:
        """Family and the place of layer norm."""
        return f"{self.family} {self.normalization}-norm" if self.normalization != "none" else f"{self.family} no norm"


def _positions(spec: DataSpec, family: str) -> tuple[int, int]:
    """How many tokens an input has, and how many numbers each of them.

    Raises:
        InvalidValue: The input has neither tokens nor rows.
    """
    if spec.vocabulary is not None and len(spec.shape) == 1:
        return spec.shape[0], 1
    if spec.vocabulary is None and spec.image is not None:
        channels, height, width = spec.image
        return height, channels * width
    if spec.vocabulary is None and len(spec.shape) == 2:  # noqa: PLR2004 - positions and numbers
        return spec.shape[0], spec.shape[1]
    raise InvalidValue(
        f"family {family!r} reads tokens, the rows of an image, or inputs of shape (positions, numbers), but an input "
        f"of the data has shape {spec.shape}"
    )


def _embedding(spec: DataSpec, family: Transformer) -> "nn.Module":
    """From inputs [batch, *spec.shape] to [batch, positions, width]: each token's numbers and its position's."""
    import torch  # noqa: PLC0415
    from torch import nn  # noqa: PLC0415

    positions, numbers = _positions(spec, family.family)

    class Embedding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            if spec.vocabulary is None:
                self.tokens: nn.Module = nn.Linear(numbers, family.width)
            else:
                table = nn.Embedding(spec.vocabulary, family.width)
                nn.init.normal_(table.weight, std=EMBEDDING_DEVIATION)
                self.tokens = table
            self.positions = nn.Embedding(positions, family.width)
            nn.init.normal_(self.positions.weight, std=EMBEDDING_DEVIATION)
            self.dropout = nn.Dropout(family.dropout)

        def forward(self, x: "Tensor") -> "Tensor":
            if spec.vocabulary is None and spec.image is not None:
                x = x.reshape(len(x), *spec.image).transpose(1, 2).reshape(len(x), positions, numbers)
            places = torch.arange(x.shape[1], device=x.device)
            embedded: Tensor = self.dropout(self.tokens(x) + self.positions(places))
            return embedded

    return Embedding()


def _attention(family: Transformer, *, causal: bool) -> "nn.Module":
    """Multi-head attention, [batch, positions, width] to the same; initial weights as in torch's MultiheadAttention."""
    from torch import nn  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.queries_keys_values = nn.Linear(family.width, 3 * family.width)
            self.output = nn.Linear(family.width, family.width)
            nn.init.xavier_uniform_(self.queries_keys_values.weight)
            nn.init.zeros_(self.queries_keys_values.bias)
            nn.init.zeros_(self.output.bias)

        def forward(self, x: "Tensor") -> "Tensor":
            # [batch, positions, 3 width] to 3 of [batch, heads, positions, width / heads]
            stacked = self.queries_keys_values(x).unflatten(2, (3, family.heads, -1)).permute(2, 0, 3, 1, 4)
            queries, keys, values = stacked.unbind(0)
            share = family.dropout if self.training else 0.0
            mixed = functional.scaled_dot_product_attention(queries, keys, values, dropout_p=share, is_causal=causal)
            output: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
            return output

    return Attention()


def _block(family: Transformer, *, causal: bool) -> "nn.Module":
    """One encoder block, with weights drawn for it."""
    from torch import nn  # noqa: PLC0415

    function = activation_of(family.activation).function

    def norm() -> nn.Module:
        return nn.Identity() if family.normalization == "none" else nn.LayerNorm(family.width)

    class FeedForward(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(family.width, family.units_of_feed_forward)
            self.second = nn.Linear(family.units_of_feed_forward, family.width)
            self.dropout = nn.Dropout(family.dropout)

        def forward(self, x: "Tensor") -> "Tensor":
            output: Tensor = self.second(self.dropout(function(self.first(x))))
            return output

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention, self.feed_forward = _attention(family, causal=causal), FeedForward()
            self.norm1, self.norm2 = norm(), norm()
            self.dropout = nn.Dropout(family.dropout)

        def forward(self, x: "Tensor") -> "Tensor":
            for part, normalized in ((self.attention, self.norm1), (self.feed_forward, self.norm2)):
                if family.normalization == "pre":
                    x = x + self.dropout(part(normalized(x)))
                else:
                    x = normalized(x + self.dropout(part(x)))
            return x

    return Block()
