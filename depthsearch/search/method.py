"""The contract of a search method, and the open registry of methods by name.

A method is one new file in this package: a subclass of SearchMethod with a `name`, which `SearchSettings.sampler` then
accepts. Its file is imported whenever settings are checked, so it imports NumPy, SciPy and Optuna inside its functions.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from depthsearch.errors import UnknownName
from depthsearch.schema import load_package
from depthsearch.search.exclusion import OpenSteps
from depthsearch.search.trial import Depths, Purpose, State, Trial, probes

if TYPE_CHECKING:
    from depthsearch.search.curve import Curve, CurvePoint
    from depthsearch.search.settings import ResolvedSettings

DEFAULT = "threshold"
"""The method of settings that name none."""

WITHOUT_METHODS = ("optuna_internals", "sampler")
"""Modules of this package that import Optuna, and hold no method."""


@dataclass(frozen=True)
class Pick:
    """What a trial tries: a depth, with how many fresh runs, and why."""

    depth: int
    runs: int
    purpose: Purpose = Purpose.SEARCH


class SearchMethod(ABC):
    """Chooses depths from the trials so far, and says what they show. It keeps no state between calls.

    Args:
        settings: How the search is done.
        depths: The depths that may be tried.
        starts_low: Whether more than a fifth of the runs may fail at every depth, as where success means to be no worse
            than most runs at the shallowest.

    Attributes:
        name: By which settings name it; a class without one is no entry of the registry.
        reliabilities: Lowest and highest reliability that it accepts.
        takes_depths: Whether the settings list the depths that it tries.
        claims_interval: Whether its curves have an interval and a band.
        runs_per_trial: Fresh runs of a trial unless the settings say; None for what the engine makes worth while.
        most_confirmations: Confirmations after which it confirms no further depth; None where it has no such limit.
        default_trials: Trials that the budget allows unless the settings say; None where the method ends by itself.
        logarithmic: Whether Optuna stores its depths as a logarithmic parameter.
    """

    name: ClassVar[str]
    reliabilities: ClassVar[tuple[float, float]] = (0.01, 0.99)
    takes_depths: ClassVar[bool] = False
    claims_interval: ClassVar[bool] = True
    runs_per_trial: ClassVar[int | None] = None
    most_confirmations: ClassVar[int | None] = None
    default_trials: ClassVar[int | None] = None
    logarithmic: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        if "name" not in vars(cls):
            return
        known = _METHODS.get(cls.name, cls)
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"sampler {cls.name!r} is declared twice, in {known.__module__} and in {cls.__module__}")
        _METHODS[cls.name] = cls

    def __init__(self, settings: "ResolvedSettings", depths: Depths, *, starts_low: bool = False) -> None:
        self.settings, self.depths, self.starts_low = settings, depths, starts_low

    @classmethod
    def accepts(cls, reliability: float) -> bool:
        """Whether the method can search for that reliability."""
        lowest, highest = cls.reliabilities
        return lowest <= reliability <= highest

    @abstractmethod
    def next_picks(self, trials: Sequence[Trial], most: int) -> tuple[Pick, ...]:
        """What the next trials try: at least one pick, and at most `most`.

        A pure function of the trials, which are sorted by number. Running trials are pending; one that has no depth yet
        will get the pick that this function gave for it, which is computed first. Failed trials count as never made, so
        a search that was interrupted goes on as if it had not been; but no pick is a depth that one of them excludes
        (see open_steps). It is asked only while some depth is left (see has_open_depths).
        """

    @abstractmethod
    def estimate(self, trials: Sequence[Trial], *, curves: int | None = None) -> "Curve":
        """What the trials show; `concluded` is set once the search may end.

        Args:
            trials: Sorted by number.
            curves: Curves of a posterior that the band is taken from; by default all. Fewer are faster.
        """

    @abstractmethod
    def runs_left(self, trials: Sequence[Trial], curve: "Curve | None" = None) -> int | None:
        """Runs until the search is concluded and confirmed, as far as can be foreseen; None where it cannot.

        Args:
            trials: Sorted by number.
            curve: The estimate from these trials, where the caller has it.
        """

    def round_size(self, trials: Sequence[Trial]) -> int:
        """How many picks are worth training side by side, those under way included."""
        return self.settings.parallel_trials

    def open_steps(self, trials: Sequence[Trial]) -> OpenSteps:
        """Which depths are not excluded, as steps."""
        return OpenSteps.of(trials, self.depths)

    def has_open_depths(self, trials: Sequence[Trial]) -> bool:
        """Whether any depth is left that may be tried."""
        return self.open_steps(trials).last > 0

    def next_confirmation(self, trials: Sequence[Trial], curve: "Curve") -> Pick | None:
        """The depth that a concluded search tries again with fresh seeds; None where nothing is left to confirm."""
        return None

    def confirmation_agrees(self, trials: Sequence[Trial], trial: Trial) -> bool:
        """Whether a finished trial that confirms is what the trials before it let one expect."""
        return True

    def probabilities(self, trials: Sequence[Trial], wanted: Sequence[int]) -> "tuple[CurvePoint, ...]":
        """P(trained) with its band at these depths, tried or not; nothing where no band is claimed."""
        return ()

    def within_budget(self, runs: int | None, trials: Sequence[Trial]) -> int | None:
        """The runs that are foreseen, or those that the budget still allows where these are fewer."""
        if self.settings.max_runs is None:
            return runs
        left = max(self.settings.max_runs - sum(probe.runs for probe in probes(trials)), 0)
        return left if runs is None else min(runs, left)


def picks_in_turn(
    trials: Sequence[Trial],
    most: int,
    pick: Callable[[Sequence[Pick], int], Pick],
    runs_for: Callable[[Purpose], int],
) -> tuple[Pick, ...]:
    """`most` picks, each chosen with all before it pending.

    Args:
        trials: Sorted by number.
        most: How many picks.
        pick: Chooses one, from the picks that are pending and from the number of trials before it, failed ones left
            out.
        runs_for: Runs of a running trial whose seeds are not drawn yet.
    """
    pending: list[Pick] = []
    place = 0
    for trial in trials:
        if trial.state is State.RUNNING:
            if trial.depth is None:
                pending.append(pick(pending, place))
            else:
                pending.append(Pick(trial.depth, trial.seeds or runs_for(trial.purpose), trial.purpose))
        place += trial.state in (State.RUNNING, State.COMPLETE)
    under_way = len(pending)
    for further in range(most):
        pending.append(pick(pending, place + further))
    return tuple(pending[under_way:])


_METHODS: dict[str, type[SearchMethod]] = {}


def method_names() -> tuple[str, ...]:
    """Every registered name in alphabetical order, the default first."""
    load_package(__package__, skip=WITHOUT_METHODS)
    return tuple(sorted(_METHODS, key=lambda name: (name != DEFAULT, name)))


def method_class(name: str) -> type[SearchMethod]:
    """The method registered under a name.

    Raises:
        UnknownName: There is none.
    """
    if name not in _METHODS and name not in method_names():
        raise UnknownName("sampler", name, method_names(), path="settings.sampler")
    return _METHODS[name]


def method_of(settings: "ResolvedSettings", depths: Depths, *, starts_low: bool = False) -> SearchMethod:
    """The method that the settings name, over these depths (see SearchMethod)."""
    return method_class(settings.sampler)(settings, depths, starts_low=starts_low)
