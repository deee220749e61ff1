"""Architectures that a library publishes, built from its configuration with random weights: what the families share."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NoReturn

from pydantic import AfterValidator, Field

from depthsearch.data.base import DataSpec
from depthsearch.errors import InvalidValue, UnknownName
from depthsearch.extras import require, version_words
from depthsearch.networks.base import LayerCounts, Network
from depthsearch.networks.shorthands import PUBLISHED
from depthsearch.schema import canonical_json, quoted

if TYPE_CHECKING:
    from torch import nn


def _json_value(settings: dict[str, Any] | None) -> dict[str, Any] | None:
    """Refuse what has no JSON, and null, which a problem leaves out of its canonical form; no settings are null."""
    if not settings:
        return None
    for key, value in settings.items():
        if _holds_null(value):
            reason = f"of {key!r} must be text, a number, true, false, a list or a table, but got {quoted(value)}"
            raise InvalidValue(reason, path="network.set", value=value)
    try:
        canonical_json(settings)
    except (TypeError, ValueError):
        reason = f"must hold text, numbers, true, false, lists and tables, but got {quoted(settings)}"
        raise InvalidValue(reason, path="network.set", value=settings) from None
    return settings


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict | list | tuple):
        return any(map(_holds_null, value.values() if isinstance(value, dict) else value))
    return value is None


class Published(Network):
    """A family of published architectures. Depth is the number of blocks; everything else is what `set` says.

    Attributes:
        library: The module that publishes them, which is also its distribution.
        extra: The extra of depthsearch that installs it.
        architecture: Name of the architecture in its library.
        set: Settings of the architecture by their names in its library, in place of the published values.
    """

    unit: ClassVar[str] = "block"
    reliability: ClassVar[float] = 0.5
    library: ClassVar[str]
    extra: ClassVar[str]

    architecture: Annotated[str, Field(strict=True, min_length=1)]
    set: Annotated[dict[str, Any] | None, AfterValidator(_json_value)] = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Let texts name the architectures of the family: FAMILY:ARCHITECTURE."""
        super().__pydantic_init_subclass__(**kwargs)
        PUBLISHED.add(cls.model_fields[cls.key].default)

    def __hash__(self) -> int:
        return hash((type(self), self.canonical_json()))

    @abstractmethod
    def check_settings(self, spec: DataSpec) -> None:
        """Refuse an architecture or a setting that the library does not have, or that follows from depth or data.

        Raises:
            InvalidValue: The message names the nearest that it has.
        """

    @property
    def settings(self) -> dict[str, Any]:
        """What `set` says; empty where it says nothing."""
        return self.set or {}

    @property
    def label(self) -> str:
        """Family and architecture."""
        return f"{self.family} {self.architecture}"

    @property
    def code(self) -> str:
        """The version of the library that builds the network."""
        return version_words(self.library)

    def layer_counts(self, spec: DataSpec, depth: int) -> LayerCounts:
        """Parameters; the other conventions have no meaning here. No memory is taken: torch's meta device builds it."""
        return LayerCounts(parameters=sum(parameter.numel() for parameter in self._shapes(spec, depth).parameters()))

    def check(self, spec: DataSpec) -> None:
        """Refuse what no depth makes a network of, which the library itself may accept silently.

        Raises:
            InvalidValue: The library is not installed; the architecture or a setting is unknown or cannot be built; it
                does not fit the data; or depth does not change the number of parameters.
        """
        self.prepare()
        self.check_settings(spec)
        first = self.shallowest
        self._check_forward(spec, self._built(spec, first))
        one, two = (self.layer_counts(spec, depth).parameters for depth in (first, first + 1))
        if one == two:
            reason = f"must have a number of blocks that can be set, but {self.architecture!r} has {one} parameters at "
            self.refuse(f"{reason}depth {first} and at depth {first + 1}")

    def prepare(self) -> None:
        """Make the library importable.

        Raises:
            InvalidValue: It is not installed.
        """
        require(self.library, extra=self.extra, path="network.architecture")

    def refuse(self, reason: str) -> NoReturn:
        """Raise InvalidValue for the architecture."""
        raise InvalidValue(reason, path="network.architecture", value=self.architecture)

    def refuse_unknown(self, known: Iterable[str]) -> NoReturn:
        """Raise InvalidValue for an architecture that is not among the known ones, of which it names the nearest."""
        if "/" in self.architecture:
            such = type(self).model_fields["architecture"].default
            self.refuse(
                f"must be an architecture of {self.library}, such as {such}, and no repository, "
                f"but got {self.architecture!r}"
            )
        near = get_close_matches(self.architecture.lower(), known, n=1, cutoff=0.5)
        hint = f": did you mean {near[0]!r}?" if near else ""
        self.refuse(f"must be an architecture of {self.library}, but got {self.architecture!r}{hint}")

    def check_keys(self, *, known: Iterable[str], depth: Iterable[str], data: Iterable[str]) -> None:
        """Refuse settings by their names.

        Args:
            known: The settings of the architecture.
            depth: Those that the depth gives.
            data: Those that the data give.

        Raises:
            InvalidValue: A setting is given by the depth or by the data; UnknownName where there is none of that name.
        """
        by_depth, by_data = tuple(depth), tuple(data)
        accepted = sorted(name for name in known if name not in (*by_depth, *by_data))
        for key, value in self.settings.items():
            if key in by_depth or key in by_data:
                reason = f"{key!r} follows from the {'depth' if key in by_depth else 'data'}, but got {quoted(value)}"
                raise InvalidValue(f"{reason}: leave it out", path="network.set", value=value)
            if key not in accepted:
                raise UnknownName(f"setting of {self.architecture}", key, accepted, path="network.set")

    def _built(self, spec: DataSpec, depth: int) -> "nn.Module":
        """The network without weights; what the library raises in one line."""
        try:
            return self._shapes(spec, depth)
        except InvalidValue:
            raise
        except Exception as error:
            self.refuse(f"{self._with_settings()} cannot be built at depth {depth}: {_last_line(error)}")

    def _with_settings(self) -> str:
        """ "'bert' with hidden_size=0"."""
        given = ", ".join(f"{key}={quoted(value)}" for key, value in self.settings.items())
        return f"{self.architecture!r} with {given}" if given else repr(self.architecture)

    def _shapes(self, spec: DataSpec, depth: int) -> "nn.Module":
        return without_weights(lambda: self.build(spec, depth))

    def _check_forward(self, spec: DataSpec, module: "nn.Module") -> None:
        """Pass a batch of two through the network, on the meta device where no number is computed."""
        import torch  # noqa: PLC0415

        device = next(module.parameters()).device
        kind = torch.float32 if spec.vocabulary is None else torch.int64
        try:
            with torch.no_grad():
                found = module(torch.zeros(2, *spec.shape, dtype=kind, device=device)).shape
        except NotImplementedError:
            return  # an operation that has no shapes without numbers
        except Exception as error:
            if "meta" in str(error):
                return
            read = f"images of shape {spec.image}" if spec.image is not None else f"inputs of shape {spec.shape}"
            self.refuse(f"{self._with_settings()} does not read {read}: {_last_line(error)}")
        wanted = (2, *spec.shape, spec.outputs) if spec.task == "sequence" else (2, spec.outputs)
        if tuple(found) != wanted:
            self.refuse(f"{self.architecture!r} gives logits of shape {tuple(found)} and not {wanted}")


def without_weights(build: Callable[[], "nn.Module"]) -> "nn.Module":
    """What `build` returns, on torch's meta device: it takes no memory. With weights where `build` reads them.

    No random number is drawn from torch's generator.
    """
    import torch  # noqa: PLC0415

    with torch.random.fork_rng(devices=[]):
        try:
            with torch.device("meta"):
                return build()
        except (NotImplementedError, RuntimeError):
            return build()


def _last_line(error: Exception) -> str:
    """Kind of the error, and the last line of its message, where libraries put the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__
