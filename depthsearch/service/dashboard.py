"""optuna-dashboard over a store, read-only."""

import errno
import importlib.util
import os
import socket
import warnings
from collections.abc import Callable
from typing import Any, cast

from depthsearch.errors import InvalidValue
from depthsearch.interrupts import interrupts_deferred
from depthsearch.service.read_only import ReadOnly
from depthsearch.store import open_store

LAST_PORT = 65535

PACKAGES = {"optuna_dashboard": "optuna-dashboard", "a2wsgi": "a2wsgi", "uvicorn": "uvicorn"}
"""What the dashboard needs, from the name of the module to that of the package."""

WORKERS = 10
"""Requests that are answered at the same time."""

PATIENCE = 2
"""Seconds that open requests have left once the server ends."""


def serve_dashboard(
    storage: str | None = None, *, host: str = "127.0.0.1", port: int = 8080, on_ready: Callable[[str], None]
) -> None:
    """Show a store in the browser until Ctrl-C. Nothing in it can be changed from there.

    Args:
        storage: URL of the store; by default DEPTHSEARCH_STORAGE, or depthsearch.db in the working folder.
        host: Address to listen on. Everybody who can reach it can read the store.
        port: To listen on; 0 for any that is free.
        on_ready: Called with the address, once it answers.

    Raises:
        InvalidValue: The address cannot be listened on, or a package of the dashboard is missing.
        StoreError: The store cannot be used as asked.
        KeyboardInterrupt: Ctrl-C has ended it.
    """
    for module, package in PACKAGES.items():
        if importlib.util.find_spec(module) is None:
            raise InvalidValue(f"the dashboard needs the package {package!r}: pip install 'depthsearch[dashboard]'")
    if not host:
        raise InvalidValue("'' would be every address of this machine: give one, as in 127.0.0.1", path="host")
    if not 0 <= port <= LAST_PORT:
        raise InvalidValue(path="port", value=port, expected=f"a whole number of 0 to {LAST_PORT}")
    with open_store(storage, create=False, writes=False) as store:
        with interrupts_deferred():
            import optuna_dashboard  # noqa: PLC0415 - an extra

            from depthsearch.service.answers import WithAnswers  # noqa: PLC0415 - imports all of a search

        # Of studies with few trials, for callers of Optuna: readers of a page cannot act on them.
        warnings.filterwarnings("ignore", module=r"optuna\..*")

        application = ReadOnly(WithAnswers(optuna_dashboard.wsgi(store.optuna_storage), store))
        with _listening(host, port) as listener:
            shown = f"[{host}]" if ":" in host else host
            _serve(application, listener, lambda: on_ready(f"http://{shown}:{listener.getsockname()[1]}/"))


def _serve(application: ReadOnly, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Answer requests until SIGINT or SIGTERM, which uvicorn raises again once it has ended."""
    with interrupts_deferred():
        import uvicorn  # noqa: PLC0415 - an extra
        from a2wsgi import WSGIMiddleware  # noqa: PLC0415 - an extra

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            on_ready()

    config = uvicorn.Config(
        WSGIMiddleware(cast("Any", application), workers=WORKERS),  # its types of WSGI are not the standard's
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=PATIENCE,
    )
    Server(config).run([listener])


def _listening(host: str, port: int) -> socket.socket:
    """A socket that is bound to the address.

    Raises:
        InvalidValue: It cannot be listened on.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()  # a port that another process listens on is refused here at the latest
    except (OSError, UnicodeError) as error:
        listener.close()
        raise _refused(host, port, error) from None
    return listener


def _refused(host: str, port: int, error: OSError | UnicodeError) -> InvalidValue:
    number = (error.errno if isinstance(error, OSError) else None) or 0
    if number == errno.EADDRINUSE:
        return InvalidValue(f"{port} is taken on {host}: give another, or 0 for any that is free", path="port")
    if number == errno.EACCES:
        return InvalidValue(f"{port} is reserved for the system: give one of 1024 or more", path="port")
    reason = os.strerror(number) if number in errno.errorcode else "no such address"
    return InvalidValue(
        f"{host!r} cannot be listened on ({reason}): give an address of this machine, as in 127.0.0.1", path="host"
    )
