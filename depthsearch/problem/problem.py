"""What is asked about: a kind of network, its data, its recipe, and what counts as having trained.

A problem never holds a depth or a seed, nor how a search goes about it (see search.settings).
"""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, SerializeAsAny, model_validator

from depthsearch.data.base import DataSource
from depthsearch.errors import InvalidValue
from depthsearch.networks.base import Network
from depthsearch.problem.criterion import LAST_EPOCHS, Criterion
from depthsearch.problem.recipe import Recipe
from depthsearch.schema import FrozenModel, canonical_json, sha256

QUESTION_FORMAT = 2
"""Raised whenever the same canonical JSON would come to mean another training."""


class Problem(FrozenModel):
    """The question: how deep can this kind of network be before it stops training?

    The options of the network may also be given without the table `network`: `Problem(family="resnet", width=10)`.

    Attributes:
        network: Family and its options; a bare family will do.
        data: Data set and its options; a bare name will do.
        recipe: How each network is trained.
        criterion: When it counts as trained.

    Raises:
        InvalidValue: A field cannot be used; UnknownName where a name is not on its list.
    """

    called: ClassVar[str] = "problem"

    network: Annotated[SerializeAsAny[Network], BeforeValidator(Network.of)]
    data: Annotated[SerializeAsAny[DataSource], BeforeValidator(DataSource.of)]
    recipe: Recipe = Recipe()
    criterion: Criterion = Criterion()

    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = {key: value for key, value in data.items() if value is not None}
        flat = {key: given.pop(key) for key in list(given) if key not in cls.model_fields}
        network = given.get("network", {})
        if flat and isinstance(network, str):
            network = {Network.key: network}
        if flat and not isinstance(network, dict):
            name = next(iter(flat))
            raise InvalidValue(
                f"is given together with a whole network, but got {flat[name]!r}: leave it out", path=name
            )
        return {"data": {}} | given | {"network": (network | flat) if flat or not network else network}

    @model_validator(mode="after")
    def _check(self) -> Self:
        name, given = self.recipe.budget
        last = self.criterion.last_epochs or 1
        if last > self.recipe.entries and last != LAST_EPOCHS:
            what = "the epochs of the budget" if name == "epochs" else f"the entries of a budget of {given} steps"
            raise InvalidValue(
                path="criterion.last_epochs", value=last, expected=f"at most {self.recipe.entries}, {what}"
            )
        if given < last:
            expected = f"at least {last}, since a run has trained if its last {last} {name} are all good"
            raise InvalidValue(path=f"recipe.{name}", value=given, expected=expected)
        return self

    @property
    def label(self) -> str:
        """The few words by which people know the problem: "ffnet tanh on moons"."""
        return f"{self.network.label} on {self.data.name}"

    def question(self) -> str:
        """SHA-256 of the canonical JSON and a format number: equal problems ask equal questions."""
        problem = self.model_dump(mode="json", exclude_none=True)
        return sha256(canonical_json({"format": QUESTION_FORMAT, "problem": problem}))

    def code(self) -> str:
        """Hashes of the user's source files that the network and the data come from; empty if both are built in."""
        return self.network.code + self.data.code
