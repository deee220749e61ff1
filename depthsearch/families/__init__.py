"""Families: from a depth to a network's plan, as plain data. Imports core alone."""

from depthsearch.families.ffnet import FFNet
from depthsearch.families.plan import Family
from depthsearch.families.resnet import ResNet

_FAMILIES: dict[str, Family] = {"ffnet": FFNet(), "resnet": ResNet()}


def family_of(name: str) -> Family:
    """The family of that name; a Problem has already refused any other."""
    return _FAMILIES[name]


__all__ = ["Family", "family_of"]
