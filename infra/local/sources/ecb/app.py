"""The HTTP side of the ECB stand-in."""

from __future__ import annotations

from dataclasses import asdict
from email.utils import format_datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.sources.ecb.feed import Feed, Overrides
from infra.local.sources.faults import Faults
from infra.local.sources.serving import checked, health


def application(home: Path) -> Starlette:
    """The stand-in as an ASGI application."""
    feed = Feed(home / "ecb")
    faults = Faults(frozenset({"unavailable"}))

    async def download(request: Request) -> Response:
        if faults.take(request.url.path):
            return Response("Service Unavailable", 503)
        feed.publish()
        headers = {
            "ETag": feed.etag,
            "Last-Modified": format_datetime(feed.last_modified, usegmt=True),
        }
        if feed.unchanged_since(request):
            return Response(status_code=304, headers=headers)
        if request.url.path.endswith(".zip"):
            return Response(feed.zip, media_type="application/zip", headers=headers)
        return Response(feed.csv, media_type="text/csv", headers=headers)

    async def overrides(request: Request) -> Response:
        if request.method == "PATCH":
            feed.change(feed.overrides.patched(await request.json()))
        elif request.method == "DELETE":
            feed.change(Overrides(revision=feed.overrides.revision + 1))
        return JSONResponse(asdict(feed.overrides))

    return Starlette(
        routes=[
            health,
            Route("/stats/eurofxref/eurofxref-hist.zip", download, methods=["GET"]),
            Route("/stats/eurofxref/eurofxref-hist.csv", download, methods=["GET"]),
            Route("/_control/overrides", checked(overrides), methods=["GET", "PATCH", "DELETE"]),
            Route("/_control/fail", checked(faults.control), methods=["POST", "DELETE"]),
        ]
    )
