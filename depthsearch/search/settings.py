"""How a search goes about its question. Stored with the study, so that all who resume it agree."""

from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from depthsearch.errors import InvalidValue
from depthsearch.schema import FrozenModel, Seed, canonical_json, one_of, sha256

SamplerName = Literal["threshold", "bisect", "tpe", "gp", "random", "grid"]


SAMPLERS: tuple[str, ...] = get_args(SamplerName)

LEAST, MOST = 0.01, 0.99
"""Reliabilities that can be told from never and always."""

RELIABILITY, RUNS_PER_TRIAL = 0.5, 1
"""Where neither the settings, nor a family, nor an engine say."""


class SearchSettings(FrozenModel):
    """The settings of one search.

    Attributes:
        sampler: Rule that names the next depth.
        reliability: Share of the runs that must train for a depth to pass. By default that of the family, or 0.5 where
            there is no family.
        tolerance: Half-width of the interval that is enough, as a share of the depth. A whole depth always is.
        cap: Deepest depth that may be tried.
        depths: For the sampler `grid`: the depths to try.
        runs_per_trial: Runs, each with a fresh seed, whenever a depth is tried. By default 8, or as many as there are
            cores; 3 for the sampler `bisect`, 32 on a GPU, and 1 where there is no engine.
        parallel_trials: Depths tried in one round, side by side. By default as many as the cores are worth; 1 where
            there is no engine.
        max_runs: Budget of runs, confirmation included.
        max_seconds: Budget of seconds of searching, those of earlier sessions of the study included.
        seed: Root seed, from which the seeds of all runs are drawn. By default 0.

    Raises:
        InvalidValue: A field cannot be used.
    """

    called: ClassVar[str] = "settings"

    sampler: Annotated[SamplerName, one_of("sampler", SamplerName)] = "threshold"
    reliability: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    tolerance: Annotated[float, Field(strict=True, gt=0, lt=1)] = 0.05
    cap: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 10_000
    depths: tuple[Annotated[int, Field(strict=True, ge=0, le=1_000_000)], ...] | None = None
    runs_per_trial: Annotated[int, Field(strict=True, ge=1, le=1_000)] | None = None
    parallel_trials: Annotated[int, Field(strict=True, ge=1, le=1_000)] | None = None
    max_runs: Annotated[int, Field(strict=True, ge=1)] | None = None
    max_seconds: Annotated[float, Field(strict=True, gt=0)] | None = None
    seed: Seed = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_runs is not None and self.runs_per_trial is not None and self.max_runs < self.runs_per_trial:
            expected = f"at least {self.runs_per_trial}, the runs of one trial"
            raise InvalidValue(path="settings.max_runs", value=self.max_runs, expected=expected)
        if self.sampler != "bisect" and self.reliability is not None and not LEAST <= self.reliability <= MOST:
            reason = (
                f"must be from {LEAST} to {MOST}, since no number of runs shows more, but got {self.reliability}; the "
                "sampler 'bisect' takes up to 1"
            )
            raise InvalidValue(reason, path="settings.reliability", value=self.reliability)
        if self.sampler == "grid" and self.depths is None:
            raise InvalidValue(
                "must be given for the sampler 'grid', as in 3,7,14, but none were", path="settings.depths"
            )
        if self.sampler != "grid" and self.depths is not None:
            reason = f"must be given for the sampler 'grid' alone, but got {list(self.depths)} for {self.sampler!r}"
            raise InvalidValue(reason, path="settings.depths", value=self.depths)
        if self.depths is not None and (not self.depths or max(self.depths) > self.cap):
            raise InvalidValue(path="settings.depths", value=list(self.depths), expected=f"at most {self.cap}, the cap")
        return self

    def resolved(
        self, *, reliability: float = RELIABILITY, runs_per_trial: int = RUNS_PER_TRIAL, parallel_trials: int = 1
    ) -> "ResolvedSettings":
        """The settings with every unset field filled, once and for all.

        Args:
            reliability: Where none is given: that of the family.
            runs_per_trial: Where none is given: what the engine makes worth while.
            parallel_trials: Where none is given: what fills the engine's lanes.
        """
        if isinstance(self, ResolvedSettings):
            return self
        defaults = {"reliability": reliability, "runs_per_trial": runs_per_trial, "parallel_trials": parallel_trials}
        given = {name: value for name, value in self.model_dump().items() if value is not None}
        return ResolvedSettings.model_validate(defaults | given)


class ResolvedSettings(SearchSettings):
    """Settings without an unset field, as a study holds them and samplers use them."""

    reliability: Annotated[float, Field(strict=True, gt=0, le=1)] = RELIABILITY
    runs_per_trial: Annotated[int, Field(strict=True, ge=1, le=1_000)] = RUNS_PER_TRIAL
    parallel_trials: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 1

    def identity(self, question: str, code: str = "") -> str:
        """What makes two searches the same study: question, code, root seed, reliability and sampler (SHA-256)."""
        return sha256(canonical_json([question, code, self.seed, self.reliability, self.sampler]))
