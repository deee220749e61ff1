"""How a trial is written down in Optuna, and read back as plain values.

A trial's parameter is the depth and its value is the depth. Its attributes say how it went: `runs`, `trained`,
`seeds`, `purpose`, and counts per verdict. Its constraint is reliability - trained / runs: feasible where <= 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from optuna import Study
from optuna.trial import FrozenTrial, TrialState

from depthsearch.core.events import Purpose

DEPTH, RUNS, TRAINED, SEEDS, PURPOSE = "depth", "runs", "trained", "seeds", "purpose"
VERDICTS, SECONDS = "verdicts", "seconds"
CONSTRAINTS = "constraints"


@dataclass(frozen=True)
class Probe:
    """A depth that was tried: `trained` of `runs` trained."""

    depth: int
    runs: int
    trained: int

    def passes(self, reliability: float) -> bool:
        """Whether at least that share of the runs trained."""
        # A hair's breadth for shares such as 7 / 10 against 0.7, which floating point does not hold exactly.
        return self.trained >= reliability * self.runs - 1e-9


def all_trials(study: Study) -> list[FrozenTrial]:
    """Every trial by number, without the deep copy that `study.trials` makes."""
    trials = study._storage.get_all_trials(study._study_id, deepcopy=False)  # noqa: SLF001 - Optuna's own samplers do so
    return sorted(trials, key=lambda trial: trial.number)


def probes(trials: Sequence[FrozenTrial], parameter: str = DEPTH, *, purpose: Purpose | None = None) -> list[Probe]:
    """The finished trials that say how many of their runs trained; `purpose` leaves out all others.

    A trial without the attributes `runs` and `trained`, or that failed, says nothing.
    """
    return [
        Probe(int(trial.params[parameter]), int(trial.user_attrs[RUNS]), int(trial.user_attrs[TRAINED]))
        for trial in trials
        if trial.state is TrialState.COMPLETE
        and parameter in trial.params
        and trial.user_attrs.get(RUNS)
        and TRAINED in trial.user_attrs
        and purpose in (None, purpose_of(trial))
    ]


def purpose_of(trial: FrozenTrial) -> Purpose:
    """Why the trial is made; a trial that does not say is part of the search."""
    return Purpose(trial.user_attrs.get(PURPOSE, Purpose.SEARCH))


def pooled(found: Sequence[Probe]) -> list[Probe]:
    """One probe for each depth, shallowest first, its runs added up."""
    depths = sorted({probe.depth for probe in found})
    return [
        Probe(
            depth,
            sum(probe.runs for probe in found if probe.depth == depth),
            sum(probe.trained for probe in found if probe.depth == depth),
        )
        for depth in depths
    ]


def write_constraint(study: Study, trial: FrozenTrial, reliability: float) -> None:
    """Mark a trial that says how it went as feasible (<= 0) or not, where Optuna and its dashboard look for it."""
    runs, trained = trial.user_attrs.get(RUNS), trial.user_attrs.get(TRAINED)
    if runs and trained is not None:
        study._storage.set_trial_system_attr(  # noqa: SLF001 - the one form that the dashboard reads as well
            trial._trial_id,  # noqa: SLF001
            CONSTRAINTS,
            [reliability - trained / runs],
        )
