"""The closed lists of names that a user may write, with no import at all, so that help is instant."""

from typing import Literal, get_args

FamilyName = Literal["ffnet", "resnet"]
ActivationName = Literal[
    "tanh",
    "relu",
    "leaky_relu",
    "sigmoid",
    "elu",
    "selu",
    "gelu",
    "silu",
    "softplus",
    "softsign",
    "identity",
]
InitializationName = Literal[
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_normal",
    "orthogonal",
    "torch_default",
    "normal",
]
NormalizationName = Literal["none", "batch", "layer"]
DataName = Literal["moons", "circles", "xor", "spirals", "digits"]
OptimizerName = Literal["sgd", "adam", "adamw"]
CriterionName = Literal["chance", "target", "held"]
SamplerName = Literal["threshold", "bisect", "tpe", "gp", "random", "grid"]
EngineName = Literal["auto", "dense", "torch"]
DeviceName = Literal["auto", "cpu", "cuda"]

SEEDS = "seeds"
"""The user attribute of a trial that holds the seeds of its runs; it is stored before anything is trained."""

FAMILIES: tuple[str, ...] = get_args(FamilyName)
ACTIVATIONS: tuple[str, ...] = get_args(ActivationName)
INITIALIZATIONS: tuple[str, ...] = get_args(InitializationName)
NORMALIZATIONS: tuple[str, ...] = get_args(NormalizationName)
DATA_SETS: tuple[str, ...] = get_args(DataName)
OPTIMIZERS: tuple[str, ...] = get_args(OptimizerName)
CRITERIA: tuple[str, ...] = ("chance", "target")
"""Those that a search takes; `held` is of studies of earlier versions."""
SAMPLERS: tuple[str, ...] = get_args(SamplerName)
ENGINES: tuple[str, ...] = get_args(EngineName)
DEVICES: tuple[str, ...] = get_args(DeviceName)
