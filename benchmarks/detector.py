"""How often a verdict names the right cause: configurations labelled by what cures their runs; our rules and others'.

    .venv/bin/python benchmarks/detector.py label       # trains every change, adds to detector.json
    .venv/bin/python benchmarks/detector.py score       # trains the budget, judges it, and compares

A label says what would have helped (see benchmarks/interventions.py). Rules were chosen on one half of the
configurations; the other half was not looked at.
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from detector_cases import HELD_OUT, TUNED, Configuration, configurations
from interventions import CRITERION, changes, exact_label, has_trained, label_of, trained_runs

from depthsearch.detection import bar_of, verdict_of
from depthsearch.detection.trained import learned
from depthsearch.problem.problem import Problem
from depthsearch.training.trace import Trace

STORED = Path(__file__).with_name("detector.json")


def labels_of(configuration: Configuration) -> list[str]:
    """The label of each seed's run. A run that something cured is not trained with the changes after it."""
    problem, depth = configuration.problem, configuration.depth
    runs = trained_runs(problem, depth, range(configuration.seeds))
    failed = {trace.seed: trace for trace in runs if not has_trained(trace)}
    cures: dict[int, list[str]] = {seed: [] for seed in failed}
    open_ = [seed for seed, trace in failed.items() if exact_label(trace) is None and not learned(trace, CRITERION)]
    for name, changed, at in changes(problem, depth):
        for trace in trained_runs(changed, at, open_):
            if has_trained(trace):
                cures[trace.seed].append(name)
        open_ = [seed for seed in open_ if not cures[seed]]
    return [label_of(problem, trace, cures[trace.seed]) if trace.seed in failed else "trained" for trace in runs]


def label() -> None:
    document = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    for configuration in configurations([*TUNED, *HELD_OUT]):
        if configuration.name in document:
            continue
        problem, labels = configuration.problem.model_dump(mode="json"), labels_of(configuration)
        document[configuration.name] = {"problem": problem, "depth": configuration.depth, "labels": labels}
        print(f"{configuration.name}: {dict(Counter(labels))}", flush=True)
        STORED.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def ours(trace: Trace) -> str:
    """The verdict on a whole run."""
    return verdict_of(trace, CRITERION).kind.value


def bad_score(trace: Trace) -> bool:
    """What every rule of the literature asks as well: in the end the accuracy is no better than the criterion's."""
    return not (trace.epochs and trace.score[-1] > bar_of(trace, CRITERION))


def autotrainer(trace: Trace) -> str:
    """Zhang et al., ICSE 2021, https://doi.org/10.1109/ICSE43902.2021.00043, on weight gradients at every snapshot.

    A unit has zero gradients where it is flat at every training point.
    """
    if not bad_score(trace):
        return "trained"
    first, last = (trace.snapshots.weight_gradient_norm[:, place].astype(np.float64) for place in (0, -1))
    with np.errstate(all="ignore"):
        ratio = first / last
        if not np.isfinite(trace.loss).all() or (trace.loss >= 1e3).any() or (ratio > 70).any():
            return "exploded"
        if ((ratio < 1e-3) & (first < 1e-4)).any():
            return "vanished"
    if (trace.snapshots.never_active[:, :-1].mean(axis=1) >= 0.7).any():
        return "dead"
    changes = np.abs(np.diff(trace.score))
    if (changes >= 0.03).mean() >= 0.2:
        return "unstable"
    return "slow" if np.ptp(trace.score) <= 0.01 else "none"


def deepdiagnosis(trace: Trace) -> str:
    """Wardat et al., ICSE 2022, https://doi.org/10.1145/3510003.3510071: what of its checks a trace can tell.

    Dead: a layer of which 70 % of the units are inactive at every training point. Saturation is left out.
    """
    if not bad_score(trace):
        return "trained"
    shots = trace.snapshots
    if not np.isfinite(trace.loss).all():
        return "exploded"
    if (shots.never_active[:, :-1] >= 0.7).any():
        return "dead"
    if (shots.mean_abs_gradient < 1e-7).any():
        return "vanished"
    changes = shots.weight_change[-5:]
    return "vanished" if len(changes) == 5 and (changes == changes[0]).all(axis=0).any() else "none"


