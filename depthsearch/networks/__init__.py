"""Networks: families turn a depth into a network, activations and initializations fill it."""

from depthsearch.networks.base import LayerCounts, Network

__all__ = ["LayerCounts", "Network"]
