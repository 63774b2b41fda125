"""How each HTTP stand-in is served: loopback only, one process, a health address, a clean stop on SIGTERM."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.addresses import HOST

HEALTH_PATH = "/_control/health"
Handler = Callable[[Request], Awaitable[Response]]


async def _health(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


health = Route(HEALTH_PATH, _health, methods=["GET"])


def checked(handler: Handler) -> Handler:
    """A control call that answers 400 and the reason when its document is wrong."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except (ValueError, KeyError, TypeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return answer


def serve(app: Starlette, address: str) -> None:
    """Serves at the port of an address until it is stopped. The host is always loopback."""
    port = urlsplit(address).port
    if port is None:
        raise ValueError(f"{address} has no port")
    uvicorn.run(app, host=HOST, port=port, log_level="info")
