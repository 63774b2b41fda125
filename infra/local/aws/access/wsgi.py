"""The guard before moto."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request as Received
from werkzeug.wrappers import Response

from infra.local.aws.access.guard import Guard, Request
from infra.local.aws.access.refusal import Answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Guarded:
    """WSGI middleware. What is not signed, such as the pages of job runs, passes."""

    def __init__(self, application: WSGIApplication, guard: Guard) -> None:
        self._application = application
        self._guard = guard

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        received = Received(environ, populate_request=False)
        headers = {name.lower(): value for name, value in received.headers.items()}
        request = Request(received.method, received.path, environ.get("QUERY_STRING", ""), headers)
        if self._guard.needs_body(request):
            body = received.get_data(cache=False)
            environ["wsgi.input"] = io.BytesIO(body)
            request = request._replace(body=body)
        seen = self._guard.look(request)
        if seen is None:
            return self._application(environ, start_response)
        if refused := self._guard.refusal(request, seen):
            return _response(refused, request)(environ, start_response)
        absent: list[Answer] = []

        def start(status: str, listed: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            if status.startswith("404") and (answer := self._guard.absent(request, seen)):
                absent.append(answer)
                return lambda _: None
            return start_response(status, listed, *error)

        answered = self._application(environ, start)
        return _response(absent[0], request)(environ, start_response) if absent else answered


def _response(answer: Answer, request: Request) -> Response:
    return Response(answer.body if request.method != "HEAD" else b"", answer.status, answer.headers)
