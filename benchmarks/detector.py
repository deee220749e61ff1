"""How often a verdict is right: configurations labelled by what their networks do; our rules and those of others.

    .venv/bin/python benchmarks/detector.py label       # trains four times the budget, adds to detector.json
    .venv/bin/python benchmarks/detector.py score       # trains the budget, judges it, and compares

A label says what has become of one network at the end of its budget, by other quantities than the rules look at: test
accuracy, exact zeros, whether first layer and loss stand still, whether every input gives one output. Four times the
budget tells networks that needed more of it (slow) from the others (see `label_of`). The figures are those of
configurations that were not looked at while rules were chosen.
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from detector_cases import FIRST, SECOND, THIRD, Configuration, configurations

from depthsearch.detection import bar, bar_of, verdict_of
from depthsearch.detection.trained import longest_row
from depthsearch.problem.criterion import Criterion
from depthsearch.problem.problem import Problem
from depthsearch.training.engine import Job, train_all
from depthsearch.training.select import choose_engine
from depthsearch.training.trace import Trace

CRITERION = Criterion()
"""Of every configuration."""

SEEDS = 20
LONGER = 4
STORED = Path(__file__).with_name("detector.json")

UNMOVED, SAME_LOSS = 0.05, 0.003
"""Label vanished, by the two signs that people look for: the first layer's relative change over the budget, and the
loss's between its last two quarters."""

LEARNED = 3
"""Epochs in a row from which on a network had learned."""

THROWN = 1.0
"""Label exploded: the first layer's relative change in the first epoch, at a learning rate of no more than 0.01."""

BLIND = 0.05
"""Label input_blind: the largest difference between two training points' logits, after four times the budget."""


def longer(problem: Problem) -> Problem:
    """The same with four times the budget."""
    recipe = problem.recipe.model_copy(update={"epochs": LONGER * (problem.recipe.epochs or 0)})
    return problem.model_copy(update={"recipe": recipe})


def trained_runs(configuration: Configuration, *, budgets: int) -> list[Trace]:
    """SEEDS runs, each for its whole budget or for four times it."""
    problem = longer(configuration.problem) if budgets == LONGER else configuration.problem
    jobs = [Job(configuration.depth, seed) for seed in range(SEEDS)]
    return train_all(choose_engine(problem, engine="dense").load(), problem, jobs)


def label_of(problem: Problem, once: Trace, four: Trace) -> str:  # noqa: C901, PLR0911 - one list, asked in order
    """What has become of a network at the end of its budget.

    It has trained where its TEST accuracy beats the majority rate by the criterion's gain and by three standard errors.
    One that did so for three epochs in a row by its train accuracy had learned, and has lost it.
    """
    data = problem.data.load()
    majority = float(np.bincount(data.y_test).max() / len(data.y_test))
    enough = bar(CRITERION, baseline=majority, points=len(data.y_test))
    start, end = once.snapshots, four.snapshots
    if once.final_test_accuracy > enough:
        return "trained"
    if not np.isfinite(once.loss).all() or once.loss.max() >= 1e3:
        return "exploded"
    for place, name in ((0, "born_dead"), (-1, "died")):
        if (start.never_active[place, :-1] == 1).any() and start.output_range[place] == 0:
            return name
    if start.weight_change[1, 0] > THROWN and problem.recipe.learning_rate <= 0.01:
        return "exploded"
    in_the_end = four.final_test_accuracy > enough
    good = once.score > enough
    if longest_row(good) >= LEARNED:
        return "unstable"
    if good.any():
        return "slow" if in_the_end else "unstable"
    quarter = once.epochs // 4
    before, after = once.loss[-2 * quarter : -quarter].mean(), once.loss[-quarter:].mean()
    if start.weight_change[-1, 0] < UNMOVED and abs(before - after) < SAME_LOSS * after:
        return "vanished"
    if in_the_end or (four.score > enough).any():
        return "slow"
    # Over three times its budget more, the first layer kept the distance from where it began: nothing moves any more.
    later = int(np.flatnonzero(end.epochs >= once.epochs)[0])
    moved = abs(end.weight_change[-1, 0] - end.weight_change[later, 0])
    blind = end.output_range[-1] < BLIND
    if blind and moved < 0.01 * (1 + end.weight_change[-1, 0]):
        return "vanished"
    return "input_blind" if blind else "flat"


def label() -> None:
    document = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    for configuration in configurations([*FIRST, *SECOND, *THIRD]):
        if configuration.name in document:
            continue
        once = trained_runs(configuration, budgets=1)
        four = trained_runs(configuration, budgets=LONGER)
        labels = [label_of(configuration.problem, *pair) for pair in zip(once, four, strict=True)]
        document[configuration.name] = {
            "problem": configuration.problem.model_dump(mode="json"), "depth": configuration.depth, "labels": labels,
        }  # fmt: skip
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


def judged() -> list[Judged]:
    document = json.loads(STORED.read_text(encoding="utf-8"))
    runs = []
    held_out = {configuration.name for configuration in configurations(THIRD)}
    for name, entry in document.items():
        configuration = Configuration(name, Problem.model_validate(entry["problem"]), entry["depth"])
        for trace, one in zip(trained_runs(configuration, budgets=1), entry["labels"], strict=True):
            runs.append(Judged(name in held_out, one, {rule: judge(trace) for rule, judge in RIVALS.items()}))
    return runs


DEAD = ("born_dead", "died", "dead")
KINDS: dict[str, Callable[[str], bool]] = {
    "vanished": lambda kind: kind == "vanished",
    "died or born_dead": lambda kind: kind in DEAD,
    "exploded": lambda kind: kind == "exploded",
    "input_blind": lambda kind: kind == "input_blind",
    "unstable": lambda kind: kind == "unstable",
    "slow": lambda kind: kind == "slow",
    "any problem at all": lambda kind: kind not in ("trained", "none"),
}


def share(hits: int, of: int) -> str:
    p = hits / of if of else math.nan
    return f"{p:.3f} +- {math.sqrt(max(p * (1 - p), 0) / of):.3f}" if of else "none"


def recall_and_precision(runs: Sequence[Judged], rule: str, kind: Callable[[str], bool]) -> str:
    labelled = [one for one in runs if kind(one.label)]
    found = [one for one in runs if kind(one.verdicts[rule])]
    both = sum(kind(one.label) for one in found)
    return f"{share(both, len(labelled))} | {share(both, len(found))}"


def score() -> None:
    everything = judged()
    for held_out, title in ((True, "not looked at while rules were chosen"), (False, "that rules were chosen on")):
        runs = [one for one in everything if one.held_out == held_out]
        print(f"\nConfigurations {title}: {len(runs)} runs\n")
        print("| label | runs | " + " | ".join(f"{rule}: recall | precision" for rule in RIVALS) + " |")
        print("|---" * (2 + 2 * len(RIVALS)) + "|")
        for name, kind in KINDS.items():
            cells = " | ".join(recall_and_precision(runs, rule, kind) for rule in RIVALS)
            print(f"| {name} | {sum(kind(one.label) for one in runs)} | {cells} |")
    print("\nlabel -> our verdict, where they differ, all configurations:")
    pairs = Counter((one.label, one.verdicts["ours"]) for one in everything if one.label != one.verdicts["ours"])
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
