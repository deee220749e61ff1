"""What the families of image networks share: which data they take, and inputs that become images again."""

from abc import abstractmethod
from math import sqrt
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.base import Network
from depthsearch.networks.initialization import TRUNCATED_DEVIATION
from depthsearch.schema import one_of

if TYPE_CHECKING:
    from torch import Tensor, nn

BatchNormOrNone = Literal["none", "batch"]
ImageNormalization = Annotated[BatchNormOrNone, one_of("normalization", BatchNormOrNone)]
Filters = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Stages = Annotated[int, Field(strict=True, ge=1, le=16)]

KERNEL = 9
"""Weights of a 3 x 3 kernel."""

BATCH_NORM_PARAMETERS = 2
"""A scale and a shift for each filter."""


class ImageNetwork(Network):
    """A family of networks for images, from inputs [batch, *spec.shape] to logits [batch, spec.outputs].

    Inputs may hold their image in a row, as the digits do: they are reshaped to `spec.image`.
    """

    reliability: ClassVar[float] = 0.5

    @property
    def least_size(self) -> int:
        """The lowest height and width, in pixels, of an image that the stages do not shrink to nothing."""
        return 1

    @abstractmethod
    def image_module(self, image: tuple[int, int, int], outputs: int, depth: int) -> "nn.Module":
        """The network of that depth, from images [batch, channels, height, width] to logits [batch, outputs]."""

    def build(self, spec: DataSpec, depth: int) -> "nn.Module":
        """The network of that depth, with weights drawn from torch's generator.

        Raises:
            InvalidValue: The data are no images, or too small ones (see `check`).
        """
        image = self.image_of(spec)
        return image_reader(self.image_module(image, spec.outputs, depth), image)

    def check(self, spec: DataSpec) -> None:
        """Refuse data that are no images, images that are too small, and tasks with a target for each position.

        Raises:
            InvalidValue: They are.
        """
        self.image_of(spec)

    def image_of(self, spec: DataSpec) -> tuple[int, int, int]:
        """(channels, height, width) of an input.

        Raises:
            InvalidValue: It is no image, or too small for the stages, or each of its positions has a target.
        """
        if spec.image is None:
            raise InvalidValue(f"family {self.family!r} reads images, but an input of the data has shape {spec.shape}")
        if spec.task == "sequence":
            raise InvalidValue(f"family {self.family!r} gives one output for each image, but got the task 'sequence'")
        _, height, width = spec.image
        if min(height, width) < self.least_size:
            raise InvalidValue(
                f"family {self.family!r} halves the image in its stages, which takes at least {self.least_size} x "
                f"{self.least_size} pixels here, but got images of {height} x {width}"
            )
        return spec.image

    @property
    def units(self) -> str:
        """The unit of depth in the plural: "blocks per stage"."""
        first, space, rest = self.unit.partition(" ")
        return f"{first}s{space}{rest}"


def image_reader(network: "nn.Module", image: tuple[int, int, int]) -> "nn.Module":
    """The network with its inputs [batch, ...] reshaped to images [batch, channels, height, width]."""
    from torch import nn  # noqa: PLC0415

    class ImageReader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: "Tensor") -> "Tensor":
            logits: Tensor = self.network(x.reshape(len(x), *image))
            return logits

    return ImageReader()


def convolution(inputs: int, filters: int, *, bias: bool, normalization: str) -> "nn.Module":
    """A convolution of 3 x 3 with a padding of 1, and batch norm after it unless the normalization is "none"."""
    from collections import OrderedDict  # noqa: PLC0415

    from torch import nn  # noqa: PLC0415

    made = nn.Conv2d(inputs, filters, 3, padding=1, bias=bias)
    if normalization == "none":
        return made
    return nn.Sequential(OrderedDict(conv=made, norm=nn.BatchNorm2d(filters)))


def classifier(features: int, outputs: int) -> "nn.Module":
    """The mean over each feature map, then a dense layer: [batch, features, height, width] to [batch, outputs]."""
    from collections import OrderedDict  # noqa: PLC0415

    from torch import nn  # noqa: PLC0415

    return nn.Sequential(
        OrderedDict(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), output=nn.Linear(features, outputs))
    )


def draw_convolutions(network: "nn.Module", initialization: str) -> None:
    """Draw the weights of every convolution anew, biases zero; `torch_default` leaves what torch drew.

    `he_normal` has variance 2 / fan_in and is cut off at two deviations; `glorot_uniform` has variance
    2 / (fan_in + fan_out): the same rules as for dense layers (see networks.initialization).
    """
    from torch import nn  # noqa: PLC0415

    if initialization == "torch_default":
        return
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            if initialization == "glorot_uniform":
                nn.init.xavier_uniform_(layer.weight)
            else:
                deviation = sqrt(2 / layer.weight[0].numel()) / TRUNCATED_DEVIATION
                nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
