"""The residual image networks of He et al.: a stem, four stages of basic or bottleneck blocks, the output."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.base import LayerCounts
from depthsearch.networks.images import BATCH_NORM_PARAMETERS, Filters, ImageNetwork, classifier
from depthsearch.schema import one_of, without_nulls

if TYPE_CHECKING:
    from torch import Tensor, nn

BlockKind = Literal["basic", "bottleneck"]
StemKind = Literal["7x7", "3x3"]

PUBLISHED: dict[int, tuple[BlockKind, tuple[int, int, int, int]]] = {
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
}
"""Table 1 of the paper: from the number of layers to the kind of block and the blocks of each stage."""

THIRD = 2
"""Index of the third stage."""

LARGE = 64
"""From so many pixels on, the smaller of height and width, the stem is that of the paper."""

EXPANSION = {"basic": 1, "bottleneck": 4}
"""How many times the filters of its stage a block gives."""


@dataclass(frozen=True)
class _Shape:
    """Of one block: the channels that it takes, its filters, and the stride of its halving, 1 or 2."""

    inputs: int
    filters: int
    stride: int


class ResNetImage(ImageNetwork):
    """Depth is the number of residual blocks in each of the four stages, or in the third stage of a published network.

    - stem: 7 x 7 convolution with stride 2, batch norm, ReLU, 3 x 3 max pool with stride 2; for small images a 3 x 3
      convolution, batch norm, ReLU;
    - four stages with 1, 2, 4 and 8 times the filters; all but the first halve the image in their first block;
    - the mean over each feature map, output.

    A basic block has two 3 x 3 convolutions, a bottleneck block a 1 x 1, a 3 x 3 and a 1 x 1 convolution with 4 times
    the filters. Its input is added before the last ReLU, through a 1 x 1 convolution where the shape changes. The
    stride of a bottleneck block is in the 3 x 3 convolution, as torchvision has it.

    Without `like`, depth d has d blocks in each stage: depth 2 is ResNet-18. With `like`, the other three stages have
    the blocks of the published network and the third has d: that is the stage by which the paper makes ResNet-101 from
    ResNet-50. So like 50, depth 6 is ResNet-50 and depth 23 is ResNet-101; ResNet-18, -34, -101 and -152 are depth 2
    like 18, 6 like 34, 23 like 101 and 36 like 152.

    Source: He et al. 2016, Deep residual learning for image recognition, arXiv 1512.03385.

    Attributes:
        like: Published network, of 18, 34, 50, 101 or 152 layers, whose third stage has as many blocks as the depth
            says. The other stages are as published.
        block: Residual block. By default basic; what the published network has with like.
        filters: Filters in the first stage.
        stem: First layers. By default 7x7 for images of at least 64 pixels, 3x3 for smaller ones.
    """

    unit: ClassVar[str] = "block per stage"
    family: Literal["resnet_image"] = "resnet_image"
    like: Annotated[int, Field(strict=True)] | None = None
    block: Annotated[BlockKind, one_of("block", BlockKind)] = "basic"
    filters: Filters = 64
    stem: Annotated[StemKind, one_of("stem", StemKind)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = without_nulls(data)
        like = given.get("like")
        return {"block": PUBLISHED[like][0]} | given if isinstance(like, int) and like in PUBLISHED else given

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.like is None:
            return self
        if self.like not in PUBLISHED:
            expected = f"one of {', '.join(map(str, PUBLISHED))}"
            raise InvalidValue(path="network.like", value=self.like, expected=expected)
        kind = PUBLISHED[self.like][0]
        if self.block != kind:
            expected = f"{kind!r}, the block of ResNet-{self.like}"
            raise InvalidValue(path="network.block", value=self.block, expected=expected)
        return self

    @property
    def units(self) -> str:
        """The unit of depth in the plural: "blocks per stage", or "blocks in stage 3" with `like`."""
        return "blocks per stage" if self.like is None else "blocks in stage 3"

    def depth_words(self, depth: int) -> str:
        """That many units in words."""
        return f"{depth} {self.units.replace('blocks', 'block') if depth == 1 else self.units}"

    @property
    def label(self) -> str:
        """Family, and the published network where there is one."""
        return self.family if self.like is None else f"{self.family} like {self.like}"

    @property
    def least_size(self) -> int:
        """Three stages halve what the stem leaves, and each halving takes two pixels or more."""
        return 17 if self.stem == "7x7" else 5

    def blocks_of_stages(self, depth: int) -> tuple[int, ...]:
        """How many blocks each of the four stages has."""
        if self.like is None:
            return (depth,) * 4
        blocks = list(PUBLISHED[self.like][1])
        blocks[THIRD] = depth
        return tuple(blocks)

    def image_module(self, image: tuple[int, int, int], outputs: int, depth: int) -> "nn.Module":
        """The network of that depth, from images [batch, channels, height, width] to logits [batch, outputs]."""
        from torch import nn  # noqa: PLC0415

        parts = OrderedDict[str, nn.Module](stem=self._stem_module(image))
        for name, shape in self._shapes(depth):
            parts[name] = _residual_block(self.block, shape)
        parts["classifier"] = classifier(8 * self.filters * EXPANSION[self.block], outputs)
        network = nn.Sequential(parts)
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        return network

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """Layers as the paper counts them, without the 1 x 1 convolutions of the shortcuts: 18 for ResNet-18.

        Raises:
            InvalidValue: The data are no images, or too small ones.
        """
        image = self.image_of(spec)
        blocks, per_block = sum(self.blocks_of_stages(depth)), len(_kernels(self.block, _Shape(1, 1, 1)))
        parameters = (self._stem_kernel(image) ** 2 * image[0] + BATCH_NORM_PARAMETERS) * self.filters
        for _, shape in self._shapes(depth):
            convolutions = [*_kernels(self.block, shape), *_shortcut(self.block, shape)]
            parameters += sum(
                (size**2 * inputs + BATCH_NORM_PARAMETERS) * outputs for size, inputs, outputs in convolutions
            )
        parameters += (8 * self.filters * EXPANSION[self.block] + 1) * spec.outputs
        hidden = 1 + per_block * blocks
        return LayerCounts(hidden=hidden, weight_layers=hidden + 1, parameters=parameters)

    def _shapes(self, depth: int) -> Iterator[tuple[str, _Shape]]:
        """The name and the shape of every block, first to last."""
        inputs = self.filters
        for stage, blocks in enumerate(self.blocks_of_stages(depth)):
            filters = self.filters * 2**stage
            for block in range(blocks):
                yield f"stage{stage + 1}_block{block + 1}", _Shape(inputs, filters, 2 if stage and not block else 1)
                inputs = filters * EXPANSION[self.block]

    def _stem_kernel(self, image: tuple[int, int, int]) -> int:
        """Height and width of the stem's kernel: 7 or 3."""
        large = min(image[1:]) >= LARGE if self.stem is None else self.stem == "7x7"
        return 7 if large else 3

    def _stem_module(self, image: tuple[int, int, int]) -> "nn.Module":
        from torch import nn  # noqa: PLC0415

        kernel = self._stem_kernel(image)
        large = kernel > 3  # noqa: PLR2004 - of a small image
        convolution = nn.Conv2d(
            image[0], self.filters, kernel, stride=2 if large else 1, padding=kernel // 2, bias=False
        )
        parts = OrderedDict[str, nn.Module](conv=convolution, norm=nn.BatchNorm2d(self.filters), activation=nn.ReLU())
        if large:
            parts["pool"] = nn.MaxPool2d(3, stride=2, padding=1)
        return nn.Sequential(parts)


