"""What comes before the first training: a budget that can be judged, and compiled kernels."""

from collections.abc import Callable

from depthsearch.core.errors import InvalidValue
from depthsearch.core.events import Event, Preparing
from depthsearch.core.names import CRITERIA
from depthsearch.core.problem import Problem
from depthsearch.core.words import count_of
from depthsearch.datasets import load
from depthsearch.detection import bar
from depthsearch.training.engine import Engine, Job, train_all

OnEvent = Callable[[Event], None]


def check_problem(problem: object) -> None:
    """Refuse what is not a problem, and one whose criterion is of an earlier version.

    Raises:
        InvalidValue: It is something else, or no search takes its criterion.
    """
    if not isinstance(problem, Problem):
        raise InvalidValue(f"problem must be a depthsearch.Problem, but got {problem!r}")
    if problem.criterion.kind not in CRITERIA:
        raise InvalidValue(
            f"criterion {problem.criterion.kind!r} is of studies of earlier versions, which can be read and not "
            f"searched; accepted: {', '.join(CRITERIA)}"
        )


def check_criterion(problem: Problem) -> None:
    """Refuse a problem whose criterion no run can meet, or every run meets, which only the data tell.

    Raises:
        InvalidValue: The training points are too few to tell training from chance, or a constant guess reaches the
            target.
    """
    data, criterion = load(problem.data), problem.criterion
    points, guess = problem.recipe.points_per_entry(len(data.x_train)), data.majority_rate
    if criterion.target is not None and criterion.target <= guess:
        raise InvalidValue(
            f"target must be above {guess:.3f}, the accuracy of a constant guess on the training points, but got "
            f"{criterion.target}"
        )
    needed = bar(criterion, majority_rate=guess, points=points)
    if criterion.target is not None or needed < 1:
        return
    if problem.recipe.steps is not None and points < len(data.x_train):
        raise InvalidValue(
            f"steps must be enough to distinguish training from chance, but got {problem.recipe.steps}: in a twentieth "
            f"of them a run sees {count_of(points, 'point')}, and would need an accuracy of {needed:.2f}; give more "
            "steps, or a larger batch size"
        )
    raise InvalidValue(
        f"points must leave enough to distinguish training from chance, but got {problem.data.points} with a test "
        f"share of {problem.data.test_share}: {count_of(points, 'training point')} would need an accuracy of "
        f"{needed:.2f}; give more points, or a smaller test share"
    )


def prepared(engine: Engine, on_event: OnEvent) -> Engine:
    """The engine, once its first use is over: what is compiled then is not training, nor to be timed as such."""
    if engine.first_use is not None:
        on_event(Preparing(engine.first_use))
        train_all(engine, Problem.model_validate({"recipe": {"epochs": 3}}), [Job(1, 0)])
    return engine


def ignore(_event: Event) -> None:
    """Tell nobody."""
