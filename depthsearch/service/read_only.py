"""A guard before optuna-dashboard, which cannot be made read-only: everything can be read, nothing changed."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


READING = ("GET", "HEAD")


REASON = "this dashboard is read-only: only the command depthsearch changes a study"


class ReadOnly:
    """A WSGI application that passes on what only reads, and refuses the rest with status 405.

    Args:
        application: The dashboard.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        if environ["REQUEST_METHOD"] in READING:
            environ.setdefault("HTTP_ACCEPT_ENCODING", "")  # the dashboard fails where it is missing
            return self._application(environ, start_response)
        # The page shows the `reason` of a JSON object to the user who pressed the button.
        body = json.dumps({"reason": REASON}).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Allow", ", ".join(READING)),
        ]
        start_response("405 Method Not Allowed", headers)
        return [body]
