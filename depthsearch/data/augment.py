"""Random changes to a batch of images at training time: a pure function of the batch and a random generator."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Images: TypeAlias = NDArray[np.float32]
"""[batch, channels, height, width]"""

PADDING = 4
"""Pixels on each side of an image, before it is cropped."""


def crop(images: Images, rng: np.random.Generator) -> Images:
    """Each image padded with zeros by 4 pixels on each side, and cropped to its size at a random place.

    A zero is the mean colour where images are standardized.

    Source: He et al. 2016, section 4.2, arXiv 1512.03385
    """
    batch, _, height, width = images.shape
    padded = np.pad(images, ((0, 0), (0, 0), (PADDING, PADDING), (PADDING, PADDING)))
    rows, columns = rng.integers(0, 2 * PADDING + 1, (2, batch))
    # [batch, channels, 9, 9, height, width]: every crop of every image, as views of the padded ones.
    crops = sliding_window_view(padded, (height, width), axis=(2, 3))
    return np.ascontiguousarray(crops[np.arange(batch), :, rows, columns])


def flip(images: Images, rng: np.random.Generator) -> Images:
    """Each image mirrored left to right with probability 1/2."""
    mirrored = rng.random(len(images)) < 1 / 2
    return np.where(mirrored[:, None, None, None], images[..., ::-1], images)


def crop_flip(images: Images, rng: np.random.Generator) -> Images:
    """`crop`, then `flip`."""
    return flip(crop(images, rng), rng)


AUGMENTATIONS: dict[str, Callable[[Images, np.random.Generator], Images]] = {
    "crop": crop,
    "crop_flip": crop_flip,
    "flip": flip,
}
"""By the name that the option `augment` of a data set gives."""


def augmented(images: Images, augmentation: str, rng: np.random.Generator) -> Images:
    """A batch of images, each changed at random.

    Args:
        images: [batch, channels, height, width]; not written to.
        augmentation: A name in AUGMENTATIONS.
        rng: Where the randomness comes from: the same state gives the same images.
    """
    return AUGMENTATIONS[augmentation](images, rng)
