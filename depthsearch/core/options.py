"""What the command line calls the fields of problems and settings; no import at all, so that help is instant."""

from collections.abc import Mapping
from typing import Any

DEEPEST, LAST_SEED = 1_000_000, 2**63 - 1
"""The largest depth and seed of a single run."""

PROBLEM_OPTIONS = {
    "arch": ("family",),
    "act": ("activation",),
    "width": ("width",),
    "init": ("initialization",),
    "sigma_w2": ("sigma_w2",),
    "sigma_b2": ("sigma_b2",),
    "norm": ("normalization",),
    "data": ("data", "name"),
    "points": ("data", "points"),
    "test_share": ("data", "test_share"),
    "noise": ("data", "noise"),
    "data_seed": ("data", "seed"),
    "optimizer": ("recipe", "optimizer"),
    "lr": ("recipe", "learning_rate"),
    "momentum": ("recipe", "momentum"),
    "nesterov": ("recipe", "nesterov"),
    "weight_decay": ("recipe", "weight_decay"),
    "batch_size": ("recipe", "batch_size"),
    "epochs": ("recipe", "epochs"),
    "steps": ("recipe", "steps"),
    "criterion": ("criterion", "kind"),
    "min_gain": ("criterion", "min_gain"),
    "target": ("criterion", "target"),
    "last_epochs": ("criterion", "last_epochs"),
}
"""Option -> where its value goes in a Problem."""

SEARCH_OPTIONS = {
    "sampler": "sampler",
    "reliability": "reliability",
    "tolerance": "tolerance",
    "cap": "cap",
    "depths": "depths",
    "parallel_trials": "parallel_trials",
    "seeds": "runs_per_trial",
    "max_runs": "max_runs",
    "max_seconds": "max_seconds",
    "seed": "seed",
}
"""Option -> field of SearchSettings."""


def problem_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a Problem that the options give; those that are None or missing give none."""
    fields: dict[str, Any] = {}
    for option, path in PROBLEM_OPTIONS.items():
        value = options.get(option)
        if value is None:
            continue
        if len(path) == 1:
            fields[path[0]] = value
        else:
            fields.setdefault(path[0], {})[path[1]] = value
    return fields


def as_typed(option: str) -> str:
    """ "--max-runs" for max_runs."""
    return f"--{option.replace('_', '-')}"
