"""Ctrl-C takes effect, wherever it arrives."""

import signal
import threading
from contextlib import suppress

import pytest

from depthsearch.interrupts import SIGNALS, forget_interrupt, interrupts_deferred, raise_if_interrupted
from tests.interrupting import handlers_installed, lose_interrupt


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupt_within_a_finalizer_is_raised_at_the_next_question(
    number: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with handlers_installed():
        raise_if_interrupted()
        lose_interrupt(number)
        with pytest.raises(KeyboardInterrupt):
            raise_if_interrupted()
        with pytest.raises(KeyboardInterrupt):
            raise_if_interrupted()
        forget_interrupt()
        raise_if_interrupted()
    assert capfd.readouterr().err == ""


def test_an_interrupt_that_code_catches_is_raised_at_the_next_question() -> None:
    with handlers_installed():
        with suppress(BaseException):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            raise_if_interrupted()


def test_nothing_is_raised_while_interrupts_are_deferred_nor_in_another_thread() -> None:
    asked: list[str] = []

    def ask() -> None:
        raise_if_interrupted()
        asked.append("elsewhere")

    with handlers_installed():
        lose_interrupt()
        with interrupts_deferred():
            raise_if_interrupted()
            asked.append("deferred")
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        with pytest.raises(KeyboardInterrupt):
            raise_if_interrupted()
    assert asked == ["deferred", "elsewhere"]


def test_a_process_that_ignores_ctrl_c_goes_on_doing_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with handlers_installed():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
