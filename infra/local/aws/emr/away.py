"""EMR Serverless out of service on request, as a whole region's now and then is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATHS = ("/applications", "/tags/")


class Away:
    """WSGI middleware: while the file exists, every call of EMR Serverless is answered 503. Job runs go on."""

    def __init__(self, application: WSGIApplication, mark: Path) -> None:
        self._application = application
        self._mark = mark

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not (Request(environ).path.startswith(PATHS) and self._mark.exists()):
            return self._application(environ, start_response)
        body = '{"message": "Service Unavailable"}'
        headers = {"x-amzn-ErrorType": "ServiceUnavailableException"}
        return Response(body, 503, headers, mimetype="application/json")(environ, start_response)


def mark(home: Path) -> Path:
    """The file that takes the EMR Serverless of a platform out of service."""
    return home / "emr-is-away"
