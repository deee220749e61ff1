"""Messages between a `WorkerPool` and its workers, over pipes: pickles, each after its length."""

import pickle
from typing import IO, Any

_LENGTH = 8
"""Bytes that give the length of a message."""


def send(stream: IO[bytes], message: Any) -> None:
    """Send a message."""
    data = pickle.dumps(message)
    stream.write(len(data).to_bytes(_LENGTH, "big") + data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next message.

    Raises:
        EOFError: The other end is closed.
    """
    size = stream.read(_LENGTH)
    if len(size) < _LENGTH:
        raise EOFError
    data = stream.read(int.from_bytes(size, "big"))
    return pickle.loads(data)
