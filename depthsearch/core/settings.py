"""How a search goes about its question. Stored with the study, so that all who resume it agree."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from depthsearch.core.errors import InvalidValue
from depthsearch.core.model import FrozenModel, canonical_json, sha256
from depthsearch.core.names import SamplerName
from depthsearch.core.problem import Seed, one_of


class SearchSettings(FrozenModel):
    """The settings of one search.

    Attributes:
        sampler: Which rule names the next depth.
        reliability: A depth passes where at least this share of its runs trained.
        tolerance: Half-width, as a share of the depth, that an interval should reach. Only samplers that claim
            an interval use it; bisection claims none and always ends at two adjacent depths.
        cap: The deepest depth that may be tried.
        runs_per_trial: Fresh seeds trained each time a depth is tried.
        max_runs: Budget of runs, confirmation included; null for none.
        max_seconds: Budget of seconds of searching, those of earlier sittings included; null for none.
        seed: Root seed, from which every run's seed is drawn.

    Raises:
        InvalidValue: A field cannot be used.
    """

    called: ClassVar[str] = "settings"

    sampler: Annotated[SamplerName, one_of("sampler", SamplerName)] = "bisect"
    reliability: Annotated[float, Field(strict=True, gt=0, le=1)] = 0.5
    tolerance: Annotated[float, Field(strict=True, gt=0, lt=1)] = 0.05
    cap: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 10_000
    runs_per_trial: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 3
    max_runs: Annotated[int, Field(strict=True, ge=1)] | None = None
    max_seconds: Annotated[float, Field(strict=True, gt=0)] | None = None
    seed: Seed = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_runs is not None and self.max_runs < self.runs_per_trial:
            raise InvalidValue(
                f"max_runs must be at least {self.runs_per_trial}, the runs of one trial, but got {self.max_runs}"
            )
        return self

    def identity(self, fingerprint: str) -> str:
        """What makes two searches the same study: problem, root seed and reliability (SHA-256)."""
        return sha256(canonical_json([fingerprint, self.seed, self.reliability]))
