"""What cures a run that fails: each change is trained with the same seed. The labels of benchmarks/detector.py.

A label says why a network does not train by what would have helped, and not by the figures that rules look at:

- exactly known: `exploded` for a loss of NaN, infinity or at least 1e3; `born_dead` or `died` for a layer that is zero
  at every training point, before the first step or in the end;
- `unstable`: it had learned, and lost it;
- `slow`: it trains with four times the budget;
- `saturated`: it trains with a tenth of the step, or with a hundredth;
- it trains with another initialization, with a normalization or with skip connections: `exploded` where the gradient of
  the start, in float64, grows on its way back; `input_blind` where its outputs did not depend on its inputs while
  gradients arrived; `vanished` otherwise;
- `flat`: nothing of these cures it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from depthsearch.detection import verdict_of
from depthsearch.detection.trained import learned
from depthsearch.networks.dense import DenseNetwork
from depthsearch.networks.initialization import initial_weights
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.training.engine import Job, train_all
from depthsearch.training.modules.structure import first_tensor
from depthsearch.training.select import choose_engine
from depthsearch.training.trace import Trace

CRITERION = Criterion()
"""Of every configuration."""

LONGER, SMALLER = 4, (0.1, 0.01)
"""The budget of the intervention "budget", in budgets, and the learning rates of "step", in learning rates."""

GROWS = 10.0
"""How many times as long the first hidden layer's gradient is as the last one's where it grows on its way back."""

SAME, ARRIVES = 0.05, 0.01
"""The largest difference between two logits of outputs that do not depend on the input, and the share of the last
hidden layer's gradient from which on gradients arrive at the first."""

Change = tuple[str, Problem, int]
"""The intervention's name, the changed problem, and the depth."""


def changes(problem: Problem, depth: int) -> Iterator[Change]:
    """Every intervention on a problem; several may have one name."""
    recipe, network = problem.recipe, problem.network
    unit = "epochs" if recipe.steps is None else "steps"
    yield "budget", _recipe(problem, {unit: LONGER * getattr(recipe, unit)}), depth
    for share in SMALLER:
        yield "step", _recipe(problem, {"learning_rate": share * recipe.learning_rate}), depth
    if isinstance(network, DenseNetwork):
        yield from _dense_changes(problem, network, depth)
    elif network.family in ("vgg", "cnn"):
        yield "normalization", _network(problem, {"normalization": "batch"}), depth
        yield "skip", _network(problem, {"residual": True}), depth
    elif network.family == "transformer":
        for place in {"pre", "post"} - {network.model_dump()["normalization"]}:
            yield "normalization", _network(problem, {"normalization": place}), depth


def _dense_changes(problem: Problem, network: DenseNetwork, depth: int) -> Iterator[Change]:
    for name in ("he_normal", "orthogonal", "lecun_normal"):
        if name != network.initialization:
            given = {"initialization": name, "sigma_w2": None, "sigma_b2": None}
            yield "initialization", _network(problem, given), depth
    if network.normalization == "none":
        for kind in ("batch", "layer"):
            yield "normalization", _network(problem, {"normalization": kind}), depth
    if network.family == "ffnet":
        for kind in ("none", "batch"):
            # A residual network of two hidden layers a block, and three more.
            given = {"family": "resnet", "normalization": kind}
            yield "skip", _network(problem, given), max(1, round((depth - 3) / 2))


def _recipe(problem: Problem, changed: dict[str, Any]) -> Problem:
    return _with(problem, {"recipe": problem.recipe.model_dump(mode="json") | changed})


def _network(problem: Problem, changed: dict[str, Any]) -> Problem:
    return _with(problem, {"network": problem.network.model_dump(mode="json") | changed})


def _with(problem: Problem, changed: dict[str, Any]) -> Problem:
    return Problem.model_validate(problem.model_dump(mode="json") | changed)


def trained_runs(problem: Problem, depth: int, seeds: Sequence[int]) -> list[Trace]:
    """The runs of these seeds, each for its whole budget."""
    return train_all(choose_engine(problem).load(), problem, [Job(depth, seed) for seed in seeds])


def has_trained(trace: Trace) -> bool:
    """Whether the run has trained by the criterion."""
    return verdict_of(trace, CRITERION).trained


def exact_label(trace: Trace) -> str | None:
    """What is exactly known of a run that fails; None where nothing is."""
    if not np.isfinite(trace.loss).all() or trace.loss.max() >= 1e3:
        return "exploded"
    snapshots = trace.snapshots
    for place, name in ((0, "born_dead"), (-1, "died")):
        if (snapshots.never_active[place, :-1] == 1).any() and snapshots.output_range[place] == 0:
            return name
    return None


def label_of(problem: Problem, trace: Trace, cures: Sequence[str]) -> str:
    """Why a run failed, by what cured it (see above)."""
    at_once = (exact_label(trace), "unstable" if learned(trace, CRITERION) else None)
    by_recipe = ("slow" if "budget" in cures else None, "saturated" if "step" in cures else None)
    known = next((label for label in (*at_once, *by_recipe) if label is not None), None)
    if known is not None or not cures:
        return known or "flat"
    if backward_growth(problem, trace.depth, trace.seed) > GROWS:
        return "exploded"
    gradients = trace.snapshots.activation_gradient_norm[-1].astype(np.float64)
    arrives = len(gradients) > 2 and gradients[0] > ARRIVES * gradients[-2]
    return "input_blind" if trace.snapshots.output_range[-1] < SAME and arrives else "vanished"


def backward_growth(problem: Problem, depth: int, seed: int) -> float:
    """The gradient's norm at the first layer's outputs over that at the last but one's, in float64, at the start."""
    data, network = problem.data.load(), problem.network
    torch.manual_seed(seed)
    module = network.build(problem.data.spec, depth)
    if isinstance(network, DenseNetwork):
        module = module.double()
        linear = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
        drawn = initial_weights(network, network.plan(problem.data.spec, depth), seed)
        with torch.no_grad():
            for layer, (weight, bias) in zip(linear, drawn, strict=True):
                layer.weight.copy_(torch.from_numpy(weight))
                layer.bias.copy_(torch.from_numpy(bias))
    module = module.double()
    outputs: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
        found = first_tensor(output)
        if found is not None and found.requires_grad:
            found.retain_grad()
            outputs.append(found)

    for part in module.modules():
        if [parameter for parameter in part.parameters(recurse=False) if parameter.dim() > 1]:
            part.register_forward_hook(keep)
    x = torch.tensor(data.x_train[:256])
    logits = module(x.double() if x.is_floating_point() else x)
    y = torch.tensor(data.y_train[:256])
    if problem.data.spec.task == "regression":
        loss = nn.functional.mse_loss(logits, y.double())
    elif logits.shape[-1] == 1:
        loss = nn.functional.binary_cross_entropy_with_logits(logits[..., 0], y.double())
    else:
        loss = nn.functional.cross_entropy(logits.flatten(0, -2), y.flatten())
    loss.backward()  # type: ignore[no-untyped-call]
    norms = [float(output.grad.norm()) for output in outputs if output.grad is not None]
    if len(norms) < 3 or norms[-2] == 0:
        return 1.0
    return norms[0] / norms[-2]
