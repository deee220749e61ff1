"""What it costs to find a threshold under noise, and how often the interval holds: simulated truths, no network.

    .venv/bin/python benchmarks/search.py coverage --searches 1000     # the interval, over random truths
    .venv/bin/python benchmarks/search.py cost                         # ours and the rivals, at D = 74
    .venv/bin/python benchmarks/search.py shapes                       # dips and revivals; false flags
    .venv/bin/python benchmarks/search.py speed                        # of one step of the sampler

Truths are curves of P(success | depth); D is the depth at which they fall to the reliability. A run costs its depth; a
round whose runs go side by side costs its deepest. Everything is seeded; shares carry their standard errors.
"""

import argparse
import math
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import median

import numpy as np
import optuna
from optuna.samplers import BaseSampler, GPSampler, TPESampler

from depthsearch.search import BisectionSampler, Curve, Depths, ThresholdSampler, estimate
from depthsearch.search.method import method_of
from depthsearch.search.sampler import trials_of
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.threshold.picking import Known
from depthsearch.search.threshold.stopping import Threshold

optuna.logging.set_verbosity(optuna.logging.WARNING)
warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)

Truth = Callable[[float], float]


@dataclass(frozen=True)
class Case:
    """A truth with a name; D is where it falls to the reliability, `crossings` all the depths where it crosses it."""

    kind: str
    truth: Truth
    reliability: float
    depth: float
    crossings: tuple[float, ...] = ()


def logistic(depth: float, reliability: float, slope: float, gamma: float = 0.0, lam: float = 0.0) -> Truth:
    share = (reliability - lam) / (1 - gamma - lam)
    middle = math.log(depth) - math.log(1 / share - 1) / slope
    return lambda d: lam + (1 - gamma - lam) / (1 + math.exp(min(slope * (math.log(d) - middle), 700)))


def power(depth: float, reliability: float) -> Truth:
    """c ** d."""
    return lambda d: reliability ** (d / depth)


def step(depth: float, high: float = 0.98, low: float = 0.02) -> Truth:
    return lambda d: high if d <= depth else low


def random_case(rng: np.random.Generator) -> Case:
    depth = float(np.exp(rng.uniform(math.log(3), math.log(3000))))
    reliability = float(rng.choice([0.5, 0.9]))
    kind = str(rng.choice(["sharp", "middling", "shallow", "power", "step", "asymptotes"]))
    truth = {
        "sharp": lambda: logistic(depth, reliability, float(rng.uniform(25, 80))),
        "middling": lambda: logistic(depth, reliability, float(rng.uniform(8, 16))),
        "shallow": lambda: logistic(depth, reliability, float(rng.uniform(2.5, 6))),
        "power": lambda: power(depth, reliability),
        "step": lambda: step(depth),
        "asymptotes": lambda: logistic(
            depth, reliability, float(rng.uniform(8, 40)), float(rng.choice([0.01, 0.03, 0.06])), 0.02
        ),
    }[kind]()
    # Only whole depths can be tried: a step lies at the deepest that passes.
    return Case(kind, truth, reliability, math.floor(depth) if kind == "step" else depth)


@dataclass(frozen=True)
class Found:
    """How one simulated search went: in all, and until a stopping rule held for the first time.

    What comes after that explores the tail, whose cost is that of its deepest depths. `threshold` is that of the
    posterior, which a curve that is flagged as not monotone leaves out.
    """

    curve: Curve
    threshold: Threshold
    runs: int
    cost: float
    until_rule: tuple[int, float]

    def holds(self, depth: float) -> bool:
        """Whether the interval holds a true threshold; of a flagged curve, the interval that it would have given."""
        low, high = self.curve.interval or (math.floor(self.threshold.low), math.ceil(min(self.threshold.high, 1e9)))
        return low <= depth and (high is None or depth <= high)


