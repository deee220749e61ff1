"""Processes that train modules side by side, one job and one thread each."""

import atexit
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from depthsearch.data.base import DataSource
from depthsearch.errors import OutOfMemory, RunFailed
from depthsearch.interrupts import POLL_SECONDS, raise_if_interrupted
from depthsearch.networks.base import Network
from depthsearch.problem.problem import Problem
from depthsearch.training.engine import Job, Record, Watch
from depthsearch.training.failures import out_of_memory, run_failed
from depthsearch.training.modules.pipe import receive, send
from depthsearch.training.trace import Trace
from depthsearch.user_code.objects import is_live

KILLED = -9
"""The exit status of a process that the system ended for its memory."""


class WorkerPool:
    """So many worker processes, started when they are first needed.

    Every worker computes what this process would, bit for bit, since each run has one thread.

    Args:
        count: How many.
        checkpoints: Folder of the checkpoints of long runs; None for none.
    """

    def __init__(self, count: int, checkpoints: Path | None) -> None:
        self._count, self._checkpoints = count, checkpoints
        self._idle: list[_Worker] = []
        self._messages: queue.Queue[tuple[_Worker, Any]] = queue.Queue()

    def train(
        self, problem: Problem, jobs: Sequence[Job], *, watch: Watch | None, record: Record
    ) -> Iterator[tuple[Job, Trace]]:
        """Train every job (see Engine.train)."""
        waiting, busy = deque(jobs), dict[_Worker, Job]()
        try:
            while waiting or busy:
                while waiting and len(busy) < self._count:
                    worker = self._idle.pop() if self._idle else self._started()
                    busy[worker] = job = waiting.popleft()
                    worker.send((problem, job, record, watch is not None, self._checkpoints))
                worker, message = self._next_message()
                if worker not in busy:
                    continue  # of a worker that was given up
                match message:
                    case ("entry", trace):
                        worker.send(watch(trace) if watch is not None else None)
                    case ("trace", trace):
                        job = busy.pop(worker)
                        self._idle.append(worker)
                        yield job, trace
                    case ("failed", error):
                        del busy[worker]
                        self._idle.append(worker)
                        raise error
                    case ("unreadable", reason):
                        job = busy.pop(worker)
                        self._idle.append(worker)
                        unread = RuntimeError(f"another process cannot read what is trained: {reason}")
                        raise run_failed(problem, job.depth, unread, seed=job.seed)
                    case _:
                        raise _died(problem, busy.pop(worker), worker.end())
        except KeyboardInterrupt:
            with_finished = list(self._drain(busy))
            yield from with_finished
            raise
        finally:
            for worker in busy:
                worker.end()

    def _next_message(self) -> "tuple[_Worker, Any]":
        """Waited for, as long as no interrupt was lost."""
        while True:
            raise_if_interrupted()
            with suppress(queue.Empty):
                return self._messages.get(timeout=POLL_SECONDS)

    def _started(self) -> "_Worker":
        return _Worker(self._messages)

    def _drain(self, busy: "dict[_Worker, Job]") -> Iterator[tuple[Job, Trace]]:
        """The runs that are finished, without waiting for others."""
        while not self._messages.empty():
            worker, message = self._messages.get()
            if worker in busy and isinstance(message, tuple) and message[0] == "trace":
                self._idle.append(worker)
                yield busy.pop(worker), message[1]

    def close(self) -> None:
        """End the workers."""
        for worker in self._idle:
            worker.end()
        self._idle.clear()

    def __del__(self) -> None:
        self.close()


class _Worker:
    """One process, and the thread that reads its answers."""

    def __init__(self, messages: "queue.Queue[tuple[_Worker, Any]]") -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "depthsearch.training.modules.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self._reader = threading.Thread(target=self._read, args=(messages,), daemon=True)
        self._reader.start()
        atexit.register(self.end)  # later, as the interpreter ends, its thread holds the pipe for ever
        packages = {entry.package: list(import_module(entry.package).__path__) for entry in (Network, DataSource)}
        self.send((str(Path.cwd()), sys.path, packages))

    def send(self, message: Any) -> None:
        """Send a request, or the answer to a question; a worker that has died says so in its answers."""
        assert self._process.stdin is not None
        try:
            send(self._process.stdin, message)
        except OSError:
            return

    def _read(self, messages: "queue.Queue[tuple[_Worker, Any]]") -> None:
        assert self._process.stdout is not None
        while True:
            try:
                message = receive(self._process.stdout)
            except (EOFError, OSError, ValueError, pickle.UnpicklingError):
                messages.put((self, None))
                return
            messages.put((self, message))

    def end(self) -> int:
        """End it at once, whatever it trains: the exit status, which is its former one where it has died before."""
        atexit.unregister(self.end)
        self._process.kill()
        status = self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        return status


def _died(problem: Problem, job: Job, status: int) -> OutOfMemory | RunFailed:
    """What the death of a worker means."""
    error = MemoryError(f"the process that trained it was ended with status {status}")
    if status == KILLED:
        return out_of_memory(problem, job.depth, seed=job.seed, error=error)
    ended = RuntimeError(f"the process that trained it ended with status {status}")
    return run_failed(problem, job.depth, ended, seed=job.seed)


def can_travel(problem: Problem) -> bool:
    """Whether another process can make the problem.

    It cannot where a class of it is defined in the script that runs, or where its code or its data are objects of this
    process.
    """
    if any(type(part).__module__ == "__main__" for part in (problem.network, problem.data)):
        return False
    try:
        pickle.dumps(problem)
    except Exception:  # whatever a user's class holds
        return False
    return not any(is_live(str(getattr(part, "source", ""))) for part in (problem.network, problem.data))
