"""The handlers of the command line within a test, and an interrupt that Python drops."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from depthsearch.interrupts import SIGNALS, forget_interrupt, install_handlers


@contextmanager
def handlers_installed() -> Iterator[None]:
    """A block in which this process handles signals as the command line does."""
    handlers, hook = {number: signal.getsignal(number) for number in SIGNALS}, sys.unraisablehook
    install_handlers()
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sys.unraisablehook = hook
        forget_interrupt()


class _Finalized:
    def __init__(self, number: int) -> None:
        self._number = number

    def __del__(self) -> None:
        signal.raise_signal(self._number)


def lose_interrupt(number: int = signal.SIGINT) -> None:
    """Let a signal arrive within a finalizer, where its KeyboardInterrupt is dropped."""
    _Finalized(number)
