"""A dashboard in another process, as people start it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial


@contextmanager
def dashboard(storage: str, *options: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Its address and its process, on a free port, for the block."""
    command = [sys.executable, "-m", "depthsearch", "dashboard", "--storage", storage, "--port", "0", *options]
    # A test run in the background of a shell ignores Ctrl-C, and its children would.
    heard = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heard) as process:  # noqa: PLW1509
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith("the dashboard is at http://"), line + process.stderr.read()
            yield line.split()[4], process
        finally:
            process.kill()
