"""When a run counts as trained."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from depthsearch.errors import InvalidValue
from depthsearch.schema import MANY, ExtendedModel, one_of, without_nulls

CHANCE_GAIN = 0.2
"""Share of the headroom above a constant guess that a network gains at least if it learns."""

LAST_EPOCHS = 3
"""Entries at the end of a budget that must all be good, by default."""

MARGIN = 0.02
"""By how much a score may lie below the best one and still count as no worse."""

CRITERION_DEFAULTS: dict[str, dict[str, Any]] = {
    "chance": {"min_gain": CHANCE_GAIN, "last_epochs": LAST_EPOCHS},
    "target": {"target": 0.9, "last_epochs": LAST_EPOCHS},
    "no_worse": {"margin": MARGIN, "last_epochs": LAST_EPOCHS},
    "held": {"min_gain": CHANCE_GAIN, "hold_share": 0.1, "hold_epochs": 3},
}
"""The fields of each kind of criterion, with their defaults."""

CRITERION_FIELDS = ("min_gain", "target", "margin", "last_epochs", "hold_share", "hold_epochs")


CriterionName = Literal["chance", "target", "no_worse", "held"]


CRITERIA: tuple[str, ...] = ("chance", "target", "no_worse")
"""Those that a search takes; `held` is of studies of earlier versions."""


CriterionKind = Annotated[CriterionName, one_of("criterion", CriterionName, CRITERIA)]


class Criterion(ExtendedModel):
    """When a run counts as trained: it reaches the bar in the last entries of its budget.

    A trace has one entry for each epoch or, where the budget is in steps, for each twentieth of it. A run's final score
    is its lowest running train accuracy over the last `last_epochs` entries; it has trained if that reaches the bar.

    Attributes:
        kind: Rule that says when a run counts as trained. `chance`: the bar is the majority rate (the score of the best
            constant guess) plus `min_gain` of the headroom above it, and three binomial standard errors of a constant
            guess at least. `target`: the bar is `target`. `no_worse`: the bar is the median score of the best of some
            depths, which a search trains first, minus `margin`, and the bar of `chance` at least (the degradation
            problem, He et al., arXiv 1512.03385). `held`: the rule of earlier versions; studies judged by it stay
            readable, and no search uses it.
        min_gain: For the criterion `chance`: share of the way from a constant guess to an accuracy of 1. By default
            0.2.
        target: For the criterion `target`: train accuracy to be reached. By default 0.9.
        margin: For the criterion `no_worse`: how far a score may lie below the best median. By default 0.02.
        last_epochs: How many epochs at the end of the budget must all reach the bar. By default 3.
        hold_share: Of `held`: share of the budget for which the accuracy had to be above the bar without a break.
        hold_epochs: Of `held`: the least number of epochs for which it had to be.

    Raises:
        InvalidValue: A field belongs to another kind.
    """

    called: ClassVar[str] = "criterion"
    added: ClassVar[tuple[str, ...]] = ("margin",)

    kind: CriterionKind = "chance"
    min_gain: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = CHANCE_GAIN
    target: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    margin: Annotated[float, Field(strict=True, gt=0, lt=1)] | None = None
    last_epochs: Annotated[int, Field(strict=True, ge=1, le=MANY)] | None = LAST_EPOCHS
    hold_share: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None
    hold_epochs: Annotated[int, Field(strict=True, ge=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, data: Any) -> Any:
        if isinstance(data, str):
            data = {"kind": data}
        if not isinstance(data, dict):
            return data
        given = without_nulls(data)
        if "kind" not in given and ("hold_share" in given or "hold_epochs" in given):
            given["kind"] = "held"  # studies and study files of earlier versions
        if "kind" not in given and "target" in given:
            given["kind"] = "target"
        if "kind" not in given and "margin" in given:
            given["kind"] = "no_worse"
        kind = given.get("kind", "chance")
        defaults = CRITERION_DEFAULTS.get(kind) if isinstance(kind, str) else None
        if defaults is None:
            return given
        for field in [field for field in CRITERION_FIELDS if field in given and field not in defaults]:
            taking = [name for name, fields in CRITERION_DEFAULTS.items() if field in fields]
            kinds = " or ".join(repr(name) for name in taking if name in CRITERIA or len(taking) == 1)
            reason = f"belongs to the criterion {kinds}, but got {given[field]!r} with {kind!r}"
            raise InvalidValue(reason, path=f"criterion.{field}", value=given[field])
        return dict.fromkeys(CRITERION_FIELDS) | defaults | given

    @property
    def least_gain(self) -> float:
        """The share of the headroom that tells training from chance, whatever the criterion's kind."""
        return CHANCE_GAIN if self.min_gain is None else self.min_gain

    @property
    def is_relative(self) -> bool:
        """Whether the bar is known only once some depths were trained, so that a single run cannot be judged."""
        return self.kind == "no_worse"

    def judging(self, bar: float | None) -> "Criterion":
        """What runs are judged by: for `no_worse` the bar as a target and, while it is not known, chance.

        Args:
            bar: That of `no_worse`; the other kinds need none.
        """
        if not self.is_relative:
            return self
        if bar is None:
            return Criterion(kind="chance", last_epochs=self.last_epochs)
        return Criterion(kind="target", target=bar, last_epochs=self.last_epochs)
