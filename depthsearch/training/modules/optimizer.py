"""The recipe as torch: the optimizer, its learning rate from step to step, and clipped gradients."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import Parameter

from depthsearch.problem.recipe import Recipe

TINY = 1e-6
"""What clipping adds to a norm before it divides by it, as torch does."""


def can_be_recorded(recipe: Recipe, device: torch.device) -> bool:
    """Whether the optimizer's steps can be recorded as a CUDA graph: Adagrad's cannot, since it reads numbers back."""
    return device.type == "cuda" and recipe.optimizer != "adagrad"


def make_optimizer(
    parameters: Iterable[Parameter], recipe: Recipe, device: torch.device, *, recordable: bool = False
) -> torch.optim.Optimizer:
    """The recipe's optimizer: as torch makes it by default, or one whose steps can be recorded.

    Args:
        parameters: What it trains.
        recipe: Optimizer, learning rate, weight decay, and the numbers of the optimizer.
        device: Where the parameters are.
        recordable: Take fused steps where torch has them, which round otherwise than torch's default ones. On a GPU
            they can be recorded as a CUDA graph (see `can_be_recorded`): adaptive optimizers count their steps there,
            and a learning rate that changes is a tensor, which `set_learning_rate` writes to.
    """
    graph = recordable and can_be_recorded(recipe, device)
    rate: float | Tensor = recipe.learning_rate
    if graph and not recipe.constant_rate:
        rate = torch.tensor(rate, dtype=torch.float32, device=device)
    if recipe.optimizer == "sgd":
        momentum, decay, fused = recipe.momentum or 0.0, recipe.weight_decay, True if recordable else None
        return torch.optim.SGD(parameters, rate, momentum, nesterov=recipe.nesterov, weight_decay=decay, fused=fused)
    return _adaptive(parameters, recipe, rate, recordable=recordable, graph=graph)


def _adaptive(
    parameters: Iterable[Parameter], recipe: Recipe, rate: float | Tensor, *, recordable: bool, graph: bool
) -> torch.optim.Optimizer:
    numbers, decay, fused = recipe.adaptive, recipe.weight_decay, True if recordable else None
    epsilon, second = numbers.epsilon or 0.0, numbers.second_decay or 0.0
    if recipe.optimizer == "rmsprop":
        # Only steps of all parameters at once take a tensor as their rate within a graph.
        at_once = True if graph else None
        return torch.optim.RMSprop(
            parameters, rate, second, epsilon, weight_decay=decay, capturable=graph, foreach=at_once
        )
    if recipe.optimizer == "adagrad":
        return torch.optim.Adagrad(parameters, rate, weight_decay=decay, eps=epsilon)
    kind = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    betas = numbers.first_decay or 0.0, second
    return kind(parameters, rate, betas, epsilon, weight_decay=decay, fused=fused, capturable=graph)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next steps, also of those that a recorded graph takes."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def clip_gradients(parameters: Iterable[Parameter], recipe: Recipe) -> None:
    """Scale the gradients of one network to the recipe's `clip_norm`, where their norm is larger.

    Source: arXiv 1211.5063, as torch.nn.utils.clip_grad_norm_.
    """
    if recipe.clip_norm is not None:
        torch.nn.utils.clip_grad_norm_(parameters, recipe.clip_norm)


def clip_stacked_gradients(parameters: Sequence[Parameter], recipe: Recipe) -> None:
    """`clip_gradients` of R networks side by side, each by the norm of its gradient.

    Args:
        parameters: Of the stack, each [R, ...]; those without a gradient are left out.
        recipe: With `clip_norm`, or nothing is done.
    """
    if recipe.clip_norm is None:
        return
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norms = torch.stack([torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in gradients])
    # [R]
    scale = torch.clamp(recipe.clip_norm / (torch.linalg.vector_norm(norms, dim=0) + TINY), max=1.0)
    for gradient in gradients:
        gradient.mul_(scale.view(-1, *[1] * (gradient.dim() - 1)))
