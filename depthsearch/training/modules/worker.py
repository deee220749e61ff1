"""A process that trains one job at a time for a `WorkerPool`: `python -m depthsearch.training.modules.worker`.

It reads pickled requests from its standard input and answers on what was its standard output; what a user's code prints
goes to standard error. It ends where its parent does.
"""

import os
import queue
import signal
import sys
import threading
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
    requests: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    folder, path = requests.get()
    os.chdir(folder)
    sys.path[:] = path
    while True:
        problem, job, record, asked, checkpoints = requests.get()

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
        except Exception as error:  # whatever a user's code raises
            send(answers, ("failed", run_failed(problem, job.depth, error, seed=job.seed)))


def _engine(checkpoints: Any) -> Any:
    """Imported with the first job: the pipe is answered at once."""
    from depthsearch.training.modules.engine import ModuleEngine  # noqa: PLC0415

    return ModuleEngine("cpu", checkpoints=checkpoints, workers=1)


def _read(requests: "queue.Queue[Any]") -> None:
    """Hand over what the parent sends; without a parent, end at once, whatever is being trained."""
    while True:
        try:
            requests.put(receive(sys.stdin.buffer))
        except EOFError:
            os._exit(1)


if __name__ == "__main__":
    main()
