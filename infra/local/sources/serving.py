"""How each HTTP stand-in is served: loopback only, one process, a health address, clean stop on SIGTERM."""

from __future__ import annotations

from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from infra.local.addresses import HOST

HEALTH_PATH = "/_control/health"


async def _health(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


health = Route(HEALTH_PATH, _health, methods=["GET"])


def serve(app: Starlette, address: str) -> None:
    """Serves until stopped, at the port of one of `Addresses`' own addresses; the host is always loopback."""
    port = urlsplit(address).port
    if port is None:
        raise ValueError(f"{address} has no port")
    uvicorn.run(app, host=HOST, port=port, log_level="info")
