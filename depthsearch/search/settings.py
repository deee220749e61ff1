"""How a search goes about its question. Stored with the study, so that all who resume it agree."""

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from depthsearch.errors import InvalidValue
from depthsearch.schema import FrozenModel, Seed, canonical_json, one_of, sha256
from depthsearch.search.method import DEFAULT, method_class, method_names

RELIABILITY, RUNS_PER_TRIAL = 0.5, 1
"""Where neither the settings, nor a family, nor an engine say."""

FEWEST_RUNS, MOST_RUNS = 8, 32
"""Limits of the runs per trial that an engine makes worth while: as many as it trains side by side."""


class SearchSettings(FrozenModel):
    """The settings of one search.

    Attributes:
        sampler: Rule that names the next depth.
        reliability: Share of the runs that must train for a depth to pass. By default that of the family, or 0.5 where
            there is no family.
        tolerance: Half-width of the interval that is enough, as a share of the depth. A whole depth always is.
        cap: Deepest depth that may be tried.
        depths: Depths to try, for a sampler that takes a list of them.
        runs_per_trial: Runs, each with a fresh seed, whenever a depth is tried. By default 8, or as many as there are
            cores; 32 on a GPU, 1 where there is no engine, and what the sampler prefers where it prefers a number.
        parallel_trials: Depths tried in one round, side by side. By default as many as the cores are worth; 1 where
            there is no engine.
        max_runs: Budget of runs, confirmation included. A sampler that never stops by itself has one of 40 trials
            unless a budget is given.
        max_seconds: Budget of seconds of searching, those of earlier sessions of the study included; the first round
            always ends. What else is under way when it ends is left unfinished.
        seed: Root seed, from which the seeds of all runs are drawn. By default 0.

    Raises:
        InvalidValue: A field cannot be used.
    """

    called: ClassVar[str] = "settings"

    sampler: Annotated[str, one_of("sampler", method_names)] = DEFAULT
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
        self._check_reliability()
        if method_class(self.sampler).takes_depths != (self.depths is not None):
            if self.depths is None:
                reason = f"must be given for the sampler {self.sampler!r}, as in 3,7,14, but none were"
                raise InvalidValue(reason, path="settings.depths")
            takers = " and ".join(repr(name) for name in method_names() if method_class(name).takes_depths)
            reason = f"must be given only for the sampler {takers}, but got {list(self.depths)} for {self.sampler!r}"
            raise InvalidValue(reason, path="settings.depths", value=self.depths)
        if self.depths is not None and (not self.depths or max(self.depths) > self.cap):
            raise InvalidValue(path="settings.depths", value=list(self.depths), expected=f"at most {self.cap}, the cap")
        return self

    def _check_reliability(self) -> None:
        method = method_class(self.sampler)
        if self.reliability is None or method.accepts(self.reliability):
            return
        low, high = method.reliabilities
        wider = [name for name in method_names() if method_class(name).accepts(self.reliability)]
        others = f"; the sampler {' or '.join(map(repr, wider))} accepts it" if wider else ""
        reason = f"must be from {low} to {high}, since no number of runs shows more, but got {self.reliability}{others}"
        raise InvalidValue(reason, path="settings.reliability", value=self.reliability)

    def resolved(self, *, reliability: float = RELIABILITY, lanes: int | None = None) -> "ResolvedSettings":
        """The settings with every unset field filled, once and for all.

        Args:
            reliability: Where none is given: that of the family.
            lanes: How many runs the engine trains side by side; None where there is no engine.
        """
        if isinstance(self, ResolvedSettings):
            return self
        method = method_class(self.sampler)
        runs, rounds = self.runs_per_trial or RUNS_PER_TRIAL, 1
        if lanes is not None:
            preferred = method.runs_per_trial or min(max(lanes, FEWEST_RUNS), MOST_RUNS)
            runs = self.runs_per_trial or min(preferred, self.max_runs or preferred)
            # A search trial and its sentinel at the least; more where lanes would stay empty.
            rounds = 2 * max(1, lanes // runs)
        defaults = {"reliability": reliability, "runs_per_trial": runs, "parallel_trials": rounds}
        if method.default_trials is not None and self.max_seconds is None:
            defaults["max_runs"] = method.default_trials * runs
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
