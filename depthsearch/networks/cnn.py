"""The plain convolutional network, and the same with residual blocks: as many parameters either way."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from depthsearch.data.base import DataSpec
from depthsearch.networks.activations import activation_names, activation_of
from depthsearch.networks.base import LayerCounts
from depthsearch.networks.images import (
    BATCH_NORM_PARAMETERS,
    KERNEL,
    Filters,
    ImageNetwork,
    ImageNormalization,
    Stages,
    classifier,
    convolution,
    draw_convolutions,
)
from depthsearch.schema import one_of

if TYPE_CHECKING:
    from torch import Tensor, nn

ImageInitialization = Literal["torch_default", "glorot_uniform", "he_normal"]


class CNN(ImageNetwork):
    """Depth is the number of blocks, each of two convolutions.

    - entry: convolution, [normalization], activation;
    - depth blocks, each twice (convolution, [normalization], activation), spread over the stages as evenly as they can
      be, the earlier stages first; between two stages an average pool of 2 x 2;
    - the mean over each feature map, output.

    With three stages, depth 1 has one block in the first stage, depth 4 has 2, 1 and 1. Convolutions are 3 x 3, without
    biases where a batch norm follows, and each has the same number of filters. A residual connection is the identity
    over a block, added before the last activation of the block, so the plain and the residual network of a depth have
    the same layers.

    Attributes:
        activation: Activation of every convolution.
        initialization: Initialization of every convolution.
        normalization: Normalization of the convolutions.
        residual: Residual connections over the blocks.
        filters: Filters of each convolution.
        stages: Stages of blocks. Between two of them the image is halved.
    """

    unit: ClassVar[str] = "block"
    family: Literal["cnn"] = "cnn"
    activation: Annotated[str, one_of("activation", activation_names)] = "relu"
    initialization: Annotated[ImageInitialization, one_of("initialization", ImageInitialization)] = "he_normal"
    normalization: ImageNormalization = "none"
    residual: Annotated[bool, Field(strict=True)] = False
    filters: Filters = 16
    stages: Stages = 3

    @property
    def least_size(self) -> int:
        """An average pool between two stages makes one of 2 x 2 pixels."""
        return int(2 ** (self.stages - 1))

    def blocks_of_stages(self, depth: int) -> tuple[int, ...]:
        """How many blocks each stage has: (2, 1, 1) for depth 4 in three stages."""
        each, further = divmod(depth, self.stages)
        return tuple(each + (stage < further) for stage in range(self.stages))

    def image_module(self, image: tuple[int, int, int], outputs: int, depth: int) -> "nn.Module":
        """The network of that depth, from images [batch, channels, height, width] to logits [batch, outputs]."""
        from torch import nn  # noqa: PLC0415

        parts = OrderedDict[str, nn.Module](entry=_entry(self, image[0]))
        for stage, blocks in enumerate(self.blocks_of_stages(depth), start=1):
            if stage > 1:
                parts[f"pool{stage - 1}"] = nn.AvgPool2d(2)
            for block in range(1, blocks + 1):
                parts[f"stage{stage}_block{block}"] = _block(self)
        parts["classifier"] = classifier(self.filters, outputs)
        network = nn.Sequential(parts)
        draw_convolutions(network, self.initialization)
        return network

    def convolution(self, channels: int) -> "nn.Module":
        """A convolution, and its normalization where there is one; batch norm makes a bias needless."""
        bias = self.normalization == "none"
        return convolution(channels, self.filters, bias=bias, normalization=self.normalization)

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """2 depth + 1 convolutions and the output.

        Raises:
            InvalidValue: The data are no images, or too small ones.
        """
        channels, _, _ = self.image_of(spec)
        filters, convolutions = self.filters, 1 + 2 * depth
        per_filter = BATCH_NORM_PARAMETERS if self.normalization == "batch" else 1  # a bias
        parameters = KERNEL * filters * (channels + 2 * depth * filters) + per_filter * convolutions * filters
        parameters += (filters + 1) * spec.outputs
        return LayerCounts(hidden=convolutions, weight_layers=convolutions + 1, parameters=parameters)

    @property
    def label(self) -> str:
        """Family and activation."""
        return f"{self.family} {self.activation}"


def _entry(family: CNN, channels: int) -> "nn.Module":
    from torch import nn  # noqa: PLC0415

    function = activation_of(family.activation).function

    class Entry(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = family.convolution(channels)

        def forward(self, x: "Tensor") -> "Tensor":
            return function(self.conv(x))

    return Entry()


def _block(family: CNN) -> "nn.Module":
    """Twice (convolution, activation), with the block's input added before the last activation if it is residual."""
    from torch import nn  # noqa: PLC0415

    function = activation_of(family.activation).function

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = family.convolution(family.filters), family.convolution(family.filters)

        def forward(self, x: "Tensor") -> "Tensor":
            y: Tensor = self.conv2(function(self.conv1(x)))
            return function(x + y if family.residual else y)

    return Block()
