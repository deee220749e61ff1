"""The time that a search still takes, by what runs took at the depths that were tried."""

import time
from collections import Counter
from collections.abc import Sequence

from depthsearch.results.events import RoundAdvanced, RunFinished, RunUnderWay, StudyOpened, TrialFinished, TrialStarted
from depthsearch.results.pace import Pace, Timing
from depthsearch.search.exclusion import Exclusion
from depthsearch.search.settings import ResolvedSettings


class TimeLeft:
    """Follows the events of one search. A thread that prints may ask while another one advances it.

    Args:
        opened: The study, with what its trials took in earlier sittings.
        settings: How it is searched.
    """

    def __init__(self, opened: StudyOpened, settings: ResolvedSettings) -> None:
        self._settings = settings
        self._timings: tuple[Timing, ...] = opened.timings
        self._runs_left = opened.runs_left
        self._since = self._moved = time.monotonic()
        self._made, self._training, self._overhead = 0, 0.0, 0.0
        self._max_depth: int | None = None
        self._begun: float | None = None  # when the round under way began
        self._waiting: Counter[int] = Counter()  # runs of the round that are not finished, by depth
        self._of = 0
        self._running: tuple[RunUnderWay, ...] = ()

    def start(self, event: TrialStarted) -> None:
        """A trial of a round is about to be trained."""
        if self._begun is None:
            self._begun = time.monotonic()
        self._waiting = self._waiting + Counter({event.depth: event.runs})
        self._of += event.runs
        self._moved = time.monotonic()

    def advance(self, event: RoundAdvanced | RunFinished) -> None:
        """The runs of a round got on, or one of them is finished."""
        if isinstance(event, RoundAdvanced):
            self._running = event.running
        else:
            self._waiting = self._waiting - Counter({event.depth: 1})
        self._moved = time.monotonic()

    def drop(self, exclusion: Exclusion) -> None:
        """A depth is given up."""
        deeper = exclusion.deeper
        kept = {
            d: runs for d, runs in self._waiting.items() if d < exclusion.depth or (d > exclusion.depth and not deeper)
        }
        self._of -= self._waiting.total() - sum(kept.values())
        self._waiting, self._running = Counter(kept), ()

    def finish(self, event: TrialFinished) -> None:
        """A trial of a round is finished: all of them are."""
        self._waiting, self._running, self._of, self._begun = Counter(), (), 0, None
        self._timings = (*self._timings, Timing(event.depth, event.runs, event.seconds))
        self._runs_left, self._max_depth = event.runs_left, event.curve.max_depth
        self._made += event.runs
        self._training += event.seconds
        self._overhead = max(time.monotonic() - self._since - self._training, 0.0) / self._made

    def of_round(self) -> float | None:
        """Seconds until the runs under way, and those that wait for them, are finished; None where nothing shows it."""
        waiting, running = self._waiting, [run for run in self._running if run.seconds is not None]
        since = time.monotonic() - self._moved
        if not waiting:
            return None
        if not running:
            if not self._timings:
                return None
            pace = Pace(self._timings)
            return max(sum(runs * pace.seconds(depth) for depth, runs in waiting.items()) - since, 0.0)
        pace = Pace([Timing(run.depth, 1, run.seconds or 0.0) for run in running])
        rests = [(1 - run.share) * (run.seconds or 0.0) for run in running]
        later = waiting - Counter(run.depth for run in self._running)
        work = sum(rests) + sum(runs * pace.seconds(depth) for depth, runs in later.items())
        return max(work / len(running) - since, max(rests) - since, 0.0)

    def seconds(self) -> float | None:
        """Until the search is concluded, as far as can be foreseen: that of the round, and further runs by depth."""
        timings, left = self._known(), self._runs_left
        if left is None or not timings:
            return None
        round_left = self.of_round() or 0.0
        deep = self._max_depth or max(timing.depth for timing in timings)
        beyond = max(left - self._of, 0)
        seconds = round_left + beyond * (self._overhead + Pace(timings).seconds(deep))
        budget = self.of_budget()
        return seconds if budget is None else min(seconds, budget)

    def of_budget(self) -> float | None:
        """Seconds that the budget still allows; None where there is none, or where the first round outlasts it.

        The first round of a study is never cut short: how long it takes is not known before its first entry.
        """
        if self._settings.max_seconds is None:
            return None
        under_way = 0.0 if self._begun is None else time.monotonic() - self._begun
        left = max(self._settings.max_seconds - sum(timing.seconds for timing in self._timings) - under_way, 0.0)
        if self._timings or not self._waiting:
            return left
        round_left = self.of_round()
        return None if round_left is None or round_left > left else left

    def _known(self) -> Sequence[Timing]:
        """What trials took; before the first, what its runs take at their pace, so many side by side."""
        if self._timings:
            return self._timings
        running = [run for run in self._running if run.seconds is not None]
        return [Timing(run.depth, len(running), run.seconds or 0.0) for run in running]
