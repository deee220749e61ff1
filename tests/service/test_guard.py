"""What changes something is refused before it reaches the dashboard."""

import json
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from depthsearch.service.read_only import ReadOnly

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def inner(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
    assert environ["REQUEST_METHOD"] in ("GET", "HEAD")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [environ["HTTP_ACCEPT_ENCODING"].encode()]


def ask(method: str, **headers: str) -> tuple[str, dict[str, str], bytes]:
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "QUERY_STRING": ""} | headers
    setup_testing_defaults(environ)
    answered: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        answered.extend((status, dict(headers)))
        return lambda _data: None

    body = validator(ReadOnly(inner))(environ, start_response)
    text = b"".join(body)
    body.close()  # type: ignore[attr-defined]
    return answered[0], answered[1], text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_goes_through(method: str) -> None:
    assert ask(method)[0] == "200 OK"


def test_the_encodings_that_a_reader_accepts_go_through_and_are_none_where_it_names_none() -> None:
    assert ask("GET", HTTP_ACCEPT_ENCODING="gzip")[2] == b"gzip"
    assert ask("GET")[2] == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "TRACE"])
@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD:wsgiref.validate.WSGIWarning")
def test_all_else_is_refused_with_the_reason(method: str) -> None:
    status, headers, body = ask(method)
    assert status == "405 Method Not Allowed"
    assert headers["Allow"] == "GET, HEAD"
    assert json.loads(body)["reason"].startswith("this dashboard is read-only")
