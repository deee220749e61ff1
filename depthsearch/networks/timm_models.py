"""Image networks of timm, from their definitions: nothing is downloaded."""

import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from depthsearch.data.base import DataSpec
from depthsearch.networks.images import image_reader
from depthsearch.networks.published import Published, without_weights

if TYPE_CHECKING:
    from torch import nn

OF_DATA = ("img_size", "in_chans", "num_classes")
"""Arguments that the data give."""


class Timm(Published):
    """Any image network of timm that takes a `depth`, such as a ViT, with random weights.

    Depth is the number of blocks. The image's size, its channels and the classes come from the data; `patch_size` must
    divide the image's side.

    Source: Wightman 2019, https://doi.org/10.5281/zenodo.4414861
    """

    library: ClassVar[str] = "timm"
    extra: ClassVar[str] = "timm"

    family: Literal["timm"] = "timm"
    architecture: str = "vit_tiny_patch16_224"

    def build(self, spec: DataSpec, depth: int) -> "nn.Module":
        """From inputs [batch, *spec.shape] to logits [batch, outputs].

        Raises:
            InvalidValue: The library is not installed, or an architecture, a setting or the data do not fit.
        """
        self.prepare()
        self.check_settings(spec)
        assert spec.image is not None
        channels, height, width = spec.image
        of_data = {"img_size": (height, width), "in_chans": channels, "num_classes": spec.outputs}
        known = _arguments_of(self.architecture)
        chosen = {name: value for name, value in of_data.items() if name in known}
        return image_reader(_created(self.architecture, depth=depth, **chosen, **self.settings), spec.image)

    def check_settings(self, spec: DataSpec) -> None:
        """Refuse an unknown architecture or argument, one that takes no depth, and data that are no images."""
        import timm  # noqa: PLC0415

        if not timm.is_model(self.architecture):
            self.refuse_unknown(timm.list_models())
        known = _arguments_of(self.architecture)
        if "depth" not in known:
            self.refuse(f"must take a depth, but {self.architecture!r} of timm takes none")
        self.check_keys(known=known, depth=["depth"], data=OF_DATA)
        if spec.image is None or spec.task == "sequence":
            self.refuse(f"{self.architecture!r} reads images, but inputs of shape {spec.shape} are none")


def _created(architecture: str, **arguments: Any) -> "nn.Module":
    import timm  # noqa: PLC0415

    model: nn.Module = timm.create_model(architecture, pretrained=False, **arguments)
    return model


@lru_cache(maxsize=64)
def _arguments_of(architecture: str) -> frozenset[str]:
    """The arguments of an architecture's class, and of those that it extends while it passes others on."""
    found: set[str] = set()
    for owner in type(without_weights(lambda: _created(architecture))).__mro__:
        parameters = inspect.signature(vars(owner).get("__init__", object.__init__)).parameters.values()
        found |= {one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
        if not any(one.kind is one.VAR_KEYWORD for one in parameters):
            break
    return frozenset(found - {"self"})