def simulate(case: Case, settings: ResolvedSettings, seed: int, sampler: BaseSampler | None = None) -> Found:
    """One search, `settings.parallel_trials` trials a round, over an in-memory study."""
    rng = np.random.default_rng([seed, 7])
    study = optuna.create_study(direction="maximize", sampler=sampler or ThresholdSampler(settings))
    total, runs, until_rule = 0.0, 0, None
    depths = Depths(1, settings.cap)
    curve = estimate(study, settings, curves=100)
    while curve.concluded is None and (settings.max_runs is None or runs < settings.max_runs):
        asked = []
        for _ in range(settings.parallel_trials):
            trial = study.ask()
            asked.append((trial, trial.suggest_int("depth", 1, settings.cap)))
        for trial, depth in asked:
            count = settings.runs_per_trial
            if sampler is None:
                count = runs_of(study, trial.number, settings)
            trial.set_user_attr("runs", count)
            trial.set_user_attr("trained", int(rng.binomial(count, case.truth(depth))))
            study.tell(trial, depth)
            runs += count
        deepest = max(depth for _, depth in asked)
        total += deepest if settings.parallel_trials > 1 else deepest * settings.runs_per_trial
        if until_rule is None and sampler is None and Known.of(trials_of(study), depths).rule(settings) is not None:
            until_rule = runs, total
        curve = estimate(study, settings, curves=100)
    threshold = Known.of(trials_of(study), depths).threshold(settings)
    return Found(curve, threshold, runs, total, until_rule or (runs, total))


def runs_of(study: optuna.Study, number: int, settings: ResolvedSettings) -> int:
    """The runs that the trial of that number asks for: fewer where it is a look-out."""
    if settings.runs_per_trial == 1:
        return 1
    method = method_of(settings, Depths(1, settings.cap))
    return method.next_picks(trials_of(study)[:number], 1)[0].runs


def share(hits: int, of: int) -> str:
    p = hits / max(of, 1)
    return f"{p:.3f} +- {math.sqrt(p * (1 - p) / max(of, 1)):.3f}"


def covered(job: tuple[int, int, int]) -> tuple[str, float, bool, bool, float, str]:
    seed, batch, runs = job
    case = random_case(np.random.default_rng([seed, 1]))
    settings = ResolvedSettings(
        reliability=case.reliability, parallel_trials=batch, runs_per_trial=runs, max_runs=3000, seed=seed
    )
    found = simulate(case, settings, seed)
    right = found.holds(case.depth)
    rule = str(found.curve.concluded or "budget")
    return case.kind, case.reliability, right, found.curve.monotone is False, found.runs, rule


def coverage(searches: int, batch: int, runs: int, jobs: int) -> None:
    print(f"rounds of {batch} trials of {runs} runs; D log-uniform in 3..3000; reliability .5 or .9")
    results = []
    with ProcessPoolExecutor(jobs) as pool:
        for result in pool.map(covered, [(seed, batch, runs) for seed in range(searches)]):
            results.append(result)
            if len(results) % 100 == 0 or len(results) == searches:
                coverage_so_far(results)


def coverage_so_far(results: list[tuple[str, float, bool, bool, float, str]]) -> None:
    """The table; printed after every hundred searches, so that a benchmark that is stopped leaves figures."""
    print(f"\n| truth, {len(results)} searches | searches | interval holds | flagged as not monotone | runs, median |")
    print("|---|---|---|---|---|")
    for kind in [*sorted({result[0] for result in results}), "all"]:
        some = [result for result in results if kind in (result[0], "all")]
        hits, flags = sum(result[2] for result in some), sum(result[3] for result in some)
        cells = f"{share(hits, len(some))} | {share(flags, len(some))} | {median(result[4] for result in some):.0f}"
        print(f"| {kind} | {len(some)} | {cells} |")
    for reliability in (0.5, 0.9):
        some = [result for result in results if result[1] == reliability]
        print(f"reliability {reliability}: {share(sum(result[2] for result in some), len(some))}")
    rules = {rule: sum(result[5] == rule for result in results) for rule in sorted({result[5] for result in results})}
    print(f"ended by: {rules}", flush=True)


@dataclass(frozen=True)
class Spent:
    """What one search cost, its depths in units of D, and whether its answer was right."""

    runs: int
    cost: float
    runs_in_all: int
    cost_in_all: float
    near: bool
    held: bool | None = None


