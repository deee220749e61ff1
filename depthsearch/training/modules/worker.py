"""A process that trains one job at a time for a `WorkerPool`: `python -m depthsearch.training.modules.worker`.

It reads pickled requests from its standard input and answers on what was its standard output; what a user's code prints
goes to standard error. It ends where its parent does.
"""

import os
import queue
import signal
import sys
import threading
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from depthsearch.errors import DepthsearchError
from depthsearch.training.failures import run_failed
from depthsearch.training.modules.pipe import receive, send
from depthsearch.training.trace import Trace


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    folder, path, packages = _received()
    os.chdir(folder)
    sys.path[:] = path
    for package, places in packages.items():
        import_module(package).__path__[:] = places
    requests: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    while True:
        request = requests.get()
        if isinstance(request, _Unreadable):
            send(answers, ("unreadable", request.reason))
            continue
        problem, job, record, asked, checkpoints = request

        def watch(trace: Trace) -> int | None:
            send(answers, ("entry", trace))
            reply: int | None = requests.get()
            return reply

        try:
            engine = _engine(checkpoints)
            ((_, trace),) = engine.train(problem, [job], watch=watch if asked else None, record=record)
            send(answers, ("trace", trace))
        except DepthsearchError as error:
            send(answers, ("failed", error))
        except BaseException as error:  # whatever a user's code raises; Ctrl-C never arrives here
            send(answers, ("failed", run_failed(problem, job.depth, error, seed=job.seed)))


def _engine(checkpoints: Any) -> Any:
    """Imported with the first job: the pipe is answered at once."""
    from depthsearch.training.modules.engine import ModuleEngine  # noqa: PLC0415

    return ModuleEngine("cpu", checkpoints=checkpoints, workers=1)


def _read(requests: "queue.Queue[Any]") -> None:
    """Hand over what the parent sends; without a parent, end at once, whatever is being trained."""
    while True:
        try:
            requests.put(_received())
        except Exception as error:  # whatever the import of a class in it raises
            requests.put(_Unreadable(f"{type(error).__name__}: {error}"))


def _received() -> Any:
    try:
        return receive(sys.stdin.buffer)
    except EOFError:
        os._exit(1)


@dataclass(frozen=True)
class _Unreadable:
    """A request that this process cannot read, because it lacks something that its parent has."""

    reason: str


if __name__ == "__main__":
    main()
