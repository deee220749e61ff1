"""What comes before the first training: a budget that can be judged, and compiled kernels."""

from collections.abc import Callable

from depthsearch.core.errors import InvalidValue
from depthsearch.core.events import Event, Preparing
from depthsearch.core.problem import Problem
from depthsearch.datasets import load
from depthsearch.training.engine import Engine, Job

OnEvent = Callable[[Event], None]


def check_problem(problem: object) -> None:
    """Refuse what is not a problem.

    Raises:
        InvalidValue: It is something else.
    """
    if not isinstance(problem, Problem):
        raise InvalidValue(f"problem must be a depthsearch.Problem, but got {problem!r}")


def check_steps(problem: Problem) -> None:
    """Refuse a budget of steps too small for the criterion, which only the size of the data set tells.

    Raises:
        InvalidValue: The budget ends before a run can have trained.
    """
    steps = problem.recipe.steps
    if steps is None:
        return
    per_epoch = problem.recipe.steps_per_epoch(len(load(problem.data).x_train))
    hold = problem.criterion.hold_epochs
    least = per_epoch * (hold - 1) + 1
    if steps < least:
        raise InvalidValue(
            f"steps must be at least {least}, since trained means held for {hold} epochs of {per_epoch} steps at "
            f"least, but got {steps}"
        )


def prepared(engine: Engine, on_event: OnEvent) -> Engine:
    """The engine, once its first use is over: what is compiled then is not training, nor to be timed as such."""
    if engine.first_use is not None:
        on_event(Preparing(engine.first_use))
        engine.train(Problem.model_validate({"recipe": {"epochs": 3}}), [Job(1, 0)])
    return engine


def ignore(_event: Event) -> None:
    """Tell nobody."""