def one_cost(job: tuple[str, float, float, int, int]) -> Spent:
    name, slope, reliability, batch, seed = job
    case = Case(name, logistic(74, reliability, slope), reliability, 74)
    settings = ResolvedSettings(reliability=reliability, parallel_trials=batch, runs_per_trial=1, seed=seed)
    found = simulate(case, settings, seed)
    middle = math.floor(found.threshold.median)
    runs, cost = found.until_rule
    return Spent(runs, cost / 74, found.runs, found.cost / 74, abs(middle / 74 - 1) <= 0.05, found.holds(74))


def rival(job: tuple[str, int]) -> Spent:
    """A rival on D = 74, slope 12, reliability .5; none of them claims an interval."""
    name, seed = job
    truth = logistic(74, 0.5, 12)
    rng = np.random.default_rng([seed, 7])
    if name.startswith(("bisection", "majority")):
        runs = {"bisection": 1, "majority of 5": 5, "majority of 15": 15}[name]
        settings = ResolvedSettings(sampler="bisect", reliability=0.5, runs_per_trial=runs, parallel_trials=1)
        found = simulate(Case(name, truth, 0.5, 74), settings, seed, BisectionSampler(settings))
        answer = found.curve.max_depth or 0
        return peer(found.runs, found.cost, answer)
    if name == "QUEST+":
        return quest_plus(truth, rng)
    sampler = TPESampler(seed=seed) if name == "TPE" else GPSampler(seed=seed)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    total, best = 0, 0
    for _ in range(100):
        trial = study.ask()
        depth = trial.suggest_int("depth", 1, 2000, log=True)
        success = rng.random() < truth(depth)
        trial.set_constraint("fails", 0.0 if success else 1.0)
        study.tell(trial, depth)
        total += depth
        best = max(best, depth) if success else best
    return peer(100, total, best)


def peer(runs: int, total: float, answer: float) -> Spent:
    return Spent(runs, total / 74, runs, total / 74, abs(answer / 74 - 1) <= 0.05)


def quest_plus(truth: Truth, rng: np.random.Generator) -> Spent:
    """Watson 2017, in the package questplus (GPL, so a peer here and nothing more); 100 runs."""
    from questplus import QuestPlus  # type: ignore[import-not-found]  # noqa: PLC0415 - not installed with the project

    stimuli = np.log(np.unique(np.round(np.geomspace(1, 2000, 60))))
    quest = QuestPlus(
        stim_domain={"intensity": -stimuli[::-1]},
        param_domain={
            "threshold": -stimuli[::-1], "slope": np.geomspace(0.8, 60, 12), "lower_asymptote": [0.01],
            "lapse_rate": [0.01],
        },
        outcome_domain={"response": ["yes", "no"]},
        func="weibull", stim_scale="log10", stim_selection_method="min_entropy", param_estimation_method="mean",
    )  # fmt: skip
    total = 0.0
    for _ in range(100):
        intensity = quest.next_stim["intensity"]
        depth = math.exp(-intensity)
        quest.update(
            stim={"intensity": intensity}, outcome={"response": "yes" if rng.random() < truth(depth) else "no"}
        )
        total += depth
    return peer(100, total, math.exp(-quest.param_estimate["threshold"]))


def row(name: str, results: list[Spent]) -> None:
    until = f"{median(one.runs for one in results):.0f} | {median(one.cost for one in results):.1f}D"
    in_all = f"{median(one.runs_in_all for one in results):.0f} | {median(one.cost_in_all for one in results):.1f}D"
    held = "none claimed" if results[0].held is None else share(sum(bool(one.held) for one in results), len(results))
    print(
        f"| {name} | {until} | {in_all} | {share(sum(one.near for one in results), len(results))} | {held} |",
        flush=True,
    )


