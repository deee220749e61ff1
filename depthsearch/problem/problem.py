"""The problem: a kind of network, its data, its recipe, and what counts as having trained.

A problem never holds a depth or a seed, nor how a search goes about it (see search.settings).
"""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, SerializeAsAny, model_validator

from depthsearch.data.base import DataSource
from depthsearch.data.user import DataElsewhere
from depthsearch.errors import InvalidValue, UnknownName
from depthsearch.networks.base import LayerCounts, Network
from depthsearch.networks.external import ExternalNetwork
from depthsearch.networks.shorthands import MODEL, TRAIN, expand_shorthands
from depthsearch.problem.criterion import LAST_EPOCHS, Criterion
from depthsearch.problem.recipe import Recipe
from depthsearch.schema import FrozenModel, canonical_json, sha256, without_nulls

HALF = 0.5

QUESTION_FORMAT = 2
"""Raised whenever the same canonical JSON would come to mean another training."""


def _refuse_twice(flat: dict[str, Any], network: dict[str, Any]) -> None:
    """Refuse an option of the network that is given with another value in its table."""
    for name, value in flat.items():
        if network.get(name, value) != value:
            reason = f"is given twice, as {value!r} and in the table network as {network[name]!r}: leave one out"
            raise InvalidValue(reason, path=f"network.{name}", value=value)


def _refuse_unknown(flat: dict[str, Any], network: dict[str, Any], fields: Iterable[str]) -> None:
    """Refuse a field that is neither the problem's nor any family's, with the nearest one that is."""
    family = network.get(Network.key, Network.default)
    known = {name for entry in Network.names() for name in Network.entry(entry).model_fields}
    for name in flat:
        if name not in known and family in Network.names():
            raise UnknownName("field", name, (*fields, *Network.entry(family).model_fields), path=name)


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

    # Options of the network are accepted without its table, which type checkers learn from this signature.
    def __init__(self, **fields: Any) -> None:
        super().__init__(**fields)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = cls.with_network_table(data)
        network = Network.of(given.get("network", {}))
        return {"network": network, "data": DataElsewhere() if isinstance(network, ExternalNetwork) else {}} | given

    @classmethod
    def with_network_table(cls, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields of a problem, with those of the network that were given without its table moved into it.

        Raises:
            InvalidValue: A field is unknown, or given twice with different values.
        """
        given = without_nulls(fields)
        flat = {key: given.pop(key) for key in list(given) if key not in cls.model_fields}
        if not flat:
            return given
        network = given.get("network", {})
        if isinstance(network, str):
            network = {Network.key: network}
        if not isinstance(network, dict):
            name = next(iter(flat))
            reason = f"is given together with a whole network, but got {flat[name]!r}: leave it out"
            raise InvalidValue(reason, path=name, value=flat[name])
        _refuse_twice(flat, network)
        unwritten = {key: value for key, value in flat.items() if key not in (MODEL, TRAIN)}
        _refuse_unknown(unwritten, expand_shorthands(network | flat), (*cls.model_fields, MODEL, TRAIN))
        return given | {"network": expand_shorthands(network | flat)}

    @model_validator(mode="after")
    def _check_external(self) -> Self:
        """A function that trains elsewhere has its own data and its own recipe."""
        elsewhere = isinstance(self.network, ExternalNetwork)
        if isinstance(self.data, DataElsewhere) is not elsewhere:
            expected = "left out where a function trains elsewhere" if elsewhere else "a data set"
            raise InvalidValue(path="data.name", value=self.data.name, expected=expected)
        if elsewhere and self.recipe != Recipe():
            field, value = next(iter(self.recipe.fewest_fields().items()))
            reason = f"is the business of the function that trains, but got {value!r}: leave it out"
            raise InvalidValue(reason, path=f"recipe.{field}", value=value)
        return self

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
        return f"{self.network.label} on {self.data.label}" if self.data.label else self.network.label

    def identity(self) -> dict[str, Any]:
        """The fields that identify the problem: those that are given; of files and code the content, never the path."""
        fields = self.model_dump(mode="json", exclude_none=True)
        return fields | {"network": self.network.identity(), "data": self.data.identity()}

    @property
    def reliability(self) -> float:
        """That of a search whose settings give none: the family's, or one half where runs are compared with others."""
        return HALF if self.criterion.is_relative else self.network.reliability

    def question(self) -> str:
        """SHA-256 of the canonical JSON and a format number: equal problems ask equal questions.

        Files of data count by their content, wherever they lie.

        Raises:
            UnreadableData: One of them cannot be read.
        """
        return sha256(canonical_json({"format": QUESTION_FORMAT, "problem": self.identity()}))

    def layer_counts(self, depth: int) -> LayerCounts:
        """The size of the network of that depth; nothing is known where only a user's code could say it."""
        if self.network.runs_user_code or self.data.runs_user_code:
            return LayerCounts()
        return self.network.layer_counts(self.data.spec, depth)

    def code(self) -> str:
        """Hashes of the user's source files that the network and the data come from; empty if both are built in."""
        return self.network.code + self.data.code
