"""What the tests of the families that build modules share: data specifications, counts, and a plain training loop."""

import torch
from torch import nn
from torch.nn import functional

from depthsearch.data.base import DataSource, DataSpec
from depthsearch.networks.base import Network

CIFAR = DataSpec(shape=(3, 32, 32), classes=100, image=(3, 32, 32))
IMAGENET = DataSpec(shape=(3, 224, 224), classes=1000, image=(3, 224, 224))
DIGITS = DataSpec(shape=(64,), classes=10, image=(1, 8, 8))
PLANE = DataSpec(shape=(2,), classes=2)


def parameters_built(network: Network, spec: DataSpec, depth: int) -> int:
    """Counted on the meta device, where nothing is drawn."""
    with torch.device("meta"):
        module = network.build(spec, depth)
    return sum(parameter.numel() for parameter in module.parameters())


def built(network: Network, spec: DataSpec, depth: int, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network.build(spec, depth)


def digits_learned(network: Network, depth: int, steps: int) -> float:
    """Accuracy over the last tenth of so many steps of Adam on the digits, batches of 32."""
    source = DataSource.of("digits")
    data = source.load()
    x, y = torch.tensor(data.x_train), torch.tensor(data.y_train)
    module = built(network, source.spec, depth)
    optimizer = torch.optim.Adam(module.parameters(), 3e-3)
    draw = torch.Generator().manual_seed(0)
    correct = []
    for _ in range(steps):
        batch = torch.randint(len(x), (32,), generator=draw)
        logits = module(x[batch])
        optimizer.zero_grad()
        functional.cross_entropy(logits, y[batch]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        correct.append(float((logits.argmax(1) == y[batch]).float().mean()))
    last = correct[-(steps // 10) :]
    return sum(last) / len(last)