def _kernels(kind: BlockKind, shape: _Shape) -> list[tuple[int, int, int]]:
    """(height and width of the kernel, channels in, channels out) of each convolution of a block."""
    if kind == "basic":
        return [(3, shape.inputs, shape.filters), (3, shape.filters, shape.filters)]
    wide = EXPANSION[kind] * shape.filters
    return [(1, shape.inputs, shape.filters), (3, shape.filters, shape.filters), (1, shape.filters, wide)]


def _shortcut(kind: BlockKind, shape: _Shape) -> list[tuple[int, int, int]]:
    """The convolution of a shortcut, none where it is the identity."""
    outputs = EXPANSION[kind] * shape.filters
    return [] if shape.stride == 1 and shape.inputs == outputs else [(1, shape.inputs, outputs)]


def _residual_block(kind: BlockKind, shape: _Shape) -> "nn.Module":
    """Convolutions with batch norm, ReLU between them; the shortcut is added before the last ReLU."""
    from torch import nn  # noqa: PLC0415

    kernels, shortcut = _kernels(kind, shape), _shortcut(kind, shape)
    strided = next(place for place, (size, _, _) in enumerate(kernels) if size == 3)  # noqa: PLR2004

    def convolution(size: int, inputs: int, outputs: int, stride: int) -> nn.Module:
        layer = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)
        return nn.Sequential(OrderedDict(conv=layer, norm=nn.BatchNorm2d(outputs)))

    class ResidualBlock(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for place, kernel in enumerate(kernels):
                stride = shape.stride if place == strided else 1
                self.add_module(f"conv{place + 1}", convolution(*kernel, stride))
            self.shortcut = convolution(*shortcut[0], shape.stride) if shortcut else nn.Identity()
            self.activation = nn.ReLU()

        def forward(self, x: "Tensor") -> "Tensor":
            y = x
            for place in range(len(kernels)):
                y = self.get_submodule(f"conv{place + 1}")(self.activation(y) if place else y)
            activated: Tensor = self.activation(y + self.shortcut(x))
            return activated

    return ResidualBlock()