def cost(searches: int, jobs: int) -> None:
    print("| D = 74; medians | runs until a rule holds | cost | runs in all | cost | within 5 % | interval holds |")
    print("|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(jobs) as pool:
        for name, slope, reliability, batch in (
            ("ours, slope 12, .5, one at a time", 12, 0.5, 1),
            ("ours, slope 12, .5, rounds of 16", 12, 0.5, 16),
            ("ours, sharp (slope 40), .5, rounds of 16", 40, 0.5, 16),
            ("ours, slope 12, .9, rounds of 16", 12, 0.9, 16),
            ("ours, sharp (slope 40), .9, rounds of 16", 40, 0.9, 16),
        ):
            tasks = [(name, float(slope), reliability, batch, seed) for seed in range(searches)]
            row(name, list(pool.map(one_cost, tasks)))
        for name in ("bisection", "majority of 5", "majority of 15", "TPE", "GP", "QUEST+"):
            try:
                row(f"{name}, slope 12, .5", list(pool.map(rival, [(name, seed) for seed in range(searches)])))
            except ModuleNotFoundError:
                print(f"| {name} | not installed: pip install questplus | | | | | |")


def shape_case(kind: str, rng: np.random.Generator) -> Case:
    """Curves that dip, or revive, or do neither; crossings are where they cross one half."""
    depth = float(np.exp(rng.uniform(math.log(20), math.log(400))))
    base = logistic(depth, 0.5, 30)
    if kind == "dip":
        low, high = 0.35 * depth, 0.6 * depth
        return Case(kind, lambda d: 0.1 if low <= d <= high else base(d), 0.5, low, (low, high, depth))
    if kind == "revival":
        low, high = 1.5 * depth, 3.5 * depth
        return Case(kind, lambda d: 0.9 if low <= d <= high else base(d), 0.5, depth, (depth, low, high))
    return Case(kind, base, 0.5, depth, (depth,))


def shaped(job: tuple[str, int, int, int]) -> tuple[str, bool, bool]:
    kind, seed, batch, runs = job
    case = shape_case(kind, np.random.default_rng([seed, 3]))
    settings = ResolvedSettings(
        reliability=0.5, parallel_trials=batch, runs_per_trial=runs, max_runs=3000, cap=5000, seed=seed
    )
    found = simulate(case, settings, seed)
    return kind, found.curve.monotone is False, all(found.holds(crossing) for crossing in case.crossings)


def shapes(searches: int, batch: int, runs: int, jobs: int) -> None:
    print(f"rounds of {batch} trials of {runs} runs")
    print("| truth | searches | flagged, or the interval holds every crossing | flagged |")
    print("|---|---|---|---|")
    with ProcessPoolExecutor(jobs) as pool:
        for kind in ("dip", "revival", "falling"):
            results = list(pool.map(shaped, [(kind, seed, batch, runs) for seed in range(searches)], chunksize=4))
            right = sum(flagged or held for _, flagged, held in results)
            flags = sum(flagged for _, flagged, _ in results)
            print(f"| {kind} | {searches} | {share(right, searches)} | {share(flags, searches)} |", flush=True)


def speed(trials: int) -> None:
    """One step of the sampler after so many trials of one run each: what `suggest_int` takes, nothing remembered."""
    from depthsearch.search.threshold.posterior import posterior  # noqa: PLC0415

    settings = ResolvedSettings(reliability=0.9, tolerance=0.0001, runs_per_trial=1, seed=1, parallel_trials=1)
    study = optuna.create_study(direction="maximize", sampler=ThresholdSampler(settings))
    truth, rng = logistic(74, 0.9, 12), np.random.default_rng(0)
    taken = []
    for number in range(trials + 30):
        trial = study.ask()
        posterior.cache_clear()
        start = time.perf_counter()
        depth = trial.suggest_int("depth", 1, settings.cap)
        if number >= trials:
            taken.append(1e3 * (time.perf_counter() - start))
        trial.set_user_attr("runs", 1)
        trial.set_user_attr("trained", int(rng.random() < truth(depth)))
        study.tell(trial, depth)
    print(f"a step after {trials} trials: {median(taken):.1f} ms (median of 30; slowest {max(taken):.1f})")


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("coverage", "cost", "shapes", "speed"))
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--batch", type=int, default=16, help="trials a round")
    parser.add_argument("--runs", type=int, default=1, help="runs a trial")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args(list(arguments) if arguments is not None else None)
    match options.what:
        case "coverage":
            coverage(options.searches, options.batch, options.runs, options.jobs)
        case "cost":
            cost(options.searches, options.jobs)
        case "shapes":
            shapes(options.searches, options.batch, options.runs, options.jobs)
        case "speed":
            speed(1000)


if __name__ == "__main__":
    main()
