"""Ctrl-C, and SIGTERM where it counts as Ctrl-C, at a moment when they must not arrive, or where they are lost."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)

INTERRUPTED = 130
"""What a process exits with that Ctrl-C has ended."""

POLL_SECONDS = 0.5
"""How long a thread that waits for others goes without asking whether an interrupt was lost."""

_arrived = False
_deferring = 0


def raise_if_interrupted() -> None:
    """Raise the KeyboardInterrupt of a signal that has arrived, once more.

    Python drops an exception that is raised inside a finalizer or a callback of a weak reference, whatever code runs
    them, and a user's code may catch it: what trains asks here as it goes on. Nothing is raised elsewhere than in the
    main thread, nor while interrupts are deferred.

    Raises:
        KeyboardInterrupt: A signal has arrived since `install_handlers`, and `forget_interrupt` was not called since.
    """
    if _arrived and not _deferring and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt


def forget_interrupt() -> None:
    """Note that the interrupt was handled."""
    global _arrived  # noqa: PLW0603 - signals belong to the process
    _arrived = False


def install_handlers() -> None:
    """Let SIGTERM end this process as Ctrl-C does, with KeyboardInterrupt, and remember both until they are handled.

    A process that was started to ignore Ctrl-C goes on doing so. Python prints nothing of an interrupt that it drops.
    """
    for number in SIGNALS:
        if number == signal.SIGTERM or signal.getsignal(number) is signal.default_int_handler:
            signal.signal(number, _interrupt)
    others = sys.unraisablehook

    def hook(dropped: "sys.UnraisableHookArgs") -> None:
        if not (_arrived and issubclass(dropped.exc_type, KeyboardInterrupt)):
            others(dropped)

    sys.unraisablehook = hook


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    global _arrived  # noqa: PLW0603 - signals belong to the process
    _arrived = True
    raise KeyboardInterrupt


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Hold back Ctrl-C and SIGTERM until the block ends, then let them arrive.

    Large libraries import themselves through callbacks in which a KeyboardInterrupt is lost, or ends the process.
    Elsewhere than in the main thread, where Ctrl-C never arrives, the block is run as it is.
    """
    global _deferring  # noqa: PLW0603 - signals belong to the process
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)

    before = {number: signal.signal(number, remember) for number in SIGNALS}
    _deferring += 1
    try:
        yield
    finally:
        _deferring -= 1
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        if arrived:
            signal.raise_signal(arrived[0])
