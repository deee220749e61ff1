"""The result of a search: a depth, the runs behind it, and the cause just past it."""

from enum import StrEnum
from typing import TYPE_CHECKING

from depthsearch.networks.base import LayerCounts
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.schema import FrozenModel
from depthsearch.search.curve import Conclusion, Crossing, CurvePoint
from depthsearch.search.exclusion import Exclusion
from depthsearch.search.settings import ResolvedSettings

if TYPE_CHECKING:
    import pandas as pd


class Outcome(StrEnum):
    """How a search ended."""

    FOUND = "found"
    CAP_REACHED = "cap_reached"
    MEMORY_ENDED = "memory_ended"
    NEVER_RELIABLE = "never_reliable"
    NOT_MONOTONE = "not_monotone"
    BUDGET_ENDED = "budget_ended"
    COULD_NOT_RUN = "could_not_run"
    UNFINISHED = "unfinished"


class Confirmation(FrozenModel):
    """One depth trained with fresh seeds to confirm it.

    Attributes:
        depth: In the family's units.
        trained: How many of these runs trained.
        of: How many there were.
        agrees: Whether this is what the search lets one expect: for bisection that the depth passes or fails again,
            otherwise that the count is not in the outer 2 % of what the posterior predicted.
    """

    depth: int
    trained: int
    of: int
    agrees: bool


class Scores(FrozenModel):
    """What runs at one depth scored in the end.

    Attributes:
        depth: In the family's units.
        runs: How many there were.
        confirming: Whether these are the runs that confirmed the depth, or else all runs there.
        median: Of their final scores: the lowest running train accuracy in the last entries of the budget.
        lowest: The lowest of them.
        highest: The highest.
        test: Median test accuracy at the end.
    """

    depth: int
    runs: int
    confirming: bool
    median: float
    lowest: float
    highest: float
    test: float


class UsefulDepth(FrozenModel):
    """The deepest depth that is no worse than the best shallower one, up to max_depth.

    Attributes:
        depth: At which half of the runs reach the bar: posterior median, in whole depths.
        interval: Of that depth, given the bar.
        interval_level: The interval's credibility.
        bar: The best median score minus the margin.
        best_depth: Where the rung of depths with the best median begins.
        best_score: That median of final scores.
        margin: By how much a score may lie below it and still count as no worse.
    """

    depth: int
    interval: tuple[int, int]
    interval_level: float
    bar: float
    best_depth: int
    best_score: float
    margin: float


class LadderRung(FrozenModel):
    """One depth of the ladder: how many runs were made there, and the median of their final scores."""

    depth: int
    runs: int
    median: float


class LadderResult(FrozenModel):
    """What the criterion `no_worse` compares with: some depths are trained before a search, and the best sets the bar.

    All that the search finds, its interval among it, holds given this bar, and for this budget of training: what falls
    short in it may catch up in a longer one.

    Attributes:
        margin: By how much a score may lie below the best and still count as no worse.
        rungs: The depths that were trained, shallowest first.
        best_depth: The best rung, from which on depths are searched; null while it is not known.
        median: Of the final scores of fresh runs there, from which the bar was set; null while it is not known.
        runs: How many these were.
        budget: Of training, which the answer belongs to: "200 epochs"; empty where a user's function trains.
    """

    margin: float
    rungs: tuple[LadderRung, ...]
    best_depth: int | None
    median: float | None
    runs: int
    budget: str


