"""optuna-dashboard over a store, for looking alone."""

import errno
import importlib.util
import os
import socket
import warnings
from collections.abc import Callable
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from depthsearch.errors import InvalidValue
from depthsearch.interrupts import interrupts_deferred
from depthsearch.service.read_only import ReadOnly
from depthsearch.store import open_store

LAST_PORT = 65535


def serve_dashboard(
    storage: str | None = None, *, host: str = "127.0.0.1", port: int = 8080, on_ready: Callable[[str], None]
) -> None:
    """Show a store in the browser until Ctrl-C. Nothing in it can be changed from there.

    Args:
        storage: URL of the store; by default DEPTHSEARCH_STORAGE, or depthsearch.db in the working folder.
        host: Address to listen on. Whoever can reach it can read the store.
        port: To listen on; 0 for any that is free.
        on_ready: Called with the address, once it answers.

    Raises:
        InvalidValue: The address cannot be listened on, or the package optuna-dashboard is missing.
        StoreError: The store cannot be used as asked.
    """
    if importlib.util.find_spec("optuna_dashboard") is None:
        raise InvalidValue("the dashboard needs the package 'optuna-dashboard': pip install 'depthsearch[dashboard]'")
    if not host:
        raise InvalidValue("'' would be every address of this machine: give one, as in 127.0.0.1", path="host")
    if not 0 <= port <= LAST_PORT:
        raise InvalidValue(path="port", value=port, expected=f"a whole number of 0 to {LAST_PORT}")
    with open_store(storage, create=False, writes=False) as store:
        with interrupts_deferred():
            import optuna_dashboard  # noqa: PLC0415 - an extra

        # Of studies with few trials, for whoever calls Optuna: who looks at a page cannot act on them.
        warnings.filterwarnings("ignore", module=r"optuna\..*")

        with _server(host, port) as server:
            server.set_app(ReadOnly(optuna_dashboard.wsgi(store.optuna_storage)))
            shown = f"[{host}]" if ":" in host else host
            on_ready(f"http://{shown}:{server.server_port}/")
            server.serve_forever()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """As usual, but without asking who this machine is: a name server may keep one waiting."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Log no requests."""


def _server(host: str, port: int) -> _Server:
    kind = _ServerV6 if ":" in host else _Server
    try:
        return kind((host, port), _SilentHandler)
    except (OSError, UnicodeError) as error:
        number = (error.errno if isinstance(error, OSError) else None) or 0
        if number == errno.EADDRINUSE:
            raise InvalidValue(
                f"{port} is taken on {host}: give another, or 0 for any that is free", path="port"
            ) from None
        if number == errno.EACCES:
            raise InvalidValue(f"{port} is reserved for the system: give one of 1024 or more", path="port") from None
        reason = os.strerror(number) if number in errno.errorcode else "no such address"
        raise InvalidValue(
            f"{host!r} cannot be listened on ({reason}): give an address of this machine, as in 127.0.0.1", path="host"
        ) from None
