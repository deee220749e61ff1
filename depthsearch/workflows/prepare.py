"""What comes before the first training: a budget that can be judged, and compiled kernels."""

from collections.abc import Callable

from depthsearch.detection import bar
from depthsearch.errors import InvalidValue
from depthsearch.problem.criterion import CRITERIA
from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import count_of
from depthsearch.results.events import Event, Preparing
from depthsearch.training.engine import Engine, Job, train_all

OnEvent = Callable[[Event], None]


def check_problem(problem: object) -> None:
    """Refuse what is not a problem, a criterion of an earlier version, and a network that no depth builds.

    Raises:
        InvalidValue: It is something else, no search takes its criterion, or its network does not fit its data.
    """
    if not isinstance(problem, Problem):
        raise InvalidValue(f"problem must be a depthsearch.Problem, but got {problem!r}")
    if problem.criterion.kind not in CRITERIA:
        raise InvalidValue(
            f"criterion {problem.criterion.kind!r} is of studies of earlier versions, which can be read and not "
            f"searched; accepted: {', '.join(CRITERIA)}"
        )
    problem.network.check(problem.data.spec)


def check_criterion(problem: Problem) -> None:
    """Refuse a problem whose criterion no run can meet, or every run meets, which only the data tell.

    Raises:
        InvalidValue: The training points are too few to tell training from chance, a constant guess reaches the
            target, or the warm-up takes the whole budget.
    """
    data, criterion = problem.data.contents(), problem.criterion
    warmup, steps = problem.recipe.warmup_steps, problem.recipe.total_steps(data.points)
    if warmup is not None and warmup >= steps:
        expected = f"below {steps}, the steps of the budget"
        raise InvalidValue(path="recipe.warmup_steps", value=warmup, expected=expected)
    points, guess = problem.recipe.points_per_entry(data.points), data.baseline
    if criterion.target is not None and criterion.target <= guess:
        expected = f"above {guess:.3f}, the accuracy of a constant guess on the training points"
        raise InvalidValue(path="criterion.target", value=criterion.target, expected=expected)
    needed = bar(criterion, baseline=guess, points=points)
    if criterion.target is not None or needed < 1:
        return
    if problem.recipe.steps is not None and points < data.points:
        reason = (
            f"must be enough to distinguish training from chance, but got {problem.recipe.steps}: in a twentieth of "
            f"them a run sees {count_of(points, 'point')}, and would need an accuracy of {needed:.2f}; give more "
            "steps, or a larger batch size"
        )
        raise InvalidValue(reason, path="recipe.steps", value=problem.recipe.steps)
    given = problem.data.model_dump()
    reason = (
        f"must leave enough to distinguish training from chance, but got {given.get('points', data.points)} with "
        f"a test share of {given['test_share']}: {count_of(points, 'training point')} would need an accuracy of "
        f"{needed:.2f}; give more points, or a smaller test share"
    )
    raise InvalidValue(reason, path="data.points", value=given.get("points"))


def prepared(engine: Engine, on_event: OnEvent) -> Engine:
    """The engine, once its first use is over: what is compiled then is not training, nor to be timed as such."""
    if engine.first_use is not None:
        on_event(Preparing(engine.first_use))
        train_all(engine, Problem.model_validate({"recipe": {"epochs": 3}}), [Job(1, 0)])
    return engine


def ignore(_event: Event) -> None:
    """Tell nobody."""
