"""The watcher of a round: it ends runs whose verdict is settled, and shows how far those under way are."""

import threading
import time
from dataclasses import dataclass

from depthsearch.detection import settled_epoch
from depthsearch.results.events import RoundAdvanced, RunUnderWay
from depthsearch.training.engine import Job
from depthsearch.training.trace import Trace
from depthsearch.workflows.prepare import OnEvent

ADVANCE_SECONDS = 1.0
"""Between two events that show how far networks that train side by side are."""


@dataclass
class _Run:
    """A run as it was first seen, and as it was seen last."""

    trace: Trace
    since: float
    latest: Trace
    seen: float

    def state(self) -> RunUnderWay:
        """How far it is; what the whole run takes, once an entry shows it."""
        trace, done = self.latest, self.latest.epochs - self.trace.epochs
        seconds = (self.seen - self.since) / done * trace.budget_epochs if done else None
        return RunUnderWay(
            depth=trace.depth,
            steps=trace.steps,
            of=trace.budget_steps,
            share=trace.epochs / trace.budget_epochs,
            seconds=seconds,
        )


class TimeIsOver(Exception):
    """The seconds of the budget ended within a round."""


class RoundWatcher:
    """Asked by the engine after each entry of each run.

    Events are sent only from the thread that made the watcher.

    Args:
        done: Runs of the round that were finished before.
        of: All of its runs.
        on_event: Called every second at most.
        seconds: After which the round ends, whatever is under way.
    """

    def __init__(self, done: int, of: int, on_event: OnEvent, seconds: float = float("inf")) -> None:
        self._done, self._of, self._on_event = done, of, on_event
        self._runs: dict[Job, _Run] = {}
        self._thread, self._shown = threading.current_thread(), time.monotonic()
        self._end = self._shown + seconds

    def __call__(self, trace: Trace) -> int | None:
        """The entry at which the verdict was settled, or None to go on.

        Raises:
            TimeIsOver: The seconds of the round are over.
        """
        if time.monotonic() > self._end:
            raise TimeIsOver
        if threading.current_thread() is self._thread:
            self._see(trace)
        return settled_epoch(trace)

    def finish(self, job: Job) -> None:
        """The run is finished."""
        self._runs.pop(job, None)
        self._done += 1

    def _see(self, trace: Trace) -> None:
        now, job = time.monotonic(), Job(trace.depth, trace.seed)
        run = self._runs.get(job)
        if run is None or trace.epochs < run.latest.epochs:  # it begins, or begins again in another process
            self._runs[job] = _Run(trace, now, trace, now)
        else:
            run.latest, run.seen = trace, now
        if now - self._shown < ADVANCE_SECONDS:
            return
        self._shown = now
        running = tuple(known.state() for known in self._runs.values())
        share = (self._done + sum(run.share for run in running)) / self._of
        self._on_event(RoundAdvanced(min(share, 1.0), running))
