"""The result of a search: a depth, what stands behind it, and what stands just past it."""

from enum import StrEnum

from depthsearch.core.curve import CurvePoint
from depthsearch.core.model import FrozenModel
from depthsearch.core.problem import Problem
from depthsearch.core.settings import SearchSettings


class Outcome(StrEnum):
    """How a search ended; `sentence` says what happened, the likely reason, and what to do."""

    FOUND = "found"
    CAP_REACHED = "cap_reached"
    NEVER_RELIABLE = "never_reliable"
    BUDGET_ENDED = "budget_ended"
    UNFINISHED = "unfinished"

    @property
    def sentence(self) -> str:
        """What happened, the likely reason, and what to do."""
        return {
            Outcome.FOUND: "found: this depth passes and the next one fails",
            Outcome.CAP_REACHED: "every depth that was tried trained, up to the cap: raise the cap to look deeper",
            Outcome.NEVER_RELIABLE: (
                "the reliability is reached at no depth: even the shallowest network fails; "
                "look at the recipe, or lower the reliability"
            ),
            Outcome.BUDGET_ENDED: (
                "the budget ended before the search did: this is what is known so far; "
                "the same command with a larger budget goes on from here"
            ),
            Outcome.UNFINISHED: (
                "the search is not finished: it was interrupted, or still goes on; the same command goes on from here"
            ),
        }[self]


class LayerCounts(FrozenModel):
    """The size of a network by every convention in use; null where a convention has no meaning.

    Attributes:
        hidden: Layers with an activation, the output left out.
        weight_layers: Layers with a weight matrix, the output counted.
        keras: Layers as Keras counts them, the input included.
        parameters: Trainable numbers.
    """

    hidden: int | None
    weight_layers: int | None
    keras: int | None
    parameters: int


class Confirmation(FrozenModel):
    """One depth tried again with fresh seeds, each trained for the whole budget.

    Attributes:
        depth: In the family's units.
        trained: How many of these runs trained.
        of: How many there were.
        agrees: Whether the depth passes or fails again as it did in the search.
        train_accuracy: Median of the runs' last epochs.
        test_accuracy: Median of the runs' ends.
    """

    depth: int
    trained: int
    of: int
    agrees: bool
    train_accuracy: float
    test_accuracy: float


class Beyond(FrozenModel):
    """What stands just past the cliff.

    Attributes:
        depth: The shallowest depth that fails.
        cause: The commonest verdict among the failing runs there.
        causes: How many of them failed of what.
        sentence: The same for people, with the evidence of one of these runs.
    """

    depth: int
    cause: str
    causes: dict[str, int]
    sentence: str


class Cost(FrozenModel):
    """What the answer took; `sum_of_depths` is the sum over runs of the depth trained."""

    trials: int
    runs: int
    seconds: float
    sum_of_depths: int


class Answer(FrozenModel):
    """All that a search found, as `find --json` prints it.

    Attributes:
        problem: What was asked.
        settings: How it was searched.
        fingerprint: Of the problem.
        study: The study's name in the store.
        outcome: How the search ended.
        sentence: The answer for people.
        reliability: The share of runs that must train for a depth to pass.
        max_depth: The deepest depth that passes; null where none does.
        interval: Of the threshold; null where none is claimed. An open upper end is null.
        interval_level: The interval's credibility.
        layers: Layer counts at max_depth.
        curve: Raw counts at every depth that was tried, with the estimate.
        verdicts: Counts over all runs.
        beyond: The cause just past the cliff.
        confirmation: max_depth and the next depth tried again with fresh seeds.
        warnings: What a careful reader should know, one sentence each.
        cost: What it took.
        seed: Root seed.
        versions: Of the software that searched.
    """

    problem: Problem
    settings: SearchSettings
    fingerprint: str
    study: str
    outcome: Outcome
    sentence: str
    reliability: float
    max_depth: int | None
    interval: tuple[int, int | None] | None
    interval_level: float | None
    layers: LayerCounts | None
    curve: tuple[CurvePoint, ...]
    verdicts: dict[str, int]
    beyond: Beyond | None
    confirmation: tuple[Confirmation, ...]
    warnings: tuple[str, ...]
    cost: Cost
    seed: int
    versions: dict[str, str]

    def __str__(self) -> str:
        return self.sentence

    def to_json(self, indent: int | None = 2) -> str:
        """The answer as one JSON object; `Answer.model_validate_json` reads it back."""
        return self.model_dump_json(indent=indent)
