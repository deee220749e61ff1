"""What comes before the first training: a budget that can be judged, and compiled kernels."""

from collections.abc import Callable

from depthsearch.core.errors import InvalidValue
from depthsearch.core.events import Event, Preparing
from depthsearch.core.problem import Problem
from depthsearch.core.words import count_of
from depthsearch.datasets import load
from depthsearch.detection import accuracy_threshold
from depthsearch.training.engine import Engine, Job

OnEvent = Callable[[Event], None]


def check_problem(problem: object) -> None:
    """Refuse what is not a problem.

    Raises:
        InvalidValue: It is something else.
    """
    if not isinstance(problem, Problem):
        raise InvalidValue(f"problem must be a depthsearch.Problem, but got {problem!r}")


def check_criterion(problem: Problem) -> None:
    """Refuse a problem whose criterion no run can meet, which only the data tell.

    Raises:
        InvalidValue: The training points are too few to tell training from chance, or the budget of steps ends before
            a run can have trained.
    """
    data, criterion = load(problem.data), problem.criterion
    points = len(data.x_train)
    needed = accuracy_threshold(criterion, majority_rate=data.majority_rate, points=points)
    if needed >= 1:
        raise InvalidValue(
            f"points must leave enough for training to be told from chance, but got {problem.data.points} with a test "
            f"share of {problem.data.test_share}: {count_of(points, 'training point')} would need an accuracy above "
            f"{needed:.2f}; give more points, or a smaller test share"
        )
    steps = problem.recipe.steps
    if steps is None:
        return
    per_epoch = problem.recipe.steps_per_epoch(points)
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
