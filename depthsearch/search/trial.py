"""How a trial is written down in Optuna, and read back as plain values.

A trial's parameter is the depth and its value is the depth. Its attributes say how it went: `runs`, `trained`,
`seeds`, `purpose`, and counts per verdict. Its constraint is reliability - trained / runs: feasible where <= 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from optuna import Study
from optuna.distributions import IntDistribution
from optuna.trial import FrozenTrial, TrialState

from depthsearch.search import optuna_internals

SEEDS = "seeds"
"""The user attribute of a trial that holds the seeds of its runs; it is stored before anything is trained."""

DEPTH, RUNS, TRAINED, PURPOSE = "depth", "runs", "trained", "purpose"


ROUND = "round"
"""The number of the first trial of those that were asked for, and are trained, together."""

VERDICTS, SECONDS, EFFORT = "verdicts", "seconds", "effort"


HALF = 0.5


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


def mostly_failed(*, trained: int, runs: int, reliability: float) -> bool:
    """Whether most of the runs at a depth failed, where the reliability asks for half of them at least."""
    return reliability >= HALF and 2 * trained < runs


class Purpose(StrEnum):
    """Why a trial is made.

    To search; as a sentinel among depths thought to train, or in the tail beyond the threshold, both to see whether
    trainability falls with depth at all; or to confirm what the search found.
    """

    SEARCH = "search"
    SENTINEL = "sentinel"
    TAIL = "tail"
    CONFIRM = "confirm"


def probes(trials: Sequence[FrozenTrial], parameter: str = DEPTH, *, purpose: Purpose | None = None) -> list[Probe]:
    """The finished trials that say how many of their runs trained; `purpose` leaves out all others.

    A trial that failed, or whose attributes `runs` and `trained` are not whole numbers with 0 <= trained <= runs and
    at least one run, says nothing.
    """
    return [
        Probe(int(trial.params[parameter]), *counted)
        for trial in trials
        if trial.state is TrialState.COMPLETE
        and parameter in trial.params
        and (counted := counts_of(trial)) is not None
        and (purpose is None or purpose_of(trial) is purpose)
    ]


def counts_of(trial: FrozenTrial) -> tuple[int, int] | None:
    """(runs, how many of them trained), where the trial says so in a way that can be."""
    runs, trained = trial.user_attrs.get(RUNS), trial.user_attrs.get(TRAINED)
    if type(runs) is not int or type(trained) is not int or not 0 <= trained <= runs or runs < 1:
        return None
    return runs, trained


def purpose_of(trial: FrozenTrial) -> Purpose:
    """Why the trial is made; a trial that does not say is part of the search."""
    said = trial.user_attrs.get(PURPOSE)
    return Purpose.SEARCH if said is None else Purpose(said)


def confirming(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The finished trials that confirm."""
    return [trial for trial in trials if trial.state is TrialState.COMPLETE and purpose_of(trial) is Purpose.CONFIRM]


def effort_of(trials: Sequence[FrozenTrial]) -> tuple[float, float]:
    """The mean share of a training's budget that runs took which trained, and which did not; 1 where none says.

    A trial's attribute `effort` holds both sums. Trials that confirm are left out: they always take the whole budget.
    """
    spent, made = [0.0, 0.0], [0, 0]
    for trial in trials:
        effort = trial.user_attrs.get(EFFORT)
        if trial.state is not TrialState.COMPLETE or not isinstance(effort, list) or len(effort) != len(spent):
            continue
        counted = counts_of(trial)
        if counted is not None and purpose_of(trial) is not Purpose.CONFIRM:
            runs, trained = counted
            for kind, own in enumerate((trained, runs - trained)):
                spent[kind] += effort[kind]
                made[kind] += own
    succeeds, fails = (own / runs if runs else 1.0 for own, runs in zip(spent, made, strict=True))
    return max(succeeds, 0.01), max(fails, 0.01)


def pooled(found: Sequence[Probe]) -> list[Probe]:
    """One probe for each depth, shallowest first, its runs added up."""
    summed: dict[int, tuple[int, int]] = {}
    for probe in found:
        runs, trained = summed.get(probe.depth, (0, 0))
        summed[probe.depth] = runs + probe.runs, trained + probe.trained
    return [Probe(depth, *summed[depth]) for depth in sorted(summed)]


def write_constraint(study: Study, trial: FrozenTrial, reliability: float) -> None:
    """Mark a trial that says how it went as feasible (<= 0) or not, where Optuna and its dashboard look for it."""
    counted = counts_of(trial)
    if counted is not None:
        runs, trained = counted
        optuna_internals.write_constraint(study, trial, reliability - trained / runs)


def draw_seeds(root: int, *, depth: int, first: int, count: int) -> list[int]:
    """The seeds of the runs numbered `first` to `first + count - 1` at a depth, each below 2**32.

    Each depends on (root, depth, number) alone, so a trial that is made again draws the same ones.
    """
    return [
        int(np.random.SeedSequence([root, depth, number]).generate_state(1)[0])
        for number in range(first, first + count)
    ]


class Steps:
    """A range of depths as steps 1, 2, ..., `last`.

    Args:
        distribution: Of the parameter that is the depth.
    """

    def __init__(self, distribution: IntDistribution) -> None:
        self.low, self.width = distribution.low, distribution.step
        self.last = (distribution.high - distribution.low) // distribution.step + 1

    def depth(self, step: int) -> int:
        """The depth at a step; step 0 is just above the shallowest."""
        return self.low + (step - 1) * self.width

    def step(self, depth: int) -> int:
        """The step of a depth."""
        return (depth - self.low) // self.width + 1
