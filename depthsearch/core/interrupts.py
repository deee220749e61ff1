"""Ctrl-C at a moment when it must not arrive."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130
"""What a process exits with that Ctrl-C has ended."""


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Hold back Ctrl-C until the block ends, then let it arrive.

    Large libraries import themselves through callbacks in which a KeyboardInterrupt is lost, or ends the process.
    Elsewhere than in the main thread, where Ctrl-C never arrives, the block is run as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if arrived:
            signal.raise_signal(signal.SIGINT)
