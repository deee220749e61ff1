"""Ctrl-C, and SIGTERM where it counts as Ctrl-C, at a moment when they must not arrive."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)

INTERRUPTED = 130
"""What a process exits with that Ctrl-C has ended."""


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Hold back Ctrl-C and SIGTERM until the block ends, then let them arrive.

    Large libraries import themselves through callbacks in which a KeyboardInterrupt is lost, or ends the process.
    Elsewhere than in the main thread, where Ctrl-C never arrives, the block is run as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)

    before = {number: signal.signal(number, remember) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if arrived:
            signal.raise_signal(arrived[0])


def interrupt_on_sigterm() -> None:
    """Let SIGTERM end this process as Ctrl-C does: with KeyboardInterrupt, so that what is finished is kept."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
