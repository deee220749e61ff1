"""What the dense families share: their options, and the network that torch builds from their plan."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue
from depthsearch.networks.activations import activation_names
from depthsearch.networks.base import Network, Plan, check_plan
from depthsearch.networks.initialization import INITIALIZATIONS
from depthsearch.networks.planned import planned_module
from depthsearch.schema import one_of, without_nulls

if TYPE_CHECKING:
    from torch import nn

NormalizationKind = Literal["none", "batch", "layer"]
NormalizationName = Annotated[NormalizationKind, one_of("normalization", NormalizationKind)]


class DenseNetwork(Network):
    """A family of dense layers. `build` follows from `plan`, and so do both engines.

    Attributes:
        width: Units in each hidden layer.
        activation: Activation of every hidden layer.
        initialization: Initialization of every weight matrix.
        sigma_w2: For the initialization `normal`: fan_in times the variance of the weights. By default 1; null for the
            other initializations.
        sigma_b2: For the initialization `normal`: variance of the biases. By default 0; null for the other
            initializations.
        normalization: Normalization of the hidden layers.
    """

    width: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 5
    activation: Annotated[str, one_of("activation", activation_names)] = "tanh"
    initialization: Annotated[str, one_of("initialization", lambda: INITIALIZATIONS)] = "glorot_uniform"
    sigma_w2: Annotated[float, Field(strict=True, gt=0, le=1e12)] | None = None
    sigma_b2: Annotated[float, Field(strict=True, ge=0, le=1e12)] | None = None
    normalization: NormalizationName = "none"

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        given = without_nulls(data)
        return {"sigma_w2": 1.0, "sigma_b2": 0.0} | given if given.get("initialization") == "normal" else given

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("sigma_w2", "sigma_b2"):
            value = getattr(self, name)
            if value is not None and self.initialization != "normal":
                reason = f"belongs to the initialization 'normal', but got {value} with {self.initialization!r}"
                raise InvalidValue(reason, path=f"network.{name}", value=value)
        return self

    @abstractmethod
    def plan(self, spec: DataSpec, depth: int) -> Plan:
        """The network of that depth, first layer first."""

    def checked_plan(self, spec: DataSpec, depth: int) -> Plan:
        """The plan of that depth.

        Raises:
            InvalidValue: Its layers do not fit each other (see check_plan).
        """
        plan = self.plan(spec, depth)
        try:
            check_plan(plan, spec)
        except InvalidValue as error:
            raise InvalidValue(f"the plan of {self.label} at depth {depth} is wrong: {error}") from None
        return plan

    def build(self, spec: DataSpec, depth: int) -> "nn.Module":
        """The plan as a torch module; its weights are torch's until an engine sets them."""
        return planned_module(self.checked_plan(spec, depth))

    @property
    def label(self) -> str:
        """Family and activation."""
        return f"{self.family} {self.activation}"


def as_dense(network: Network) -> DenseNetwork:
    """The network, which its engine knows to be a dense one.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(network, DenseNetwork):
        raise TypeError(f"the family {network.family!r} has no plan")
    return network
