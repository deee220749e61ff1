"""The VGG-like image network: an entry, then stages of processing blocks, each ended by a reduction block."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from depthsearch.data.base import DataSpec
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
)

if TYPE_CHECKING:
    from torch import Tensor, nn


class VGG(ImageNetwork):
    """Depth is the number of processing blocks in each stage, from 0.

    - entry: convolution, batch norm, leaky ReLU, whatever the normalization of the blocks;
    - each stage: `depth` processing blocks, each twice (convolution, leaky ReLU), then a reduction block: convolution,
      leaky ReLU, average pool of 2 x 2, convolution, leaky ReLU;
    - the mean over each feature map, output.

    Depth 0 is VGG08, depth 5 VGG38 (with three stages). Convolutions are 3 x 3 with torch's default initialization;
    those of the reduction blocks have biases. A batch norm comes between a convolution and its activation; a residual
    connection is the identity over a processing block, added before the block's last activation.

    Attributes:
        normalization: Normalization of the convolutions. Those of the blocks: the entry always has a batch norm.
        residual: Residual connections over the blocks.
        filters: Filters of each convolution.
        stages: Stages of blocks. Each halves the image.
        slope: Slope of the leaky ReLU below zero.
    """

    unit: ClassVar[str] = "block per stage"
    shallowest: ClassVar[int] = 0
    family: Literal["vgg"] = "vgg"
    normalization: ImageNormalization = "none"
    residual: Annotated[bool, Field(strict=True)] = False
    filters: Filters = 32
    stages: Stages = 3
    slope: Annotated[float, Field(strict=True, ge=0, le=1)] = 0.01

    @property
    def least_size(self) -> int:
        """Every stage pools 2 x 2 pixels into one."""
        return int(2**self.stages)

    def image_module(self, image: tuple[int, int, int], outputs: int, depth: int) -> "nn.Module":
        """The network of that depth, from images [batch, channels, height, width] to logits [batch, outputs]."""
        from torch import nn  # noqa: PLC0415

        entry = nn.Sequential(
            OrderedDict(
                conv=nn.Conv2d(image[0], self.filters, 3, padding=1, bias=False),
                norm=nn.BatchNorm2d(self.filters),
                activation=nn.LeakyReLU(self.slope),
            )
        )
        parts = OrderedDict[str, nn.Module](entry=entry)
        for stage in range(1, self.stages + 1):
            for block in range(1, depth + 1):
                parts[f"stage{stage}_block{block}"] = _processing_block(self)
            parts[f"stage{stage}_reduction"] = self._reduction_block()
        parts["classifier"] = classifier(self.filters, outputs)
        return nn.Sequential(parts)

    def _reduction_block(self) -> "nn.Module":
        from torch import nn  # noqa: PLC0415

        return nn.Sequential(
            OrderedDict(
                conv1=self.convolution(bias=True),
                activation1=nn.LeakyReLU(self.slope),
                pool=nn.AvgPool2d(2),
                conv2=self.convolution(bias=True),
                activation2=nn.LeakyReLU(self.slope),
            )
        )

    def convolution(self, *, bias: bool) -> "nn.Module":
        """A convolution of a block, and its normalization where there is one."""
        return convolution(self.filters, self.filters, bias=bias, normalization=self.normalization)

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """1 + stages (2 depth + 2) convolutions and the output; 8 for VGG08, 38 for VGG38.

        Raises:
            InvalidValue: The data are no images, or too small ones.
        """
        channels, _, _ = self.image_of(spec)
        filters, in_blocks = self.filters, self.stages * (2 * depth + 2)
        normalized = 1 + (in_blocks if self.normalization == "batch" else 0)
        parameters = KERNEL * filters * (channels + in_blocks * filters)  # weights of the convolutions
        parameters += 2 * self.stages * filters  # biases of the reduction blocks
        parameters += BATCH_NORM_PARAMETERS * normalized * filters
        parameters += (filters + 1) * spec.outputs
        return LayerCounts(hidden=1 + in_blocks, weight_layers=2 + in_blocks, parameters=parameters)


def _processing_block(family: VGG) -> "nn.Module":
    """Twice (convolution, leaky ReLU), with the block's input added before the second leaky ReLU if it is residual."""
    from torch import nn  # noqa: PLC0415

    class ProcessingBlock(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = family.convolution(bias=False), family.convolution(bias=False)
            self.activation1, self.activation2 = nn.LeakyReLU(family.slope), nn.LeakyReLU(family.slope)

        def forward(self, x: "Tensor") -> "Tensor":
            y: Tensor = self.conv2(self.activation1(self.conv1(x)))
            activated: Tensor = self.activation2(x + y if family.residual else y)
            return activated

    return ProcessingBlock()
