"""What comes before the first training: a budget that can be judged, and compiled kernels."""

from collections.abc import Callable

from depthsearch.data.base import DataSpec
from depthsearch.detection import bar
from depthsearch.errors import InvalidValue, UserCodeFailed
from depthsearch.generators import seeded
from depthsearch.networks.external import ExternalNetwork
from depthsearch.networks.repeated import equal_layers
from depthsearch.networks.user import UserNetwork
from depthsearch.problem.criterion import CRITERIA, Criterion
from depthsearch.problem.problem import Problem
from depthsearch.reporting.sentences import count_of, equal_weights_sentence, stack_sentence
from depthsearch.results.events import Event, Preparing
from depthsearch.training.engine import Engine, Job, train_all
from depthsearch.user_code.loading import check_not_loading

OnEvent = Callable[[Event], None]


def check_problem(problem: object) -> None:
    """Refuse what is not a problem, and a criterion of an earlier version.

    Raises:
        InvalidValue: It is something else, or no search takes its criterion.
    """
    check_not_loading("a search")
    if not isinstance(problem, Problem):
        raise InvalidValue(f"problem must be a depthsearch.Problem, but got {problem!r}")
    if problem.criterion.kind not in CRITERIA:
        raise InvalidValue(
            f"criterion {problem.criterion.kind!r} is of studies of earlier versions, which can be read and not "
            f"searched; accepted: {', '.join(CRITERIA)}"
        )


def check_judged_by_itself(problem: Problem) -> None:
    """Refuse a criterion whose bar only a search knows, where runs are trained without one.

    Raises:
        InvalidValue: The bar is relative to the scores of other depths.
    """
    kind = problem.criterion.kind
    if problem.criterion.is_relative:
        others = " or ".join(repr(name) for name in CRITERIA if name != kind)
        raise InvalidValue(
            f"{kind!r} compares a run with shallower networks, which a search trains first: inspect a run of its "
            f"study, or give {others}",
            path="criterion.kind",
            value=kind,
        )


def check_criterion(problem: Problem) -> None:
    """Refuse a problem whose criterion no run can meet, or every run meets, which only the data tell.

    Raises:
        InvalidValue: The training points are too few to tell training from chance, a constant guess reaches the
            target, or the warm-up takes the whole budget.
    """
    if isinstance(problem.network, ExternalNetwork):
        assert problem.network.trainer
        _check_target(problem.criterion, problem.network.baseline)
        return
    data, criterion = problem.data.contents(), problem.criterion
    warmup, steps = problem.recipe.warmup_steps, problem.recipe.total_steps(data.points)
    if warmup is not None and warmup >= steps:
        expected = f"below {steps}, the steps of the budget"
        raise InvalidValue(path="recipe.warmup_steps", value=warmup, expected=expected)
    points, guess = problem.recipe.points_per_entry(data.points), data.baseline
    _check_target(criterion, guess)
    needed = bar(criterion, baseline=guess, points=points if problem.data.spec.counts_right else None)
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


def _check_target(criterion: Criterion, guess: float) -> None:
    if criterion.target is not None and criterion.target <= guess:
        expected = f"above {guess:.3f}, the accuracy of a constant guess on the training points"
        raise InvalidValue(path="criterion.target", value=criterion.target, expected=expected)


def check_inspectable(problem: Problem) -> None:
    """Refuse to inspect what is trained elsewhere.

    Raises:
        InvalidValue: Only its scores are known.
    """
    if isinstance(problem.network, ExternalNetwork):
        raise InvalidValue(
            f"{problem.label} is trained by a function that gives only scores: a run can be inspected where "
            "depthsearch trains a torch module"
        )


def announce(problem: Problem, on_event: OnEvent) -> None:
    """Say of a user's module which of its stacks is made longer, and whether two layers start with equal weights."""
    network = problem.network
    if not isinstance(network, UserNetwork):
        return
    spec = problem.data.spec
    with seeded(0):
        if network.repeats:
            stack = network.stack(spec)
            text = stack_sentence(stack.name, count=stack.count, kind=stack.kind, called=network.function)
            on_event(Preparing(text))
        equal = _equal_layers(network, spec)
    if equal is not None:
        on_event(Preparing(equal_weights_sentence(*equal)))


def _equal_layers(network: UserNetwork, spec: DataSpec) -> tuple[str, str] | None:
    """Two layers of a shallow module that start with equal weights; None where it cannot be built.

    Raises:
        UserCodeFailed: The code returns no module that could be trained.
    """
    try:
        return equal_layers(network.build(spec, network.shallowest + 1))
    except UserCodeFailed as error:
        if error.trace:  # that depth cannot be built: others may
            return None
        raise
    except (MemoryError, RuntimeError):  # memory ran out: the search says at which depth
        return None


def prepared(engine: Engine, on_event: OnEvent) -> Engine:
    """The engine, once its first use is over: what is compiled then is not training, nor to be timed as such."""
    if engine.first_use is not None:
        on_event(Preparing(engine.first_use))
        train_all(engine, Problem.model_validate({"recipe": {"epochs": 3}}), [Job(1, 0)])
    return engine


def ignore(_event: Event) -> None:
    """Tell nobody."""