RIVALS: dict[str, Callable[[Trace], str]] = {"ours": ours, "AutoTrainer": autotrainer, "DeepDiagnosis": deepdiagnosis}


@dataclass(frozen=True)
class Judged:
    """One run: its label, and what each set of rules says."""

    held_out: bool
    label: str
    verdicts: dict[str, str]


def judged() -> Iterator[Judged]:
    """Every run of the stored configurations."""
    document = json.loads(STORED.read_text(encoding="utf-8"))
    held_out = {configuration.name for configuration in configurations(HELD_OUT)}
    for name, entry in document.items():
        runs = trained_runs(Problem.model_validate(entry["problem"]), entry["depth"], range(len(entry["labels"])))
        for trace, one in zip(runs, entry["labels"], strict=True):
            yield Judged(name in held_out, one, {rule: judge(trace) for rule, judge in RIVALS.items()})


DEAD = ("born_dead", "died", "dead")
KINDS: dict[str, Callable[[str], bool]] = {
    "vanished": lambda kind: kind == "vanished",
    "died or born_dead": lambda kind: kind in DEAD,
    "exploded": lambda kind: kind == "exploded",
    "saturated": lambda kind: kind == "saturated",
    "input_blind": lambda kind: kind == "input_blind",
    "unstable": lambda kind: kind == "unstable",
    "slow": lambda kind: kind == "slow",
    "any problem at all": lambda kind: kind not in ("trained", "none"),
}


def same_cause(label: str, verdict: str) -> bool:
    """Whether a verdict names the cause of a label; dead networks are not told apart by when they died."""
    return label == verdict or (label in DEAD and verdict in DEAD)


def share(hits: int, of: int) -> str:
    p = hits / of if of else math.nan
    return f"{p:.3f} +- {math.sqrt(max(p * (1 - p), 0) / of):.3f}" if of else "none"


def recall_and_precision(runs: Sequence[Judged], rule: str, kind: Callable[[str], bool]) -> str:
    labelled = [one for one in runs if kind(one.label)]
    found = [one for one in runs if kind(one.verdicts[rule])]
    both = sum(kind(one.label) for one in found)
    return f"{share(both, len(labelled))} | {share(both, len(found))}"


def score() -> None:
    everything = list(judged())
    for held_out, title in ((True, "not looked at while rules were chosen"), (False, "that rules were chosen on")):
        runs = [one for one in everything if one.held_out == held_out]
        print(f"\nConfigurations {title}: {len(runs)} runs\n")
        print("| label | runs | " + " | ".join(f"{rule}: recall | precision" for rule in RIVALS) + " |")
        print("|---" * (2 + 2 * len(RIVALS)) + "|")
        for name, kind in KINDS.items():
            cells = " | ".join(recall_and_precision(runs, rule, kind) for rule in RIVALS)
            print(f"| {name} | {sum(kind(one.label) for one in runs)} | {cells} |")
        failing = [one for one in runs if one.label != "trained"]
        right = {rule: sum(same_cause(one.label, one.verdicts[rule]) for one in failing) for rule in RIVALS}
        cells = " | ".join(f"{share(right[rule], len(failing))} | " for rule in RIVALS)
        print(f"| the right cause | {len(failing)} | {cells} |")
    print("\nlabel -> our verdict, where they differ, held out:")
    others = [one for one in everything if one.held_out]
    pairs = Counter((one.label, one.verdicts["ours"]) for one in others if one.label != one.verdicts["ours"])
    print(", ".join(f"{label} -> {verdict} {count}" for (label, verdict), count in pairs.most_common()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("label", "score"))
    if parser.parse_args().what == "label":
        label()
    else:
        score()


if __name__ == "__main__":
    main()
