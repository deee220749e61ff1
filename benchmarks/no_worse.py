"""How often the interval of the criterion `no_worse` holds, given its bar: simulated scores, no network.

    .venv/bin/python benchmarks/no_worse.py --searches 300

The final scores at each depth are normal around a median that falls with depth, cut off at the scores that there are.
A search climbs the ladder, sets the bar and looks for the depth at which half of the runs reach it, as `find` does. The
truth is the depth at which the probability of reaching that bar, which the distribution gives, falls to one half. How
far scores scatter, relative to the margin, decides where the curve of P(reaches the bar) starts: at 0.98, 0.8 or 0.65
where the bar is the best depth's true median minus the margin. Everything is seeded; shares carry standard errors.
"""

import argparse
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import NormalDist, median

import numpy as np

from depthsearch.problem.criterion import MARGIN
from depthsearch.search import Curve, Depths, Trial
from depthsearch.search.ladder import Bar, Ladder
from depthsearch.search.method import Pick, method_of
from depthsearch.search.settings import ResolvedSettings
from depthsearch.search.trial import State

STARTS = (0.98, 0.8, 0.65)
"""P(reaches the bar) at the best depth, were the bar exactly the margin below its true median."""

SETTINGS = ResolvedSettings(runs_per_trial=8, parallel_trials=2, cap=2_000, tolerance=0.1)
CHANCE_BAR = 0.28
NORMAL = NormalDist()


@dataclass(frozen=True)
class Truth:
    """Scores by depth: normal with this deviation around a median that is highest at the depth `best`.

    Attributes:
        start: Names the scatter (see STARTS).
        best: The depth up to which the median rises; past it, it falls.
        slope: How steeply: the median lies `margin` below the best at `depth`, and falls with its power.
        depth: Where the median has fallen by the margin.
    """

    start: float
    best: int
    slope: float
    depth: float

    @property
    def deviation(self) -> float:
        """Of the scores at one depth."""
        return MARGIN / NORMAL.inv_cdf(self.start)

    def median(self, depth: float) -> float:
        if depth < self.best:
            return 0.95 - 0.03 * math.log2(self.best / depth)
        fallen: float = (math.log(depth / self.best) / math.log(self.depth / self.best)) ** self.slope
        return max(0.95 - MARGIN * fallen, 0.1)

    def scores(self, rng: np.random.Generator, depth: int, runs: int) -> tuple[float, ...]:
        return tuple(np.clip(rng.normal(self.median(depth), self.deviation, runs), 0.0, 1.0).tolist())

    def reaches(self, depth: float, bar: float) -> float:
        """P(a run at this depth reaches the bar)."""
        return 1 - NORMAL.cdf((bar - self.median(depth)) / self.deviation)

    def threshold(self, bar: Bar) -> float:
        """The depth, from the rung on, at which half of the runs reach the bar; just above the rung if nowhere."""
        if self.reaches(bar.rung, bar.score) < 0.5:
            return bar.rung - 1
        low, high = float(bar.rung), 1e6
        while high - low > 1e-3:
            middle = math.sqrt(low * high)
            low, high = (middle, high) if self.median(middle) >= bar.score else (low, middle)
        return low


def random_truth(rng: np.random.Generator) -> Truth:
    best = int(rng.choice([1, 2, 4]))
    depth = best * float(np.exp(rng.uniform(math.log(2.5), math.log(60))))
    return Truth(float(rng.choice(STARTS)), best, float(rng.uniform(1.5, 6)), depth)


@dataclass(frozen=True)
class Found:
    """How one simulated search went."""

    truth: Truth
    bar: Bar
    curve: Curve
    ladder_runs: int
    runs: int

    @property
    def holds(self) -> bool:
        """Whether the interval holds the true threshold, given the bar; whole depths, so within less than one."""
        if self.curve.interval is None:
            return False
        low, high = self.curve.interval
        threshold = self.truth.threshold(self.bar)
        return low <= threshold and (high is None or threshold <= high)


def simulate(seed: int) -> Found:
    """One search: the ladder, then rounds of trials until it is concluded and confirmed, as in workflows.loop."""
    rng = np.random.default_rng([seed, 11])
    truth = random_truth(rng)
    trials: list[Trial] = []

    def made(pick: Pick, bar: Bar | None, number: int) -> Trial:
        scores = truth.scores(rng, pick.depth, pick.runs)
        if bar is None:
            return Trial(number, State.COMPLETE, pick.depth, purpose=pick.purpose, scores=scores, chance_bar=CHANCE_BAR)
        trained = sum(score >= bar.score for score in scores)
        return Trial(number, State.COMPLETE, pick.depth, pick.runs, trained, pick.purpose)

    depths = Depths(1, SETTINGS.cap)
    while (pick := Ladder(trials, MARGIN).next_pick(depths, SETTINGS)) is not None:
        trials.append(made(pick, None, len(trials)))
    ladder = Ladder(trials, MARGIN)
    bar = ladder.bar
    assert bar is not None
    method = method_of(SETTINGS, Depths(bar.rung, SETTINGS.cap), starts_low=True)
    while True:
        curve = method.estimate(trials, curves=100)
        if curve.concluded is None:
            picks = method.next_picks(trials, method.round_size(trials))
        elif (again := method.next_confirmation(trials, curve)) is not None:
            picks = (again,)
        else:
            return Found(truth, bar, curve, ladder.runs, sum(trial.made for trial in trials))
        trials = [*trials, *(made(pick, bar, number) for number, pick in enumerate(picks, start=len(trials)))]


COLUMNS = (
    "P at the best depth", "searches", "P there, given the bar", "interval holds", "not monotone", "runs of the ladder",
    "runs in all", "high / low",
)  # fmt: skip


def row(name: str, found: list[Found]) -> str:
    """Medians and shares of some searches; one that claims no interval, as its curve is flagged, does not hold."""
    share = sum(each.holds for each in found) / len(found)
    ends = [each.curve.interval for each in found if each.curve.interval is not None]
    cells = (
        name,
        str(len(found)),
        f"{median(each.truth.reaches(each.bar.rung, each.bar.score) for each in found):.2f}",
        f"{share:.3f} +- {math.sqrt(share * (1 - share) / len(found)):.3f}",
        f"{sum(each.curve.monotone is False for each in found) / len(found):.3f}",
        f"{median(each.ladder_runs for each in found):.0f}",
        f"{median(each.runs for each in found):.0f}",
        f"{median(high / max(low, 1) for low, high in ends if high is not None):.2f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", type=int, default=300)
    parser.add_argument("--first", type=int, default=1_000, help="seed of the first search")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:
        found = list(pool.map(simulate, range(options.first, options.first + options.searches), chunksize=4))
    print(f"| {' | '.join(COLUMNS)} |")
    print("|---" * len(COLUMNS) + "|")
    for start in STARTS:
        if chosen := [each for each in found if each.truth.start == start]:
            print(row(f"{start}", chosen))
    print(row("all", found))


if __name__ == "__main__":
    main()