class Beyond(FrozenModel):
    """What happens just past the cliff.

    Attributes:
        depth: The shallowest depth beyond max_depth at which runs failed.
        deepest: The deepest of the depths from which the cause is taken.
        cause: The commonest verdict among the runs that failed from depth to deepest.
        causes: How many of them failed of what.
        sentence: The same for people, with the evidence of one of these runs.
    """

    depth: int
    deepest: int
    cause: str
    causes: dict[str, int]
    sentence: str

    @property
    def mixed(self) -> bool:
        """Whether no cause holds a majority of the failing runs."""
        return 2 * self.causes[self.cause] <= sum(self.causes.values())


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
        question: Hash of the problem (see `Problem.question`).
        code: Hash of the user's source that it comes from; empty if all of it is built in.
        study: The study's name in the store.
        criterion: When a run counts as trained; the problem's.
        bar: The final score from which on it does; null where no run is finished, or a ladder has not set it yet.
        ladder: What set the bar, where the criterion compares depths; null for the other criteria.
        outcome: How the search ended.
        sentence: The answer for people.
        reliability: The share of runs that must train for a depth to pass.
        max_depth: The deepest confirmed depth that passes or, where none is confirmed, the deepest tried depth that
            does; null where none does.
        confirmed: Whether fresh seeds confirmed max_depth, or that no depth passes.
        final_scores: Of the runs that confirmed max_depth.
        scores: Of these runs or, where there are none, of all runs at max_depth; null where there is no max_depth.
        useful_depth: How deep a network may be before it is worse than a shallower one; null where too few runs tell.
        interval: Of the threshold; null where none is claimed. An open upper end is null.
        interval_level: The interval's credibility.
        concluded: The rule that ended the search; null where none did.
        thresholds: The threshold and its interval at this reliability and at one half.
        transition: How many times deeper than where 90 % of the fall is left 10 % of it is left: median, low, high.
        monotone: Whether trainability falls with depth, as far as it was tested; null where it was not.
        crossings: Where it is not monotone, the depths before the share first and last falls below the reliability.
        layers: Layer counts at max_depth.
        curve: Raw counts at every depth that was tried, with the estimate.
        verdicts: Counts over all runs, those of the ladder left out.
        beyond: The cause just past the cliff.
        confirmation: The depths that fresh seeds were to confirm; for bisection max_depth and the next depth.
        warnings: What a careful reader should know, one sentence each.
        exclusions: The depths that cannot be built or trained, each with its reason and traceback, in the order found.
        cost: What it took.
        seed: Root seed.
        versions: Of the software that searched.
    """

    problem: Problem
    settings: ResolvedSettings
    question: str
    code: str = ""
    study: str
    criterion: Criterion
    bar: float | None
    ladder: LadderResult | None = None
    outcome: Outcome
    sentence: str
    reliability: float
    max_depth: int | None
    confirmed: bool
    final_scores: tuple[float, ...]
    scores: Scores | None
    useful_depth: UsefulDepth | None
    interval: tuple[int, int | None] | None
    interval_level: float | None
    concluded: Conclusion | None
    thresholds: tuple[Crossing, ...]
    transition: tuple[float, float, float] | None
    monotone: bool | None
    crossings: tuple[int, int] | None
    layers: LayerCounts | None
    curve: tuple[CurvePoint, ...]
    verdicts: dict[str, int]
    beyond: Beyond | None
    confirmation: tuple[Confirmation, ...]
    warnings: tuple[str, ...]
    cost: Cost
    seed: int
    versions: dict[str, str]
    exclusions: tuple[Exclusion, ...] = ()

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        return f"<Answer of study {self.study!r}: {self.sentence}>"

    @property
    def shallowest(self) -> int:
        """The shallowest depth that was searched: the family's, or the one that set the bar."""
        best = None if self.ladder is None else self.ladder.best_depth
        return self.problem.network.shallowest if best is None else best

    def to_json(self, indent: int | None = 2) -> str:
        """The answer as one JSON object; `Answer.model_validate_json` reads it back."""
        return self.model_dump_json(indent=indent)

    def to_frame(self) -> "pd.DataFrame":
        """The curve as a pandas frame: a row for each depth, with the columns depth, trained, of, p, low and high."""
        import pandas as pd  # noqa: PLC0415 - half a second that most who read answers do without

        rows = [point.model_dump() for point in self.curve]
        frame = pd.DataFrame(rows, columns=list(CurvePoint.model_fields))
        return frame.astype({"depth": int, "trained": int, "of": int, "p": float, "low": float, "high": float})

    def _repr_html_(self) -> str:
        """The facts that `find` prints, for whatever shows HTML."""
        # Loaded here: an answer is read without what draws it.
        from depthsearch.reporting.notebook import answer_html  # noqa: PLC0415

        return answer_html(self)

    def _ipython_display_(self) -> None:
        """In a notebook: the facts, and the curve as a figure."""
        from IPython.display import display  # noqa: PLC0415 - there is no notebook without it

        from depthsearch.reporting.notebook import curve_bundle  # noqa: PLC0415

        display({"text/html": self._repr_html_(), "text/plain": str(self)}, raw=True)  # type: ignore[no-untyped-call]
        if self.curve:
            display(curve_bundle(self), raw=True)  # type: ignore[no-untyped-call]
