"""survey(study_file) -> Survey: networks of one depth for each of several problems, side by side."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depthsearch.detection import verdict_of
from depthsearch.detection.verdict import count_verdicts
from depthsearch.errors import InvalidValue
from depthsearch.problem.study_file import InspectPlan, NamedProblem, StudyFile, read_study_file
from depthsearch.reporting.sentences import run_sentence
from depthsearch.results.comparison import RatioOverRuns, Survey, Surveyed
from depthsearch.training.engine import Job, train_all
from depthsearch.training.select import choose_engine
from depthsearch.training.trace import Trace
from depthsearch.workflows.prepare import (
    OnEvent,
    check_criterion,
    check_inspectable,
    check_judged_by_itself,
    check_problem,
    ignore,
    prepared,
)


def survey(
    study_file: StudyFile | str | Path, *, engine: str = "auto", device: str = "auto", on_event: OnEvent | None = None
) -> Survey:
    """Train the networks that a study file's `inspect` table asks for, each for its whole budget. Nothing is stored.

    Args:
        study_file: What is looked at, or the path of such a file.
        engine: "dense", "torch", or "auto" for the faster one.
        device: "cpu", "cuda", or "auto": for torch, the GPU where it sees one.
        on_event: Called where the engine needs a moment before it can train.

    Raises:
        InvalidValue: The study file has no `inspect` table, or a value cannot be used.
        TrainingFailed: A network could not be trained.
    """
    study_file = read_study_file(study_file) if isinstance(study_file, str | Path) else study_file
    plan = checked_plan(study_file)
    return Survey(
        title=study_file.title,
        source=study_file.source,
        surveyed=tuple(_surveyed(entry, plan, engine, device, on_event or ignore) for entry in study_file.problems),
    )


def checked_plan(study_file: StudyFile) -> InspectPlan:
    """What a study file says of the networks to look at.

    Raises:
        InvalidValue: It has no `inspect` table, or one that does not suit its problems.
    """
    plan = study_file.inspect
    if plan is None:
        raise InvalidValue("there is no table [inspect]: it says which depth is looked at, as in depth = 8")
    for entry in study_file.problems:
        shallowest = entry.problem.network.shallowest
        if plan.depth < shallowest:
            raise InvalidValue(path="depth", value=plan.depth, expected=f"at least {shallowest} for {entry.name!r}")
        check_problem(entry.problem)
        check_inspectable(entry.problem)
        check_judged_by_itself(entry.problem)
        check_criterion(entry.problem)
    return plan


def _surveyed(entry: NamedProblem, plan: InspectPlan, engine: str, device: str, on_event: OnEvent) -> Surveyed:
    trainer = choose_engine(entry.problem, engine=engine, device=device).load()
    prepared(trainer, on_event)
    traces = train_all(trainer, entry.problem, [Job(plan.depth, seed) for seed in range(plan.seeds)])
    verdicts = [verdict_of(trace, entry.problem.criterion) for trace in traces]
    counts = count_verdicts([verdict.kind for verdict in verdicts])
    commonest = max(counts, key=lambda kind: counts[kind])
    losses = np.array([trace.loss[[0, trace.epochs // 2, -1]] for trace in traces])
    return Surveyed(
        name=entry.name,
        problem=entry.problem,
        depth=plan.depth,
        runs=len(traces),
        verdicts=counts,
        sentence=next(run_sentence(verdict) for verdict in verdicts if verdict.kind.value == commonest),
        gradient_ratio=_ratio(traces),
        train_loss=(_median(losses[:, 0]), _median(losses[:, 1]), _median(losses[:, 2])),
        first_layer_change=_median(np.array([trace.snapshots.weight_change[-1, 0] for trace in traces])),
        train_accuracy=float(np.median([trace.score[-1] for trace in traces])),
        test_accuracy=float(np.median([trace.final_test_accuracy for trace in traces])),
        reported=entry.reported,
    )


def _ratio(traces: Sequence[Trace]) -> RatioOverRuns:
    over_epochs = []
    for trace in traces:
        gradients = trace.snapshots.mean_abs_gradient.astype(np.float64)
        with np.errstate(all="ignore"):
            ratio = gradients[:, -1] / gradients[:, 0]
        over_epochs.append(np.where(np.isfinite(ratio), ratio, np.nan))
    return RatioOverRuns(
        start=_median(np.array([ratio[0] for ratio in over_epochs])),
        middle=_median(np.array([_median(ratio) for ratio in over_epochs], dtype=np.float64)),
        end=_median(np.array([ratio[-1] for ratio in over_epochs])),
    )


def _median(values: NDArray[np.floating]) -> float | None:
    """Of the finite ones, to 6 significant digits; None where there are none."""
    finite = values[np.isfinite(values)]
    return float(f"{np.median(finite):.6g}") if len(finite) else None
