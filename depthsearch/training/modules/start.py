"""What a run starts with: the network with its weights, and its optimizer."""

import torch
from torch import nn

from depthsearch.errors import InvalidValue
from depthsearch.networks.base import CustomTraining
from depthsearch.networks.dense import DenseNetwork
from depthsearch.networks.initialization import initial_weights
from depthsearch.problem.problem import Problem
from depthsearch.problem.recipe import Recipe
from depthsearch.training.engine import Job
from depthsearch.training.failures import translate_build_errors
from depthsearch.training.modules.optimizer import make_optimizer


def build(problem: Problem, job: Job) -> nn.Module:
    """The network of the job, with its weights; dense families start at the weights of every engine.

    Raises:
        BuildFailed: The family's code raised an exception.
    """
    network, spec = problem.network, problem.data.spec
    with translate_build_errors(problem, job.depth, seed=job.seed):
        module = network.build(spec, job.depth)
    if isinstance(network, DenseNetwork):
        weights = iter(initial_weights(network, network.checked_plan(spec, job.depth), job.seed))
        with torch.no_grad():
            for part in module.modules():
                if isinstance(part, nn.Linear):
                    matrix, bias = next(weights)
                    part.weight.copy_(torch.from_numpy(matrix))
                    part.bias.copy_(torch.from_numpy(bias))
    return module


def optimizer_of(
    custom: CustomTraining, recipe: Recipe, module: nn.Module, device: torch.device
) -> torch.optim.Optimizer:
    """The recipe's optimizer, or the user's.

    Raises:
        InvalidValue: The user's function returns something else.
    """
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if custom.optimizer is None:
        return make_optimizer(parameters, recipe, device)
    made = custom.optimizer(parameters)
    if not isinstance(made, torch.optim.Optimizer):
        raise InvalidValue(f"optimizer(parameters) must return a torch optimizer, but got {made!r:.100}")
    return made
