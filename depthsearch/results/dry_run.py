"""What a search would take, from two depths that were timed: plain values."""

from depthsearch.problem.problem import Problem
from depthsearch.schema import FrozenModel
from depthsearch.search.settings import ResolvedSettings


class TimedDepth(FrozenModel):
    """A depth at which a network was trained for a few entries of its budget.

    Attributes:
        depth: In the family's units.
        parameters: Trainable numbers; null where they are not known.
        entries: Entries that were trained.
        of: Entries of the whole budget.
        seconds: One run would take for its whole budget.
        memory: The most memory in use meanwhile, in bytes: of the GPU, or resident in the process, all that it loads
            included; null where the system does not say.
    """

    depth: int
    parameters: int | None
    entries: int
    of: int
    seconds: float
    memory: int | None


class Forecast(FrozenModel):
    """What the search takes if networks train to a given depth.

    Attributes:
        max_depth: Assumed.
        runs: Fewest and most of the simulated searches.
        seconds: Shortest and longest, with the choice of depths and the error of the timing.
        deepest: The deepest network that one of them trains.
        memory: What networks of that depth take, all that train side by side, in bytes; null where it is not known.
    """

    max_depth: int
    runs: tuple[int, int]
    seconds: tuple[float, float]
    deepest: int
    memory: int | None


class DryRun(FrozenModel):
    """What a search would take.

    Attributes:
        problem: What would be asked.
        settings: How it would be searched.
        engine: What trains.
        device: Where: "cpu" or "cuda".
        processes: In which networks train side by side, each with its memory.
        timed: The depths that were timed, the shallowest first.
        forecasts: For several depths to which networks may train, since nothing is known of this yet.
    """

    problem: Problem
    settings: ResolvedSettings
    engine: str
    device: str
    processes: int
    timed: tuple[TimedDepth, ...]
    forecasts: tuple[Forecast, ...]

    def to_json(self, indent: int | None = 2) -> str:
        """The dry run as one JSON object; `DryRun.model_validate_json` reads it back."""
        return self.model_dump_json(indent=indent)
