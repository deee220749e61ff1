"""The recipe as torch: the optimizer, its learning rate from step to step, and clipped gradients."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import Parameter

from depthsearch.problem.recipe import ADAM_EPSILON, Recipe

TINY = 1e-6
"""What clipping adds to a norm before it divides by it, as torch does."""


def make_optimizer(
    parameters: Iterable[Parameter], recipe: Recipe, device: torch.device, *, recordable: bool = False
) -> torch.optim.Optimizer:
    """The recipe's optimizer: as torch makes it by default, or one whose steps can be recorded.

    Args:
        parameters: What it trains.
        recipe: Optimizer, learning rate, momentum and weight decay.
        device: Where the parameters are.
        recordable: Take fused steps, which round otherwise than torch's default ones. On a GPU they can be recorded as
            a CUDA graph: Adam counts its steps there, and a learning rate that changes is a tensor, which
            `set_learning_rate` writes to.
    """
    parameters, decay, cuda = list(parameters), recipe.weight_decay, recordable and device.type == "cuda"
    rate: float | Tensor = recipe.learning_rate
    fused = True if recordable else None
    if cuda and not recipe.constant_rate:
        rate = torch.tensor(rate, dtype=torch.float32, device=device)
    match recipe.optimizer:
        case "sgd":
            momentum, nesterov = recipe.momentum or 0.0, recipe.nesterov
            return torch.optim.SGD(parameters, rate, momentum, nesterov=nesterov, weight_decay=decay, fused=fused)
        case "adam":
            return torch.optim.Adam(
                parameters, rate, eps=ADAM_EPSILON, weight_decay=decay, fused=fused, capturable=cuda
            )
        case "adamw":
            return torch.optim.AdamW(
                parameters, rate, eps=ADAM_EPSILON, weight_decay=decay, fused=fused, capturable=cuda
            )


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
